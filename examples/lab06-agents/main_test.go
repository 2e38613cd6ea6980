package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReliabilityTellsThemApart(t *testing.T) {
	t.Setenv("OPENAI_MODEL", "")
	var b strings.Builder
	require.NoError(t, run(nil, &b))
	t.Log(b.String())
	row := regexp.MustCompile(`(?m)^  8 +[\d.]+ +[\d.]+ to [\d.]+ +([\d.]+) `)
	found := row.FindAllStringSubmatch(b.String(), -1)
	require.Len(t, found, 2)
	careful, err := strconv.ParseFloat(found[0][1], 64)
	require.NoError(t, err)
	fast, err := strconv.ParseFloat(found[1][1], 64)
	require.NoError(t, err)
	assert.Greater(t, careful, fast+0.15)
	assert.Contains(t, b.String(), `said "I have refunded order`)
	require.Error(t, run([]string{"-trials", "-1"}, &b))
}

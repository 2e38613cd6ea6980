package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheLabShowsBothFaults(t *testing.T) {
	t.Setenv("OPENAI_MODEL", "")
	var b strings.Builder
	require.NoError(t, run(nil, &b))
	lines := strings.Split(b.String(), "\n")
	t.Log(b.String())
	assert.Regexp(t, `better answer first   (7[5-9]|8[0-5]) %`, lines[1])
	assert.Regexp(t, `both orders           (5[6-9]|6[0-4]) %`, lines[2])
	assert.Regexp(t, `^  1 +1 `, lines[7])
	for _, line := range lines[8:11] {
		assert.Regexp(t, `^  5 +1 `, line)
	}
	assert.Regexp(t, `verbosity +150 +\+0\.[345]`, b.String())
	assert.Regexp(t, `style +150 .* no\n`, b.String())
	assert.Contains(t, b.String(), "good enough: no")
	assert.Regexp(t, `corrected by the labels +0\.(4[6-9]|5[0-4])`, b.String())
	require.Error(t, run([]string{"-bias", "0.9"}, &b))
}

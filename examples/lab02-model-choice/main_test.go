package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheChoice(t *testing.T) {
	for args, want := range map[string]string{
		"":               "choice: medium at $0.9",
		"-limit=1s":      "choice: none",
		"-margin=0.5":    "choice: small",
		"-questions=400": "not shown: ask more questions",
	} {
		var b strings.Builder
		require.NoError(t, run(strings.Fields(args), &b), args)
		assert.Contains(t, b.String(), want, "%s\n%s", args, b.String())
	}
	require.Error(t, run([]string{"-questions", "3"}, &strings.Builder{}))
}

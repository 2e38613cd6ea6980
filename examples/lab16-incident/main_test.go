package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLab(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.NoError(t, run(t.Context(), &again))
	require.Equal(t, out.String(), again.String())
	for _, want := range []string{"The error budget alerts at 10:", "globex has", "The bad one has more steps: [{chat large 2}]", "## Action items", "Why was card [CARD] charged"} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "4111")
}

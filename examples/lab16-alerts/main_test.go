package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBurnRatesPageSeldomAndSoon: the live numbers that the lab's text speaks of.
func TestBurnRatesPageSeldomAndSoon(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out))
	require.Contains(t, out.String(), "burn rates")
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, len([]rune(line)), 100)
	}
	loud, _, err := simulate(designs[1], 7*24*60, -1, 0)
	require.NoError(t, err)
	quiet, _, err := simulate(designs[3], 7*24*60, -1, 0)
	require.NoError(t, err)
	require.Greater(t, loud, 50)
	require.LessOrEqual(t, quiet, 1)
	_, slow, err := simulate(designs[2], 48*60, 24*60, 0.3)
	require.NoError(t, err)
	_, soon, err := simulate(designs[3], 48*60, 24*60, 0.3)
	require.NoError(t, err)
	require.Positive(t, soon)
	require.Greater(t, slow, soon)
}

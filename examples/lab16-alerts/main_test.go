package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBurnRatesPageSeldomAndSoon: the live numbers that the text of the lab states.
func TestBurnRatesPageSeldomAndSoon(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out))
	require.Contains(t, out.String(), "burn rates")
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, len([]rune(line)), 100)
	}
	week, large := 7*24*60, incident{24 * 60, 180, 0.3}
	of := func(d, minutes int, in incident) result {
		r, err := simulate(designs[d], minutes, in)
		require.NoError(t, err)
		return r
	}
	require.Greater(t, of(1, week, incident{}).pages, 50)
	require.LessOrEqual(t, of(3, week, incident{}).pages, 1)
	soon, slow := of(3, 72*60, large), of(2, 72*60, large)
	require.Positive(t, soon.first)
	require.Less(t, soon.first, 60)
	require.Less(t, soon.after, 120)
	require.Greater(t, slow.after, 600)
}

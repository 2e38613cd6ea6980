package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	for _, text := range []string{"not a measurement of a product", "continuous, 64, 2 replicas", "What to notice"} {
		require.Contains(t, out.String(), text)
	}
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-rate", "0"}, io.Discard, io.Discard))
}

// TestOrder: each configuration is better than the one before where the lab says so.
func TestOrder(t *testing.T) {
	var all []result
	for _, s := range setups {
		r, err := simulate(s, 8)
		require.NoError(t, err)
		require.Positive(t, r.first50)
		require.GreaterOrEqual(t, r.whole50, r.first50)
		all = append(all, r)
	}
	require.Greater(t, all[0].first99, all[1].first99)
	require.Greater(t, all[1].first50, all[3].first50)
	require.Greater(t, all[3].first50, 5*all[4].first50)
	require.Less(t, all[4].first99, 300*time.Millisecond)
	require.LessOrEqual(t, all[5].whole99, all[4].whole99)
}

// TestSteps: a step of one request reads the weights in about 5 ms, as the data sheet
// has it.
func TestSteps(t *testing.T) {
	require.InDelta(t, 6.8, step([]*request{{}}).Seconds()*1000, 0.2)
	require.InDelta(t, 20.8, prefill(1).Seconds()*1000, 0.5)
}

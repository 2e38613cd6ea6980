package main

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// In virtual time the lab's claims are exact.
func TestTheWays(t *testing.T) {
	for _, c := range []struct {
		do                      func(m *model, n, limit int)
		took                    time.Duration
		answered, refused, gone int64
	}{
		{sequential, 1200 * time.Millisecond, 60, 0, 0},
		{allAtOnce, 20 * time.Millisecond, 10, 50, 0},
		{bounded, 120 * time.Millisecond, 60, 0, 0},
		{canceled, 50 * time.Millisecond, 20, 0, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &model{limit: 10}
			start := time.Now()
			c.do(m, 60, 10)
			require.Equal(t, c.took, time.Since(start))
			require.Equal(t, []int64{c.answered, c.refused, c.gone}, []int64{m.answered.Load(), m.refused.Load(), m.gone.Load()})
		})
	}
}

func TestBackPressure(t *testing.T) {
	waiting := map[int]int64{}
	for _, room := range []int{60, 4, 0} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			indexed, most := pipeline(context.Background(), 60, room)
			require.Equal(t, 60, indexed)
			require.InDelta(t, 60*20/4, float64(time.Since(start).Milliseconds()), 30)
			waiting[room] = most
		})
	}
	require.Greater(t, waiting[60], int64(30))
	require.LessOrEqual(t, waiting[4], int64(6))
	require.LessOrEqual(t, waiting[0], int64(2))
}

func TestTheProgram(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{"-calls", "12", "-limit", "3"}, &out, io.Discard))
	require.Contains(t, out.String(), "asyncio.gather")
	require.Error(t, run([]string{"-calls", "0"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"x"}, io.Discard, io.Discard))
}

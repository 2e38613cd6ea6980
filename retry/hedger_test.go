package retry

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHedgesAreBudgeted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := NewHedger(&HedgerOptions{Delay: time.Millisecond})
		require.NoError(t, err)
		p, err := NewPolicy(&Options{Hedger: h})
		require.NoError(t, err)
		calls := 0
		var mu sync.Mutex
		for range 1000 {
			_, err := Do(t.Context(), p, func(ctx context.Context) (int, error) {
				mu.Lock()
				calls++
				mu.Unlock()
				return 1, pause(ctx, 10*time.Millisecond)
			})
			require.NoError(t, err)
		}
		require.Equal(t, 1050, calls)
	})
	// A request isn't reported to the policy's own budget twice.
	b, err := NewWindowBudget(&WindowBudgetOptions{Window: time.Minute, Share: 0.5, PerSecond: -1})
	require.NoError(t, err)
	h, err := NewHedger(&HedgerOptions{Budget: b})
	require.NoError(t, err)
	p, err := NewPolicy(&Options{Hedger: h, Budget: b})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
	require.NoError(t, err)
	require.InDelta(t, 0.5, b.Balance(time.Now()), 1e-9)
	require.Equal(t, Budget(uncomparable{}), h.ownBudgetFor(uncomparable{}), "and no comparison panics")
}

type uncomparable struct {
	noBudget
	_ []int
}

func (h *Hedger) ownBudgetFor(b Budget) Budget {
	h.o.Budget = b
	return h.ownBudget(b)
}

// One answer in fifty takes a hundred times as long. The hedges cut the tail, cost
// what they may, and the quantile stays where the latencies are. It would fall
// further and further if overtaken attempts were not counted.
func TestHedgingCutsTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 7))
		latency := func() time.Duration {
			d := time.Duration(float64(time.Second) * (0.5 + rng.ExpFloat64()/4))
			if rng.Float64() < 0.02 {
				d += 100 * time.Second
			}
			return d
		}
		measure := func(o *Options) (p99 time.Duration, attempts int) {
			p, err := NewPolicy(o)
			require.NoError(t, err)
			var all []time.Duration
			var mu sync.Mutex
			for range 5000 {
				begin := time.Now()
				_, err := Do(t.Context(), p, func(ctx context.Context) (int, error) {
					mu.Lock()
					attempts++
					d := latency()
					mu.Unlock()
					return 0, pause(ctx, d)
				})
				require.NoError(t, err)
				all = append(all, time.Since(begin))
			}
			slices.Sort(all)
			return all[len(all)*99/100], attempts
		}
		plain, _ := measure(nil)
		h, err := NewHedger(&HedgerOptions{Budget: NoBudget})
		require.NoError(t, err)
		hedged, attempts := measure(&Options{Hedger: h})
		require.Greater(t, plain, 100*time.Second)
		require.Less(t, hedged, 4*time.Second)
		t.Logf("99th percentile %v without hedges, %v with them; %.3f attempts a call", plain.Round(time.Second/10), hedged.Round(time.Second/10), float64(attempts)/5000)
		require.InDelta(t, 5000*1.05, attempts, 5000*0.015)
		delay, ok := h.Delay()
		require.True(t, ok)
		require.InDelta(t, 0.5+0.25*math.Log(20), delay.Seconds(), 0.35)
	})
}

func TestHedgerDelay(t *testing.T) {
	h, err := NewHedger(&HedgerOptions{Delay: 9 * time.Second, Quantile: 0.9})
	require.NoError(t, err)
	for i := range 10 {
		d, ok := h.FirstTokenDelay()
		require.True(t, ok)
		require.Equal(t, 9*time.Second, d, "after %d latencies", i)
		h.observe(true, time.Duration(10-i)*time.Second)
	}
	d, _ := h.FirstTokenDelay()
	require.Equal(t, 9*time.Second, d)
	for range 2000 {
		h.observe(true, time.Second) // the first ten are forgotten
	}
	d, _ = h.FirstTokenDelay()
	require.Equal(t, time.Second, d)
	d, _ = h.Delay()
	require.Equal(t, 9*time.Second, d, "streams and whole answers are not mixed")

	h, err = NewHedger(nil)
	require.NoError(t, err)
	_, ok := h.Delay()
	require.False(t, ok)
	for _, o := range []HedgerOptions{{Delay: -1}, {Quantile: 1}, {Quantile: math.NaN()}, {Share: math.NaN()}, {Share: 2}} {
		_, err := NewHedger(&o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
}

func FuzzLatencies(f *testing.F) {
	f.Add([]byte{3, 1, 2}, 0.5)
	f.Fuzz(func(t *testing.T, data []byte, q float64) {
		if !(q > 0 && q < 1) {
			t.Skip()
		}
		var l latencies
		var all []time.Duration
		for _, b := range slices.Concat(data, data, data) {
			l.add(time.Duration(b))
			all = append(all, time.Duration(b))
			recent := slices.Clone(all[max(0, len(all)-512):])
			slices.Sort(recent)
			require.Equal(t, recent, l.sorted)
		}
		d, ok := l.quantile(q)
		if !ok {
			return
		}
		notAbove := 0
		for _, x := range l.sorted {
			if x <= d {
				notAbove++
			}
		}
		require.GreaterOrEqual(t, float64(notAbove), q*float64(len(l.sorted))-1e-6)
	})
}

package retry

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// gates are a breaker, an adaptive limit, a bulkhead and a shedder that no test
// comes near the limits of, and a way to see that all that was taken from them
// came back.
type gates struct {
	breaker  *Breaker
	adaptive *Adaptive
	bulkhead *Bulkhead
	shedder  *Shedder
	limited  atomic.Int64
}

func newGates(t *testing.T) *gates {
	g := &gates{}
	var err error
	g.breaker, err = NewBreaker(&BreakerOptions{Failures: 1000})
	require.NoError(t, err)
	g.adaptive, err = NewAdaptive(&AdaptiveOptions{Min: 1000})
	require.NoError(t, err)
	g.bulkhead, err = NewBulkhead(1000, nil)
	require.NoError(t, err)
	g.shedder, err = NewShedder(nil)
	require.NoError(t, err)
	for range others { // so that a place given back twice is missed as well
		take(t, g.adaptive)
		take(t, g.bulkhead)
	}
	return g
}

func (g *gates) options(o *Options) *Options {
	o.Breaker, o.Adaptive, o.Bulkhead, o.Shedder = g.breaker, g.adaptive, g.bulkhead, g.shedder
	o.Limiter = limiterFunc(func(ctx context.Context) error { g.limited.Add(1); return ctx.Err() })
	return o
}

// others is how many calls of other callers are in progress all the time.
const others = 10

// check fails if an attempt kept a place, or gave one back twice.
func (g *gates) check(t *testing.T) {
	t.Helper()
	require.Len(t, g.bulkhead.room, others)
	require.Zero(t, g.bulkhead.waiting.Load())
	require.Equal(t, others, g.adaptive.inFlight)
	require.Zero(t, len(g.adaptive.waiting))
}

// A half-open breaker's probes show whether a permit was ended twice or never: an
// ignored outcome frees its place, and an attempt that was never ended doesn't.
func TestEveryAdmittedAttemptFinishesOnce(t *testing.T) {
	endings := map[string]leg{
		"answer":   {after: time.Second, chunks: []string{"ok"}},
		"slow":     {after: 20 * time.Second, chunks: []string{"ok"}},
		"fatal":    {after: time.Second, err: fault.Classify(fault.Response{Status: 400}, time.Now())},
		"retry":    {after: time.Second, err: fault.Classify(fault.Response{Status: 429}, time.Now())},
		"late":     {after: 8 * time.Second, err: fault.Classify(fault.Response{Status: 429}, time.Now())},
		"panic":    {after: time.Second, panics: true},
		"hangs":    {after: time.Hour},
		"cut":      {after: time.Second, chunks: []string{"half"}, err: errors.New("connection reset by peer")},
		"at once":  {},
		"in a tie": {after: 6 * time.Second, chunks: []string{"ok"}}, // with a hedge that answers at once
	}
	names := slices.Sorted(maps.Keys(endings))
	rng := rand.New(rand.NewPCG(11, 12))
	for range 400 {
		next := &legs{}
		script := ""
		for range 4 {
			name := names[rng.IntN(len(names))]
			next.legs = append(next.legs, endings[name])
			script += name + ", "
		}
		stream, hedge, cancelAfter := rng.IntN(2) == 0, rng.IntN(4) > 0, time.Duration(rng.IntN(40))*time.Second
		waits, tight := rng.IntN(2) == 0, rng.IntN(4) == 0
		synctest.Test(t, func(t *testing.T) {
			g := newGates(t)
			// Four probes, and no outcome but ignored, throttled and healthy.
			g.breaker.enter(StateHalfOpen, time.Now())
			g.breaker.o.Probes = 4
			o := g.options(&Options{Budget: NoBudget, MaxAttempts: 4, Timeouts: Timeouts{Attempt: 30 * time.Second}})
			if hedge {
				h, err := NewHedger(&HedgerOptions{Delay: 6 * time.Second, Budget: NoBudget})
				require.NoError(t, err)
				o.Hedger = h
			}
			if waits { // the adaptive limit is waited for, too
				o.Adaptive, o.Gates = nil, []admission.Gate{g.adaptive}
			}
			if tight { // there is room for one attempt, and none for a hedge
				var err error
				g.bulkhead, err = NewBulkhead(others+1, nil)
				require.NoError(t, err)
				for range others {
					take(t, g.bulkhead)
				}
				o.Bulkhead = g.bulkhead
			}
			m, err := New(next, o)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), cancelAfter)
			defer cancel()
			func() {
				defer func() { _ = recover() }()
				_, _, _ = asking(t, m, ctx, stream)
			}()
			require.Zero(t, next.running.Load(), script)
			g.check(t)
			b := g.breaker
			if b.state == StateHalfOpen { // every probe that is out has succeeded
				require.Equal(t, b.succeeded, b.admitted, script)
			}
		})
	}
}

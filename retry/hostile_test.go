package retry

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// A timeout of an outer Model ends an attempt of it, not the call, although the
// Model below has no time left at all.
func TestOuterTimeoutsRetry(t *testing.T) {
	for _, timeouts := range []Timeouts{{Attempt: time.Second}, {FirstToken: time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			next := &legs{legs: []leg{{after: time.Hour}, {chunks: []string{"ok"}}}}
			inner, err := New(next, nil)
			require.NoError(t, err)
			outer, err := New(inner, &Options{Timeouts: timeouts})
			require.NoError(t, err)
			_, _, e := asking(t, outer, t.Context(), timeouts.FirstToken > 0)
			require.Nil(t, e)
			require.EqualValues(t, 2, next.calls.Load())
		})
	}
}

// The same with a fallback that is a Model, and with other ones after it.
func TestFallbackTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrapped := func(l leg) llms.Model {
			m, err := New(&legs{legs: []leg{l}}, nil)
			require.NoError(t, err)
			return m
		}
		m, err := New(&legs{legs: []leg{{after: time.Hour}}}, &Options{
			MaxAttempts: 1, Timeouts: Timeouts{Attempt: time.Second},
			Fallbacks: []llms.Model{wrapped(leg{after: time.Hour}), wrapped(leg{chunks: []string{"ok"}})},
		})
		require.NoError(t, err)
		_, _, e := asking(t, m, t.Context(), false)
		require.Nil(t, e)
	})
}

// However patient the caller, a wait is never less than was asked for.
func TestNoWaitOverflows(t *testing.T) {
	for _, value := range []string{"1e308", "9223372036", "9223372036.9"} {
		var waits []time.Duration
		p, err := NewPolicy(&Options{MaxDelay: math.MaxInt64, Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
		require.NoError(t, err)
		_, err = Do(t.Context(), p, func(context.Context) (int, error) {
			return 0, fault.Classify(fault.Response{Status: 429, Header: http.Header{"Retry-After": {value}}}, time.Now())
		})
		require.Error(t, err)
		require.Len(t, waits, 2)
		for _, d := range waits {
			require.Greater(t, d, time.Duration(math.MaxInt64/2))
		}
	}
}

// What a limiter returns is the limiter's: one error for all is not written to.
func TestTheLimitersErrorIsItsOwn(t *testing.T) {
	full := fault.New(fault.ClassRateLimit, errors.New("full"))
	p, err := NewPolicy(&Options{Limiter: limiterFunc(func(context.Context) error { return full })})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 0, nil })
	require.ErrorContains(t, err, "full")
	require.True(t, full.Retryable)
}

// The largest int is a way to say that there is no limit.
func TestAdaptiveWithoutEnd(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: math.MaxInt, Max: math.MaxInt})
	require.NoError(t, err)
	take(t, a)
	require.Positive(t, a.Limit())
}

// A continuation of nothing but blanks is none, however long.
func TestSeamEnds(t *testing.T) {
	s := newSeam("The quick brown fox jumps over the lazy dog", true)
	for i := range 100 {
		if _, ok := s.take([]byte(strings.Repeat("\n", 100))); !ok {
			require.Greater(t, i, 10)
			return
		}
	}
	t.Fatal("all blanks were kept")
}

// An open breaker refuses at once: nobody waits for a limiter, or takes its
// token, in order to be refused.
func TestAnOpenBreakerDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Minute})
		require.NoError(t, err)
		p, err := NewPolicy(&Options{Breaker: k, Limiter: limiterFunc(func(context.Context) error { time.Sleep(time.Second); return nil })})
		require.NoError(t, err)
		fail := func() error {
			_, err := Do(t.Context(), p, func(context.Context) (int, error) { return 0, fault.New(fault.ClassTLS, nil) })
			return err
		}
		take(t, k).Done(time.Now(), admission.OutcomeUnhealthy)
		start := time.Now()
		err = fail()
		require.ErrorIs(t, err, ErrOpen)
		require.Zero(t, time.Since(start))
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, time.Minute, e.Delay)
		time.Sleep(time.Minute + 1)
		require.NotErrorIs(t, fail(), ErrOpen, "a probe waits like any other")
	})
}

// A pointer to a backoff is checked as the backoff is.
func TestPointersAreChecked(t *testing.T) {
	for _, b := range []Backoff{Exponential{Multiplier: math.NaN()}, &Exponential{Multiplier: math.NaN()}} {
		_, err := NewPolicy(&Options{Backoff: b})
		require.ErrorIs(t, err, ErrOption)
	}
}

// What could never work is an error and no silence, and no panic.
func TestImpossibleSettings(t *testing.T) {
	for _, q := range []float64{0.998, 0.9981, 0.9999} {
		h, err := NewHedger(&HedgerOptions{Quantile: q})
		if err != nil {
			require.ErrorIs(t, err, ErrOption)
			require.Greater(t, q, 0.998)
			continue
		}
		for range 1000 {
			h.observe(false, time.Second)
		}
		_, known := h.Delay()
		require.True(t, known, q)
	}
	_, err := NewBreaker(&BreakerOptions{Window: math.MaxInt})
	require.ErrorIs(t, err, ErrOption)
}

package retry

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// If a half-open breaker's probe was not made, its place is free for another.
func TestCanceledProbe(t *testing.T) {
	k, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	p, err := k.TryAcquire(now)
	require.NoError(t, err)
	p.Done(now, admission.OutcomeUnhealthy)
	now = now.Add(time.Minute)
	p, err = k.TryAcquire(now)
	require.NoError(t, err)
	_, err = k.TryAcquire(now)
	require.ErrorIs(t, err, ErrOpen)
	p.Cancel(now)
	p, err = k.TryAcquire(now)
	require.NoError(t, err)
	p.Done(now, admission.OutcomeThrottled)
	require.Equal(t, StateHalfOpen, k.State(now), "it isn't known whether the target is well")
}

func TestGoldenBreaker(t *testing.T) {
	type row struct {
		Interval    int64 `json:"closed_interval_ms"`
		Consecutive int   `json:"consecutive_failures"`
		HalfOpenMax int   `json:"half_open_max"`
		OpenTimeout int64 `json:"open_timeout_ms"`
		Threshold   int   `json:"failure_threshold"`
		Window      int   `json:"window"`
		Successes   int   `json:"half_open_successes"`
		OpenDelay   int64 `json:"open_delay_ms"`
		Steps       []struct {
			T             int64 `json:"t_ms"`
			Before, After string
			Admitted      bool
			Result        string `json:"result_if_admitted"`
		}
	}
	golden.Rows(t, "retry", "breaker.jsonl", func(r row) error {
		o := &BreakerOptions{Failures: r.Consecutive, Probes: r.HalfOpenMax,
			Interval: time.Duration(r.Interval) * time.Millisecond, OpenFor: time.Duration(r.OpenTimeout) * time.Millisecond}
		if r.Window > 0 {
			o = &BreakerOptions{Failures: r.Threshold, Window: r.Window, Probes: r.Successes, OpenFor: time.Duration(r.OpenDelay) * time.Millisecond}
		}
		b, err := NewBreaker(o)
		if err != nil {
			return err
		}
		epoch := time.Unix(1_790_000_000, 0)
		b.State(epoch) // gobreaker's first interval begins when it is made
		for i, s := range r.Steps {
			now := epoch.Add(time.Duration(s.T) * time.Millisecond)
			before := b.State(now).String()
			// failsafe-go reports "open" until a call asks, and ours only until the time is
			// over.
			if before != s.Before && !(r.Window > 0 && before == "half-open" && s.Before == "open" && s.Admitted) {
				return fmt.Errorf("step %d at %d ms: %s before, want %s", i, s.T, before, s.Before)
			}
			permit, err := b.TryAcquire(now)
			if (err == nil) != s.Admitted {
				return fmt.Errorf("step %d at %d ms: admitted %v, want %v", i, s.T, err == nil, s.Admitted)
			}
			if err == nil {
				permit.Done(now, map[string]admission.Outcome{"ok": admission.OutcomeHealthy, "fail": admission.OutcomeUnhealthy}[s.Result])
			}
			if after := b.State(now).String(); after != s.After {
				return fmt.Errorf("step %d at %d ms: %s after, want %s", i, s.T, after, s.After)
			}
		}
		return nil
	})
}

func TestBreakerIgnoresAnEarlierGeneration(t *testing.T) {
	b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	slow, err := b.TryAcquire(now)
	require.NoError(t, err)
	quick, err := b.TryAcquire(now)
	require.NoError(t, err)
	quick.Done(now, admission.OutcomeUnhealthy)
	_, err = b.TryAcquire(now)
	require.ErrorIs(t, err, ErrOpen)
	now = now.Add(2 * time.Second)
	probe, err := b.TryAcquire(now)
	require.NoError(t, err)
	slow.Done(now, admission.OutcomeUnhealthy) // from before the outage
	require.Equal(t, StateHalfOpen, b.State(now))
	probe.Done(now, admission.OutcomeHealthy)
	require.Equal(t, StateClosed, b.State(now))
}

func TestBreakerAdmitsOnlyItsProbes(t *testing.T) {
	b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second, Probes: 3})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	first, _ := b.TryAcquire(now)
	first.Done(now, admission.OutcomeUnhealthy)
	now = now.Add(2 * time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	for range 50 {
		wg.Go(func() {
			if _, err := b.TryAcquire(now); err == nil {
				mu.Lock()
				admitted++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 3, admitted)
}

// A probe that is a stream has shown with its first token that the target is well.
func TestAProbeSucceedsWithItsFirstToken(t *testing.T) {
	now := time.Unix(0, 0)
	for probes := 1; probes <= 2; probes++ {
		b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second, Probes: probes})
		require.NoError(t, err)
		p, err := b.TryAcquire(now)
		require.NoError(t, err)
		p.Done(now, admission.OutcomeUnhealthy)
		require.Equal(t, StateOpen, b.State(now))
		now = now.Add(2 * time.Second)
		probe, err := b.TryAcquire(now)
		require.NoError(t, err)
		probe.FirstToken(now)
		if probes == 2 {
			require.Equal(t, StateHalfOpen, b.State(now))
			probe.Done(now, admission.OutcomeHealthy)
			require.Equal(t, StateHalfOpen, b.State(now), "one probe counts once")
			probe, err = b.TryAcquire(now)
			require.NoError(t, err)
			probe.FirstToken(now)
		}
		require.Equal(t, StateClosed, b.State(now))
		probe.Done(now, admission.OutcomeUnhealthy)
		require.Equal(t, StateClosed, b.State(now), "it belongs to the time of the probes")
	}
}

// Streams that go on are successes: the failures beside them are no run.
func TestStreamsInProgressAreSuccesses(t *testing.T) {
	now := time.Unix(0, 0)
	for _, o := range []*BreakerOptions{{Failures: 3}, {Failures: 3, Window: 5}} {
		b, err := NewBreaker(o)
		require.NoError(t, err)
		var streams []admission.Permit
		for range 10 {
			for range 4 {
				p, err := b.TryAcquire(now)
				require.NoError(t, err)
				p.FirstToken(now)
				streams = append(streams, p)
			}
			p, err := b.TryAcquire(now)
			require.NoError(t, err)
			p.Done(now, admission.OutcomeUnhealthy)
		}
		require.Equal(t, StateClosed, b.State(now))
		streams[0].Done(now, admission.OutcomeUnhealthy)
		if o.Window == 0 {
			streams[1].Done(now, admission.OutcomeUnhealthy)
			streams[2].Done(now, admission.OutcomeHealthy)
		}
		require.Equal(t, StateClosed, b.State(now))
		for i := 3; i < 6 && b.State(now) == StateClosed; i++ { // cut in a row, while others begin
			p, err := b.TryAcquire(now)
			require.NoError(t, err)
			p.FirstToken(now)
			streams[i].Done(now, admission.OutcomeUnhealthy)
		}
		require.Equal(t, StateOpen, b.State(now))
	}
}

// The breaker of a policy lets calls pass while its probe still streams.
func TestAStreamingProbeDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Second})
		require.NoError(t, err)
		var states []string
		log := slog.New(&event.Checker{Report: t.Errorf, Next: records(func(r slog.Record) {
			if r.Message == event.RetryBreaker {
				r.Attrs(func(a slog.Attr) bool {
					if a.Key == event.State {
						states = append(states, a.Value.String())
					}
					return true
				})
			}
		})})
		long := modeltest.Turn{Chunks: []modeltest.Chunk{{Text: "a"}, {Text: "b", Delay: time.Minute}}, Times: -1}
		s := &modeltest.Script{Turns: []modeltest.Turn{{Err: fault.New(fault.ClassServerError, nil)}, long}}
		m, err := New(s, &Options{Breaker: b, MaxAttempts: 1, Logger: log})
		require.NoError(t, err)
		stream := llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
		_, err = m.Call(t.Context(), "q", stream)
		require.Error(t, err)
		time.Sleep(2 * time.Second)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := m.Call(t.Context(), "q", stream); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		require.Equal(t, []string{"open", "half-open", "closed"}, states)
		require.Equal(t, StateClosed, b.State(time.Now()))
	})
}

type records func(slog.Record)

func (records) Enabled(context.Context, slog.Level) bool        { return true }
func (h records) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
func (h records) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h records) WithGroup(string) slog.Handler                 { return h }

// No server has asked for the wait of an open breaker.
func TestBreakersRefusalReads(t *testing.T) {
	b, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Minute})
	require.NoError(t, err)
	now := time.Now()
	p, err := b.TryAcquire(now)
	require.NoError(t, err)
	p.Done(now, admission.OutcomeUnhealthy)
	_, err = b.TryAcquire(now)
	require.EqualError(t, err, "fault: overloaded, try again in 1m0s: retry: circuit breaker is open")
}

package retry

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

func TestWrapperContract(t *testing.T) {
	breaker := func(tb testing.TB) *Breaker {
		b, err := NewBreaker(&BreakerOptions{Failures: 1000})
		require.NoError(tb, err)
		return b
	}
	var hedges atomic.Int64
	for name, options := range map[string]func(testing.TB) *Options{
		"defaults": func(testing.TB) *Options { return nil },
		"hedging": func(tb testing.TB) *Options {
			h, err := NewHedger(&HedgerOptions{Delay: 300 * time.Millisecond, Budget: NoBudget})
			require.NoError(tb, err)
			return &Options{Hedger: h, Logger: slog.New(&event.Checker{Report: tb.Errorf, Next: counter{slog.DiscardHandler, &hedges}})}
		},
		"resuming": func(testing.TB) *Options { return &Options{Resume: &Resume{Max: 2}} },
		"everything": func(tb testing.TB) *Options {
			h, err := NewHedger(&HedgerOptions{Delay: 300 * time.Millisecond, Budget: NoBudget})
			require.NoError(tb, err)
			bulkhead, err := NewBulkhead(100, nil)
			require.NoError(tb, err)
			adaptive, err := NewAdaptive(nil)
			require.NoError(tb, err)
			shedder, err := NewShedder(nil)
			require.NoError(tb, err)
			return &Options{
				Breaker: breaker(tb), Bulkhead: bulkhead, Adaptive: adaptive, Shedder: shedder,
				Hedger: h, Resume: &Resume{},
				Timeouts: Timeouts{FirstToken: time.Hour, BetweenTokens: time.Hour, Attempt: 2 * time.Hour, Total: 3 * time.Hour},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				m, err := New(next, options(tb))
				require.NoError(tb, err)
				return m
			}, &modeltest.Options{MayRetry: true})
		})
	}
	require.Greater(t, hedges.Load(), int64(5), "the suite has slow answers")
}

// A counter counts the hedges among the events.
type counter struct {
	slog.Handler
	hedges *atomic.Int64
}

func (c counter) Handle(_ context.Context, r slog.Record) error {
	if r.Message == event.RetryHedge {
		c.hedges.Add(1)
	}
	return nil
}

func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := &play{turns: []turn{answers("other")}}
		for _, c := range []struct {
			r    fault.Response
			asks int
		}{{fault.Response{Status: 401}, 1}, {fault.Response{Status: 400}, 0}, {fault.Response{Status: 503}, 1}} {
			other.calls = 0
			m, err := New(&play{turns: []turn{fails(c.r)}}, &Options{Fallbacks: []llms.Model{other}})
			require.NoError(t, err)
			_, _, _ = asking(t, m, t.Context(), false)
			require.Equal(t, c.asks, other.calls, "%+v", c.r)
		}
	})
}

// An answer whose stop reason means that the generation broke is a failure, and is
// asked for again.
func TestBrokenAnswerIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := modeltest.Turn{Chunks: modeltest.Words("half an"), Stop: "error"}
		s := &modeltest.Script{Turns: []modeltest.Turn{broken, modeltest.Say("whole")}}
		m, err := New(s, nil)
		require.NoError(t, err)
		answer, err := m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, "whole", answer)

		broken.Times = -1
		m, err = New(&modeltest.Script{Turns: []modeltest.Turn{broken}}, nil)
		require.NoError(t, err)
		_, err = m.Call(t.Context(), "q")
		require.ErrorIs(t, err, fault.ErrStopReason)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fault.ClassServerError, e.Class)
		require.Equal(t, "error", e.ProviderCode)
		require.Equal(t, "half an", e.Partial.Choices[0].Content)
		require.Equal(t, 3, e.Attempts)
	})
}

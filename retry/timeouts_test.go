package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

func TestTimeoutsFireOnTime(t *testing.T) {
	speaksThenHangs := func(ctx context.Context, say func(string) error) (*llms.ContentResponse, error) {
		for range 3 {
			time.Sleep(2 * time.Second)
			if err := say("x"); err != nil {
				return nil, err
			}
		}
		return hangs(ctx, say)
	}
	empty := func(ctx context.Context, say func(string) error) (*llms.ContentResponse, error) {
		_ = say("") // a role, no token
		return hangs(ctx, say)
	}
	for name, c := range map[string]struct {
		t         Timeouts
		turn      turn
		stream    bool
		after     time.Duration
		class     fault.Class
		retryable bool
		heard     string
	}{
		"first token":                 {Timeouts{FirstToken: 5 * time.Second}, hangs, true, 5 * time.Second, fault.ClassTimeout, true, ""},
		"an empty chunk is no token":  {Timeouts{FirstToken: 5 * time.Second}, empty, true, 5 * time.Second, fault.ClassTimeout, true, ""},
		"between tokens":              {Timeouts{FirstToken: 5 * time.Second, BetweenTokens: 3 * time.Second}, speaksThenHangs, true, 9 * time.Second, fault.ClassStreamInterrupted, false, "xxx"},
		"attempt":                     {Timeouts{Attempt: 7 * time.Second}, hangs, false, 7 * time.Second, fault.ClassTimeout, true, ""},
		"total":                       {Timeouts{Total: 8 * time.Second}, hangs, false, 8 * time.Second, fault.ClassTimeout, false, ""},
		"total ends a stream as well": {Timeouts{Total: 5 * time.Second}, speaksThenHangs, true, 5 * time.Second, fault.ClassTimeout, false, "xx"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := New(&play{turns: []turn{c.turn}}, &Options{MaxAttempts: 1, Timeouts: c.t})
				require.NoError(t, err)
				begin := time.Now()
				heard, _, e := asking(t, m, t.Context(), c.stream)
				require.NotNil(t, e)
				// A callback that sleeps is not interrupted: the next chunk's end is when the call returns.
				require.InDelta(t, c.after.Seconds(), time.Since(begin).Seconds(), 1.01)
				require.Equal(t, c.class, e.Class)
				require.Equal(t, c.retryable, e.Retryable)
				require.ErrorIs(t, e, context.DeadlineExceeded)
				if c.stream && c.class != fault.ClassTimeout {
					require.Equal(t, c.heard, heard)
					require.Equal(t, c.heard, e.Partial.Choices[0].Content)
				}
			})
		})
	}
}

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

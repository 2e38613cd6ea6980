package retry

import (
	"context"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

func TestRetryAfterIsKeptAndJitteredAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := fails(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
		m, err := New(&play{turns: []turn{limited, answers("ok")}}, nil)
		require.NoError(t, err)
		begin := time.Now()
		_, _, e := asking(t, m, t.Context(), false)
		require.Nil(t, e)
		require.GreaterOrEqual(t, time.Since(begin), 7*time.Second)
		require.Less(t, time.Since(begin), 9*time.Second)

		// Past the caller's deadline: now, with the wait in the error.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		m, _ = New(&play{turns: []turn{limited}}, nil)
		begin = time.Now()
		_, _, e = asking(t, m, ctx, false)
		require.Zero(t, time.Since(begin))
		require.Equal(t, 7*time.Second, e.Delay)
		require.NotErrorIs(t, e, context.DeadlineExceeded)

		// Longer than any caller waits.
		m, _ = New(&play{turns: []turn{fails(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"99999999999999999999"}}})}}, nil)
		begin = time.Now()
		_, _, e = asking(t, m, t.Context(), false)
		require.Zero(t, time.Since(begin))
		require.Equal(t, longestWait, e.Delay)
	})
}

func TestNestedRetriesDontMultiply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{turns: []turn{fails(fault.Response{Status: 503})}}
		inner, err := New(p, nil)
		require.NoError(t, err)
		outer, err := New(inner, nil)
		require.NoError(t, err)
		_, _, e := asking(t, outer, t.Context(), false)
		require.Equal(t, 3, p.calls)
		require.Equal(t, 3, e.Attempts)
	})
}

// A wait is never shorter than the server asked for.
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

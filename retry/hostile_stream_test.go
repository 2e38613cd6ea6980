package retry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

// "never the beginning of an attempt that failed": also if that attempt's client
// still delivers when the next attempt is in progress.
func TestChunksOfADeadAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m, err := New(hostileLLM(func(ctx context.Context, o ...llms.CallOption) (*llms.ContentResponse, error) {
			var c llms.CallOptions
			for _, f := range o {
				f(&c)
			}
			if n++; n == 1 {
				go func() { time.Sleep(20 * time.Millisecond); _ = c.StreamingFunc(ctx, []byte("dead ")) }()
				return nil, fault.New(fault.ClassServerError, errors.New("down"))
			}
			time.Sleep(60 * time.Millisecond)
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "good", StopReason: "stop"}}}, c.StreamingFunc(ctx, []byte("good"))
		}), &Options{Backoff: Exponential{Base: time.Microsecond}, Budget: NoBudget})
		require.NoError(t, err)
		var mu sync.Mutex
		got := ""
		_, err = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(_ context.Context, b []byte) error {
			mu.Lock()
			defer mu.Unlock()
			got += string(b)
			return nil
		}))
		require.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, "good", got)
	})
}

// ... and nothing after the call has returned.
func TestChunksAfterTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		got := ""
		m, err := New(hostileLLM(func(ctx context.Context, o ...llms.CallOption) (*llms.ContentResponse, error) {
			var c llms.CallOptions
			for _, f := range o {
				f(&c)
			}
			_ = c.StreamingFunc(ctx, []byte("a"))
			go func() { time.Sleep(20 * time.Millisecond); _ = c.StreamingFunc(ctx, []byte("late")) }()
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a", StopReason: "stop"}}}, nil
		}), nil)
		require.NoError(t, err)
		_, err = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(_ context.Context, b []byte) error {
			mu.Lock()
			defer mu.Unlock()
			got += string(b)
			return nil
		}))
		require.NoError(t, err)
		time.Sleep(60 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, "a", got)
	})
}

// A hedge's context ends while it waits at a bulkhead: nothing is left over, and
// the call doesn't wait for a place that another call has.
func TestHedgeWaitsAtTheBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bulk, _ := NewBulkhead(1, &BulkheadOptions{Queue: 4})
		h, _ := NewHedger(&HedgerOptions{Delay: 5 * time.Millisecond, Budget: NoBudget})
		p, err := NewPolicy(&Options{Bulkhead: bulk, Hedger: h, MaxAttempts: 2, Budget: NoBudget, Backoff: Exponential{Base: time.Microsecond}})
		require.NoError(t, err)
		began := time.Now()
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { time.Sleep(30 * time.Millisecond); return 1, nil })
		require.NoError(t, err)
		require.Less(t, time.Since(began), 200*time.Millisecond)
		require.Empty(t, bulk.room)
		require.Zero(t, bulk.waiting.Load())
	})
}

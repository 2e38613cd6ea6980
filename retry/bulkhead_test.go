package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
)

func TestBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, &BulkheadOptions{Queue: 1})
		require.NoError(t, err)
		first := take(t, b)
		got := make(chan error)
		go func() { _, err := b.Acquire(t.Context()); got <- err }()
		synctest.Wait()
		_, err = b.Acquire(t.Context())
		require.ErrorIs(t, err, ErrBusy, "the queue is full")
		first.Done(time.Now(), admission.OutcomeIgnored)
		require.NoError(t, <-got)
		require.ErrorIs(t, refusal(t, b), ErrBusy, "without waiting there is no queue")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = b.Acquire(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = NewBulkhead(0, nil)
		require.ErrorIs(t, err, ErrOption)
		_, err = NewBulkhead(1, &BulkheadOptions{Queue: -1})
		require.ErrorIs(t, err, ErrOption)
	})
}

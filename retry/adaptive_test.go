package retry

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
)

func TestAdaptive(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 10})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	second := func(o admission.Outcome) {
		var permits []admission.Permit
		for range a.Limit() {
			p, err := a.TryAcquire(now)
			require.NoError(t, err)
			permits = append(permits, p)
		}
		_, err := a.TryAcquire(now)
		require.ErrorIs(t, err, ErrBusy)
		now = now.Add(time.Second)
		for _, p := range permits {
			p.Done(now, o)
		}
		for range 2 {
			p, err := a.TryAcquire(now)
			require.NoError(t, err)
			p.Cancel(now)
			now = now.Add(time.Second)
		}
		now = now.Add(-time.Second)
	}
	second(admission.OutcomeHealthy)
	grown := a.Limit()
	require.Greater(t, grown, 10)
	second(admission.OutcomeIgnored)
	require.Equal(t, grown, a.Limit(), "what shows nothing changes nothing")
	second(admission.OutcomeUnhealthy)
	require.Less(t, a.Limit(), grown)
	cut := a.Limit()
	second(admission.OutcomeThrottled)
	require.Less(t, a.Limit(), cut, "a target that throttles asks for fewer calls")
	for range 40 {
		second(admission.OutcomeUnhealthy)
	}
	require.Equal(t, 1, a.Limit())
	_, err = NewAdaptive(&AdaptiveOptions{Min: 5, Max: 2})
	require.ErrorIs(t, err, ErrOption)
}

func TestAdaptiveQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := NewAdaptive(&AdaptiveOptions{Initial: 1, Max: 1})
		require.NoError(t, err)
		p, err := NewPolicy(&Options{Gates: []admission.Gate{a}})
		require.NoError(t, err)
		var order []int
		for i := range 3 {
			go func() {
				_, err := Do(t.Context(), p, func(context.Context) (int, error) {
					if _, err := a.TryAcquire(time.Now()); !errors.Is(err, ErrBusy) {
						t.Error("more than one call is in progress")
					}
					time.Sleep(time.Second)
					order = append(order, i)
					return 0, nil
				})
				if err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		for range 2 {
			_, err = a.Acquire(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2}, order)
		permit, err := a.Acquire(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, refusal(t, a), ErrBusy)
		permit.Done(time.Now(), admission.OutcomeHealthy)
		require.Equal(t, 0, a.inFlight+len(a.waiting))
	})
}

// The largest int is a way to say that there is no limit.
func TestAdaptiveWithoutEnd(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: math.MaxInt, Max: math.MaxInt})
	require.NoError(t, err)
	take(t, a)
	require.Positive(t, a.Limit())
}

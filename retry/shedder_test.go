package retry

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
)

func TestShedderShedsLowFirst(t *testing.T) {
	s, err := NewShedder(&ShedderOptions{Service: time.Second})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	ask := func(r ShedRequest) error {
		_, err := s.TryAcquire(now, r)
		return err
	}
	for _, c := range []struct {
		wait time.Duration
		low  bool
		norm bool
		high bool
	}{{2 * time.Second, true, true, true}, {6 * time.Second, false, true, true}, {8 * time.Second, false, false, true}, {9 * time.Second, false, false, false}} {
		for p, want := range map[Priority]bool{PriorityLow: c.low, PriorityNormal: c.norm, PriorityHigh: c.high} {
			err := ask(ShedRequest{now.Add(10 * time.Second), c.wait, p})
			require.Equal(t, want, err == nil, "%v %v", c.wait, p)
			require.Equal(t, !want, errors.Is(err, ErrShed))
		}
	}
	require.NoError(t, ask(ShedRequest{Wait: time.Hour, Priority: PriorityLow}))
	for _, p := range []Priority{PriorityLow, PriorityNormal, PriorityHigh} {
		require.NoError(t, ask(ShedRequest{Deadline: now.Add(1500 * time.Millisecond), Priority: p}), "calls have not waited so far")
		require.ErrorIs(t, ask(ShedRequest{Deadline: now.Add(500 * time.Millisecond), Priority: p}), ErrShed)
		require.Equal(t, p, PriorityOf(WithPriority(t.Context(), p)))
	}
	require.Equal(t, PriorityNormal, PriorityOf(t.Context()))
}

// How long streams wait is known with their first tokens, not with their ends.
func TestShedderLearnsWithTheFirstToken(t *testing.T) {
	s, err := NewShedder(nil)
	require.NoError(t, err)
	now := time.Unix(0, 0)
	p, err := s.TryAcquire(now, ShedRequest{})
	require.NoError(t, err)
	p.Begin(now.Add(time.Minute))
	p.FirstToken(now.Add(time.Minute + time.Second))
	now = now.Add(2 * time.Minute)
	_, err = s.TryAcquire(now, ShedRequest{Deadline: now.Add(30 * time.Second)})
	require.ErrorIs(t, err, ErrShed)
	p.Done(now, admission.OutcomeHealthy)
	require.Equal(t, float64(time.Minute), s.service)
	require.InDelta(t, float64(time.Minute), s.wait, float64(time.Second), "the wait counts once")
}

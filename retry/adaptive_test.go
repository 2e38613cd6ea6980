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

// The largest int is a way to set no limit.
func TestAdaptiveWithoutEnd(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: math.MaxInt, Max: math.MaxInt})
	require.NoError(t, err)
	take(t, a)
	require.Positive(t, a.Limit())
}

// In slow start each first token allows two calls more, so that the streams in
// progress double with every round. Congestion ends it, and much room begins it
// again.
func TestAdaptiveSlowStart(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 10})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	var streams []admission.Permit
	round := func(d time.Duration) { // all places are taken, and the new streams begin
		from := len(streams)
		for {
			p, err := a.TryAcquire(now)
			if err != nil {
				break
			}
			streams = append(streams, p)
		}
		now = now.Add(d)
		for i := range streams[from:] {
			streams[from+i].FirstToken(now)
			streams[from+i].FirstToken(now) // counts once
		}
	}
	for want := 10; want <= 320; want *= 2 {
		round(100 * time.Millisecond)
		require.GreaterOrEqual(t, a.Limit(), 2*want, "after the round of %d", want)
		require.GreaterOrEqual(t, len(streams), want)
	}
	for i := range streams {
		streams[i].Done(now, admission.OutcomeThrottled)
	}
	cut := a.Limit()
	require.Less(t, cut, 1000)
	streams = nil
	for n := range 5 {
		round(100 * time.Millisecond)
		now = now.Add(900 * time.Millisecond)
		for i := range streams {
			streams[i].Done(now, admission.OutcomeHealthy)
		}
		streams = streams[:0]
		require.InDelta(t, float64(cut)*math.Pow(1.02, float64(n)), a.Limit(), 2, "2 % an interval")
	}
}

// A limit that is far above the one at which there was congestion is in slow start
// again: a bad moment at the beginning doesn't last forever.
func TestAdaptiveSlowStartAgain(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 4})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	for range 2 {
		p, err := a.TryAcquire(now)
		require.NoError(t, err)
		p.Done(now, admission.OutcomeUnhealthy)
	}
	require.Equal(t, 2, a.Limit())
	var last int
	for n := range 60 {
		var streams []admission.Permit
		for {
			p, err := a.TryAcquire(now)
			if err != nil {
				break
			}
			streams = append(streams, p)
		}
		now = now.Add(time.Second)
		for i := range streams {
			streams[i].FirstToken(now)
			streams[i].Done(now, admission.OutcomeHealthy)
		}
		if n < 5 {
			require.LessOrEqual(t, a.Limit(), last+2)
		}
		last = a.Limit()
	}
	require.Greater(t, last, 500)
}

// When even the soonest first token comes late, the target has no room: the limit
// stops to grow and gives way, long before anything fails.
func TestAdaptiveLateFirstTokens(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 20})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	second := func(first time.Duration) {
		start := now
		var streams []admission.Permit
		for {
			p, err := a.TryAcquire(now)
			if err != nil {
				break
			}
			streams = append(streams, p)
		}
		now = start.Add(first)
		for i := range streams {
			streams[i].FirstToken(now)
		}
		now = start.Add(max(first, time.Second))
		for i := range streams {
			streams[i].Done(now, admission.OutcomeHealthy)
		}
	}
	for range 3 {
		second(200 * time.Millisecond)
	}
	grown := a.Limit()
	require.Greater(t, grown, 60)
	second(1500 * time.Millisecond) // the limit grows once more before the interval is over
	most := a.Limit()
	for range 5 {
		second(1500 * time.Millisecond)
		require.Equal(t, most/2, a.Limit(), "once, by what waits inside the target and by half at most")
	}
	for range 8 {
		second(1500 * time.Millisecond)
	}
	require.Greater(t, a.Limit(), most/2, "fewer calls didn't help: first tokens are late for another reason")
}

// The limit falls by the calls that are too many, and no more.
func TestAdaptiveFallsByWhatWaits(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 100, Max: 120})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	begin := func(n int) (streams []admission.Permit) {
		for range n {
			p, err := a.TryAcquire(now)
			require.NoError(t, err)
			streams = append(streams, p)
		}
		return streams
	}
	first := begin(100)
	now = now.Add(100 * time.Millisecond)
	for i := range first { // the target has room for these
		first[i].FirstToken(now)
	}
	more := begin(20)
	now = now.Add(time.Second)
	first[0].Done(now, admission.OutcomeHealthy) // an interval ends
	require.Equal(t, 120, a.Limit())
	begin(1)
	for i := range 10 {
		now = now.Add(90 * time.Millisecond)
		first[1+i].Done(now, admission.OutcomeHealthy)
		more[i].FirstToken(now) // as soon as there is room, long after they began
	}
	begin(10)
	now = now.Add(time.Second)
	first[50].Done(now, admission.OutcomeHealthy)
	require.InDelta(t, 120-21, a.Limit(), 3)
}

// A stream that waits for a place gets it when a first token makes one.
func TestAdaptiveFirstTokenWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := NewAdaptive(&AdaptiveOptions{Initial: 1})
		require.NoError(t, err)
		first := take(t, a)
		got := make(chan admission.Permit)
		go func() {
			p, err := a.Acquire(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- p
		}()
		synctest.Wait()
		first.FirstToken(time.Now())
		second := <-got
		second.Cancel(time.Now())
		first.Done(time.Now(), admission.OutcomeHealthy)
	})
}

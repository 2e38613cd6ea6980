package retry

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

func TestAdaptive(t *testing.T) {
	a, err := NewAdaptive(&AdaptiveOptions{Initial: 10})
	require.NoError(t, err)
	now := time.Unix(0, 0)
	second := func(o Outcome) {
		n := a.Limit()
		for range n {
			require.NoError(t, a.Acquire(now))
		}
		require.ErrorIs(t, a.Acquire(now), ErrBusy)
		now = now.Add(time.Second)
		for range n {
			a.Release(now, o)
		}
		require.NoError(t, a.Acquire(now))
		a.Release(now, Neither)
		now = now.Add(time.Second)
		require.NoError(t, a.Acquire(now))
		a.Release(now, Neither)
	}
	second(Healthy)
	grown := a.Limit()
	require.Greater(t, grown, 10)
	second(Sick)
	require.Less(t, a.Limit(), grown)
	for range 40 {
		second(Sick)
	}
	require.Equal(t, 1, a.Limit())
	_, err = NewAdaptive(&AdaptiveOptions{Min: 5, Max: 2})
	require.ErrorIs(t, err, ErrOption)
}

func TestAdaptiveWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := NewAdaptive(&AdaptiveOptions{Initial: 1, Max: 1})
		require.NoError(t, err)
		p, err := NewPolicy(&Options{Adaptive: a, Limiter: a})
		require.NoError(t, err)
		var order []int
		for i := range 3 {
			go func() {
				_, err := Do(t.Context(), p, func(context.Context) (int, error) {
					if !errors.Is(a.Acquire(time.Now()), ErrBusy) {
						t.Error("more than one call is under way")
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
		require.ErrorIs(t, a.Wait(ctx), context.DeadlineExceeded)
		require.ErrorIs(t, a.Wait(ctx), context.DeadlineExceeded)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2}, order)
		require.NoError(t, a.Wait(t.Context()))
		require.NoError(t, a.Acquire(time.Now()))
		a.Release(time.Now(), Healthy)
		require.Equal(t, 0, a.inFlight+a.kept+len(a.waiting))
	})
}

func TestBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, 1)
		require.NoError(t, err)
		require.NoError(t, b.Enter(t.Context()))
		got := make(chan error)
		go func() { got <- b.Enter(t.Context()) }()
		synctest.Wait()
		require.ErrorIs(t, b.Enter(t.Context()), ErrBusy)
		b.Leave()
		require.NoError(t, <-got)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.Enter(ctx), context.DeadlineExceeded)
		_, err = NewBulkhead(0, 1)
		require.ErrorIs(t, err, ErrOption)
	})
}

func TestShedderShedsLowFirst(t *testing.T) {
	s, err := NewShedder(time.Second)
	require.NoError(t, err)
	now := time.Unix(0, 0)
	for _, c := range []struct {
		wait time.Duration
		low  bool
		norm bool
		high bool
	}{{2 * time.Second, true, true, true}, {6 * time.Second, false, true, true}, {8 * time.Second, false, false, true}, {9 * time.Second, false, false, false}} {
		for p, want := range map[Priority]bool{PriorityLow: c.low, PriorityNormal: c.norm, PriorityHigh: c.high} {
			err := s.Admit(now, now.Add(10*time.Second), c.wait, p)
			require.Equal(t, want, err == nil, "%v %v", c.wait, p)
			require.Equal(t, !want, errors.Is(err, ErrShed))
		}
	}
	require.NoError(t, s.Admit(now, time.Time{}, time.Hour, PriorityLow))
	for _, p := range []Priority{PriorityLow, PriorityNormal, PriorityHigh} {
		require.NoError(t, s.Admit(now, now.Add(1500*time.Millisecond), -1, p), "nobody waits")
		require.ErrorIs(t, s.Admit(now, now.Add(500*time.Millisecond), -1, p), ErrShed)
		require.Equal(t, p, PriorityOf(WithPriority(t.Context(), p)))
	}
	require.Equal(t, PriorityNormal, PriorityOf(t.Context()))
}

// An attempt's time begins when it does, however long the wait before it was:
// for a retry, in the bulkhead, in the limiter.
func TestAnAttemptsTimeBeginsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, 1)
		require.NoError(t, err)
		for name, o := range map[string]*Options{
			"retry":    {},
			"limiter":  {Limiter: limiterFunc(func(ctx context.Context) error { return pause(ctx, 7*time.Second) })},
			"bulkhead": {Bulkhead: b},
		} {
			o.Timeouts.Attempt = 5 * time.Second
			m, err := New(&legs{legs: []leg{
				{err: fault.Classify(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"9"}}}, time.Now())},
				{after: 3 * time.Second, chunks: []string{"ok"}},
			}}, o)
			require.NoError(t, err)
			require.NoError(t, b.Enter(t.Context()))
			time.AfterFunc(7*time.Second, b.Leave)
			_, _, e := asking(t, m, t.Context(), false)
			require.Nil(t, e, name)
			time.Sleep(time.Minute)
		}
	})
}

// A limiter that takes the caller's clock is asked with the policy's, waited
// for if it has no token, and not at all if the call is over.
type bucket struct{ tokens, asked, waited int }

func (b *bucket) AllowAt(now time.Time, n int) bool {
	b.asked += n
	b.tokens -= n
	return b.tokens >= 0
}

func (b *bucket) Wait(ctx context.Context) error {
	b.waited++
	return ctx.Err()
}

func TestLimiterIsAskedWithTheClock(t *testing.T) {
	b := &bucket{tokens: 2}
	p, err := NewPolicy(&Options{Limiter: b})
	require.NoError(t, err)
	for range 3 {
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
		require.NoError(t, err)
	}
	require.Equal(t, bucket{tokens: -1, asked: 3, waited: 1}, *b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Do(ctx, p, func(context.Context) (int, error) { return 1, nil })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, bucket{tokens: -1, asked: 3, waited: 2}, *b)
}

// Who finds no room is refused so often, and no oftener, as attempts are
// allowed.
func TestRefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, 0)
		require.NoError(t, err)
		require.NoError(t, b.Enter(t.Context()))
		refused := 0
		p, err := NewPolicy(&Options{Bulkhead: b, Budget: NoBudget, Limiter: limiterFunc(func(context.Context) error { refused++; return nil })})
		require.NoError(t, err)
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
		require.ErrorIs(t, err, ErrBusy)
		require.Equal(t, 3, refused)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Zero(t, e.Attempts, "nothing was sent")
	})
}

// An Adaptive that is the Limiter too keeps no place for who was refused after
// waiting.
func TestAdaptiveWaitsInVain(t *testing.T) {
	a, err := NewAdaptive(nil)
	require.NoError(t, err)
	b, err := NewBulkhead(1, 0)
	require.NoError(t, err)
	require.NoError(t, b.Enter(t.Context()))
	p, err := NewPolicy(&Options{Adaptive: a, Limiter: a, Bulkhead: b, MaxAttempts: 1})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
	require.ErrorIs(t, err, ErrBusy)
	require.Zero(t, a.kept+a.inFlight)
	_, err = NewPolicy(&Options{Limiter: a})
	require.ErrorIs(t, err, ErrOption)
}

// Whatever way an attempt ends, its place comes back.
func TestGatesInAPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := NewAdaptive(&AdaptiveOptions{Initial: 1, Max: 1})
		b, _ := NewBulkhead(1, 0)
		s, _ := NewShedder(time.Second)
		k, _ := NewBreaker(&BreakerOptions{Failures: 1})
		p, err := NewPolicy(&Options{Adaptive: a, Bulkhead: b, Shedder: s, Breaker: k, MaxAttempts: 2})
		require.NoError(t, err)
		call := func(ctx context.Context, err error) error {
			_, err = Do(ctx, p, func(context.Context) (int, error) { return 0, err })
			return err
		}
		require.NoError(t, call(t.Context(), nil))
		require.ErrorIs(t, call(t.Context(), fault.New(fault.ClassServerError, nil)), ErrOpen)
		require.ErrorIs(t, call(t.Context(), nil), ErrOpen)
		time.Sleep(time.Minute)
		require.NoError(t, call(t.Context(), nil), "a refused call kept its place")
		s.Observe(0, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, call(ctx, nil), ErrShed)
		require.NoError(t, a.Acquire(time.Now()))
		start := time.Now()
		require.ErrorIs(t, call(t.Context(), nil), ErrBusy)
		require.Less(t, time.Since(start), time.Second)
	})
}

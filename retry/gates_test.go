package retry

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// take takes a place that must be there.
func take(t *testing.T, g admission.TryGate) *admission.Permit {
	t.Helper()
	p, err := g.TryAcquire(time.Now())
	require.NoError(t, err)
	return &p
}

// refusal is the error of a gate that must have no place.
func refusal(t *testing.T, g admission.TryGate) error {
	t.Helper()
	p, err := g.TryAcquire(time.Now())
	require.Equal(t, admission.Permit{}, p)
	return err
}

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

// An attempt's time begins when it does, however long the wait before it was:
// for a retry, in the bulkhead, in the limiter.
func TestAnAttemptsTimeBeginsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, &BulkheadOptions{Queue: 1})
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
			other := take(t, b)
			time.AfterFunc(7*time.Second, func() { other.Cancel(time.Now()) })
			_, _, e := asking(t, m, t.Context(), false)
			require.Nil(t, e, name)
			time.Sleep(time.Minute)
		}
	})
}

// A TryLimiter is asked with the policy's clock, waited for if it has no token,
// and not asked at all if the call is over.
type bucket struct{ tokens, asked, waited int }

func (b *bucket) AllowN(now time.Time, n int) bool {
	b.asked += n
	b.tokens -= n
	return b.tokens >= 0
}

func (b *bucket) Wait(ctx context.Context) error {
	b.waited++
	return ctx.Err()
}

func TestTryLimiterIsAskedWithTheClock(t *testing.T) {
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

// A call that finds no room is refused as often as attempts are allowed.
func TestRefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBulkhead(1, nil)
		require.NoError(t, err)
		take(t, b)
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

// An attempt that is refused gives back what the gates before the refusal have
// given, and more than fit into the array of permits.
func TestARefusalGivesAllBack(t *testing.T) {
	var adaptives []*Adaptive
	o := &Options{MaxAttempts: 1, Budget: NoBudget}
	for range 6 {
		a, err := NewAdaptive(nil)
		require.NoError(t, err)
		adaptives = append(adaptives, a)
		o.Gates = append(o.Gates, a)
	}
	b, err := NewBulkhead(1, nil)
	require.NoError(t, err)
	other := take(t, b)
	o.Bulkhead = b
	p, err := NewPolicy(o)
	require.NoError(t, err)
	call := func() error {
		_, err := Do(t.Context(), p, func(context.Context) (int, error) {
			for _, a := range adaptives {
				require.Equal(t, 1, a.inFlight)
			}
			return 1, nil
		})
		return err
	}
	require.ErrorIs(t, call(), ErrBusy)
	for _, a := range adaptives {
		require.Zero(t, a.inFlight)
	}
	other.Cancel(time.Now())
	require.NoError(t, call())
	for _, a := range adaptives {
		require.Zero(t, a.inFlight)
		require.Equal(t, 1, a.ok, "a gate of the list learns the outcome")
	}
	require.Empty(t, b.room)
}

// A recorder is a gate that writes down what is done with its permits.
type recorder struct {
	name string
	log  *[]string
	err  error
}

func (g *recorder) Acquire(context.Context) (admission.Permit, error) {
	if g.err != nil {
		return admission.Permit{}, g.err
	}
	*g.log = append(*g.log, "acquire "+g.name)
	return admission.NewPermit(g, 0), nil
}

func (g *recorder) Done(_ time.Time, _ admission.Held, o admission.Outcome) {
	*g.log = append(*g.log, "done "+g.name+" "+o.String())
}

func (g *recorder) Cancel(time.Time, admission.Held) { *g.log = append(*g.log, "cancel "+g.name) }

func TestGatesAreLeftInReverse(t *testing.T) {
	var log []string
	refusing := &recorder{log: &log}
	p, err := NewPolicy(&Options{MaxAttempts: 1, Gates: []admission.Gate{&recorder{name: "a", log: &log}, &recorder{name: "b", log: &log}, refusing}})
	require.NoError(t, err)
	call := func(err error) error {
		log = nil
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 0, err })
		return err
	}
	for outcome, err := range map[string]error{
		"healthy":   nil,
		"unhealthy": fault.New(fault.ClassServerError, nil),
		"throttled": fault.New(fault.ClassRateLimit, nil),
		"ignored":   fault.New(fault.ClassInvalidRequest, nil),
	} {
		require.Equal(t, err == nil, call(err) == nil)
		require.Equal(t, []string{"acquire a", "acquire b", "acquire ", "done  " + outcome, "done b " + outcome, "done a " + outcome}, log)
	}
	refusing.err = errors.New("full")
	err = call(nil)
	require.ErrorIs(t, err, refusing.err)
	require.Equal(t, []string{"acquire a", "acquire b", "cancel b", "cancel a"}, log)
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault.ClassRateLimit, e.Class)
	require.False(t, e.Retryable, "it has waited already")
}

func TestPolicyRefusesAGateTwice(t *testing.T) {
	a, err := NewAdaptive(nil)
	require.NoError(t, err)
	b, err := NewBulkhead(1, nil)
	require.NoError(t, err)
	for _, o := range []*Options{
		{Adaptive: a, Gates: []admission.Gate{a}},
		{Bulkhead: b, Gates: []admission.Gate{b}},
		{Gates: []admission.Gate{nil}},
	} {
		_, err := NewPolicy(o)
		require.ErrorIs(t, err, ErrOption)
	}
}

// Ending a permit twice, or a copy of one, changes no count.
func TestPermitsEndOnce(t *testing.T) {
	a, err := NewAdaptive(nil)
	require.NoError(t, err)
	b, err := NewBulkhead(2, nil)
	require.NoError(t, err)
	k, err := NewBreaker(&BreakerOptions{Failures: 2})
	require.NoError(t, err)
	for _, g := range []admission.TryGate{a, b, k} {
		other, p := take(t, g), take(t, g)
		p.Done(time.Now(), admission.OutcomeUnhealthy)
		p.Done(time.Now(), admission.OutcomeUnhealthy)
		p.Cancel(time.Now())
		_ = other
	}
	require.Equal(t, 1, a.inFlight)
	require.Len(t, b.room, 1)
	require.Equal(t, StateClosed, k.State(time.Now()))
}

// A half-open breaker's probe that was not made leaves its place to another.
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

// Whatever way an attempt ends, its place comes back.
func TestGatesInAPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := NewAdaptive(&AdaptiveOptions{Initial: 1, Max: 1})
		b, _ := NewBulkhead(1, nil)
		s, _ := NewShedder(&ShedderOptions{Service: time.Second})
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
		s.observe(0, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, call(ctx, nil), ErrShed)
		take(t, a)
		start := time.Now()
		require.ErrorIs(t, call(t.Context(), nil), ErrBusy)
		require.Less(t, time.Since(start), time.Second)
	})
}

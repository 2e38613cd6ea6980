package retry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/event"
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
	require.Equal(t, bucket{tokens: -1, asked: 3, waited: 1}, *b, "no call is made for a context that is done")
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
	require.Equal(t, fault.ClassOverloaded, e.Class, "a gate's own error is no rate limit of the provider's")
	require.Equal(t, fault.RefusalNone, e.Class.Refusal())
	require.False(t, e.Unhealthy)
	require.True(t, e.Unsent)
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

// In whatever way an attempt ends, its place is free again.
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

func TestBreakerCountsOnlyTheTargetsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBreaker(&BreakerOptions{Failures: 2, OpenFor: time.Minute})
		require.NoError(t, err)
		p := &play{turns: []turn{fails(fault.Response{Status: 400}), fails(fault.Response{Status: 401}), fails(fault.Response{Status: 429}), fails(fault.Response{Status: 500}), fails(fault.Response{Status: 500}), answers("ok")}}
		m, err := New(p, &Options{Breaker: b, MaxAttempts: 1})
		require.NoError(t, err)
		for range 5 {
			_, _, _ = asking(t, m, t.Context(), false)
		}
		_, _, e := asking(t, m, t.Context(), false)
		require.ErrorIs(t, e, ErrOpen)
		require.Equal(t, 5, p.calls)
		d, has := e.RetryAfter()
		require.True(t, has)
		require.Equal(t, time.Minute, d)
		time.Sleep(time.Minute + 1)
		_, _, e = asking(t, m, t.Context(), false)
		require.Nil(t, e)
	})
}

// The call that changes a breaker's state logs it.
func TestBreakerEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		quiet := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}
		b, err := NewBreaker(&BreakerOptions{Failures: 2, OpenFor: time.Minute})
		require.NoError(t, err)
		p := &play{turns: []turn{fails(fault.Response{Status: 500}), fails(fault.Response{Status: 503}), answers("ok")}}
		m, err := New(p, &Options{Breaker: b, MaxAttempts: 1, Target: "east", Logger: slog.New(&event.Checker{
			Report: t.Errorf, Next: slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: quiet})})})
		require.NoError(t, err)
		for range 3 {
			_, _, _ = asking(t, m, t.Context(), false)
		}
		time.Sleep(time.Hour)
		_, _, _ = asking(t, m, t.Context(), false)
		var states []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, event.RetryBreaker) {
				states = append(states, strings.TrimSpace(line))
			}
		}
		require.Equal(t, []string{
			"msg=retry.breaker state=open target=east reason=overloaded",
			`msg=retry.breaker state=half-open target=east reason="its time was over"`,
			`msg=retry.breaker state=closed target=east reason="the probes succeeded"`,
		}, states)
	})
}

// An error that a limiter returns is the limiter's own, perhaps for many calls: it
// is not changed.
func TestTheLimitersErrorIsItsOwn(t *testing.T) {
	full := fault.New(fault.ClassRateLimit, errors.New("full"))
	p, err := NewPolicy(&Options{Limiter: limiterFunc(func(context.Context) error { return full })})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 0, nil })
	require.ErrorContains(t, err, "full")
	require.True(t, full.Retryable)
}

// An open breaker refuses at once: no call waits for a limiter, or takes its token,
// in order to be refused.
func TestAnOpenBreakerDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := NewBreaker(&BreakerOptions{Failures: 1, OpenFor: time.Minute})
		require.NoError(t, err)
		p, err := NewPolicy(&Options{Breaker: k, Limiter: limiterFunc(func(context.Context) error { time.Sleep(time.Second); return nil })})
		require.NoError(t, err)
		fail := func() error {
			_, err := Do(t.Context(), p, func(context.Context) (int, error) { return 0, fault.New(fault.ClassTLS, nil) })
			return err
		}
		take(t, k).Done(time.Now(), admission.OutcomeUnhealthy)
		start := time.Now()
		err = fail()
		require.ErrorIs(t, err, ErrOpen)
		require.Zero(t, time.Since(start))
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, time.Minute, e.Delay)
		time.Sleep(time.Minute + 1)
		require.NotErrorIs(t, fail(), ErrOpen, "a probe waits like any other")
	})
}

// A full Bulkhead refuses an attempt in the same way, wherever it is.
func TestBulkheadAmongTheGates(t *testing.T) {
	for _, among := range []bool{false, true} {
		b, err := NewBulkhead(1, nil)
		require.NoError(t, err)
		_, err = b.TryAcquire(time.Now())
		require.NoError(t, err)
		waits := 0
		o := &Options{Bulkhead: b, Budget: NoBudget, Sleep: func(context.Context, time.Duration) error { waits++; return nil }}
		if among {
			o.Bulkhead, o.Gates = nil, []admission.Gate{b}
		}
		p, err := NewPolicy(o)
		require.NoError(t, err)
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, ErrBusy)
		require.Equal(t, fault.ClassOverloaded, e.Class)
		require.True(t, e.Retryable)
		require.True(t, e.Unsent)
		require.Equal(t, 2, waits)
	}
}

// An attempt that a layer below has not sent was not made: the permits are canceled.
func TestUnsentAttemptsAreCanceled(t *testing.T) {
	var log []string
	below, err := NewPolicy(&Options{Gates: []admission.Gate{&recorder{name: "inner", log: &log, err: errors.New("full")}}})
	require.NoError(t, err)
	p, err := NewPolicy(&Options{MaxAttempts: 1, Gates: []admission.Gate{&recorder{name: "a", log: &log}}})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(ctx context.Context) (int, error) {
		return Do(ctx, below, func(context.Context) (int, error) { return 1, nil })
	})
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.True(t, e.Unsent)
	require.False(t, e.Billable())
	require.Equal(t, []string{"acquire a", "cancel a"}, log)
}

// After one attempt was sent, the call counts as sent, also if a gate refuses the
// next attempt.
func TestBillable(t *testing.T) {
	late := fault.New(fault.ClassRateLimit, nil)
	late.Status = 429
	for _, c := range []struct {
		attempts []error
		billable bool
	}{
		{[]error{late, late, late}, false},
		{[]error{fault.New(fault.ClassTimeout, nil), late, late}, true},
		{[]error{late, late, fault.New(fault.ClassServerError, nil)}, true},
	} {
		p, err := NewPolicy(&Options{Budget: NoBudget, Sleep: func(context.Context, time.Duration) error { return nil }})
		require.NoError(t, err)
		n := 0
		_, err = Do(t.Context(), p, func(context.Context) (int, error) { n++; return 0, c.attempts[n-1] })
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 3, n)
		require.False(t, e.Unsent)
		require.Equal(t, c.billable, e.Billable())
	}
}

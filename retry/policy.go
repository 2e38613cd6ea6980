package retry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
)

// Options are the settings of a [Model] or a [Policy]. The zero value is a
// policy that is safe to put before a paid API.
type Options struct {
	// MaxAttempts bounds the attempts of a call, the first included; default
	// 3, 1 for no retries. Retry at one layer only: a Model below another
	// Model detects it and makes one attempt.
	MaxAttempts int
	// Backoff is the wait before a retry; default Exponential{}: full jitter,
	// 500 ms doubling to 8 s.
	Backoff Backoff
	// NewBackOff, if not nil, makes a cenkalti/backoff policy for each call,
	// in place of Backoff. Its Stop ends the call.
	NewBackOff func() backoff.BackOff
	// MaxDelay is the longest wait that a server may ask for; beyond it the
	// call fails at once and its error carries the wait. Default 60 s.
	MaxDelay time.Duration
	// Budget bounds the retries of all calls of this policy, or of all that
	// share it. Default: a tenth of the requests of the last 10 s and one a
	// second (a WindowBudget). NoBudget lifts it.
	Budget Budget
	// Breaker, if not nil, stops calls to a target that fails.
	Breaker *Breaker
	// Limiter, if not nil, is waited for before each attempt: a limit of the
	// provider's, which retries use up too. A *rate.Limiter is one, and
	// limit.Bucket is one that many goroutines can't get past.
	Limiter interface {
		Wait(context.Context) error
	}
	// Adaptive, if not nil, limits the attempts in progress to what the target
	// turns out to bear. One that finds no room counts as a failed attempt.
	Adaptive *Adaptive
	// Bulkhead, if not nil, limits the attempts in progress to a fixed number.
	Bulkhead *Bulkhead
	// Shedder, if not nil, refuses an attempt that can't end by the deadline of
	// its context; see [WithPriority].
	Shedder *Shedder
	// Timeouts bounds the parts of a call; default none.
	Timeouts Timeouts
	// Fallbacks are asked in turn, once each, when the model failed in a way
	// that another may not ([Error.Fallback]) and no chunk has reached the
	// caller. Only for a Model.
	Fallbacks []llms.Model

	// Model and Target name the model and the endpoint in events.
	Model, Target string
	// Logger gets the events retry.attempt and retry.giveup; nil discards.
	Logger *slog.Logger
	// Rand is the source of jitter; default math/rand/v2's.
	Rand *rand.Rand
	// Sleep waits for d or until ctx is done; default a timer. A simulation
	// puts its own here.
	Sleep func(ctx context.Context, d time.Duration) error
}

// NoBudget is a [Budget] that allows every retry.
var NoBudget Budget = noBudget{}

type noBudget struct{}

func (noBudget) Request(time.Time)    {}
func (noBudget) Success(time.Time)    {}
func (noBudget) Retry(time.Time) bool { return true }

// A Policy is the part of a [Model] that knows nothing of models: it decides
// whether, when and how often a call is made. [Do] runs any function under it.
// It is safe for concurrent use.
type Policy struct {
	o      Options
	log    *slog.Logger
	late   *timeoutError // the cause of an attempt's timeout
	randMu sync.Mutex
}

// NewPolicy returns a policy; nil options mean the defaults.
func NewPolicy(o *Options) (*Policy, error) {
	p := &Policy{}
	if o != nil {
		p.o = *o
	}
	if p.o.MaxAttempts < 0 {
		return nil, configError("MaxAttempts is %d: want 0 (the default, 3) or more", p.o.MaxAttempts)
	}
	if p.o.MaxDelay < 0 {
		return nil, configError("MaxDelay is %v: want 0 (the default, 60 s) or more", p.o.MaxDelay)
	}
	if err := p.o.Timeouts.check(); err != nil {
		return nil, err
	}
	if e, ok := p.o.Backoff.(Exponential); ok {
		if err := e.check(); err != nil {
			return nil, err
		}
	}
	for i, f := range p.o.Fallbacks {
		if f == nil {
			return nil, configError("Fallbacks[%d] is nil", i)
		}
	}
	if p.o.MaxAttempts == 0 {
		p.o.MaxAttempts = 3
	}
	if p.o.Backoff == nil {
		p.o.Backoff = Exponential{}
	}
	if p.o.MaxDelay == 0 {
		p.o.MaxDelay = time.Minute
	}
	if p.o.Budget == nil {
		b, err := NewWindowBudget(10*time.Second, 0.1, 1)
		if err != nil {
			return nil, err
		}
		p.o.Budget = b
	}
	if p.o.Sleep == nil {
		p.o.Sleep = sleep
	}
	p.log = event.Logger(p.o.Logger)
	p.late = &timeoutError{"answer to an attempt", p.o.Timeouts.Attempt}
	return p, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (p *Policy) uniform() float64 {
	if p.o.Rand == nil {
		return rand.Float64()
	}
	p.randMu.Lock()
	defer p.randMu.Unlock()
	return p.o.Rand.Float64()
}

// Do calls f until it succeeds, fails for good, or the policy has had enough,
// and returns its result or an *Error. The context that f gets is the one to
// make requests with: a [Transport] on f's HTTP client sees them through it.
func Do[T any](ctx context.Context, p *Policy, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := p.total(ctx)
	defer cancel()
	r := p.begin(ctx)
	for {
		v, e := once(r, f)
		if e == nil {
			return v, nil
		}
		if !r.again(e) {
			return v, r.giveUp(e)
		}
	}
}

func once[T any](r *run, f func(context.Context) (T, error)) (v T, e *Error) {
	t, e := r.admit()
	if e != nil {
		return v, e
	}
	a := r.attempt()
	ctx, cancel := r.p.attemptTimeout(a)
	defer cancel()
	e = errPanicked
	defer func() { r.finish(t, e) }() // a panic must not keep a breaker's probe
	v, err := f(ctx)
	e = r.judge(ctx, a, err)
	return v, e
}

// errPanicked stands for the outcome of an attempt that never returned one.
var errPanicked = newError(Unknown, errors.New("retry: the attempt panicked"))

var nothing = func() {}

func (p *Policy) total(ctx context.Context) (context.Context, func()) {
	if d := p.o.Timeouts.Total; d > 0 {
		return context.WithTimeoutCause(ctx, d, &timeoutError{"answer", d})
	}
	return ctx, nothing
}

func (p *Policy) attemptTimeout(a *attempt) (context.Context, func()) {
	if d := p.o.Timeouts.Attempt; d > 0 {
		return context.WithTimeoutCause(a, d, p.late)
	}
	return a, nothing
}

// A run is one logical call under a policy.
type run struct {
	p      *Policy
	ctx    context.Context
	call   *call
	start  time.Time
	tries  int // attempts made
	limit  int // attempts allowed
	waits  int // retries waited for
	prev   time.Duration
	custom backoff.BackOff
}

func (p *Policy) begin(ctx context.Context) *run {
	r := &run{p: p, ctx: ctx, start: time.Now(), limit: p.o.MaxAttempts}
	if outer := attemptOf(ctx); outer != nil {
		r.limit = 1 // a layer above retries already
		r.call = outer.call
	}
	p.o.Budget.Request(r.start)
	return r
}

// attempt returns the context of the next attempt.
func (r *run) attempt() *attempt {
	r.tries++
	a := &attempt{Context: r.ctx, call: r.call}
	if r.call == nil {
		a.first.key, _ = r.ctx.Value(idempotencyKey{}).(string)
		a.call, r.call = &a.first, &a.first
	}
	return a
}

// admit asks what must agree before an attempt.
func (r *run) admit() (t Ticket, refused *Error) {
	o := &r.p.o
	var arrived time.Time
	if o.Shedder != nil {
		arrived = time.Now()
		deadline, _ := r.ctx.Deadline()
		p, _ := r.ctx.Value(priorityKey{}).(Priority)
		if err := o.Shedder.Admit(arrived, deadline, -1, p); err != nil {
			return t, FromError(r.ctx, err)
		}
	}
	if o.Limiter != nil {
		if err := o.Limiter.Wait(r.ctx); err != nil {
			e := FromError(r.ctx, err)
			if e.Class == Unknown { // x/time/rate: the wait would pass the deadline
				e = newError(RateLimit, err)
			}
			e.Retryable = false
			return t, e
		}
	}
	if o.Bulkhead != nil {
		if err := o.Bulkhead.Enter(r.ctx); err != nil {
			return t, FromError(r.ctx, err)
		}
	}
	if o.Adaptive != nil {
		if err := o.Adaptive.Acquire(time.Now()); err != nil {
			r.leave()
			r.tries++ // it counts, or a call without a deadline would ask for ever
			return t, FromError(r.ctx, err)
		}
	}
	if o.Breaker != nil {
		var err error
		if t, err = o.Breaker.Allow(time.Now()); err != nil {
			if o.Adaptive != nil {
				o.Adaptive.Release(time.Now(), Neither)
			}
			r.leave()
			return t, FromError(r.ctx, err)
		}
	}
	if o.Shedder != nil {
		t.began = time.Now()
		t.waited = t.began.Sub(arrived)
	}
	return t, nil
}

func (r *run) leave() {
	if b := r.p.o.Bulkhead; b != nil {
		b.Leave()
	}
}

// finish tells the policies how an admitted attempt ended.
func (r *run) finish(t Ticket, e *Error) {
	if b := r.p.o.Breaker; b != nil {
		o := Healthy
		if e != nil {
			o = Neither
			if e.Unhealthy {
				o = Sick
			}
		}
		b.Done(time.Now(), t, o)
	}
	if a := r.p.o.Adaptive; a != nil {
		o := Healthy
		if e != nil {
			o = Neither
			if e.Unhealthy || e.Class == RateLimit {
				o = Sick
			}
		}
		a.Release(time.Now(), o)
	}
	r.leave()
	if s := r.p.o.Shedder; s != nil && e == nil {
		s.Observe(t.waited, time.Since(t.began))
	}
	if e == nil {
		r.p.o.Budget.Success(r.start) // no budget of ours looks at the instant of a success
	}
}

// judge says what an attempt's result means; nil is a success.
func (r *run) judge(ctx context.Context, a *attempt, err error) *Error {
	x := a.exchange.Load()
	if err == nil && x == nil {
		return nil
	}
	return r.judgeSeen(ctx, x, err)
}

func (r *run) judgeSeen(ctx context.Context, x *exchange, err error) *Error {
	if err != nil {
		var nested *Error
		if errors.As(err, &nested) {
			return nested
		}
		if done := r.ctx.Err(); done != nil {
			return doneError(done, err)
		}
		var t *timeoutError
		if errors.As(context.Cause(ctx), &t) {
			return newError(Timeout, errors.Join(t, err))
		}
	}
	if x != nil {
		if e := x.verdict(err != nil, time.Now()); e != nil {
			if done := r.ctx.Err(); done != nil {
				return doneError(done, joined(err, e.cause)) // a client that takes a stall until the deadline for the end
			}
			var t *timeoutError
			if errors.As(context.Cause(ctx), &t) {
				return newError(Timeout, errors.Join(t, e))
			}
			e.cause = joined(err, e.cause)
			return e
		}
	}
	return FromError(r.ctx, err)
}

// joined keeps the client's error and what lay below it.
func joined(err, below error) error {
	switch {
	case err == nil:
		return below
	case below == nil || errors.Is(err, below):
		return err
	}
	return errors.Join(err, below)
}

// again decides whether another attempt follows, and waits for it.
func (r *run) again(e *Error) bool {
	p := r.p
	if !e.Retryable || r.tries >= r.limit || r.ctx.Err() != nil {
		return false
	}
	wait, ok := r.delay(e)
	if !ok {
		return false
	}
	now := time.Now()
	if deadline, has := r.ctx.Deadline(); has && deadline.Sub(now) <= wait {
		return false // better now, with the wait in the error, than after sleeping in vain
	}
	if !p.o.Budget.Retry(now) {
		return false
	}
	p.log.LogAttrs(r.ctx, slog.LevelInfo, event.RetryAttempt, slog.Int(event.Attempt, r.tries), slog.String(event.Class, e.Class.String()),
		slog.Int(event.Status, e.Status), slog.Duration(event.Delay, wait), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	r.waits++
	return p.o.Sleep(r.ctx, wait) == nil
}

// delay is the backoff or, if the server asked for a wait, that and a jitter
// above it: all its clients were told the same number.
func (r *run) delay(e *Error) (time.Duration, bool) {
	p := r.p
	own := time.Duration(0)
	if p.o.NewBackOff != nil {
		if r.custom == nil {
			r.custom = p.o.NewBackOff()
			r.custom.Reset()
		}
		if own = r.custom.NextBackOff(); own == backoff.Stop {
			return 0, false
		}
	} else {
		own = p.o.Backoff.Delay(r.waits, r.prev, p.uniform())
	}
	r.prev = own
	asked, has := e.Delay, e.HasDelay
	if !has && e.Class == RateLimit {
		asked, has = Reset(e.Limits)
	}
	if !has {
		return own, true
	}
	if asked > p.o.MaxDelay {
		return 0, false
	}
	return asked + min(own, max(asked/4, time.Second)), true
}

// giveUp completes the error of a call that failed for good. It is a copy: an
// error from a Model below is also that one's caller's.
func (r *run) giveUp(e *Error) *Error {
	final := *e
	if done := r.ctx.Err(); done != nil && final.done == nil {
		final.done, final.Retryable, final.Fallback = done, false, false
	}
	final.Attempts, final.Elapsed = max(final.Attempts, r.tries), time.Since(r.start)
	p := r.p
	p.log.LogAttrs(r.ctx, slog.LevelWarn, event.RetryGiveUp, slog.Int(event.Attempt, r.tries), slog.String(event.Class, final.Class.String()),
		slog.Int(event.Status, final.Status), slog.Duration(event.Elapsed, final.Elapsed), slog.String(event.Model, p.o.Model), slog.String(event.Target, p.o.Target))
	return &final
}

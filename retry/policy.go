package retry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/admission"
)

// Options are the settings of a [Model] or a [Policy]. The zero value works, and is
// safe in front of a paid API: its retries add at most a tenth of the requests and
// one a second to an overload. But it has no limit on calls in progress, so it
// doesn't bring an overloaded service back. Package retry/defaults does, and
// retry/overload shows the difference.
type Options struct {
	// MaxAttempts is the most attempts that one call makes. The first attempt counts,
	// a hedge counts, and so does an attempt that one of the gates below refuses. 1
	// means no retries. A Model below another Model makes one attempt, so that retries
	// don't multiply. Default: 3.
	MaxAttempts int
	// Backoff is the wait before a retry. Default: Exponential{}, which is full
	// jitter, 500 ms doubling to 8 s.
	Backoff Backoff
	// NewBackOff makes a cenkalti/backoff policy for each call, in place of
	// Backoff. Its Stop ends the call. Default: nil, Backoff.
	NewBackOff func() backoff.BackOff
	// MaxDelay is the longest wait that a server may ask for. If it asks for more, the
	// call fails at once, and its error has the wait. Default: 60 s.
	MaxDelay time.Duration
	// Budget bounds the retries of all calls of this policy, or of all policies that
	// share it. [NoBudget] allows every retry. Default: a [WindowBudget] of its own
	// with its defaults, a tenth of the requests of the last 10 s and one retry a
	// second.
	Budget Budget
	// Breaker stops calls to a target that keeps failing. Default: nil, none.
	Breaker *Breaker
	// Limiter is a rate limit of the provider's: each attempt, a retry too, waits for
	// it. A *rate.Limiter is one, and so is limit.Bucket, which is exact also with
	// many goroutines. A [TryLimiter] is asked first, without waiting. Default: nil,
	// none.
	Limiter Limiter
	// Gates are acquired before each attempt, in this order and after the Limiter. An
	// attempt waits there. A *limit.Account is a gate. An Adaptive is one too: here
	// its attempts wait for room, where in the field Adaptive they fail. Default:
	// none.
	//
	// If a gate returns an error, the attempt is not made. If the error is a
	// *[fault.Error], its Retryable decides whether another attempt follows: a full
	// Bulkhead does the same here as in the field Bulkhead. Any other error ends the
	// call. Its class is what [fault.FromError] finds. If that finds none, it is
	// [fault.ClassOverloaded] with the Refusal [fault.RefusalNone], and doesn't count
	// against the target's health.
	Gates []admission.Gate
	// Adaptive limits the attempts in progress to what the target can take, which it
	// finds out. An attempt that finds no room counts as a failed one. Default: nil,
	// no limit.
	Adaptive *Adaptive
	// Bulkhead limits the attempts in progress to a fixed number. Default: nil,
	// no limit.
	Bulkhead *Bulkhead
	// Hedger starts a second attempt beside a slow first one. Default: nil, none,
	// because both attempts may be paid.
	Hedger *Hedger
	// Shedder refuses an attempt that can't end by the deadline of its context. See
	// [WithPriority]. Default: nil, none.
	Shedder *Shedder
	// Timeouts bound the parts of a call. Default: none.
	Timeouts Timeouts
	// Fallbacks are other models. They are asked in turn, once each, when the error's
	// Fallback is true ([fault.Error.Fallback]) and no chunk has reached the caller.
	// Only for a Model. Default: none.
	Fallbacks []llms.Model
	// Resume lets the model continue the answers of interrupted streams. Only for a
	// Model. Default: nil, such calls fail.
	Resume *Resume

	// Model and Target name the model and the endpoint in events. Default: "".
	Model, Target string
	// Logger gets the events retry.attempt, retry.hedge, retry.resume,
	// retry.nested, retry.guess (once), retry.breaker and retry.giveup. Default:
	// nil, they are discarded.
	Logger *slog.Logger
	// Rand is the source of jitter. Default: math/rand/v2's.
	Rand *rand.Rand
	// Sleep waits for d or until ctx is done. A simulation sets its own. Default: a
	// timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// ErrOption is wrapped by the error of every constructor here, if an option has a
// value that can't work or a required argument is nil.
var ErrOption = errors.New("retry: invalid option")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOption, fmt.Sprintf(format, args...))
}

// A Policy decides whether, when and how often a call is made. It is the part of a
// [Model] that works for other calls too: [Do] runs any function under it. Make one
// with [NewPolicy]: the zero Policy is not usable. It is safe for concurrent use.
//
// A call that succeeds at once makes one allocation, with any gates and any
// Timeouts except Total. When something waits for its context, a timeout costs what
// context.WithTimeout does. See the benchmarks:
//
//	cd internal/bench && go test -bench 'Retry|Stack' -benchmem ./retry
type Policy struct {
	o      Options
	log    *slog.Logger
	randMu sync.Mutex

	late, lateAll *timeoutError // the causes of the attempt's timeout and of the call's
	tryLimiter    TryLimiter    // the Limiter, if it is one
	gates         []gate        // in order
	hedgeBudget   Budget        // the Hedger's, if it is not the policy's
	guessed       atomic.Bool   // the guess at a class has been reported
}

// NewPolicy returns a policy; nil options mean the defaults. It fails with
// [ErrOption], also for Fallbacks and a Resume: only a Model has them.
func NewPolicy(o *Options) (*Policy, error) {
	switch {
	case o != nil && len(o.Fallbacks) > 0:
		return nil, optionError("Options.Fallbacks has %d models: want none, they are only for a Model", len(o.Fallbacks))
	case o != nil && o.Resume != nil:
		return nil, optionError("Options.Resume is set: want nil, it is only for a Model")
	}
	return newPolicy(o)
}

func newPolicy(o *Options) (*Policy, error) {
	p := &Policy{}
	if o != nil {
		p.o = *o
	}
	if err := p.o.Check(); err != nil {
		return nil, err
	}
	if err := p.o.complete(); err != nil {
		return nil, err
	}
	p.log = event.Logger(p.o.Logger)
	p.late = &timeoutError{"answer to an attempt", p.o.Timeouts.Attempt}
	p.lateAll = &timeoutError{"answer", p.o.Timeouts.Total}
	p.tryLimiter, _ = p.o.Limiter.(TryLimiter)
	p.gates = gatesOf(&p.o)
	if h := p.o.Hedger; h != nil {
		p.hedgeBudget = h.ownBudget(p.o.Budget)
	}
	return p, nil
}

// Check returns an error that wraps [ErrOption] if an option of a Model or a Policy
// has a value that can't work.
func (o *Options) Check() error {
	if o.MaxAttempts < 0 {
		return optionError("Options.MaxAttempts is %d: want 0 (the default, 3) or more", o.MaxAttempts)
	}
	if o.MaxDelay < 0 {
		return optionError("Options.MaxDelay is %v: want 0 (the default, 60 s) or more", o.MaxDelay)
	}
	if err := o.checkGates(); err != nil {
		return err
	}
	for i, f := range o.Fallbacks {
		if f == nil {
			return optionError("Options.Fallbacks[%d] is nil", i)
		}
	}
	if err := o.Timeouts.check(); err != nil {
		return err
	}
	if e, ok := o.Backoff.(interface{ check() error }); ok { // an Exponential or a pointer to one
		if err := e.check(); err != nil {
			return err
		}
	}
	if o.Resume != nil {
		return o.Resume.check()
	}
	return nil
}

// checkGates finds gates that are nil, zero or in two places.
func (o *Options) checkGates() error {
	for i, g := range o.Gates {
		switch {
		case isNil(g):
			return optionError("Options.Gates[%d] is nil", i)
		case o.Adaptive != nil && g == admission.Gate(o.Adaptive), o.Bulkhead != nil && g == admission.Gate(o.Bulkhead):
			return optionError("Options.Gates[%d] is also Options.Adaptive or Options.Bulkhead: want it in one place, or an attempt takes two", i)
		}
		for j, other := range o.Gates[:i] {
			if reflect.TypeOf(g).Comparable() && reflect.ValueOf(g).Comparable() && g == other {
				return optionError("Options.Gates[%d] is also Options.Gates[%d]: want it in one place, or an attempt takes two", i, j)
			}
		}
		if err := zeroError(g); err != nil {
			return err
		}
	}
	for _, part := range []any{o.Adaptive, o.Bulkhead, o.Breaker, o.Hedger, o.Budget} {
		if err := zeroError(part); err != nil {
			return err
		}
	}
	return nil
}

func isNil(x any) bool {
	v := reflect.ValueOf(x)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// zeroError returns an error if part is one of this package's types that no New
// function has made. It is nil for nil.
func zeroError(part any) error {
	zero := ""
	switch x := part.(type) {
	case *Adaptive:
		if x != nil && x.o.Max == 0 {
			zero = "Adaptive"
		}
	case *Bulkhead:
		if x != nil && x.room == nil {
			zero = "Bulkhead"
		}
	case *Breaker:
		if x != nil && x.o.OpenFor == 0 {
			zero = "Breaker"
		}
	case *Hedger:
		if x != nil && x.o.Budget == nil {
			zero = "Hedger"
		}
	case *TokenBudget:
		if x != nil && x.max == 0 {
			zero = "TokenBudget"
		}
	case *WindowBudget:
		if x != nil && x.window == 0 {
			zero = "WindowBudget"
		}
	}
	if zero == "" {
		return nil
	}
	return optionError("the zero %s is not usable: make one with New%s", zero, zero)
}

// complete copies what o shares with the caller, and sets the defaults.
func (o *Options) complete() (err error) {
	o.Gates, o.Fallbacks = slices.Clone(o.Gates), slices.Clone(o.Fallbacks)
	if o.Resume != nil {
		resume := *o.Resume
		o.Resume = &resume
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 3
	}
	if o.Backoff == nil {
		o.Backoff = Exponential{}
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = time.Minute
	}
	if o.Budget == nil {
		if o.Budget, err = NewWindowBudget(nil); err != nil {
			return err
		}
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return nil
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

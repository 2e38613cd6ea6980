package retry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
)

// Options are the settings of a [Model] or a [Policy]. The zero value bounds
// what it adds to an overload, a tenth of the requests, and is safe to put
// before a paid API. But it waits for nothing and learns nothing, so it doesn't
// bring an overloaded service back: package retry/defaults does, and
// retry/overload shows the difference.
type Options struct {
	// MaxAttempts bounds the attempts of a call, the first and a hedge
	// included, and those that one of the policies below refused; default 3, 1
	// for no retries. Retry at one layer only: a Model below another Model detects it
	// and makes one attempt.
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
	// limit.Bucket is one that many goroutines can't get past. If it has an
	// AllowAt(now, 1), as that has, it is asked first, with the policy's clock;
	// if it has a Forgo(now), as an Adaptive has, it hears of an attempt that it
	// let pass and the Bulkhead refused.
	Limiter interface {
		Wait(context.Context) error
	}
	// Adaptive, if not nil, limits the attempts in progress to what the target
	// turns out to bear. One that finds no room counts as a failed attempt.
	Adaptive *Adaptive
	// Bulkhead, if not nil, limits the attempts in progress to a fixed number.
	Bulkhead *Bulkhead
	// Hedger, if not nil, starts a second attempt beside a slow first one.
	// Default nil: a hedge of a model is paid for.
	Hedger *Hedger
	// Shedder, if not nil, refuses an attempt that can't end by the deadline of
	// its context; see [WithPriority].
	Shedder *Shedder
	// Timeouts bounds the parts of a call; default none.
	Timeouts Timeouts
	// Fallbacks are asked in turn, once each, when the model failed in a way
	// that another may not ([fault.Error.Fallback]) and no chunk has reached the
	// caller. Only for a Model.
	Fallbacks []llms.Model
	// Resume, if not nil, has the answers of interrupted streams continued.
	// Default nil. Only for a Model.
	Resume *Resume

	// Model and Target name the model and the endpoint in events.
	Model, Target string
	// Logger gets the events retry.attempt, retry.hedge, retry.resume,
	// retry.nested, retry.breaker and retry.giveup; nil discards.
	Logger *slog.Logger
	// Rand is the source of jitter; default math/rand/v2's.
	Rand *rand.Rand
	// Sleep waits for d or until ctx is done; default a timer. A simulation
	// puts its own here.
	Sleep func(ctx context.Context, d time.Duration) error
}

// ErrOption is wrapped by every error that [New], [NewPolicy] and the
// constructors of the policies return for settings that make no sense.
var ErrOption = errors.New("retry: invalid configuration")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOption, fmt.Sprintf(format, args...))
}

// A Policy is the part of a [Model] that knows nothing of models: it decides
// whether, when and how often a call is made. [Do] runs any function under it.
// It is safe for concurrent use.
//
// A call that succeeds at once allocates once, whatever gates are set, and
// whatever Timeouts but Total, until someone waits for its context: then a
// timeout costs what context.WithTimeout does. See the benchmarks:
//
//	cd internal/bench && go test -bench 'Retry|Stack' -benchmem ./retry
type Policy struct {
	o      Options
	log    *slog.Logger
	randMu sync.Mutex

	late, lateAll *timeoutError // the causes of an attempt's timeout and of the call's
	allower       allower       // the Limiter, if it is one
	hedgeBudget   Budget        // the Hedger's, if it is not the policy's
}

// An allower is a limiter, such as limit.Bucket, that can be asked with the
// clock that the policy has read already.
type allower interface {
	AllowAt(now time.Time, n int) bool
}

// NewPolicy returns a policy; nil options mean the defaults.
func NewPolicy(o *Options) (*Policy, error) {
	p := &Policy{}
	if o != nil {
		p.o = *o
	}
	if p.o.MaxAttempts < 0 {
		return nil, optionError("MaxAttempts is %d: want 0 (the default, 3) or more", p.o.MaxAttempts)
	}
	if p.o.MaxDelay < 0 {
		return nil, optionError("MaxDelay is %v: want 0 (the default, 60 s) or more", p.o.MaxDelay)
	}
	if a, ok := p.o.Limiter.(*Adaptive); ok && a != p.o.Adaptive {
		return nil, optionError("Limiter is an Adaptive that isn't Options.Adaptive: the places it keeps would never be taken")
	}
	if err := p.o.Timeouts.check(); err != nil {
		return nil, err
	}
	if e, ok := p.o.Backoff.(interface{ check() error }); ok { // an Exponential or a pointer to one
		if err := e.check(); err != nil {
			return nil, err
		}
	}
	if p.o.Resume != nil {
		resume := *p.o.Resume
		if err := resume.check(); err != nil {
			return nil, err
		}
		p.o.Resume = &resume
	}
	for i, f := range p.o.Fallbacks {
		if f == nil {
			return nil, optionError("Fallbacks[%d] is nil", i)
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
	p.lateAll = &timeoutError{"answer", p.o.Timeouts.Total}
	p.allower, _ = p.o.Limiter.(allower)
	if h := p.o.Hedger; h != nil {
		p.hedgeBudget = h.ownBudget(p.o.Budget)
	}
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

package retry

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// ErrShed is wrapped by the error of a call that a [Shedder] refused.
var ErrShed = errors.New("retry: the deadline can't be met")

// A Priority decides which calls come first when there isn't room for all. The zero
// Priority is [PriorityNormal].
type Priority int8

// The priorities. As waits grow, calls of PriorityLow are refused first.
const (
	PriorityLow    Priority = iota - 1 // a batch job
	PriorityNormal                     // the zero value
	PriorityHigh                       // a person waits
)

type priorityKey struct{}

// WithPriority returns a context whose calls have a priority.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// PriorityOf returns the priority of ctx's calls.
func PriorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}

// ShedderOptions are the settings of a [Shedder].
type ShedderOptions struct {
	// Service is how long calls are expected to take, until the first one has been
	// measured. Default: 0, every call is admitted until then.
	Service time.Duration
}

// A Shedder sheds load: it refuses at once a call that would be answered after its
// deadline. Such an answer has no use, and it would make the next one late. A
// Shedder learns from its permits how long calls wait and how long they take, if
// they end with [admission.OutcomeHealthy]. See [admission.Permit.Begin]. The zero
// Shedder is one without options. It is safe for concurrent use. The caller passes
// the time.
type Shedder struct {
	mu            sync.Mutex
	wait, service float64 // exponentially weighted means, in nanoseconds
	seen          bool    // a service; the option is none
	seenWait      bool
}

// NewShedder returns a shedder; nil options mean the defaults. It fails with
// [ErrOption].
func NewShedder(o *ShedderOptions) (*Shedder, error) {
	s := &Shedder{}
	if o != nil {
		s.service = float64(o.Service)
	}
	if s.service < 0 {
		return nil, optionError("ShedderOptions.Service is %v: want 0 or more", o.Service)
	}
	return s, nil
}

// A ShedRequest is what a [Shedder] has to know of a call.
type ShedRequest struct {
	Deadline time.Time     // zero: the call has none, and is admitted
	Wait     time.Duration // the wait before the call; 0: as long as calls wait now, NoWait: it begins now
	Priority Priority
}

// NoWait is the Wait of a call that begins at once.
const NoWait time.Duration = -1

// TryAcquire admits a call, or returns an error that wraps [ErrShed] if the call
// can't end by its deadline. A call of PriorityNormal must have four times the mean
// service time left (98 % of exponential times are shorter), of PriorityLow eight
// times, and of PriorityHigh two times. A call that still has to wait needs at most
// half of its time, or the mean service time, because a deadline that is short for
// the service is not an overload.
func (s *Shedder) TryAcquire(now time.Time, r ShedRequest) (admission.Permit, error) {
	if !r.Deadline.IsZero() && !s.admits(r.Deadline.Sub(now), r) {
		e := fault.New(fault.ClassOverloaded, ErrShed)
		e.Retryable, e.Unhealthy, e.Unsent = false, false, true
		return admission.Permit{}, e
	}
	return admission.NewTimedPermit((*shedderPermits)(s), now, 0), nil
}

// admits reports whether a call can end in the time left.
func (s *Shedder) admits(left time.Duration, r ShedRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, margin := max(0, float64(r.Wait)), 4*s.service
	if r.Wait == 0 {
		wait = s.wait
	}
	switch {
	case r.Priority < PriorityNormal:
		margin *= 2
	case r.Priority > PriorityNormal:
		margin /= 2
	}
	if r.Wait >= 0 {
		margin = min(margin, max(s.service, float64(left)/2))
	}
	if wait+margin <= float64(left) {
		return true
	}
	if r.Wait == 0 { // a refused call measures nothing, so without this one bad moment would last forever
		s.wait, s.service = 0.99*s.wait, 0.99*s.service
	}
	return false
}

// shedderPermits is the shedder as the owner of its permits.
type shedderPermits Shedder

// FirstToken implements admission.FirstTokenOwner. It notes how long a stream has
// waited, before its end.
func (p *shedderPermits) FirstToken(_ time.Time, h admission.Held) {
	s := (*Shedder)(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited(h.Waited)
}

// Done implements admission.Owner.
func (p *shedderPermits) Done(now time.Time, h admission.Held, o admission.Outcome) {
	switch s := (*Shedder)(p); {
	case o != admission.OutcomeHealthy:
	case h.Answering:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.served(h.Took(now))
	default:
		s.observe(h.Waited, h.Took(now))
	}
}

// Cancel implements admission.Owner.
func (p *shedderPermits) Cancel(time.Time, admission.Held) {}

// observe records how long a served call waited and was served.
func (s *Shedder) observe(wait, service time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited(wait)
	s.served(service)
}

func (s *Shedder) waited(wait time.Duration) {
	if !s.seenWait {
		s.wait, s.seenWait = float64(wait), true
		return
	}
	s.wait += 0.1 * (float64(wait) - s.wait)
}

func (s *Shedder) served(service time.Duration) {
	if !s.seen {
		s.service, s.seen = float64(service), true
		return
	}
	s.service += 0.1 * (float64(service) - s.service)
}

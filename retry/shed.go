package retry

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// ErrShed is wrapped by the error of a call that a [Shedder] refused.
var ErrShed = errors.New("retry: the deadline can't be met")

// Priority orders calls when there isn't room for all. The zero Priority is
// Normal.
type Priority int8

// The priorities. As waits grow, Low is shed first.
const (
	PriorityLow Priority = iota - 1
	PriorityNormal
	PriorityHigh
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

// A Shedder refuses at once a call that would be answered after its deadline:
// the work would be for nobody, and would make the next one late. It learns
// how long calls wait and are served. It is safe for concurrent use; the clock
// is the caller's.
type Shedder struct {
	mu            sync.Mutex
	wait, service float64 // exponentially weighted means, in nanoseconds
	seen          bool
}

// NewShedder returns a shedder that expects calls to take service, until it
// has seen some; 0 admits every call until then.
func NewShedder(service time.Duration) (*Shedder, error) {
	if service < 0 {
		return nil, optionError("shed: a service time of %v: want 0 or more", service)
	}
	return &Shedder{service: float64(service)}, nil
}

// Admit returns an error that wraps [ErrShed] if a call that first waits wait
// can't end by deadline; a negative wait means the mean of those observed, a
// zero deadline none. Normal leaves room for four times the mean service time
// (of exponential times 98 % are shorter), Low for eight times, High for two.
// A call that has yet to wait needs no more than half of its time, or the mean
// service time: a deadline short for the service is no overload.
func (s *Shedder) Admit(now, deadline time.Time, wait time.Duration, p Priority) error {
	if deadline.IsZero() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w, margin := float64(wait), 4*s.service
	if wait < 0 {
		w = s.wait
	}
	switch {
	case p < PriorityNormal:
		margin *= 2
	case p > PriorityNormal:
		margin /= 2
	}
	if wait != 0 {
		margin = min(margin, max(s.service, float64(deadline.Sub(now))/2))
	}
	if w+margin <= float64(deadline.Sub(now)) {
		return nil
	}
	if wait < 0 { // who is refused observes nothing: without this one bad moment would shut the door for ever
		s.wait, s.service = 0.99*s.wait, 0.99*s.service
	}
	e := fault.New(fault.ClassOverloaded, ErrShed)
	e.Retryable, e.Unhealthy = false, false
	return e
}

// Observe records how long a served call waited and was served.
func (s *Shedder) Observe(wait, service time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen {
		s.wait, s.service, s.seen = float64(wait), float64(service), true
		return
	}
	s.wait += 0.1 * (float64(wait) - s.wait)
	s.service += 0.1 * (float64(service) - s.service)
}

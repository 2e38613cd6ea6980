package admission

import (
	"context"
	"time"
)

// A Gate lets calls start. Acquire waits until the next may, and returns an
// error if ctx is done before or the gate refuses.
type Gate interface {
	Acquire(ctx context.Context) (Permit, error)
}

// A TryGate is a gate that can be asked without waiting. TryAcquire returns an
// error if the call may not start at now.
type TryGate interface {
	TryAcquire(now time.Time) (Permit, error)
}

// An Outcome is what a call has shown of its target's health.
type Outcome uint8

// The outcomes.
const (
	OutcomeIgnored   Outcome = iota // nothing: the call was canceled or wrong, or a quota was full
	OutcomeHealthy                  // the target answered
	OutcomeUnhealthy                // the target failed
	OutcomeThrottled                // the target is well and asked for fewer calls: status 429
)

// String returns "ignored", "healthy", "unhealthy" or "throttled"; "unknown" for
// another value.
func (o Outcome) String() string {
	return [...]string{"ignored", "healthy", "unhealthy", "throttled", "unknown"}[min(o, OutcomeThrottled+1)]
}

// A Permit is a gate's leave to make one call. It must be ended once, with Done or
// with Cancel. After that the methods of the same variable do nothing, like those
// of the zero Permit, so a second end is harmless. Of several copies of a permit
// only one may be ended.
type Permit struct {
	owner Owner
	held  Held
}

// An Owner is what a gate does when one of its permits ends. It is for authors of
// gates. See [NewPermit].
type Owner interface {
	Done(now time.Time, h Held, o Outcome)
	Cancel(now time.Time, h Held)
}

// A FirstTokenOwner is an [Owner] that learns when the target has begun to answer.
// A stream shows its target's health with its first token, long before its end.
type FirstTokenOwner interface {
	Owner
	FirstToken(now time.Time, h Held)
}

// Held is what a permit keeps for its [Owner].
type Held struct {
	Mark      uint64        // the owner's own, from NewPermit
	Waited    time.Duration // of a timed permit: from its making to Permit.Begin
	Answering bool          // Permit.FirstToken was called
	began     time.Duration // of a timed permit: after epoch, and never 0
}

// epoch makes an instant a single number, which keeps permits small.
var epoch = time.Now()

// since returns the time after epoch; 0 means that it isn't known.
func since(now time.Time) time.Duration {
	d := now.Sub(epoch)
	if d == 0 {
		d = 1
	}
	return d
}

// Took returns how long the call of a timed permit has taken at now, without the
// wait before it.
func (h Held) Took(now time.Time) time.Duration { return since(now) - h.began }

// NewPermit returns a permit of a gate. The owner gets mark back when the permit
// ends. NewPermit doesn't allocate if owner is a pointer.
func NewPermit(owner Owner, mark uint64) Permit { return Permit{owner, Held{Mark: mark}} }

// NewTimedPermit is NewPermit for an owner that measures how long the call waited
// and took, from now on.
func NewTimedPermit(owner Owner, now time.Time, mark uint64) Permit {
	return Permit{owner, Held{Mark: mark, began: since(now)}}
}

// Begin reports that the call begins at now. It is for callers that wait between
// the permit and the call, so that a gate which measures how long calls take
// doesn't count that wait.
func (p *Permit) Begin(now time.Time) {
	if p.held.began == 0 {
		return
	}
	p.held.Waited += p.held.Took(now)
	p.held.began = since(now)
}

// FirstToken reports that the target has begun to answer at now, and the call goes on.
// Calling it again does nothing.
func (p *Permit) FirstToken(now time.Time) {
	if owner, ok := p.owner.(FirstTokenOwner); ok && !p.held.Answering {
		owner.FirstToken(now, p.held)
	}
	p.held.Answering = true
}

// Done ends a call that was made, with what it has shown.
func (p *Permit) Done(now time.Time, o Outcome) {
	if owner := p.owner; owner != nil {
		p.owner = nil
		owner.Done(now, p.held, o)
	}
}

// Cancel gives back a permit whose call was not made.
func (p *Permit) Cancel(now time.Time) {
	if owner := p.owner; owner != nil {
		p.owner = nil
		owner.Cancel(now, p.held)
	}
}

package limit

import (
	"context"
	"sync"
	"time"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// A pass is the context with which a call goes down. It has what the call will use
// of which account, and its permit. It is its own context, and so one allocation.
type pass struct {
	context.Context
	account    *Account
	model      string
	use        Use
	belowModel bool // a Model made it, which learns what a 429 means from the call's end

	mu       sync.Mutex
	permit   AccountPermit
	unused   bool // the permit has been acquired, and no call has begun with it
	returned bool // an attempt below the Model has given the permit back unused
	refused  bool // there was a response of status 429
	asked    time.Duration
}

type passKey struct{ *Account }

// Value implements context.Context.
func (p *pass) Value(key any) any {
	if key == (passKey{p.account}) {
		return p
	}
	return p.Context.Value(key)
}

func passOf(ctx context.Context, a *Account) *pass {
	p, _ := ctx.Value(passKey{a}).(*pass)
	return p
}

// WithCall returns a context for a call to model that will use u. [Account.Acquire]
// waits for that room, and [Account.Transport] learns from the call. A [Model] does
// this by itself, so WithCall is for other calls, such as an embedding under
// retry.Do.
func (a *Account) WithCall(ctx context.Context, model string, u Use) context.Context {
	return &pass{Context: ctx, account: a, model: model, use: u, permit: AccountPermit{account: a, model: model}}
}

var _ admission.Gate = (*Account)(nil)

// Acquire admits a call, perhaps after a wait for room, in the order of arrival. It
// fails at once if the room would come after ctx's deadline, and with ctx.Err() if
// ctx is done before. So an Account can be one of the Gates of retry.Options. In a
// context of [Account.WithCall] the call's use is known. Without it the call counts
// as one request to the model "".
//
// The permit's Done does nothing, since the account learns from the call through
// its Transport or a Model. Cancel gives the room back if no call has begun with
// it.
func (a *Account) Acquire(ctx context.Context) (admission.Permit, error) {
	p := passOf(ctx, a)
	if p == nil {
		permit, err := a.wait(ctx, "", Use{}, "", 1, time.Time{})
		if err != nil {
			return admission.Permit{}, err
		}
		return admission.NewTimedPermit((*accountPermits)(a), permit.at, 0), nil
	}
	if p.belowModel { // the Model above has taken room for the first attempt
		if _, ok := p.spend(); ok {
			if err := ctx.Err(); err != nil {
				return admission.Permit{}, err
			}
			return admission.NewPermit((*passPermits)(p), 0), nil
		}
	}
	permit, err := a.wait(ctx, p.model, p.use, "", 1, time.Time{})
	if err != nil {
		return admission.Permit{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.belowModel {
		again := &retryPermits{p, permit, p.permit}
		p.permit = permit
		return admission.NewPermit(again, 0), nil
	}
	p.permit, p.unused = permit, true
	return admission.NewPermit((*passPermits)(p), 0), nil
}

// retryPermits owns the permit of an attempt below a Model, except the first
// attempt, which has the Model's own permit.
type retryPermits struct {
	p            *pass
	permit, prev AccountPermit
}

// Done implements admission.Owner.
func (r *retryPermits) Done(time.Time, admission.Held, admission.Outcome) {}

// Cancel implements admission.Owner.
func (r *retryPermits) Cancel(now time.Time, _ admission.Held) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.permit == r.permit {
		p.permit = r.prev
	}
	r.permit.Cancel(now)
}

// passPermits is a pass as the owner of its permit.
type passPermits pass

// Done implements admission.Owner.
func (p *passPermits) Done(time.Time, admission.Held, admission.Outcome) {}

// Cancel implements admission.Owner.
func (p *passPermits) Cancel(now time.Time, _ admission.Held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.belowModel { // the permit is the Model's, so the next attempt may use it
		p.unused, p.returned = true, true
		return
	}
	if p.unused {
		p.permit.Cancel(now)
		p.unused, p.permit = false, AccountPermit{account: p.account, model: p.model}
	}
}

// accountPermits is the account as the owner of the permits of calls that have no
// pass.
type accountPermits Account

// Done implements admission.Owner.
func (a *accountPermits) Done(time.Time, admission.Held, admission.Outcome) {}

// Cancel implements admission.Owner.
func (a *accountPermits) Cancel(now time.Time, h admission.Held) {
	p := AccountPermit{account: (*Account)(a), at: now.Add(-h.Took(now))}
	p.Cancel(now)
}

// spend returns the permit that Acquire has left for ctx's call, once.
func (a *Account) spend(ctx context.Context) (AccountPermit, bool) {
	if p := passOf(ctx, a); p != nil && !p.belowModel {
		return p.spend()
	}
	return AccountPermit{}, false
}

func (p *pass) spend() (AccountPermit, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok := p.unused
	p.unused, p.returned = false, false
	return p.permit, ok
}

// wait is Acquire, until end if that isn't zero. Calls that wait for the same
// model are served by tenant and weight, and compared by their number.
func (a *Account) wait(ctx context.Context, model string, u Use, tenant string, weight float64, end time.Time) (AccountPermit, error) {
	if err := ctx.Err(); err != nil {
		return AccountPermit{}, err
	}
	m := a.allotment(model)
	if !m.turn.taken() { // no call waits, so one that finds room needs no turn
		if p, wait := a.take(time.Now(), model, u); wait == 0 {
			return p, nil
		}
	}
	turn := ctx
	if deadline, ok := ctx.Deadline(); ok && (end.IsZero() || deadline.Before(end)) {
		end = deadline
	} else if !end.IsZero() {
		var cancel context.CancelFunc
		turn, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	if err := m.turn.enter(turn, tenant, 1, weight); err != nil {
		if ctx.Err() != nil {
			return AccountPermit{}, ctx.Err()
		}
		return AccountPermit{}, &Error{Refusal: fault.RefusalWait, Dimension: allowances[0], Reason: "other calls are waiting for the provider's room"}
	}
	defer m.turn.leave()
	for {
		now := time.Now()
		p, wait := a.take(now, model, u)
		if wait == 0 {
			return p, nil
		}
		if !end.IsZero() && now.Add(wait).After(end) {
			return AccountPermit{}, full(wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-m.changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return AccountPermit{}, ctx.Err()
		}
	}
}

func (a *Account) allotment(model string) *allotment {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, _ := a.of(model, time.Now())
	return m
}

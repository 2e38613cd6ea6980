package limit

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/retry/fault"
)

// A pass goes down with a call: what it will use of which account, and its
// ticket. Being its own context, it is one allocation.
type pass struct {
	context.Context
	account *Account
	model   string
	use     Use
	judged  bool // a Model above says what a 429 means

	mu      sync.Mutex
	ticket  Ticket
	unused  bool // the ticket has been taken, and no call has begun with it
	refused bool // there was a response of status 429
	asked   time.Duration
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

// With returns a context whose call is one to model that will use u: what
// [Account.Wait] waits for, and what [Account.Transport] learns of. A [Model]
// does this by itself; so it is for other calls, an embedding under retry.Do.
func (a *Account) With(ctx context.Context, model string, u Use) context.Context {
	return &pass{Context: ctx, account: a, model: model, use: u, ticket: Ticket{model: model}}
}

// Wait takes room for a call and waits until it is there, in the order of
// arrival. It fails at once if that would be after ctx's deadline, and with
// ctx.Err() if ctx is done before. So an Account is a Limiter of retry.Options;
// a context of [Account.With] says what the call is, and without it is one
// request to the model "".
func (a *Account) Wait(ctx context.Context) error {
	p := passOf(ctx, a)
	if p == nil {
		_, err := a.wait(ctx, "", Use{}, "", 1, time.Time{})
		return err
	}
	if p.judged { // the Model above has taken room for the first attempt
		if _, ok := p.spend(); ok {
			return ctx.Err()
		}
	}
	t, err := a.wait(ctx, p.model, p.use, "", 1, time.Time{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.ticket, p.unused = t, !p.judged
	}
	return err
}

// spend returns the ticket that Wait has taken for ctx's call, once.
func (a *Account) spend(ctx context.Context) (Ticket, bool) {
	if p := passOf(ctx, a); p != nil && !p.judged {
		return p.spend()
	}
	return Ticket{}, false
}

func (p *pass) spend() (Ticket, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok := p.unused
	p.unused = false
	return p.ticket, ok
}

// wait is Wait, until end if that isn't zero. Who waits for the same model is
// served by tenant and weight, calls being compared by their number.
func (a *Account) wait(ctx context.Context, model string, u Use, tenant string, weight float64, end time.Time) (Ticket, error) {
	if err := ctx.Err(); err != nil {
		return Ticket{}, err
	}
	m := a.allotment(model)
	if !m.turn.taken() { // nobody waits, so who finds room needs no turn
		if t, wait := a.Take(time.Now(), model, u); wait == 0 {
			return t, nil
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
			return Ticket{}, ctx.Err()
		}
		return Ticket{}, &Error{Dimension: allowances[0], Reason: "other calls are waiting for the provider's room"}
	}
	defer m.turn.leave()
	for {
		now := time.Now()
		t, wait := a.Take(now, model, u)
		if wait == 0 {
			return t, nil
		}
		if !end.IsZero() && now.Add(wait).After(end) {
			return Ticket{}, &Error{Dimension: allowances[0], Reason: "the provider has no room", Delay: wait, HasDelay: true}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-m.changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return Ticket{}, ctx.Err()
		}
	}
}

func (a *Account) allotment(model string) *allotment {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, _ := a.of(model, time.Now())
	return m
}

// HTTPClient returns an HTTP client like base, nil meaning the default one, from
// whose responses the account learns.
func (a *Account) HTTPClient(base *http.Client) *http.Client {
	c := &http.Client{}
	if base != nil {
		*c = *base
	}
	c.Transport = a.Transport(c.Transport)
	return c
}

// Transport returns an http.RoundTripper, base below it (nil means
// http.DefaultTransport), by which the account learns from every response to a
// call of [Account.With] or of a [Model] with this account. It changes nothing
// that the client sees.
func (a *Account) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return transport{a, base}
}

type transport struct {
	a    *Account
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	p := passOf(req.Context(), t.a)
	resp, err := t.base.RoundTrip(req)
	if err != nil || p == nil {
		return resp, err
	}
	now := time.Now()
	asked, _ := fault.RetryAfter(resp.Header, now)
	p.mu.Lock()
	ticket := p.ticket
	p.asked = asked
	refused := resp.StatusCode == http.StatusTooManyRequests
	p.refused = p.refused || refused
	p.mu.Unlock()
	t.a.Learn(now, ticket, fault.ParseAllowances(resp.Header, now))
	if refused && !p.judged {
		t.a.Refused(now, ticket, asked)
	}
	return resp, err
}

// CloseIdleConnections closes those of the base.
func (t transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// outcome takes in what came of a Model's call that went down with p.
func (p *pass) outcome(resp *llms.ContentResponse, err error) {
	now, a := time.Now(), p.account
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		if p.refused { // a retry got over it, so it was no quota
			a.Refused(now, p.ticket, 0)
		}
		if u, err := usage.Of(resp); err == nil {
			a.Settle(now, p.ticket, Use{float64(u.Input), float64(u.Output)})
		}
		return
	}
	if ours := (*Error)(nil); errors.As(err, &ours) {
		return // the provider wasn't asked
	}
	e := fault.FromError(p.Context, err)
	a.Learn(now, p.ticket, e.Limits)
	switch {
	case e.Class == fault.ClassRateLimit:
		a.Refused(now, p.ticket, max(e.Delay, p.asked))
	case e.Status >= 400 && e.Status < 500:
		a.Settle(now, p.ticket, Use{}) // the provider didn't begin
	}
}

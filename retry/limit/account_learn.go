package limit

import (
	"net/http"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/retry/fault"
)

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
// call of [Account.WithCall] or of a [Model] with this account. It changes nothing
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
	permit := p.permit
	p.asked = asked
	refused := resp.StatusCode == http.StatusTooManyRequests
	p.refused = p.refused || refused
	p.mu.Unlock()
	permit.Learn(now, fault.ParseAllowances(resp.Header, now))
	if refused && !p.belowModel {
		permit.LearnRefusal(now, asked)
	}
	return resp, err
}

// CloseIdleConnections closes those of the base.
func (t transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// outcome learns from the result of a Model's call that went down with p.
func (p *pass) outcome(resp *llms.ContentResponse, err error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.returned { // the last attempt was not made
		p.permit.Cancel(now)
		p.permit = AccountPermit{account: p.account, model: p.model}
	}
	if err == nil {
		if p.refused { // a retry has succeeded since, so it was not a quota
			p.permit.LearnRefusal(now, 0)
		}
		if u, err := usage.Of(resp); err == nil {
			p.permit.Settle(now, Use{float64(u.Input), float64(u.Output)})
		}
		return
	}
	e := fault.FromError(p.Context, err)
	if e.Unsent {
		p.permit.Cancel(now)
		return
	}
	p.permit.Learn(now, e.Allowances)
	switch {
	case e.Class == fault.ClassRateLimit:
		p.permit.LearnRefusal(now, max(e.Delay, p.asked))
	case !e.Billable():
		p.permit.Settle(now, Use{}) // the provider didn't begin an answer
	}
}

package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// A Quota is what one tenant may use. A zero field is no limit.
type Quota struct {
	Requests Rate
	Tokens   Rate // prompt and answer together
	Money    Rate // pico-USD; see [USD]
	// Concurrency is how many calls may be under way at once.
	Concurrency int
	// SpendPicoUSD is all that may ever be spent: no rate, and it doesn't
	// refill. A call that might pass it is refused with [Stop], also while the
	// calls before it are still under way. [Model.Forgive] starts anew.
	SpendPicoUSD int64
	// Weight is the tenant's share of the shared limits under contention,
	// relative to the others'; default 1.
	Weight float64
}

func (q Quota) check(whose string) error {
	for name, r := range map[string]Rate{"requests": q.Requests, "tokens": q.Tokens, "money": q.Money} {
		if err := r.Check(); err != nil {
			return fmt.Errorf("%s, %s: %w", whose, name, err)
		}
	}
	if q.Concurrency < 0 || q.SpendPicoUSD < 0 {
		return fmt.Errorf("%w: %s: concurrency %d, spend %d: want 0 (no limit) or more", ErrOption, whose, q.Concurrency, q.SpendPicoUSD)
	}
	if !(q.Weight >= 0) || math.IsInf(q.Weight, 1) {
		return fmt.Errorf("%w: %s: weight %v: want 0 (the default, 1) or more", ErrOption, whose, q.Weight)
	}
	return nil
}

// Options are the settings of a [Model].
type Options struct {
	// Quota holds for each tenant that Tenants doesn't name.
	Quota Quota
	// Tenants holds the quotas of named tenants.
	Tenants map[string]Quota
	// Shared bounds all tenants together; they get it by their weights.
	Shared Quota
	// Account, if not nil, holds the limits of the provider below, which it
	// learns from the answers that pass here, and from their headers where its
	// Transport is in the client. All tenants together get it by their weights.
	// Several Models, and processes of course, may use one account.
	Account *Account
	// Tenant says whose call it is; default: all are one tenant's, "".
	Tenant func(context.Context) string
	// Wait is how long a call may wait for room; default 0: it is refused at
	// once, with the time to come back.
	Wait time.Duration
	// Store keeps the rates; default a Local. Concurrency and spend are always
	// this process's.
	Store Store
	// StoreClosed refuses calls while the store fails. The default lets them
	// pass under the same rates kept in this process: n processes then admit
	// up to n times as much, and a store that is down stops nobody.
	StoreClosed bool
	// Prefix begins the store's keys; default "limit".
	Prefix string
	// Switch, if not nil, stops calls by hand.
	Switch *Switch

	// Tokens counts a text's tokens; nil estimates a token for four bytes.
	Tokens func(text string) int
	// Answer is how many tokens of answer are reserved for a call that sets no
	// maximum; default 512. What is reserved too much comes back.
	Answer int
	// Usage returns the tokens that an answer used; default: what the provider
	// reported, prompt and answer. Where it isn't ok the reservation stands.
	Usage func(r *llms.ContentResponse) (tokens int, ok bool)
	// Cost returns what an answer cost; nil: money is not limited. It is also
	// asked for the cost of a reservation, with an answer that has only
	// PromptTokens and CompletionTokens.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)
	// Model is what Cost is asked for if the call names no model.
	Model string
	// Logger gets the events limit.wait and limit.deny; nil discards.
	Logger *slog.Logger
}

// A Model lets each tenant's calls reach the model below within its quota. A
// call reserves by estimate and is reconciled with what it really used: more
// goes into debt, which later calls wait out; less comes back. It is safe for
// concurrent use.
type Model struct {
	next   llms.Model
	o      Options
	log    *slog.Logger
	spare  Local // while the store is down
	fair   fair
	purses purses
	counts bool // purses are needed
}

// New wraps next. Without options nothing is limited, which is an error unless
// there is a Switch to throw.
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	m := &Model{next: next}
	if o != nil {
		m.o = *o
	}
	quotas := make(map[string]Quota, len(m.o.Tenants))
	for name, q := range m.o.Tenants {
		if err := q.check(fmt.Sprintf("tenant %q", name)); err != nil {
			return nil, err
		}
		quotas[name] = q
	}
	m.o.Tenants = quotas
	if err := m.o.Quota.check("quota"); err != nil {
		return nil, err
	}
	if err := m.o.Shared.check("shared"); err != nil {
		return nil, err
	}
	if m.o.Wait < 0 || m.o.Answer < 0 {
		return nil, fmt.Errorf("%w: wait %v, answer %d: want 0 or more", ErrOption, m.o.Wait, m.o.Answer)
	}
	m.counts = m.o.Cost != nil
	for q := range m.quotas {
		if m.o.Cost == nil && (!q.Money.None() || q.SpendPicoUSD > 0) {
			return nil, fmt.Errorf("%w: a limit of money needs Options.Cost", ErrOption)
		}
		m.counts = m.counts || q.Concurrency > 0
	}
	if m.o.Tenant == nil {
		m.o.Tenant = func(context.Context) string { return "" }
	}
	if m.o.Store == nil {
		m.o.Store = &Local{}
	}
	if m.o.Prefix == "" {
		m.o.Prefix = "limit"
	}
	if m.o.Answer == 0 {
		m.o.Answer = 512
	}
	if m.o.Usage == nil {
		m.o.Usage = reported
	}
	m.log = event.Logger(m.o.Logger)
	return m, nil
}

// quotas yields every quota that there is.
func (m *Model) quotas(yield func(Quota) bool) {
	if !yield(m.o.Quota) || !yield(m.o.Shared) {
		return
	}
	for _, q := range m.o.Tenants {
		if !yield(q) {
			return
		}
	}
}

func reported(r *llms.ContentResponse) (int, bool) {
	t, err := usage.Of(r)
	return int(min(t.Input+t.Output, math.MaxInt)), err == nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool { return wrap.SupportsReasoning(m.next) }

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model. The error of a refused call is an
// *[Error]; others are those of the model below.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := m.begin(ctx, messages, options)
	if err := c.admit(ctx); err != nil {
		return nil, c.refused(ctx, err)
	}
	var resp *llms.ContentResponse
	var err error
	returned := false
	defer func() {
		if !returned { // a panic below: what it used is unknown, so the estimate stands
			c.settle(nil, errPanicked)
		}
	}()
	below := ctx
	if a := m.o.Account; a != nil {
		c.pass = &pass{Context: ctx, account: a, model: c.model, use: c.use, judged: true, ticket: c.ticket, unused: true}
		below = c.pass
	}
	resp, err = m.next.GenerateContent(below, messages, options...)
	returned = true
	c.settle(resp, err)
	return resp, wrap.ContextError(ctx, err)
}

var errPanicked = errors.New("limit: the call panicked")

// Spent returns what the tenant's calls have cost, as far as is known.
func (m *Model) Spent(tenant string) (picoUSD int64) { return m.purses.spent(tenant) }

// Forgive sets what the tenant has spent back to nothing: a new month.
func (m *Model) Forgive(tenant string) { m.purses.forgive(tenant) }

func (m *Model) quota(tenant string) Quota {
	if q, ok := m.o.Tenants[tenant]; ok {
		return q
	}
	return m.o.Quota
}

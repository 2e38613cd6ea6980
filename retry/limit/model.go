package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// A Quota is what one tenant may use. Default: 0 in each field, no limit.
type Quota struct {
	Requests Rate
	Tokens   Rate // prompt and answer together
	Money    Rate // pico-USD; see [USD]
	// Concurrency is how many calls may be in progress at once.
	Concurrency int
	// SpendPicoUSD is all the money that may be spent. It is not a rate, and doesn't
	// refill. A call that might exceed it is refused with [fault.RefusalStop]; the
	// calls in progress count too. [Model.ResetSpent] sets what was spent to 0.
	SpendPicoUSD int64
	// Weight is the tenant's share of the shared limits when several tenants wait,
	// relative to the others' weights, 0.000001 to 1000000. Default: 1.
	Weight float64
}

func (q Quota) check(name string) error {
	for _, r := range []struct {
		name string
		rate Rate
	}{{"Requests", q.Requests}, {"Tokens", q.Tokens}, {"Money", q.Money}} {
		if err := r.rate.check(name + "." + r.name); err != nil {
			return err
		}
	}
	if q.Concurrency < 0 {
		return optionError("%s.Concurrency is %d: want 0 (no limit) or more", name, q.Concurrency)
	}
	if q.SpendPicoUSD < 0 {
		return optionError("%s.SpendPicoUSD is %d: want 0 (no limit) or more", name, q.SpendPicoUSD)
	}
	if q.Weight != 0 && !(q.Weight >= 1e-6 && q.Weight <= 1e6) {
		return optionError("%s.Weight is %v: want 0 (the default, 1), or 0.000001 to 1000000", name, q.Weight)
	}
	return nil
}

// Options are the settings of a [Model].
type Options struct {
	// Quota is the quota of each tenant that Tenants doesn't name. Default: no limit.
	Quota Quota
	// Tenants has the quotas of named tenants. Default: none.
	Tenants map[string]Quota
	// Shared bounds all tenants together. They get its room by their weights. Default:
	// no limit.
	Shared Quota
	// Account has the limits of the provider below. It learns them from the answers
	// that pass here, and from their headers if its Transport is in the client. The
	// tenants get its room by their weights. Several Models may use one account.
	// Default: nil, none.
	Account *Account
	// Tenant returns whose call it is. Default: all are one tenant's, "".
	Tenant func(context.Context) string
	// Wait is how long a call may wait for room. Default: 0: the call is refused at
	// once, and the error has the time to come back.
	Wait time.Duration
	// Store keeps the rates. Concurrency and spend are always counted in this process
	// only. A store that takes more than 250 ms has failed. Default: a Memory.
	Store Store
	// RefuseOnStoreFailure refuses calls with status 503 while the store fails. Such a
	// call is not counted. Default: false: the same rates are kept in this process
	// meanwhile. Then n processes admit up to n times as much, and a store that is
	// down stops no call.
	RefuseOnStoreFailure bool
	// Prefix begins the store's keys. Default: "limit".
	Prefix string
	// Switch stops calls by hand. Default: nil, none.
	Switch *Switch

	// Tokens counts a text's tokens. The method Count of an Encoding of package
	// chunk/token counts as the model does. Default: an estimate, a token for four
	// bytes.
	Tokens func(text string) int
	// AnswerTokens is how much is reserved for the answer of a call that sets no
	// maximum. The part that isn't used comes back. Default: 512.
	AnswerTokens int
	// Usage returns the tokens that an answer used. If ok is false, the reservation
	// stays. Default: what the provider reported, prompt and answer.
	Usage func(r *llms.ContentResponse) (tokens int, ok bool)
	// Cost returns what an answer cost. It is also asked for the cost of a
	// reservation, with an answer that has only PromptTokens and CompletionTokens.
	// Default: nil, money is not limited.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)
	// Model is the model's name for Cost if the call names none. Default: "".
	Model string
	// Logger gets the events limit.wait, limit.deny, limit.store and usage.invalid.
	// Default: nil, they are discarded.
	Logger *slog.Logger
}

// A Model lets each tenant's calls reach the model below within the tenant's quota.
// A call reserves its estimated use, and is corrected afterwards by what it really
// used. More is a debt, which later calls wait out, and less comes back. A Model is
// safe for concurrent use.
type Model struct {
	next    llms.Model
	o       Options
	log     *slog.Logger
	backing backing // Options.Store
	fair    fair
	purses  purses
	counts  bool // purses are needed
}

// New wraps next; with nil options nothing is limited. It fails with [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, optionError("the model of New is nil")
	}
	m := &Model{next: next}
	if o != nil {
		m.o = *o
	}
	m.o.Tenants = maps.Clone(m.o.Tenants)
	if err := m.o.check(); err != nil {
		return nil, err
	}
	m.counts = m.o.Cost != nil
	for q := range m.quotas {
		if m.o.Cost == nil && (!q.Money.IsZero() || q.SpendPicoUSD > 0) {
			return nil, optionError("Options.Cost is nil: want a function, or no limit of money")
		}
		m.counts = m.counts || q.Concurrency > 0
	}
	m.o.complete()
	m.log = event.Logger(m.o.Logger)
	m.backing.store, m.backing.refuse, m.backing.log = m.o.Store, m.o.RefuseOnStoreFailure, m.log
	return m, nil
}

func (o *Options) check() error {
	if len(o.Tenants) > 0 && o.Tenant == nil {
		return optionError("Options.Tenant is nil: want a function that returns one of Options.Tenants, or no Tenants")
	}
	for name, q := range o.Tenants {
		if err := q.check(fmt.Sprintf("Options.Tenants[%q]", name)); err != nil {
			return err
		}
	}
	if err := o.Quota.check("Options.Quota"); err != nil {
		return err
	}
	if err := o.Shared.check("Options.Shared"); err != nil {
		return err
	}
	if o.Wait < 0 {
		return optionError("Options.Wait is %v: want 0 or more", o.Wait)
	}
	if o.AnswerTokens < 0 {
		return optionError("Options.AnswerTokens is %d: want 0 (the default, 512) or more", o.AnswerTokens)
	}
	return nil
}

// complete sets the defaults.
func (o *Options) complete() {
	if o.Tenant == nil {
		o.Tenant = func(context.Context) string { return "" }
	}
	if o.Store == nil {
		o.Store = &Memory{}
	}
	if o.Prefix == "" {
		o.Prefix = "limit"
	}
	if o.AnswerTokens == 0 {
		o.AnswerTokens = 512
	}
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

// usage returns the tokens that an answer used. It logs counts that can't be right.
func (c *call) usage(ctx context.Context, r *llms.ContentResponse) (tokens int, ok bool) {
	o := &c.m.o
	var t usage.Tokens
	var err error
	if o.Usage == nil || o.Account != nil {
		if t, err = usage.Of(r); errors.Is(err, usage.ErrInvalid) {
			c.m.log.LogAttrs(ctx, slog.LevelWarn, event.UsageInvalid, slog.String(event.Model, c.model), slog.String(event.Reason, err.Error()))
		}
	}
	if o.Usage != nil {
		return o.Usage(r)
	}
	return reported(t), err == nil
}

// reported returns the tokens of a prompt and its answer.
func reported(t usage.Tokens) int { return int(min(t.Input+t.Output, math.MaxInt)) }

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
	if m.next == nil {
		return nil, optionError("the zero Model is not usable: make one with New")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := m.begin(ctx, messages, options)
	admitted, ended := false, false
	defer func() {
		switch {
		case ended:
		case admitted: // a panic below: what the call used is unknown, so the estimate stays
			c.settle(ctx, nil, errPanicked)
		default: // a panic of the store or the logger
			c.giveBack()
		}
	}()
	if err := c.admit(ctx); err != nil {
		ended = true
		return nil, c.refused(ctx, err)
	}
	admitted = true
	below := ctx
	if a := m.o.Account; a != nil {
		c.pass = &pass{Context: ctx, account: a, model: c.model, use: c.use, belowModel: true, permit: c.permit, unused: true}
		below = c.pass
	}
	resp, err := m.next.GenerateContent(below, messages, options...)
	ended = true
	c.settle(ctx, resp, err)
	return resp, wrap.ContextError(ctx, err)
}

var errPanicked = errors.New("limit: the call panicked")

// Spent returns what the tenant's calls have cost, as far as is known.
func (m *Model) Spent(tenant string) (picoUSD int64) { return m.purses.spent(tenant) }

// ResetSpent sets what the tenant has spent to 0, for a new month for example.
func (m *Model) ResetSpent(tenant string) { m.purses.forgive(tenant) }

func (m *Model) quota(tenant string) Quota {
	if q, ok := m.o.Tenants[tenant]; ok {
		return q
	}
	return m.o.Quota
}

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
	"github.com/prodailabs/prodai/retry/fault"
)

// A call is one call's reservation, from its estimate to its reconciliation.
type call struct {
	m      *Model
	tenant string
	model  string
	quota  Quota
	use    Use
	tokens float64 // of use
	money  int64
	began  time.Time
	own    taking        // of the tenant's limits
	shared taking        // of all tenants' limits
	inside bool          // counted in the purses
	permit AccountPermit // of the provider's account
	pass   *pass         // with it
}

// begin estimates what the call will use.
func (m *Model) begin(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) *call {
	c := &call{m: m, tenant: m.o.Tenant(ctx), model: m.o.Model, began: time.Now()}
	c.quota = m.quota(c.tenant)
	tokens := m.o.Tokens
	counts := m.o.Cost != nil || m.o.Account != nil || !m.o.Shared.Tokens.IsZero() || !c.quota.Tokens.IsZero()
	if !counts {
		tokens = func(string) int { return 0 } // a tokenizer may be slow
	}
	var model string
	var use Use
	if p := passOf(ctx, m.o.Account); p != nil { // it has been estimated above
		model, use = p.model, p.use
	} else {
		model, use = Estimate(messages, options, tokens, m.o.AnswerTokens)
	}
	if model != "" {
		c.model = model
	}
	use = use.sane()
	if counts {
		c.use, c.tokens = use, use.InputTokens+use.OutputTokens
	}
	if m.o.Cost != nil {
		estimate := &llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: map[string]any{
			"PromptTokens": int(min(use.InputTokens, math.MaxInt)), "CompletionTokens": int(min(use.OutputTokens, math.MaxInt)),
		}}}}
		if cost, ok := m.o.Cost(c.model, estimate); ok {
			c.money = max(cost, 0)
		}
	}
	return c
}

// Estimate returns the model that options name, or "", and what a call will use at
// most. The function tokens counts the tokens of the messages, such as the method
// Count of an Encoding of package chunk/token; nil counts a token for four bytes.
// Each message has four tokens more, for its role and marks. The answer counts as
// the maximum that options set, or else as answer, for each choice that options ask
// for.
func Estimate(messages []llms.MessageContent, options []llms.CallOption, tokens func(string) int, answer int) (model string, u Use) {
	if tokens == nil {
		tokens = func(text string) int { return (len(text) + 3) / 4 }
	}
	choices := 1
	if len(options) > 0 {
		var o llms.CallOptions
		for _, f := range options {
			f(&o)
		}
		if o.MaxTokens > 0 {
			answer = o.MaxTokens
		}
		choices = max(o.N, o.CandidateCount, 1)
		model = o.Model
	}
	prompt := 0
	for _, message := range messages {
		prompt += 4
		for _, part := range message.Parts {
			prompt += partTokens(part, tokens)
		}
	}
	return model, Use{float64(prompt), float64(answer) * float64(choices)}
}

// imageTokens is reserved for a part that is not text. OpenAI bills so many for an
// image of 1024 by 1024 at high detail.
const imageTokens = 765

func partTokens(part llms.ContentPart, tokens func(string) int) int {
	switch p := part.(type) {
	case llms.TextContent:
		return tokens(p.Text)
	case llms.ToolCallResponse:
		return tokens(p.Content)
	case llms.ToolCall:
		if p.FunctionCall == nil {
			return 0
		}
		return tokens(p.FunctionCall.Name) + tokens(p.FunctionCall.Arguments)
	}
	return imageTokens
}

// admit takes all that the call needs, perhaps after a wait, or nothing.
func (c *call) admit(ctx context.Context) error {
	if err := c.m.o.Switch.check(c.tenant); err != nil {
		return err
	}
	if c.m.counts {
		if err := c.m.purses.open(c); err != nil {
			return err
		}
		c.inside = true
	}
	if err := c.take(ctx, &c.own, c.claims(c.quota, ":tenant:"+c.tenant)); err != nil {
		return err
	}
	if err := c.takeShared(ctx); err != nil {
		return err
	}
	account := c.m.o.Account
	if account == nil {
		return nil
	}
	permit, ok := account.spend(ctx) // else a policy above has waited for it
	asked := time.Now()
	if !ok {
		var err error
		if permit, err = account.wait(ctx, c.model, c.use, c.tenant, c.weight(), c.began.Add(c.m.o.Wait)); err != nil {
			return err
		}
	}
	c.permit = permit
	if waited := time.Since(asked); waited > time.Millisecond {
		c.logWait(ctx, dimensions[0], waited)
	}
	return nil
}

// takeShared takes what the call needs of the limits of all tenants together,
// when it is its tenant's turn.
func (c *call) takeShared(ctx context.Context) error {
	shared := c.claims(c.m.o.Shared, ":all")
	if len(shared) == 0 {
		return nil
	}
	if c.m.o.Wait > 0 { // else no call waits, so the order doesn't matter
		waitCtx, cancel := context.WithTimeout(ctx, max(c.left(), 0))
		defer cancel()
		if err := c.m.fair.enter(waitCtx, c.tenant, size(shared), c.weight()); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &Error{Refusal: fault.RefusalWait, Dimension: dimensions[0], Reason: "other calls are waiting for the shared limit"}
		}
		defer c.m.fair.leave()
	}
	return c.take(ctx, &c.shared, shared)
}

func (c *call) left() time.Duration { return c.m.o.Wait - time.Since(c.began) }

func (c *call) weight() float64 {
	if c.quota.Weight > 0 {
		return c.quota.Weight
	}
	return 1
}

// size is the largest part of a shared limit that the call takes. So tenants with
// many small calls and tenants with few large calls are compared by the limit that
// is short: dominant resource fairness (Ghodsi et al., NSDI 2011).
func size(claims []Claim) float64 {
	s := 0.0
	for _, c := range claims {
		s = max(s, c.N/c.Rate.N*c.Rate.Per.Seconds())
	}
	return s
}

var dimensions = [...]string{"requests", "tokens", "money"}

// claims are the claims for those of q's rates that are set, in the order of
// dimensions.
func (c *call) claims(q Quota, scope string) []Claim {
	var all []Claim
	for i, r := range [...]Rate{q.Requests, q.Tokens, q.Money} {
		if n := [...]float64{1, c.tokens, float64(c.money)}[i]; !r.IsZero() && n > 0 {
			all = append(all, Claim{Key: c.m.o.Prefix + scope + ":" + dimensions[i], Rate: r, N: n})
		}
	}
	return all
}

// take asks the store, waits if the decision has a wait, and remembers in taken
// what must be given back.
func (c *call) take(ctx context.Context, taken *taking, claims []Claim) error {
	if len(claims) == 0 {
		return nil
	}
	ahead := c.left()
	if deadline, ok := ctx.Deadline(); ok {
		ahead = min(ahead, time.Until(deadline))
	}
	t, d, err := c.m.backing.take(ctx, claims, ahead)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return storeDown(c.tenant, err)
	case !d.OK:
		return c.denied(claims[d.Claim], d)
	}
	*taken = t
	if d.Wait <= 0 {
		return nil
	}
	c.logWait(ctx, dimension(claims[d.Claim].Key), d.Wait)
	timer := time.NewTimer(d.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *call) logWait(ctx context.Context, dimension string, d time.Duration) {
	c.m.log.LogAttrs(ctx, slog.LevelInfo, event.LimitWait, slog.String(event.Dimension, dimension), slog.String(event.Tenant, c.tenant),
		slog.Duration(event.Delay, d), slog.Int64(event.Tokens, int64(c.tokens)), slog.String(event.Model, c.model))
}

func dimension(key string) string {
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == ':' {
			return key[i+1:]
		}
	}
	return key
}

func (c *call) denied(claim Claim, d Decision) error {
	e := &Error{Refusal: fault.RefusalWait, Dimension: dimension(claim.Key), Tenant: c.tenant}
	if d.Wait == Never {
		e.Refusal = fault.RefusalCap
		e.Reason = fmt.Sprintf("the call needs %.0f and there are never more than %.0f at once", claim.N, d.Limit)
		return e
	}
	e.Reason = fmt.Sprintf("%.0f per %v are used up", claim.Rate.N, claim.Rate.Per)
	if e.Dimension == "money" {
		e.Reason = fmt.Sprintf("$%.2f per %v are used up", claim.Rate.N/USD, claim.Rate.Per)
	}
	e.Delay, e.HasDelay = d.Wait, true
	return e
}

// leave counts the call out of the purses, with its cost, at most once.
func (c *call) leave(money int64) {
	if c.inside {
		c.inside = false
		c.m.purses.close(c, money)
	}
}

// giveBack gives back all that a call had taken. What this process counts comes
// first, because a store may fail or panic.
func (c *call) giveBack() {
	c.leave(0)
	c.permit.Cancel(time.Now())
	all := func(claim Claim) float64 { return -claim.N }
	c.charge(c.own, all)
	c.charge(c.shared, all)
}

// refused gives back what a refused call had taken.
func (c *call) refused(ctx context.Context, err error) error {
	c.giveBack()
	e := &Error{}
	if !errors.As(err, &e) {
		return err
	}
	attrs := []slog.Attr{slog.String(event.Dimension, e.Dimension), slog.String(event.Tenant, c.tenant),
		slog.Int64(event.Tokens, int64(c.tokens)), slog.String(event.Model, c.model), slog.String(event.Reason, e.Reason)}
	if e.HasDelay {
		attrs = append(attrs, slog.Duration(event.Delay, e.Delay))
	}
	c.m.log.LogAttrs(ctx, slog.LevelWarn, event.LimitDeny, attrs...)
	return err
}

// settle replaces the estimate by what the call used. What this process counts
// comes first: if the caller's code panics, the estimate stays and no place is
// kept.
func (c *call) settle(ctx context.Context, resp *llms.ContentResponse, err error) {
	if c.pass != nil {
		c.pass.outcome(resp, err)
	}
	defer func() { c.leave(c.money) }() // for Usage and Cost
	requests, tokens, money := c.used(ctx, resp, err)
	c.leave(money)
	change := func(claim Claim) float64 {
		switch dimension(claim.Key) {
		case "requests":
			return requests - claim.N
		case "tokens":
			return tokens - claim.N
		}
		return float64(money) - claim.N
	}
	c.charge(c.own, change)
	c.charge(c.shared, change)
}

// used returns what the call has used, or the estimate where that isn't known.
func (c *call) used(ctx context.Context, resp *llms.ContentResponse, err error) (requests, tokens float64, money int64) {
	requests, tokens, money = 1, c.tokens, c.money
	if err != nil {
		if sent, billable := reach(err); !sent {
			return 0, 0, 0
		} else if !billable {
			return 1, 0, 0
		}
		return requests, tokens, money
	}
	if n, ok := c.usage(ctx, resp); ok {
		tokens = float64(max(n, 0))
	}
	if c.m.o.Cost != nil {
		if cost, ok := c.m.o.Cost(c.model, resp); ok {
			money = max(cost, 0)
		}
	}
	return requests, tokens, money
}

// reach reports whether a call that failed reached the provider, and whether the
// provider may have begun an answer. An error without a status shows neither.
func reach(err error) (sent, billable bool) {
	var status interface{ HTTPStatus() int }
	if !errors.As(err, &status) {
		return true, true
	}
	e := fault.FromError(context.Background(), err)
	return !e.Unsent, e.Billable()
}

// charge applies a correction to claims that were taken.
func (c *call) charge(taken taking, change func(Claim) float64) {
	corrections := make([]Claim, 0, len(taken.claims))
	for _, claim := range taken.claims {
		if n := change(claim); n != 0 && !math.IsNaN(n) {
			corrections = append(corrections, Claim{Key: claim.Key, Rate: claim.Rate, N: n})
		}
	}
	c.m.backing.charge(corrections, taken.spare)
}

// Package defaults assembles the policies of retry and retry/limit into a client
// that survives an overload, with settings that were chosen against the
// simulator of retry/overload:
//
//	account, err := limit.NewAccount(nil)
//	…
//	client, err := openai.New(openai.WithHTTPClient(account.HTTPClient(fault.HTTPClient(nil))))
//	…
//	model, err := defaults.New(client, &defaults.Options{Account: account})
//
// A call goes through them from left to right, an attempt from the gate on:
//
//	shed ─▶ gate: calls in progress, the provider's limits ─▶ breaker ─▶ attempt
//	          ▲                                                             │
//	          └────────────── backoff ◀── budget ◀──────────────────────────┘
//
//	policy             finds out by itself         setting
//	retry.Shedder      how long calls take         drops what would be late
//	retry.Adaptive     how many at once            from 30 on
//	limit.Account      requests and tokens a s     headers, refusals
//	retry.Breaker                                  20 failures in a row: 5 s
//	retry.WindowBudget                             a tenth of the requests, 1 a s
//	retry.Exponential                              3 attempts, 500 ms to 8 s
//
// What finds no room waits in the gate, model by model, by priority
// (retry.WithPriority) and then in the order of arrival, instead of failing: a
// spike that is over before the callers' deadlines costs nobody an answer. What
// has waited for half of its time and can't end in the other half is refused, so
// that the calls behind it end in time.
//
// Give calls a deadline. Without one nothing is ever too late, and while more
// arrives than is answered the gate's queue grows.
package defaults

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/limit"
)

// Options choose what the default policies leave open. The zero value works.
type Options struct {
	// Account holds the provider's limits; nil: one of its own. One that is also
	// in the HTTP client ([limit.Account.HTTPClient]) learns from headers too,
	// and one may serve several models of the same key.
	Account *limit.Account
	// Timeouts bound the parts of a call. The zero value means two minutes to a
	// stream's first token and one from token to token: no answer of today takes
	// as long, and a dead connection takes for ever.
	Timeouts retry.Timeouts
	// Fallbacks are asked in turn when the model failed; see retry.Options.
	Fallbacks []llms.Model
	// Tokens and Answer estimate what a call takes of the account; see
	// [limit.Options].
	Tokens func(text string) int
	Answer int
	// Model and Target name the model and the endpoint, in events and, the
	// model, in the account if a call names no other.
	Model, Target string
	// Logger gets the events of retry and of limit; nil discards.
	Logger *slog.Logger
}

// ErrOption is wrapped by the errors for settings that make no sense.
var ErrOption = retry.ErrOption

// A Model is a retry.Model with the default policies. It is safe for concurrent
// use.
type Model struct {
	retry *retry.Model
	next  llms.Model
	o     Options
}

// New wraps next; nil options mean the defaults.
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	complete, err := o.complete()
	if err != nil {
		return nil, err
	}
	m := &Model{next: next, o: complete}
	settings, err := Retry(&m.o)
	if err != nil {
		return nil, err
	}
	settings.Fallbacks = slices.Clone(settings.Fallbacks)
	for i, f := range settings.Fallbacks { // another model has other limits
		a, err := limit.NewAccount(nil)
		if err != nil {
			return nil, err
		}
		if settings.Fallbacks[i], err = limit.New(f, &limit.Options{Account: a, Tokens: m.o.Tokens, Answer: m.o.Answer, Wait: time.Minute}); err != nil {
			return nil, fmt.Errorf("fallback %d: %w", i, err)
		}
	}
	limited, err := limit.New(next, &limit.Options{Account: m.o.Account, Model: m.o.Model, Tokens: m.o.Tokens, Answer: m.o.Answer, Wait: time.Minute, Logger: m.o.Logger})
	if err != nil {
		return nil, err
	}
	if m.retry, err = retry.New(limited, settings); err != nil {
		return nil, err
	}
	return m, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool { return wrap.SupportsReasoning(m.next) }

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model. Its errors are *fault.Errors.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	model, use := limit.Estimate(messages, options, m.o.Tokens, m.o.Answer)
	if model == "" {
		model = m.o.Model
	}
	return m.retry.GenerateContent(m.o.Account.With(context.WithValue(ctx, modelKey{}, model), model, use), messages, options...)
}

// Retry returns the policies as options of retry, for retry.NewPolicy and
// retry.Do, or to change them. Each call of Retry makes new ones. An account has
// to be told of calls that are none of a model's: [limit.Account.With].
func Retry(o *Options) (*retry.Options, error) {
	c, err := o.complete()
	if err != nil {
		return nil, err
	}
	budget, err := retry.NewWindowBudget(10*time.Second, 0.1, 1)
	if err != nil {
		return nil, err
	}
	adaptive, err := retry.NewAdaptive(&retry.AdaptiveOptions{Initial: 30})
	if err != nil {
		return nil, err
	}
	shedder, err := retry.NewShedder(0)
	if err != nil {
		return nil, err
	}
	breaker, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 20, OpenFor: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	return &retry.Options{
		MaxAttempts: 3, Backoff: retry.Exponential{}, Budget: budget, Breaker: breaker, Adaptive: adaptive, Shedder: shedder,
		Limiter:  &gate{shedder: shedder, adaptive: adaptive, account: c.Account, log: event.Logger(c.Logger), model: c.Model, queues: make(map[string]*queue)},
		Timeouts: c.Timeouts, Fallbacks: c.Fallbacks, Model: c.Model, Target: c.Target, Logger: c.Logger,
	}, nil
}

// complete returns o with its defaults.
func (o *Options) complete() (c Options, err error) {
	if o != nil {
		c = *o
	}
	if c.Account == nil {
		c.Account, err = limit.NewAccount(nil)
	}
	if c.Answer == 0 {
		c.Answer = 512
	}
	if c.Timeouts == (retry.Timeouts{}) {
		c.Timeouts = retry.Timeouts{FirstToken: 2 * time.Minute, BetweenTokens: time.Minute}
	}
	return c, err
}

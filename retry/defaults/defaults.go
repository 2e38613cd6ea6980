package defaults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/limit"
)

// Options are the settings that the default policies leave open. The zero value
// works.
type Options struct {
	// Account has the provider's limits. If it is also in the HTTP client
	// ([limit.Account.HTTPClient]), it learns from headers too. One account may serve
	// several models of the same key. Default: one of its own.
	Account *limit.Account
	// Timeouts bound the parts of a call. Default: two minutes to a stream's first
	// token, and one minute from token to token. A usual answer never takes as long,
	// and a dead connection would take forever.
	Timeouts retry.Timeouts
	// InProgress is the limit of the calls in progress. It finds the right number by
	// itself. If you know the provider's number, set it, so that it is right from the
	// start. Default: Initial 30, and else the defaults of retry.AdaptiveOptions.
	InProgress retry.AdaptiveOptions
	// Fallbacks are asked in turn when the model failed; see retry.Options.
	// Default: none.
	Fallbacks []llms.Model
	// Tokens counts a text's tokens, to estimate what a call takes of the account.
	// Default: an estimate, a token for four bytes.
	Tokens func(text string) int
	// AnswerTokens is the estimate of an answer for which the call sets no maximum.
	// Default: 512.
	AnswerTokens int
	// Model and Target name the model and the endpoint in events. Model also names the
	// model in the account, if a call names no other. Default: "".
	Model, Target string
	// Logger gets the events of retry and of limit. Default: nil, they are
	// discarded.
	Logger *slog.Logger
}

// ErrOption is wrapped by the error of every constructor here, if an option has a
// value that can't work or a required argument is nil.
var ErrOption = errors.New("retry/defaults: invalid option")

// New returns the policies as options of retry, for retry.NewPolicy and retry.Do,
// or to change them. Each call makes new policies; nil options mean the defaults.
// An account knows of a call that doesn't go through a Model only by
// [limit.Account.WithCall]. New fails with [ErrOption].
func New(o *Options) (*retry.Options, error) {
	c, err := o.complete()
	if err != nil {
		return nil, err
	}
	budget, err := retry.NewWindowBudget(&retry.WindowBudgetOptions{Window: 10 * time.Second, Share: 0.1, PerSecond: 1})
	if err != nil {
		return nil, err
	}
	adaptive, err := retry.NewAdaptive(&c.InProgress)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.InProgress: %w", ErrOption, err)
	}
	shedder, err := retry.NewShedder(nil)
	if err != nil {
		return nil, err
	}
	breaker, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 20, OpenFor: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	gate := &Gate{shedder: shedder, adaptive: adaptive, account: c.Account, log: event.Logger(c.Logger), model: c.Model, queues: make(map[string]*queue)}
	out := &retry.Options{
		MaxAttempts: 3, Backoff: retry.Exponential{}, Budget: budget, Breaker: breaker, Shedder: shedder, Gates: []admission.Gate{gate},
		Timeouts: c.Timeouts, Fallbacks: c.Fallbacks, Model: c.Model, Target: c.Target, Logger: c.Logger,
	}
	if err := out.Check(); err != nil { // the timeouts and fallbacks are the caller's
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return out, nil
}

// A Model is a retry.Model with the default policies. It is safe for concurrent
// use.
type Model struct {
	retry *retry.Model
	next  llms.Model
	o     Options
}

// NewModel wraps next; nil options mean the defaults. It fails with [ErrOption].
func NewModel(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model of NewModel is nil", ErrOption)
	}
	complete, err := o.complete()
	if err != nil {
		return nil, err
	}
	m := &Model{next: next, o: complete}
	settings, err := New(&m.o)
	if err != nil {
		return nil, err
	}
	settings.Fallbacks = slices.Clone(settings.Fallbacks)
	for i, f := range settings.Fallbacks { // another model has other limits
		a, err := limit.NewAccount(nil)
		if err != nil {
			return nil, err
		}
		if settings.Fallbacks[i], err = limit.New(f, &limit.Options{Account: a, Tokens: m.o.Tokens, AnswerTokens: m.o.AnswerTokens, Wait: time.Minute}); err != nil {
			return nil, fmt.Errorf("%w: Options.Fallbacks[%d]: %w", ErrOption, i, err)
		}
	}
	limited, err := limit.New(next, &limit.Options{Account: m.o.Account, Model: m.o.Model, Tokens: m.o.Tokens, AnswerTokens: m.o.AnswerTokens, Wait: time.Minute, Logger: m.o.Logger})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	if m.retry, err = retry.New(limited, settings); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
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
	model, use := limit.Estimate(messages, options, m.o.Tokens, m.o.AnswerTokens)
	if model == "" {
		model = m.o.Model
	}
	return m.retry.GenerateContent(m.o.Account.WithCall(&modelContext{ctx, model}, model, use), messages, options...)
}

// complete returns o with its defaults.
func (o *Options) complete() (c Options, err error) {
	if o != nil {
		c = *o
	}
	if c.AnswerTokens < 0 {
		return c, fmt.Errorf("%w: Options.AnswerTokens is %d: want 0 (the default, 512) or more", ErrOption, c.AnswerTokens)
	}
	if c.AnswerTokens == 0 {
		c.AnswerTokens = 512
	}
	if c.InProgress.Initial == 0 {
		c.InProgress.Initial = 30
	}
	if c.Account == nil {
		c.Account, err = limit.NewAccount(nil)
	}
	if c.Timeouts == (retry.Timeouts{}) {
		c.Timeouts = retry.Timeouts{FirstToken: 2 * time.Minute, BetweenTokens: time.Minute}
	}
	return c, err
}

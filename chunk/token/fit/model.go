package fit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/internal/event"
)

// Options configure a [Model]. The fields of HistoryOptions apply; the default of
// Rule is the rule of the call's model where one is known.
type Options struct {
	HistoryOptions

	// Model is the model that is called; the call's own option takes precedence.
	// Its limits come from [token.LimitsOf]. Default: "", WindowTokens is needed.
	Model string

	// WindowTokens is the model's context window. Default: 0, the limits of Model.
	WindowTokens int

	// OutputTokens is how much of the window stays free for the answer where the
	// call doesn't set MaxTokens. Default: a quarter of the window, and no more
	// than the model's longest answer.
	OutputTokens int

	// MarginTokens stays free for what is only estimated; a negative number: none.
	// Default: a fiftieth of the window.
	MarginTokens int

	// Summarize writes a summary of the messages that are dropped, which takes
	// their place. It is asked during the call; a later call that drops more
	// messages extends the summary. The messages that it reads are cut in the
	// middle if they have more tokens than the wrapped model may read. If it fails,
	// the messages are dropped without a summary. Default: nil, there is no
	// summary.
	Summarize llms.Model

	// SummaryTokens is the most a summary may have. Default: 256.
	SummaryTokens int

	// Logger gets an event for each call that was cut. Default: nil, no events.
	Logger *slog.Logger
}

// A Model fits the messages of every call into the window of the model it
// wraps. A call that fits is passed on unchanged.
type Model struct {
	next llms.Model
	o    Options
	log  *slog.Logger

	mu        sync.Mutex
	summaries summaries
}

// New wraps next. It fails with [ErrOption], also if there is neither a window nor
// a known model, since the window would only be a guess.
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model of New is nil", ErrOption)
	}
	if o == nil {
		o = &Options{}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	m := &Model{next: next, o: *o, log: event.Logger(o.Logger)}
	if o.Rule != nil {
		rule := *o.Rule
		m.o.Rule = &rule
	}
	m.o.StartOn, m.o.EndOn = slices.Clone(o.StartOn), slices.Clone(o.EndOn)
	if m.o.Tokens == nil {
		m.o.Tokens = token.Estimate
	}
	if m.o.SummaryTokens == 0 {
		m.o.SummaryTokens = 256
	}
	return m, nil
}

func (o *Options) check() error {
	for _, f := range []struct {
		name  string
		value int
	}{{"WindowTokens", o.WindowTokens}, {"OutputTokens", o.OutputTokens}, {"SummaryTokens", o.SummaryTokens}} {
		if f.value < 0 {
			return fmt.Errorf("%w: Options.%s is %d: want 0 or more", ErrOption, f.name, f.value)
		}
	}
	if o.WindowTokens == 0 {
		if _, err := token.LimitsOf(o.Model); err != nil {
			return fmt.Errorf("%w: Options.WindowTokens is 0 and Options.Model is %q: want a window, or a model that is known: %w", ErrOption, o.Model, err)
		}
	}
	return o.HistoryOptions.check()
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool { return llms.SupportsReasoningModel(m.next) }

// Call is [Model.GenerateContent] for one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}, options...)
	if err != nil {
		return "", err
	}
	return firstText(r)
}

// firstText returns the text of the first choice. A faulty model may return none.
func firstText(r *llms.ContentResponse) (string, error) {
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return "", errors.New("fit: the model's answer has no choice")
	}
	return r.Choices[0].Content, nil
}

// GenerateContent calls the wrapped model with as much of messages as fits. If even
// the messages that must stay don't fit, it returns a [*token.OverflowError]
// without a call.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fitted, err := m.fit(ctx, messages, options)
	if err != nil {
		return nil, err
	}
	r, err := m.next.GenerateContent(ctx, fitted, options...)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return r, err
}

func (m *Model) fit(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) ([]llms.MessageContent, error) {
	var call llms.CallOptions
	for _, set := range options {
		set(&call)
	}
	name := m.o.Model
	if call.Model != "" {
		name = call.Model
	}
	h := m.o.HistoryOptions
	if h.Rule == nil {
		h.Rule = &defaultRule
		if rule, err := token.ChatRuleOf(name); err == nil {
			h.Rule = &rule
		}
	}
	room, err := m.room(name, &call, h.Rule)
	if err != nil {
		return nil, err
	}
	if fits(messages, room, &h) {
		return messages, nil
	}
	fitted, err := History(messages, room, &h)
	if err != nil {
		return nil, err
	}
	if len(fitted.Dropped) == 0 {
		return messages, nil
	}
	reason := ""
	if gone := whole(fitted.Dropped, messages); m.o.Summarize != nil && len(gone) > 0 {
		if fitted, err = m.withSummary(ctx, messages, room, &h, fitted); err != nil {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("fit: summarize: %w", err)
			}
			reason = "no summary: the model that writes it failed"
		}
	}
	saved := 0
	for _, d := range fitted.Dropped {
		saved += d.Tokens
	}
	if reason == "" {
		reason = fitted.Dropped[0].Why
	}
	m.log.LogAttrs(ctx, slog.LevelInfo, event.TokensDropped,
		slog.Int(event.Count, len(fitted.Dropped)), slog.Int(event.Tokens, saved),
		slog.String(event.Reason, reason), slog.String(event.Model, name))
	return fitted.Messages, nil
}

// room returns the tokens that the messages of a call may have.
func (m *Model) room(name string, call *llms.CallOptions, rule *token.ChatRule) (int, error) {
	b := token.Budget{WindowTokens: m.o.WindowTokens, OutputTokens: m.o.OutputTokens, MarginTokens: m.o.MarginTokens}
	longest := 0
	if b.WindowTokens == 0 {
		l, err := token.LimitsOf(name)
		if err != nil {
			return 0, fmt.Errorf("fit: %w", err)
		}
		b.WindowTokens, longest = l.MaxInputTokens, l.MaxOutputTokens
	}
	switch {
	case call.MaxTokens > 0:
		b.OutputTokens = call.MaxTokens
	case b.OutputTokens == 0:
		b.OutputTokens = b.WindowTokens / 4
		if longest > 0 {
			b.OutputTokens = min(b.OutputTokens, longest)
		}
	}
	if b.MarginTokens == 0 {
		b.MarginTokens = b.WindowTokens / 50
	}
	tools, err := rule.CountTools(m.o.Tokens, Tools(call.Tools)...)
	if err != nil {
		return 0, err
	}
	b.OverheadTokens = tools.Tokens
	return b.Input()
}

// fits reports whether a call needs no change.
func fits(messages []llms.MessageContent, room int, h *HistoryOptions) bool {
	if h.MaxMessageTokens > 0 {
		return false // History looks at each message
	}
	total := h.Rule.Reply
	for _, m := range messages {
		msg := Message(m)
		if total += h.Rule.CountMessage(h.Tokens, &msg).Tokens; total > room {
			return false
		}
	}
	return true
}

// whole returns the messages that are dropped as a whole, not only cut.
func whole(dropped []Dropped, messages []llms.MessageContent) []llms.MessageContent {
	var out []llms.MessageContent
	for _, d := range dropped {
		if !d.Cut {
			out = append(out, messages[d.Index])
		}
	}
	return out
}

package route

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Model is an llms.Model that sends each call to one of several targets, and to
// another one if that fails. Each error that it returns is a *[fault.Error]. It is
// safe for concurrent use.
//
// A call falls back until its first non-empty chunk has reached the caller: the
// empty chunks that providers begin with are held until then. So the caller sees
// the stream of one target only, unchanged.
//
// Put package retry around it. A call of package retry then tries each target once
// before it waits. A retry.Model inside of a target makes one attempt only, so that
// retries don't multiply.
type Model struct {
	p       *Pool
	targets []llms.Model // one attempt at each, classified
	shadow  *Shadow
}

// New returns a model over targets; nil options mean the defaults. It fails with
// [ErrOption].
func New(targets []Target, o *Options) (*Model, error) {
	p, err := NewPool(targets, o)
	if err != nil {
		return nil, err
	}
	m := &Model{p: p, shadow: p.o.Shadow}
	for i := range targets {
		// One attempt of package retry is exactly what is needed: it classifies
		// errors, holds empty chunks, finds cut streams and keeps the timeouts.
		one, err := retry.New(targets[i].Model, &retry.Options{MaxAttempts: 1, Budget: retry.NoBudget, Timeouts: p.o.Timeouts, Gates: []admission.Gate{firstToken{}}})
		if err != nil {
			return nil, optionError("target %q: %v", targets[i].Name, err)
		}
		m.targets = append(m.targets, one)
	}
	return m, nil
}

// Pool returns the pool that chooses.
func (m *Model) Pool() *Pool { return m.p }

// Unwrap returns the model of the first target.
func (m *Model) Unwrap() llms.Model {
	if m.p == nil {
		return nil
	}
	return m.p.members[0].t.Model
}

// SupportsReasoning reports whether the models of all targets do.
func (m *Model) SupportsReasoning() bool {
	return m.p != nil && !slices.ContainsFunc(m.p.members, func(t *member) bool { return !wrap.SupportsReasoning(t.t.Model) })
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if m.p == nil {
		return nil, optionError("the zero Model is not usable: make one with New")
	}
	start := time.Now()
	if done := ctx.Err(); done != nil {
		return nil, fault.FromContext(done, nil)
	}
	p := m.p
	set := settings(options)
	r := p.request(ctx, messages, &set)
	if p.o.Budget != nil {
		p.o.Budget.Request(start)
	}
	if m.shadow != nil {
		m.shadow.offer(ctx, messages, options)
	}
	var last *fault.Error
	for attempt := 1; ; attempt++ {
		k, err := p.TryAcquire(time.Now(), r)
		if err != nil {
			if last != nil {
				return nil, finish(last, attempt-1, start)
			}
			return nil, err
		}
		resp, e := m.attempt(ctx, &k, attempt, last, set.Model, messages, options)
		if e == nil {
			return resp, nil
		}
		r.Tried.Add(k.i)
		if last = e; !p.again(ctx, e, attempt) {
			return nil, finish(e, attempt, start)
		}
		if e.Class == fault.ClassContextLength {
			r.MinWindow = max(r.MinWindow, p.members[k.i].t.WindowTokens+1)
		}
	}
}

// settings applies a call's options. nil ones are skipped.
func settings(options []llms.CallOption) (o llms.CallOptions) {
	for _, apply := range options {
		if apply != nil {
			apply(&o)
		}
	}
	return o
}

// again reports whether another target is tried after e.
func (p *Pool) again(ctx context.Context, e *fault.Error, attempt int) bool {
	if !e.Fallback || ctx.Err() != nil || p.o.MaxTargets > 0 && attempt >= p.o.MaxTargets {
		return false
	}
	return attempt < len(p.members) && (p.o.Budget == nil || p.o.Budget.Retry(time.Now()))
}

// attempt makes one attempt at a target, and gives its permit back.
func (m *Model) attempt(ctx context.Context, k *Pick, number int, before *fault.Error, model string, messages []llms.MessageContent, options []llms.CallOption) (resp *llms.ContentResponse, e *fault.Error) {
	t := m.p.members[k.i]
	reason := k.reason
	if before != nil {
		reason = "fallback: " + before.Class.String()
	}
	if t.t.As != "" {
		model = t.t.As
		options = append(slices.Clip(options), llms.WithModel(t.t.As))
	}
	m.p.log.LogAttrs(ctx, slog.LevelInfo, event.RoutePick, slog.String(event.Target, t.t.Name), slog.String(event.Model, model),
		slog.String(event.Reason, reason), slog.Int(event.Attempt, number))
	began := time.Now()
	e = errPanicked
	defer func() { // whatever panics, the call doesn't count as in progress forever
		now := time.Now()
		m.p.learn(t, now, e)
		k.Done(now, outcomeOf(e))
	}()
	if k.stream {
		ctx = context.WithValue(ctx, pickKey{}, k)
	}
	resp, err := m.targets[k.i].GenerateContent(ctx, messages, options...)
	e = nil
	if err != nil && !errors.As(err, &e) {
		e = fault.FromError(ctx, err)
	}
	if c := m.p.o.Canary; c != nil {
		v := VersionStable
		if t.t.Canary {
			v = VersionCanary
		}
		c.Record(v, c.o.Judge(resp, err), time.Since(began))
	}
	if e == nil {
		return resp, nil
	}
	return nil, e
}

var errPanicked = fault.New(fault.ClassCanceled, errors.New("route: the target's model panicked"))

// finish completes the error of a call.
func finish(e *fault.Error, attempts int, start time.Time) *fault.Error {
	c := *e // it may be shared
	c.Attempts, c.Elapsed = max(attempts, c.Attempts), time.Since(start)
	return &c
}

// outcomeOf returns what an attempt has shown of its target.
func outcomeOf(e *fault.Error) admission.Outcome {
	switch {
	case e == nil:
		return admission.OutcomeHealthy
	case e.ContextErr != nil, e.Unsent: // the caller's deadline, or a refusal by a layer between
		return admission.OutcomeIgnored
	case e.Unhealthy:
		return admission.OutcomeUnhealthy
	case e.Class == fault.ClassRateLimit:
		return admission.OutcomeThrottled
	}
	return admission.OutcomeIgnored
}

// shortPause is how long a target is left out after a rate limit without a time.
const shortPause = time.Second

// learn pauses a target that can't answer for a while, whatever the question is.
func (p *Pool) learn(m *member, now time.Time, e *fault.Error) {
	if e == nil || e.ContextErr != nil {
		return
	}
	switch e.Class {
	case fault.ClassRateLimit:
		wait, ok := e.Delay, e.HasDelay
		if !ok {
			wait, ok = fault.ResetDelay(e.Allowances)
		}
		if !ok {
			wait = shortPause
		}
		p.pause(m, now, wait)
	case fault.ClassOverloaded:
		if e.HasDelay {
			p.pause(m, now, e.Delay)
		}
	case fault.ClassAuth, fault.ClassPermission, fault.ClassQuota, fault.ClassQuotaDaily, fault.ClassTLS:
		p.pause(m, now, p.o.AuthPause)
	case fault.ClassNotFound:
		if m.t.As != "" { // else the caller has chosen the name
			p.pause(m, now, p.o.AuthPause)
		}
	}
}

// request is what the choice of a call depends on.
func (p *Pool) request(ctx context.Context, messages []llms.MessageContent, o *llms.CallOptions) Request {
	r := Request{Estimated: p.o.Tokens == nil, AnswerTokens: p.o.AnswerTokens, Stream: o.StreamingFunc != nil || o.StreamingReasoningFunc != nil}
	if o.MaxTokens > 0 {
		r.AnswerTokens = o.MaxTokens
	}
	for _, text := range texts(messages) {
		if p.o.Tokens != nil {
			r.Tokens += p.o.Tokens(text)
		} else {
			r.Tokens += (len(text) + 3) / 4
		}
	}
	if p.o.Key != nil {
		if key := p.o.Key(ctx, messages); key != "" {
			r.Key = max(Hash(key), 1)
		}
	}
	if c := p.o.Canary; c != nil {
		user := ""
		if c.o.User != nil {
			user = c.o.User(ctx)
		}
		r.Version = c.Assign(user)
	}
	return r
}

// texts yields the texts of messages with their index.
func texts(messages []llms.MessageContent) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i, m := range messages {
			for _, part := range m.Parts {
				text := ""
				switch p := part.(type) {
				case llms.TextContent:
					text = p.Text
				case llms.ToolCallResponse:
					text = p.Content
				case llms.ToolCall:
					if p.FunctionCall != nil {
						text = p.FunctionCall.Arguments
					}
				}
				if text != "" && !yield(i, text) {
					return
				}
			}
		}
	}
}

// firstToken is a gate that lets each attempt pass, and hands the first token of a
// stream to its pick.
type firstToken struct{}

type pickKey struct{}

// Acquire implements admission.Gate.
func (firstToken) Acquire(ctx context.Context) (admission.Permit, error) {
	k, _ := ctx.Value(pickKey{}).(*Pick)
	if k == nil {
		return admission.Permit{}, nil
	}
	return admission.NewPermit((*pickOwner)(k), 0), nil
}

// A pickOwner makes a pick the owner of an attempt's permit; the pick itself ends
// later.
type pickOwner Pick

func (k *pickOwner) FirstToken(now time.Time, _ admission.Held)        { (*Pick)(k).FirstToken(now) }
func (k *pickOwner) Done(time.Time, admission.Held, admission.Outcome) {}
func (k *pickOwner) Cancel(time.Time, admission.Held)                  {}

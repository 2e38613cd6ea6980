package route

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/llmcopy"
	"github.com/prodailabs/prodai/retry/fault"
)

// ShadowOptions are the settings of a [Shadow].
type ShadowOptions struct {
	// Share is the share of the calls that is copied, above 0 to 1. Default: 0.01.
	Share float64
	// MaxInFlight is how many copies may be in progress. Another one is dropped:
	// shadow traffic never waits. Default: 4.
	MaxInFlight int
	// MaxCalls is how many copies are sent in all. Default: 0, no limit.
	MaxCalls int64
	// SpendPicoUSD is the money for all copies, by Cost. When it is spent, no more
	// are sent; those in progress may exceed it. Default: 0, no limit.
	SpendPicoUSD int64
	// Cost returns the price of an answer. An answer whose price isn't known ends
	// the shadow traffic if there is a SpendPicoUSD. Default: nil.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)
	// Model is the name of the model to ask for, set as llms.WithModel. Default: "",
	// the caller's.
	Model string
	// Timeout bounds one copy. Default: 1 minute.
	Timeout time.Duration
	// Done is called with each result, in a goroutine of its own, for example to
	// compare answers offline. Default: nil.
	Done func(ShadowResult)
	// Logger gets the event route.shadow when the budget is spent. Default: nil, none.
	Logger *slog.Logger
}

// A ShadowResult is the end of a copy.
type ShadowResult struct {
	Messages []llms.MessageContent // a copy of the call's
	Response *llms.ContentResponse
	Err      error
	Took     time.Duration
}

// A Shadow sends copies of calls to a model whose answers no user sees. It is not
// in the path of a call: a copy never delays one, never fails one, and has a budget
// of its own. It is safe for concurrent use.
type Shadow struct {
	next llms.Model
	o    ShadowOptions
	log  *slog.Logger

	mu     sync.Mutex
	busy   int
	calls  int64
	spent  int64
	over   bool
	closed bool
	all    sync.WaitGroup
}

// NewShadow returns shadow traffic to next; nil options mean the defaults. It fails
// with [ErrOption].
func NewShadow(next llms.Model, o *ShadowOptions) (*Shadow, error) {
	if next == nil {
		return nil, optionError("the model of NewShadow is nil")
	}
	s := &Shadow{next: next}
	if o != nil {
		s.o = *o
	}
	if s.o.Share == 0 {
		s.o.Share = 0.01
	}
	if s.o.MaxInFlight == 0 {
		s.o.MaxInFlight = 4
	}
	if s.o.Timeout == 0 {
		s.o.Timeout = time.Minute
	}
	switch {
	case !(s.o.Share > 0 && s.o.Share <= 1):
		return nil, optionError("ShadowOptions.Share is %v: want 0 (the default, 0.01), or above 0 to 1", s.o.Share)
	case s.o.MaxInFlight < 0, s.o.MaxCalls < 0, s.o.SpendPicoUSD < 0, s.o.Timeout < 0:
		return nil, optionError("ShadowOptions.MaxInFlight, MaxCalls, SpendPicoUSD and Timeout are %d, %d, %d and %v: want 0 (the default) or more", s.o.MaxInFlight, s.o.MaxCalls, s.o.SpendPicoUSD, s.o.Timeout)
	case s.o.SpendPicoUSD > 0 && s.o.Cost == nil:
		return nil, optionError("ShadowOptions.Cost is nil: want a function, or no SpendPicoUSD")
	}
	s.log = event.Logger(s.o.Logger)
	return s, nil
}

// Spent returns how many copies were sent, and what they cost as far as is known.
func (s *Shadow) Spent() (calls, picoUSD int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.spent
}

var errShadowPanicked = errors.New("route: the shadow's model panicked")

// Close sends no more copies, and waits for those in progress.
func (s *Shadow) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.all.Wait()
}

// admit reports whether a copy may be sent now.
func (s *Shadow) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.over || s.busy >= s.o.MaxInFlight || s.o.MaxCalls > 0 && s.calls >= s.o.MaxCalls {
		return false
	}
	s.busy++
	s.calls++
	s.all.Add(1)
	return true
}

// offer sends a copy of a call if it is one of the share and the budget allows.
func (s *Shadow) offer(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) {
	if s.o.Share < 1 && rand.Float64() >= s.o.Share || !s.admit() {
		return
	}
	// The caller may change its messages and options after the call has ended.
	messages = llmcopy.Messages(messages)
	set := settings(options)
	set.StreamingFunc, set.StreamingReasoningFunc = nil, nil
	if s.o.Model != "" {
		set.Model = s.o.Model
	}
	go s.send(ctx, messages, set)
}

func (s *Shadow) send(ctx context.Context, messages []llms.MessageContent, set llms.CallOptions) {
	defer s.all.Done()
	// The copy goes on when the call has ended, and has an attempt of its own:
	// what comes over its wire is no part of the call.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Timeout)
	defer cancel()
	attempt := &fault.Attempt{}
	attempt.Start(ctx, nil)
	began := time.Now()
	resp, err := s.ask(attempt, messages, set)
	took := time.Since(began)
	cost, known := int64(0), true
	if err == nil && s.o.Cost != nil {
		cost, known = s.o.Cost(set.Model, resp)
	}
	s.mu.Lock()
	s.busy--
	s.spent += max(cost, 0)
	over := s.o.SpendPicoUSD > 0 && (!known || s.spent >= s.o.SpendPicoUSD)
	first := over && !s.over
	s.over = s.over || over
	s.mu.Unlock()
	if first {
		reason := "the money for shadow traffic is spent"
		if !known {
			reason = "the price of a shadow answer isn't known"
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, event.RouteShadow, slog.String(event.State, "over"), slog.String(event.Reason, reason))
	}
	if s.o.Done != nil {
		s.o.Done(ShadowResult{Messages: messages, Response: resp, Err: err, Took: took})
	}
}

// ask calls the model. A panic in it ends the copy and not the program.
func (s *Shadow) ask(ctx context.Context, messages []llms.MessageContent, set llms.CallOptions) (resp *llms.ContentResponse, err error) {
	defer func() {
		if x := recover(); x != nil {
			resp, err = nil, fault.New(fault.ClassUnknown, errShadowPanicked)
		}
	}()
	return s.next.GenerateContent(ctx, messages, llms.WithOptions(set))
}

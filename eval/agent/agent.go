package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
)

// Errors that callers branch on. They come wrapped with what was wrong.
var (
	ErrOption = errors.New("agent: invalid option")          // an option that cannot work, or a required argument that is missing
	ErrSteps  = errors.New("agent: the limit of tool calls") // the trial's limit is reached; later calls return it too
)

// An Agent answers a request with the tools of a session. [NewLoop] makes one from a
// model; an agent of another framework is a function that calls it.
type Agent func(ctx context.Context, request string, s *Session) (answer string, err error)

// A World is what the tools of one trial read and change. Each trial has a new one.
type World interface {
	// Tools describes the tools for a model.
	Tools() []llms.Tool
	// Call runs a tool. An error is what the agent gets as the tool's answer, as in
	// production; it doesn't end the trial.
	Call(ctx context.Context, call eval.Call) (string, error)
}

// A Tool is a scripted tool of [Tools].
type Tool struct {
	Name        string
	Description string
	Parameters  any // a JSON Schema, nil for none
	// Do answers a call. State is shared by the tools of a trial.
	Do func(arguments string, state map[string]string) (string, error)
	// Fail returns this error for the first FailTimes calls: does the agent try again?
	Fail      error
	FailTimes int
}

// Tools are a [World] of scripted tools and a state. Solved of a task reads the
// state, so an agent that only says that it did the task fails.
type Tools struct {
	mu    sync.Mutex
	tools []Tool
	calls map[string]int
	state map[string]string
}

// NewTools returns a world with this state.
func NewTools(state map[string]string, tools ...Tool) (*Tools, error) {
	w := &Tools{tools: append([]Tool(nil), tools...), calls: map[string]int{}, state: map[string]string{}}
	for k, v := range state {
		w.state[k] = v
	}
	seen := map[string]bool{}
	for i, t := range tools {
		if t.Name == "" || t.Do == nil || seen[t.Name] {
			return nil, fmt.Errorf("%w: tool %d (%q): want a name of its own and Do", ErrOption, i, t.Name)
		}
		seen[t.Name] = true
	}
	return w, nil
}

// Tools implements [World].
func (w *Tools) Tools() []llms.Tool {
	out := make([]llms.Tool, len(w.tools))
	for i, t := range w.tools {
		parameters := t.Parameters
		if parameters == nil {
			parameters = map[string]any{"type": "object", "properties": map[string]any{}}
		}
		out[i] = llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name, Description: t.Description, Parameters: parameters}}
	}
	return out
}

// Call implements [World].
func (w *Tools) Call(_ context.Context, call eval.Call) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tools {
		if t.Name != call.Name {
			continue
		}
		w.calls[t.Name]++
		if t.Fail != nil && w.calls[t.Name] <= t.FailTimes {
			return "", t.Fail
		}
		return t.Do(call.Arguments, w.state)
	}
	return "", fmt.Errorf("there is no tool %q", call.Name)
}

// State returns a value of the state.
func (w *Tools) State(key string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state[key]
}

// A Step is a tool call of a trial, with what came back.
type Step struct {
	eval.Call
	Result string `json:"result,omitempty"`
	Err    string `json:"err,omitempty"`
}

// A Session is what an agent works with in one trial. It records the calls. It is
// safe for concurrent use, if the world is.
type Session struct {
	world World
	limit int

	mu    sync.Mutex
	steps []Step
	usage Usage
}

// A Usage is what the model calls of a trial took.
type Usage struct {
	ModelCalls   int   `json:"model_calls"`
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	PicoUSD      int64 `json:"pico_usd"`
	// CostUnknown and TokensUnknown count the model calls that are missing in the
	// sums above.
	CostUnknown   int `json:"cost_unknown,omitempty"`
	TokensUnknown int `json:"tokens_unknown,omitempty"`
}

// Tools describes the tools.
func (s *Session) Tools() []llms.Tool { return s.world.Tools() }

// Call runs a tool and records it. After the trial's limit each call is an
// [ErrSteps].
func (s *Session) Call(ctx context.Context, call eval.Call) (string, error) {
	s.mu.Lock()
	if len(s.steps) >= s.limit {
		s.mu.Unlock()
		return "", fmt.Errorf("%w: %d", ErrSteps, s.limit)
	}
	at := len(s.steps)
	s.steps = append(s.steps, Step{Call: call})
	s.mu.Unlock()
	result, err := s.world.Call(ctx, call)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps[at].Result = result
	if err != nil {
		s.steps[at].Err = err.Error()
	}
	return result, err
}

// Spend adds what model calls took.
func (s *Session) Spend(u Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.ModelCalls += u.ModelCalls
	s.usage.InputTokens += u.InputTokens
	s.usage.OutputTokens += u.OutputTokens
	s.usage.PicoUSD += u.PicoUSD
	s.usage.CostUnknown += u.CostUnknown
	s.usage.TokensUnknown += u.TokensUnknown
}

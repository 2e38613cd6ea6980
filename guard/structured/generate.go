package structured

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/stopreason"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by every error about an invalid option, and about a
// required argument that is nil.
var ErrOption = errors.New("structured: invalid option")

// A Mode is the way in which the schema reaches the model. The zero value is
// ModePrompt.
type Mode uint8

// The modes. In each of them an answer is validated, and the model is asked once more
// if it does not fit.
const (
	ModePrompt         Mode = iota // the schema is in the prompt: works with any model
	ModeJSON                       // as ModePrompt, and llms.WithJSONMode is set, for schemas of objects
	ModeResponseFormat             // Metadata[MetadataResponseFormat], which retry/openai sends
	ModeTool                       // a tool whose arguments are the answer, forced
)

// String returns the mode's name.
func (m Mode) String() string {
	switch m {
	case ModePrompt:
		return "prompt"
	case ModeJSON:
		return "json"
	case ModeResponseFormat:
		return "response_format"
	case ModeTool:
		return "tool"
	}
	return "unknown"
}

// MetadataResponseFormat is the key of the response format in the call's metadata.
// It is the same key as MetadataResponseFormat of retry/openai.
const MetadataResponseFormat = "openai:response_format"

// Options configure [Generate]. The zero value works.
type Options[T any] struct {
	// Schema is what the answer must fit, such as one of pydantic's. Default:
	// [For] of T.
	Schema *Schema

	// Mode is the way in which the schema reaches the model. Default: ModePrompt,
	// which works with any model.
	Mode Mode

	// MaxAttempts bounds the attempts. Default: 3.
	MaxAttempts int

	// MaxTokens bounds the output tokens of all attempts together: when they are
	// spent, there is no further attempt. Tokens are what the provider reports,
	// or a fourth of the answer's bytes. Default: no limit.
	MaxTokens int

	// Check returns what else is wrong with a value that fits the schema, in
	// words for the model, such as "the end is before the beginning". Default: no
	// further check.
	Check func(T) error

	// AcceptUnreported accepts an answer without a stop reason if its value has its
	// last bracket. Several clients report no stop reason. Default: false, since
	// such an answer may have been cut.
	AcceptUnreported bool

	// OnPartial makes the call a stream and receives the value as far as it is
	// complete, each time it has grown. The value isn't validated, its strings may
	// lack their end, and it may lag by one percent of the text. An error stops
	// the call. Each attempt starts with an empty value. Default: no stream.
	OnPartial func(context.Context, T) error
}

// A Result is a value that fits its schema.
type Result[T any] struct {
	Value    T
	JSON     []byte                // the value, as the model wrote it, repaired
	Repaired bool                  // it had to be repaired
	Attempts []Attempt             // the last one succeeded
	Response *llms.ContentResponse // of the last attempt
}

// An Attempt is one call of the model and its answer.
type Attempt struct {
	Text   string // the answer
	Err    error  // why it did not fit; nil for the last of a Result
	Tokens int    // output tokens
}

// An AnswerError reports that no attempt gave a value that fits.
type AnswerError struct {
	Attempts []Attempt
	Why      string // why there was no further attempt
}

// Error names the number of attempts and why the last one failed.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("structured: no valid answer after %d attempts (%s): %v", len(e.Attempts), e.Why, e.Unwrap())
}

// Unwrap returns the last attempt's error: a [*ValidationError], an
// [*IncompleteError], [ErrNoJSON] or Check's.
func (e *AnswerError) Unwrap() error {
	if len(e.Attempts) == 0 {
		return nil
	}
	return e.Attempts[len(e.Attempts)-1].Err
}

// HTTPStatus is 502: the model gave no answer that can be used.
func (e *AnswerError) HTTPStatus() int { return 502 }

// Code is "structured_invalid".
func (e *AnswerError) Code() string { return "structured_invalid" }

// An IncompleteError reports an answer that is not known to be complete, by the stop
// reason that its provider gave. Such an answer is not validated: a list of three that
// fits the schema may have been cut from one of ten.
type IncompleteError struct {
	StopReason string // the provider's word; "" if there was none
	Partial    string // what came of the answer
}

// Error is written for the model to act on.
func (e *IncompleteError) Error() string {
	switch stopreason.Of(e.StopReason) {
	case stopreason.Cut:
		return "the answer was cut before its end: give a shorter one"
	case stopreason.Filtered:
		return fmt.Sprintf("the answer was withheld (stop reason %q)", e.StopReason)
	case stopreason.Failed:
		return fmt.Sprintf("the answer broke off (stop reason %q)", e.StopReason)
	}
	return fmt.Sprintf("the answer is not known to be complete (stop reason %q)", e.StopReason)
}

// Generate asks the model for a value of type T. An answer that isn't one is
// repaired if only its form is wrong, and otherwise sent back with what is wrong.
// Only an answer that is known to be complete is read: one that was cut is sent back,
// one that broke off is asked for again, and one that was withheld ends the attempts.
// The error is an [*AnswerError] or the model's own, which is not retried here. A
// nil model and invalid options are errors that wrap [ErrOption].
func Generate[T any](ctx context.Context, model llms.Model, messages []llms.MessageContent, o *Options[T], options ...llms.CallOption) (*Result[T], error) {
	if model == nil {
		return nil, fmt.Errorf("%w: the model is nil", ErrOption)
	}
	g, err := newGeneration(o)
	if err != nil {
		return nil, err
	}
	messages = g.instruct(messages)
	options = append(slices.Clip(options), g.options()...)
	resolved := callopt.Resolve(options)
	spent := 0
	var done []Attempt
	for {
		r, err := model.GenerateContent(ctx, messages, append(slices.Clip(options), g.wrapCallback(resolved.StreamingFunc)...)...)
		if err != nil {
			return nil, wrap.ContextError(ctx, err)
		}
		choice, text := g.answerOf(r)
		result, err := g.read(text, choice)
		attempt := Attempt{Text: text, Err: err, Tokens: outputTokens(r, text)}
		spent += attempt.Tokens
		done = append(done, attempt)
		if err == nil {
			result.Attempts, result.Response = done, r
			return result, nil
		}
		var incomplete *IncompleteError
		ended := stopreason.Complete
		if errors.As(err, &incomplete) {
			ended = stopreason.Of(incomplete.StopReason)
		}
		switch {
		case ended == stopreason.Filtered:
			return nil, &AnswerError{done, "the answer was withheld"}
		case len(done) >= g.o.MaxAttempts:
			return nil, &AnswerError{done, "as many as allowed"}
		case g.o.MaxTokens > 0 && spent >= g.o.MaxTokens:
			return nil, &AnswerError{done, "the tokens are spent"}
		}
		if ended == stopreason.Complete || ended == stopreason.Cut {
			messages = g.reask(messages, choice, text, err)
		}
	}
}

// A generation is one call of Generate.
type generation[T any] struct {
	o      Options[T]
	schema *Schema
}

// newGeneration checks the options and sets what they leave out.
func newGeneration[T any](o *Options[T]) (*generation[T], error) {
	g := &generation[T]{}
	if o != nil {
		g.o, g.schema = *o, o.Schema
	}
	switch {
	case g.schema != nil && g.schema.root == nil:
		return nil, fmt.Errorf("%w: Options.Schema is the zero Schema: want one of For or ParseSchema", ErrOption)
	case g.o.Mode > ModeTool:
		return nil, fmt.Errorf("%w: Options.Mode is %d: want one of the modes", ErrOption, g.o.Mode)
	case g.o.MaxAttempts < 0:
		return nil, fmt.Errorf("%w: Options.MaxAttempts is %d: want 0 (the default, 3) or more", ErrOption, g.o.MaxAttempts)
	case g.o.MaxTokens < 0:
		return nil, fmt.Errorf("%w: Options.MaxTokens is %d: want 0 (no limit) or more", ErrOption, g.o.MaxTokens)
	}
	if g.o.MaxAttempts == 0 {
		g.o.MaxAttempts = 3
	}
	if g.schema == nil {
		var err error
		if g.schema, err = For[T](); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// instruct adds what the model is to answer to the last human message.
func (g *generation[T]) instruct(messages []llms.MessageContent) []llms.MessageContent {
	if g.o.Mode != ModePrompt && g.o.Mode != ModeJSON {
		return messages
	}
	part := llms.TextContent{Text: "\n\nAnswer with one JSON value that fits this JSON Schema, and with nothing else:\n" + string(g.schema.data)}
	out := slices.Clone(messages)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].Role == llms.ChatMessageTypeHuman {
			out[i].Parts = append(slices.Clip(out[i].Parts), part)
			return out
		}
	}
	return append(out, llms.MessageContent{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{part}})
}

func (g *generation[T]) options() []llms.CallOption {
	switch g.o.Mode {
	case ModeJSON:
		return []llms.CallOption{llms.WithJSONMode()}
	case ModeResponseFormat:
		return []llms.CallOption{func(o *llms.CallOptions) {
			o.Metadata = maps.Clone(o.Metadata)
			if o.Metadata == nil {
				o.Metadata = map[string]any{}
			}
			o.Metadata[MetadataResponseFormat] = g.schema.ResponseFormat()
		}}
	case ModeTool:
		return []llms.CallOption{func(o *llms.CallOptions) {
			o.Tools = append(slices.Clip(o.Tools), g.schema.Tool("Gives the answer."))
			o.ToolChoice = llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: g.schema.name}}
		}}
	}
	return nil
}

// answerOf returns the first choice and the text of its answer.
func (g *generation[T]) answerOf(r *llms.ContentResponse) (*llms.ContentChoice, string) {
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return &llms.ContentChoice{}, ""
	}
	c := r.Choices[0]
	if g.o.Mode == ModeTool {
		for _, t := range c.ToolCalls {
			if t.FunctionCall != nil && t.FunctionCall.Name == g.schema.name {
				return c, t.FunctionCall.Arguments
			}
		}
		if c.FuncCall != nil && len(c.ToolCalls) == 0 {
			return c, c.FuncCall.Arguments
		}
	}
	return c, c.Content
}

func (g *generation[T]) read(text string, c *llms.ContentChoice) (*Result[T], error) {
	if refusal, _ := c.GenerationInfo["Refusal"].(string); refusal != "" && strings.TrimSpace(text) == "" {
		return nil, &IncompleteError{"refusal", refusal}
	}
	unreported := g.o.AcceptUnreported && c.StopReason == ""
	if stopreason.Of(c.StopReason) != stopreason.Complete && !unreported {
		return nil, &IncompleteError{c.StopReason, text} // it may fit and lack its second half
	}
	v, err := g.schema.Find(text)
	if err != nil {
		return nil, err
	}
	if unreported && (v.Cut || v.JSON[len(v.JSON)-1] != '}' && v.JSON[len(v.JSON)-1] != ']') {
		return nil, &IncompleteError{c.StopReason, text}
	}
	result := &Result[T]{JSON: v.JSON, Repaired: v.Repaired}
	if err := json.Unmarshal(v.JSON, &result.Value); err != nil {
		return nil, &ValidationError{Problems: []Problem{{Message: err.Error()}}}
	}
	if g.o.Check != nil {
		if err := g.o.Check(result.Value); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// maxValues is how many values of a text are tried.
const maxValues = 8

// Find returns the first value in text that fits the schema, repaired if needed.
// If none fits, the error is that of the first. JSON inside a string is read too, if
// the string itself does not fit.
func (s *Schema) Find(text string) (Value, error) {
	first, offset, rest := error(nil), 0, text
	for range maxValues {
		v, err := Repair(rest)
		if err == nil {
			if err = s.Validate(v.JSON); err != nil {
				if inner, ok := s.unwrapped(v); ok {
					v, err = inner, nil
				}
			}
		}
		if err == nil {
			v.Start, v.End = v.Start+offset, v.End+offset
			return v, nil
		}
		if first == nil {
			first = err
		}
		if v.JSON == nil || v.End == 0 {
			break
		}
		offset, rest = offset+v.End, rest[v.End:]
	}
	return Value{}, first
}

// unwrapped reads a string that contains JSON.
func (s *Schema) unwrapped(v Value) (Value, bool) {
	var text string
	if json.Unmarshal(v.JSON, &text) != nil {
		return v, false
	}
	inner, err := Repair(text)
	if err != nil || s.Validate(inner.JSON) != nil {
		return v, false
	}
	v.JSON, v.Repaired = inner.JSON, true
	return v, true
}

// reask adds an answer that did not fit, and what is wrong with it.
func (g *generation[T]) reask(messages []llms.MessageContent, c *llms.ContentChoice, text string, err error) []llms.MessageContent {
	wrong := strings.TrimPrefix(err.Error(), "structured: ")
	question := "That answer can't be used: " + wrong + "\nAnswer once more with the whole corrected JSON value and nothing else."
	messages = slices.Clip(messages)
	if g.o.Mode == ModeTool && len(c.ToolCalls) > 0 {
		said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
		if c.Content != "" {
			said.Parts = append(said.Parts, llms.TextContent{Text: c.Content})
		}
		messages = append(messages, said)
		for _, t := range c.ToolCalls {
			messages[len(messages)-1].Parts = append(messages[len(messages)-1].Parts, sendable(t))
		}
		for _, t := range c.ToolCalls {
			name := ""
			if t.FunctionCall != nil {
				name = t.FunctionCall.Name
			}
			messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: t.ID, Name: name, Content: question}}})
		}
		return messages
	}
	if strings.TrimSpace(text) != "" {
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeAI, text))
	}
	return append(messages, llms.TextParts(llms.ChatMessageTypeHuman, question))
}

// sendable returns a call in the form that a conversation may contain. Providers refuse
// a call whose arguments are not a JSON object.
func sendable(t llms.ToolCall) llms.ToolCall {
	if t.FunctionCall == nil {
		return t
	}
	f := *t.FunctionCall
	t.FunctionCall = &f
	if strings.HasPrefix(strings.TrimSpace(f.Arguments), "{") && json.Valid([]byte(f.Arguments)) {
		return t
	}
	if v, err := Repair(f.Arguments); err == nil && v.JSON[0] == '{' {
		f.Arguments = string(v.JSON)
	} else if data, err := json.Marshal(map[string]string{"text": f.Arguments}); err == nil {
		f.Arguments = string(data)
	}
	return t
}

func outputTokens(r *llms.ContentResponse, text string) int {
	if u, err := usage.Of(r); err == nil && u.Output > 0 {
		return int(u.Output)
	}
	return (len(text) + 3) / 4
}

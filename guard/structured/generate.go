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
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// A Mode is how the model is told what to answer.
type Mode uint8

// The modes. Each validates and asks again.
const (
	ModePrompt         Mode = iota // the schema stands in the prompt: works with any model
	ModeJSON                       // so it does, and llms.WithJSONMode is set, for schemas of objects
	ModeResponseFormat             // Metadata["openai:response_format"], which retry/openai sends
	ModeTool                       // a tool whose arguments are the answer, forced
)

// MetadataKey is where the call's metadata carry the response format.
const MetadataKey = "openai:response_format"

// Options configure [Generate]. The zero value works.
type Options[T any] struct {
	// Schema is what the answer must fit; nil: [For] of T. Set it where the
	// schema comes from elsewhere, such as pydantic.
	Schema *Schema

	// Mode is how the model is told.
	Mode Mode

	// Tries is how often the model is asked at most; 0: 3.
	MaxAttempts int

	// MaxTokens bounds the output tokens of all tries together: when they are
	// spent, the model isn't asked again. Tokens are what the provider reports,
	// or a fourth of the answer's bytes. 0: no limit.
	MaxTokens int

	// Check says what else is wrong with a value that fits the schema, in words
	// for the model: "the end lies before the beginning". nil: nothing.
	Check func(T) error

	// OnPartial makes the call a stream and receives the value as far as it is
	// there, each time it has grown. It isn't validated, strings may lack their
	// end, and it may lag behind by one percent of the text. An error stops the
	// call. After a failed try it begins anew.
	OnPartial func(context.Context, T) error
}

// A Result is a value that fits its schema.
type Result[T any] struct {
	Value    T
	JSON     []byte                // the value, as the model wrote it, repaired
	Repaired bool                  // it had to be mended
	Attempts []Attempt             // the last one succeeded
	Response *llms.ContentResponse // of the last try
}

// A Attempt is one answer of the model.
type Attempt struct {
	Text   string // what it said
	Err    error  // why it wasn't good; nil for the last of a Result
	Tokens int    // output tokens
}

// An AnswerError says that no try gave a value that fits.
type AnswerError struct {
	Attempts []Attempt
	Why      string // why the model wasn't asked again
}

// Error tells why the last answer was no good.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("structured: no valid answer after %d tries (%s): %v", len(e.Attempts), e.Why, e.Unwrap())
}

// Unwrap returns the last try's error: a [*ValidationError], [ErrNoJSON] or what
// Check said.
func (e *AnswerError) Unwrap() error {
	if len(e.Attempts) == 0 {
		return nil
	}
	return e.Attempts[len(e.Attempts)-1].Err
}

// HTTPStatus is 502: what is behind gave no answer that can be used.
func (e *AnswerError) HTTPStatus() int { return 502 }

// Code is "structured_invalid".
func (e *AnswerError) Code() string { return "structured_invalid" }

// Generate asks the model for a value of type T. An answer that isn't one is
// repaired if it only lacks form, and otherwise sent back with what is wrong.
// The error is an [*AnswerError], or the model's own: mending the transport is
// not this function's business.
func Generate[T any](ctx context.Context, model llms.Model, messages []llms.MessageContent, o *Options[T], options ...llms.CallOption) (*Result[T], error) {
	if o == nil {
		o = &Options[T]{}
	}
	g := &generation[T]{o: *o, schema: o.Schema}
	if g.schema == nil {
		var err error
		if g.schema, err = For[T](); err != nil {
			return nil, err
		}
	}
	messages = g.instruct(messages)
	options = append(slices.Clip(options), g.options()...)
	resolved := callopt.Resolve(options)
	tries := o.MaxAttempts
	if tries <= 0 {
		tries = 3
	}
	spent := 0
	var done []Attempt
	for {
		r, err := model.GenerateContent(ctx, messages, append(slices.Clip(options), g.wrapCallback(resolved.StreamingFunc)...)...)
		if err != nil {
			return nil, wrap.ContextError(ctx, err)
		}
		choice, text := g.answerOf(r)
		result, err := g.read(text, choice)
		try := Attempt{Text: text, Err: err, Tokens: outputTokens(r, text)}
		spent += try.Tokens
		done = append(done, try)
		if err == nil {
			result.Attempts, result.Response = done, r
			return result, nil
		}
		switch {
		case len(done) >= tries:
			return nil, &AnswerError{done, "as many as allowed"}
		case o.MaxTokens > 0 && spent >= o.MaxTokens:
			return nil, &AnswerError{done, "the tokens are spent"}
		}
		messages = g.reask(messages, choice, text, err)
	}
}

// A generation is the work of one Generate.
type generation[T any] struct {
	o      Options[T]
	schema *Schema
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
			o.Metadata[MetadataKey] = g.schema.ResponseFormat()
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

// errCut says that an answer was cut before the value was whole.
var errCut = errors.New("the answer was cut before its end: give a shorter one")

func (g *generation[T]) read(text string, c *llms.ContentChoice) (*Result[T], error) {
	v, err := g.schema.Find(text)
	if (v.Cut || err != nil) && (c.StopReason == "length" || c.StopReason == "max_tokens") {
		return nil, errCut // what is there may fit and yet lack its half
	}
	if err != nil {
		return nil, err
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

// Find returns the first value in text that fits the schema, repaired if need
// be. If none fits, the error is that of the first. A value that was put into a
// string is taken out.
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

// unwrapped reads a string that holds JSON.
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

// reask adds an answer that was no good, and what is wrong with it.
func (g *generation[T]) reask(messages []llms.MessageContent, c *llms.ContentChoice, text string, err error) []llms.MessageContent {
	wrong := strings.TrimPrefix(err.Error(), "structured: ")
	ask := "That answer can't be used: " + wrong + "\nAnswer once more with the whole corrected JSON value and nothing else."
	messages = slices.Clip(messages)
	if g.o.Mode == ModeTool && len(c.ToolCalls) > 0 {
		said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
		if c.Content != "" {
			said.Parts = append(said.Parts, llms.TextContent{Text: c.Content})
		}
		messages = append(messages, said)
		for _, t := range c.ToolCalls {
			messages[len(messages)-1].Parts = append(messages[len(messages)-1].Parts, t)
		}
		for _, t := range c.ToolCalls {
			name := ""
			if t.FunctionCall != nil {
				name = t.FunctionCall.Name
			}
			messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: t.ID, Name: name, Content: ask}}})
		}
		return messages
	}
	if strings.TrimSpace(text) != "" {
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeAI, text))
	}
	return append(messages, llms.TextParts(llms.ChatMessageTypeHuman, ask))
}

func outputTokens(r *llms.ContentResponse, text string) int {
	if u, err := usage.Of(r); err == nil && u.Output > 0 {
		return int(u.Output)
	}
	return (len(text) + 3) / 4
}

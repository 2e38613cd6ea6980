package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("ollama: invalid option")

// ErrIncomplete is wrapped by the error of an answer that ended before the line with
// done.
var ErrIncomplete = errors.New("ollama: the stream ended before the answer did")

// Options are the settings of a [Model].
type Options struct {
	// WindowTokens is the context window to load the model with (num_ctx). Ollama's
	// default is small, and it cuts a longer prompt without an error. Default: 0, the
	// server's.
	WindowTokens int
	// KeepAlive is how long the server keeps the model in memory after a call, in
	// Ollama's form, such as "10m". Default: "", the server's.
	KeepAlive string
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Model is a model of one Ollama server, by its own API (/api/chat). It is safe for
// concurrent use.
type Model struct {
	o    Options
	c    *engine.Client
	name string
}

// New returns a model of a server, such as http://localhost:11434; nil options mean
// the defaults. It fails with [ErrOption].
func New(address, model string, o *Options) (*Model, error) {
	m := &Model{name: model}
	if o != nil {
		m.o = *o
	}
	if model == "" {
		return nil, fmt.Errorf("%w: the model's name is empty", ErrOption)
	}
	if m.o.WindowTokens < 0 {
		return nil, fmt.Errorf("%w: Options.WindowTokens is %d: want 0 (the server's) or more", ErrOption, m.o.WindowTokens)
	}
	var err error
	if m.c, err = engine.NewClient(address, m.o.Header, m.o.HTTPClient); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return m, nil
}

// Check reports whether the server is up and has the model. It loads nothing.
func (m *Model) Check(ctx context.Context) error {
	data, err := m.c.Get(ctx, "/api/tags")
	if err != nil {
		return err
	}
	var r struct {
		Models []struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if err = json.Unmarshal(data, &r); err != nil {
		return engine.Malformed(err)
	}
	for _, have := range r.Models {
		if have.Name == m.name || have.Name == m.name+":latest" {
			return nil
		}
	}
	return fault.New(fault.ClassNotFound, fmt.Errorf("ollama: the server has no model %q", m.name))
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

// A wireMessage is a message of /api/chat.
type wireMessage struct {
	Role      string     `json:"role"`
	Content   string     `json:"content"`
	Thinking  string     `json:"thinking,omitempty"`
	Images    [][]byte   `json:"images,omitempty"`
	ToolCalls []wireCall `json:"tool_calls,omitempty"`
	ToolName  string     `json:"tool_name,omitempty"`
}

type wireCall struct {
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// A line is one line of an answer.
type line struct {
	Message    wireMessage `json:"message"`
	Done       bool        `json:"done"`
	DoneReason string      `json:"done_reason"`
	Prompt     *int        `json:"prompt_eval_count"`
	Answer     *int        `json:"eval_count"`
	Error      string      `json:"error"`
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := callopt.Resolve(options)
	body, err := m.request(messages, &o)
	if err != nil {
		return nil, fault.New(fault.ClassInvalidRequest, err)
	}
	emit := engine.Emitter(ctx, &o.CallOptions)
	body["stream"] = emit != nil
	a := answer{ContentChoice: llms.ContentChoice{GenerationInfo: map[string]any{}}}
	err = m.c.Lines(ctx, "/api/chat", body, nil, func(data []byte) error {
		l, err := a.add(data)
		if err != nil {
			return err
		}
		if o.StreamingReasoningFunc != nil && l.Message.Thinking != "" {
			if err := o.StreamingReasoningFunc(ctx, []byte(l.Message.Thinking), nil); err != nil {
				return fault.New(fault.ClassCanceled, fmt.Errorf("%w: %w", engine.ErrCallback, err))
			}
		}
		if emit != nil && l.Message.Content != "" {
			return emit(l.Message.Content)
		}
		return nil
	})
	choice := &a.ContentChoice
	choice.Content, choice.ReasoningContent = a.text.String(), a.thinking.String()
	r := &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}
	if err == nil && !a.done {
		e := fault.New(fault.ClassStreamInterrupted, ErrIncomplete)
		e.Partial = r
		err = e
	}
	if err != nil {
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fault.FromContext(ended, err)
		}
		return nil, err
	}
	if len(choice.ToolCalls) > 0 {
		choice.FuncCall = choice.ToolCalls[0].FunctionCall
		if choice.StopReason == "stop" {
			choice.StopReason = "tool_calls" // what other engines report
		}
	}
	return r, nil
}

// An answer is what the lines so far have of one.
type answer struct {
	llms.ContentChoice
	done           bool
	size           int
	text, thinking strings.Builder
}

// add takes the next line.
func (a *answer) add(data []byte) (*line, error) {
	l := &line{}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, engine.Malformed(err)
	}
	if l.Error != "" {
		return nil, &engine.StatusError{Status: http.StatusInternalServerError, Text: l.Error, Content: data}
	}
	if a.size += len(data); a.size > engine.MaxBody {
		return nil, engine.Malformed(fmt.Errorf("it has more than %d bytes", engine.MaxBody))
	}
	a.text.WriteString(l.Message.Content)
	a.thinking.WriteString(l.Message.Thinking)
	for _, c := range l.Message.ToolCalls {
		a.ToolCalls = append(a.ToolCalls, llms.ToolCall{
			// Ollama's calls have no ids; the place in the answer is one.
			ID: fmt.Sprintf("call_%d", len(a.ToolCalls)), Type: "function",
			FunctionCall: &llms.FunctionCall{Name: c.Function.Name, Arguments: arguments(c.Function.Arguments)},
		})
	}
	if l.Done {
		a.done = true
		a.StopReason = l.DoneReason
		count(a.GenerationInfo, l)
	}
	return l, nil
}

// arguments returns the arguments of a call as text: Ollama sends an object.
func arguments(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}

func count(info map[string]any, l *line) {
	if l.Prompt != nil && l.Answer != nil && *l.Prompt >= 0 && *l.Answer >= 0 {
		info["PromptTokens"], info["CompletionTokens"], info["TotalTokens"] = *l.Prompt, *l.Answer, *l.Prompt+*l.Answer
	}
}

func (m *Model) request(messages []llms.MessageContent, o *callopt.Options) (map[string]any, error) {
	list := []wireMessage{}
	for i, message := range messages {
		converted, err := convert(message)
		if err != nil {
			return nil, fmt.Errorf("ollama: message %d: %w", i, err)
		}
		list = append(list, converted...)
	}
	if o.N > 1 || o.CandidateCount > 1 {
		return nil, errors.New("ollama: the engine gives one answer")
	}
	body := map[string]any{"model": m.name, "messages": list}
	if o.Model != "" {
		body["model"] = o.Model
	}
	if m.o.KeepAlive != "" {
		body["keep_alive"] = m.o.KeepAlive
	}
	if o.JSONMode {
		body["format"] = "json"
	}
	if len(o.Tools) > 0 {
		body["tools"] = o.Tools
	}
	settings := map[string]any{}
	for _, s := range []struct {
		field callopt.Field
		name  string
		value any
	}{
		{callopt.Temperature, "temperature", o.Temperature}, {callopt.TopP, "top_p", o.TopP}, {callopt.TopK, "top_k", o.TopK},
		{callopt.Seed, "seed", o.Seed}, {callopt.MaxTokens, "num_predict", o.MaxTokens}, {callopt.RepetitionPenalty, "repeat_penalty", o.RepetitionPenalty},
		{callopt.FrequencyPenalty, "frequency_penalty", o.FrequencyPenalty}, {callopt.PresencePenalty, "presence_penalty", o.PresencePenalty},
	} {
		if o.Has(s.field) {
			settings[s.name] = s.value
		}
	}
	if len(o.StopWords) > 0 {
		settings["stop"] = o.StopWords
	}
	if m.o.WindowTokens > 0 {
		settings["num_ctx"] = m.o.WindowTokens
	}
	if len(settings) > 0 {
		body["options"] = settings
	}
	return body, nil
}

// convert makes a message, or one for each result of a tool.
func convert(message llms.MessageContent) ([]wireMessage, error) {
	out := wireMessage{Role: "user"}
	switch message.Role {
	case llms.ChatMessageTypeSystem:
		out.Role = "system"
	case llms.ChatMessageTypeAI:
		out.Role = "assistant"
	}
	var results []wireMessage
	var texts []string
	for _, part := range message.Parts {
		switch p := part.(type) {
		case llms.TextContent:
			texts = append(texts, p.Text)
		case llms.BinaryContent:
			if !strings.HasPrefix(p.MIMEType, "image/") {
				return nil, fmt.Errorf("a part of type %q can't be sent", p.MIMEType)
			}
			out.Images = append(out.Images, p.Data)
		case llms.ToolCall:
			var c wireCall
			if p.FunctionCall == nil || !json.Valid([]byte(p.FunctionCall.Arguments)) {
				return nil, errors.New("a tool call has no arguments in JSON")
			}
			c.Function.Name, c.Function.Arguments = p.FunctionCall.Name, json.RawMessage(p.FunctionCall.Arguments)
			out.ToolCalls = append(out.ToolCalls, c)
		case llms.ToolCallResponse:
			results = append(results, wireMessage{Role: "tool", Content: p.Content, ToolName: p.Name})
		default:
			return nil, fmt.Errorf("a %T can't be sent", part)
		}
	}
	if len(results) > 0 {
		return results, nil
	}
	out.Content = strings.Join(texts, "\n")
	return []wireMessage{out}, nil
}

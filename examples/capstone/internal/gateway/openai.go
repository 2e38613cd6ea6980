package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// models lists what can be asked for.
func (g *Gateway) models(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"object": "list", "data": []any{modelObject(service.Name), modelObject(embeddingModel)}})
}

func modelObject(id string) map[string]any {
	return map[string]any{"id": id, "object": "model", "created": 1767225600, "owned_by": "prodai"}
}

func (g *Gateway) model(w http.ResponseWriter, r *http.Request) {
	if id := r.PathValue("id"); id == service.Name || id == embeddingModel {
		reply(w, http.StatusOK, modelObject(id))
		return
	}
	unknownModel(w, r.PathValue("id"))
}

func unknownModel(w http.ResponseWriter, id string) {
	fail(w, http.StatusNotFound, "invalid_request_error", "model_not_found", "model", fmt.Sprintf("the model %q does not exist; GET /v1/models lists those that do", id))
}

// A chatRequest is what of a chat completion's request is understood; unknown
// fields pass.
type chatRequest struct {
	Model    string `json:"model"`
	Messages *[]struct {
		Role       string          `json:"role"`
		Content    json.RawMessage `json:"content"`
		ToolCallID string          `json:"tool_call_id"`
		Name       string          `json:"name"`
	} `json:"messages"`
	Stream        bool `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N                   *int     `json:"n"`
	Temperature         *float64 `json:"temperature"`
	TopP                *float64 `json:"top_p"`
	Seed                *int     `json:"seed"`
	MaxTokens           *int     `json:"max_tokens"`
	MaxCompletionTokens *int     `json:"max_completion_tokens"`
	PresencePenalty     *float64 `json:"presence_penalty"`
	FrequencyPenalty    *float64 `json:"frequency_penalty"`
	Stop                any      `json:"stop"`

	// What this service cannot honor is refused, never ignored.
	Tools          []json.RawMessage          `json:"tools"`
	Functions      []json.RawMessage          `json:"functions"`
	ToolChoice     any                        `json:"tool_choice"`
	Logprobs       *bool                      `json:"logprobs"`
	LogitBias      map[string]json.RawMessage `json:"logit_bias"`
	Modalities     []string                   `json:"modalities"`
	ResponseFormat *struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

// maxAnswer is the most tokens that a request may ask for.
const maxAnswer = 1 << 17

// errBad is a mistake in a request: which parameter, which code, what is wrong.
type errBad struct{ param, code, message string }

func (e errBad) Error() string { return e.message }

// question turns the request into a question, or says what is wrong with it.
func (q *chatRequest) question() (service.Question, error) {
	var out service.Question
	switch {
	case q.Messages == nil:
		return out, errBad{"messages", "missing_required_parameter", "messages is missing"}
	case len(*q.Messages) == 0:
		return out, errBad{"messages", "empty_array", "messages is empty, want at least one"}
	}
	if err := q.unsupported(); err != nil {
		return out, err
	}
	limit, err := q.checkNumbers()
	if err != nil {
		return out, err
	}
	stop, err := q.stopWords()
	if err != nil {
		return out, err
	}
	for i, m := range *q.Messages {
		text, err := contentText(m.Content)
		if err != nil {
			return out, errBad{fmt.Sprintf("messages[%d].content", i), "invalid_value", err.Error()}
		}
		role, ok := roles[m.Role]
		if !ok {
			return out, errBad{fmt.Sprintf("messages[%d].role", i), "invalid_value", fmt.Sprintf("the role %q is none of system, developer, user, assistant, tool", m.Role)}
		}
		if role == llms.ChatMessageTypeTool {
			out.History = append(out.History, llms.MessageContent{Role: role, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m.ToolCallID, Name: m.Name, Content: text}}})
			continue
		}
		out.History = append(out.History, llms.TextParts(role, text))
	}
	last := len(out.History) - 1
	if out.History[last].Role != llms.ChatMessageTypeHuman {
		return out, errBad{fmt.Sprintf("messages[%d].role", last), "invalid_value", "the last message must be the user's"}
	}
	out.Text = out.History[last].Parts[0].(llms.TextContent).Text
	out.History = out.History[:last]
	if strings.TrimSpace(out.Text) == "" {
		return out, errBad{fmt.Sprintf("messages[%d].content", last), "empty_string", "the question is empty"}
	}
	out.Options = q.options(limit, stop)
	return out, nil
}

// unsupported refuses what would change the answer and cannot be honored here.
func (q *chatRequest) unsupported() error {
	refuse := func(param, message string) error { return errBad{param, "unsupported_value", message} }
	choice, _ := q.ToolChoice.(string)
	switch {
	case q.N != nil && *q.N != 1:
		return refuse("n", "n must be 1: this service gives one answer")
	case len(q.Tools) > 0:
		return refuse("tools", "this service calls no tools")
	case len(q.Functions) > 0:
		return refuse("functions", "this service calls no functions")
	case q.ToolChoice != nil && choice != "none" && choice != "auto":
		return refuse("tool_choice", "this service calls no tools: want none or auto")
	case q.ResponseFormat != nil && q.ResponseFormat.Type != "text":
		return refuse("response_format", "this service answers in text: want the type text")
	case q.Logprobs != nil && *q.Logprobs:
		return refuse("logprobs", "this service gives no log probabilities")
	case len(q.LogitBias) > 0:
		return refuse("logit_bias", "this service takes no logit_bias")
	}
	for _, m := range q.Modalities {
		if m != "text" {
			return refuse("modalities", "this service answers in text only")
		}
	}
	return nil
}

// checkNumbers checks the sampling parameters and returns the answer's limit.
func (q *chatRequest) checkNumbers() (limit *int, err error) {
	for _, p := range []struct {
		name      string
		value     *float64
		low, high float64
	}{{"temperature", q.Temperature, 0, 2}, {"top_p", q.TopP, 0, 1}, {"presence_penalty", q.PresencePenalty, -2, 2}, {"frequency_penalty", q.FrequencyPenalty, -2, 2}} {
		if p.value != nil && !(*p.value >= p.low && *p.value <= p.high) {
			return nil, errBad{p.name, "invalid_value", fmt.Sprintf("%s must be between %v and %v", p.name, p.low, p.high)}
		}
	}
	name := "max_tokens"
	limit = q.MaxTokens
	if q.MaxCompletionTokens != nil {
		name, limit = "max_completion_tokens", q.MaxCompletionTokens
	}
	if limit != nil && (*limit < 1 || *limit > maxAnswer) {
		return nil, errBad{name, "invalid_value", fmt.Sprintf("%s must be between 1 and %d", name, maxAnswer)}
	}
	return limit, nil
}

// stopWords returns the words that end an answer: one, or up to four.
func (q *chatRequest) stopWords() ([]string, error) {
	bad := errBad{"stop", "invalid_value", "stop must be a string, or a list of at most 4 strings, none of them empty"}
	list, ok := q.Stop.([]any)
	if !ok && q.Stop != nil {
		list = []any{q.Stop}
	}
	if len(list) > 4 {
		return nil, bad
	}
	var words []string
	for _, v := range list {
		word, ok := v.(string)
		if !ok || word == "" {
			return nil, bad
		}
		words = append(words, word)
	}
	return words, nil
}

func (q *chatRequest) options(limit *int, stop []string) []llms.CallOption {
	var out []llms.CallOption
	if limit != nil {
		out = append(out, llms.WithMaxTokens(*limit))
	}
	if q.Temperature != nil {
		out = append(out, llms.WithTemperature(*q.Temperature))
	}
	if q.TopP != nil {
		out = append(out, llms.WithTopP(*q.TopP))
	}
	if q.Seed != nil {
		out = append(out, llms.WithSeed(*q.Seed))
	}
	if q.PresencePenalty != nil {
		out = append(out, llms.WithPresencePenalty(*q.PresencePenalty))
	}
	if q.FrequencyPenalty != nil {
		out = append(out, llms.WithFrequencyPenalty(*q.FrequencyPenalty))
	}
	if len(stop) > 0 {
		out = append(out, llms.WithStopWords(stop))
	}
	return out
}

var roles = map[string]llms.ChatMessageType{
	"system": llms.ChatMessageTypeSystem, "developer": llms.ChatMessageTypeSystem, "user": llms.ChatMessageTypeHuman,
	"assistant": llms.ChatMessageTypeAI, "tool": llms.ChatMessageTypeTool,
}

// contentText returns a message's text: a string, null, or parts of type text.
func contentText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if checkKeys(raw, parts) != nil || json.Unmarshal(raw, &parts) != nil {
		return "", errors.New("content must be a string or a list of parts")
	}
	for _, p := range parts {
		if p.Type != "text" {
			return "", fmt.Errorf("parts of type %q can't be read here, only text", p.Type)
		}
		text += p.Text
	}
	return text, nil
}

func (g *Gateway) chat(w http.ResponseWriter, r *http.Request) {
	var q chatRequest
	if !read(w, r, &q) {
		return
	}
	if q.Model != service.Name {
		if q.Model == "" {
			fail(w, http.StatusBadRequest, "invalid_request_error", "missing_required_parameter", "model", "model is missing")
			return
		}
		unknownModel(w, q.Model)
		return
	}
	question, err := q.question()
	var bad errBad
	if errors.As(err, &bad) {
		fail(w, http.StatusBadRequest, "invalid_request_error", bad.code, bad.param, bad.message)
		return
	}
	c := &completion{id: "chatcmpl-" + strings.ToLower(rand.Text()), created: time.Now().Unix(), fingerprint: g.service.Backend()}
	if q.Stream {
		g.stream(w, r, c, question, q.StreamOptions.IncludeUsage)
		return
	}
	a, err := g.answer(r.Context(), question)
	if err != nil {
		g.failWith(w, r, err)
		return
	}
	body := c.object("chat.completion", []any{map[string]any{"index": 0, "finish_reason": finish(a), "logprobs": nil,
		"message": map[string]any{"role": "assistant", "content": a.Text, "refusal": nil}}})
	body["usage"] = usageOf(a)
	body["prodai"] = g.evidence(r.Context(), question.Text, a)
	reply(w, http.StatusOK, body)
}

// finish is the answer's finish reason, which clients want to be one of theirs.
func finish(a *service.Answer) string { return or(a.FinishReason, "stop") }

// A completion is what the objects of one answer share.
type completion struct {
	id          string
	created     int64
	fingerprint string
}

func (c *completion) object(kind string, choices []any) map[string]any {
	return map[string]any{"id": c.id, "object": kind, "created": c.created, "model": service.Name, "system_fingerprint": c.fingerprint, "choices": choices}
}

func (c *completion) chunk(delta map[string]any, finish any, usage bool) map[string]any {
	body := c.object("chat.completion.chunk", []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": nil}})
	if usage { // asked for: every chunk but the last says null
		body["usage"] = nil
	}
	return body
}

func usageOf(a *service.Answer) map[string]any {
	return map[string]any{"prompt_tokens": a.InputTokens, "completion_tokens": a.OutputTokens, "total_tokens": a.InputTokens + a.OutputTokens}
}

// answer asks the service, and notes in the request's access what it cost.
func (g *Gateway) answer(ctx context.Context, q service.Question) (*service.Answer, error) {
	sink := service.SinkOf(ctx)
	if sink == nil {
		sink = &service.Sink{}
		ctx = service.WithSink(ctx, sink)
	}
	access := accessOf(ctx)
	if say := q.OnChunk; say != nil {
		q.OnChunk = func(text string) error {
			access.spoke()
			return say(text)
		}
	}
	a, err := g.service.Ask(ctx, q)
	if err != nil && errors.Is(context.Cause(ctx), ErrStopping) {
		err = fmt.Errorf("%w: %w", ErrStopping, err)
	}
	if err == nil {
		access.answered(g.service.Backend(), a, sink.PicoUSD())
	}
	return a, err
}

// stream answers with server-sent events. An error before the first byte keeps
// its status; a later one is an event, and no [DONE] follows.
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request, c *completion, q service.Question, usage bool) {
	out := &events{w: w}
	q.OnChunk = func(text string) error {
		if !out.begun {
			if err := out.send(c.chunk(map[string]any{"role": "assistant", "content": ""}, nil, usage)); err != nil {
				return err
			}
		}
		return out.send(c.chunk(map[string]any{"content": text}, nil, usage))
	}
	a, err := g.answer(r.Context(), q)
	if err != nil {
		if !out.begun {
			g.failWith(w, r, err)
			return
		}
		p := describe(err)
		g.logFailure(r.Context(), err, p)
		accessOf(r.Context()).broken(*p.Code)             // the status said 200 already
		_ = out.send(map[string]any{"error": p.apiError}) // fails only if the client is gone
		return
	}
	if !out.begun { // an answer without a word
		_ = out.send(c.chunk(map[string]any{"role": "assistant", "content": ""}, nil, usage))
	}
	last := c.chunk(map[string]any{}, finish(a), usage)
	last["prodai"] = g.evidence(r.Context(), q.Text, a)
	_ = out.send(last)
	if usage {
		body := c.object("chat.completion.chunk", []any{})
		body["usage"] = usageOf(a)
		_ = out.send(body)
	}
	_ = out.raw("[DONE]")
}

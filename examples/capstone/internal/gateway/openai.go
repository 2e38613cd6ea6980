package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// embeddingModel is the name of the embedded embedder.
const embeddingModel = "static-en-256"

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
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
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
	Stop                any      `json:"stop"`
}

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
	case q.N != nil && *q.N != 1:
		return out, errBad{"n", "unsupported_value", "n must be 1: this service gives one answer"}
	case q.Temperature != nil && !(*q.Temperature >= 0 && *q.Temperature <= 2):
		return out, errBad{"temperature", "invalid_value", "temperature must be between 0 and 2"}
	case q.TopP != nil && !(*q.TopP >= 0 && *q.TopP <= 1):
		return out, errBad{"top_p", "invalid_value", "top_p must be between 0 and 1"}
	}
	limit := q.MaxTokens
	if q.MaxCompletionTokens != nil {
		limit = q.MaxCompletionTokens
	}
	if limit != nil && *limit < 1 {
		return out, errBad{"max_tokens", "invalid_value", "max_tokens must be at least 1"}
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
	out.Options = q.options(limit)
	return out, nil
}

func (q *chatRequest) options(limit *int) []llms.CallOption {
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
	switch stop := q.Stop.(type) {
	case string:
		out = append(out, llms.WithStopWords([]string{stop}))
	case []any:
		var words []string
		for _, w := range stop {
			if s, ok := w.(string); ok {
				words = append(words, s)
			}
		}
		out = append(out, llms.WithStopWords(words))
	}
	return out
}

var roles = map[string]llms.ChatMessageType{
	"system": llms.ChatMessageTypeSystem, "developer": llms.ChatMessageTypeSystem, "user": llms.ChatMessageTypeHuman,
	"assistant": llms.ChatMessageTypeAI, "tool": llms.ChatMessageTypeHuman,
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
	if json.Unmarshal(raw, &parts) != nil {
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
		g.stream(r.Context(), w, c, question, q.StreamOptions.IncludeUsage)
		return
	}
	a, err := g.service.Ask(r.Context(), question)
	if err != nil {
		failWith(w, err)
		return
	}
	body := c.object("chat.completion", []any{map[string]any{"index": 0, "finish_reason": finish(a), "logprobs": nil,
		"message": map[string]any{"role": "assistant", "content": a.Text, "refusal": nil}}})
	body["usage"] = usageOf(a)
	body["prodai"] = evidence(a)
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

// stream answers with server-sent events. An error before the first byte keeps
// its status; a later one is an event, and no [DONE] follows.
func (g *Gateway) stream(ctx context.Context, w http.ResponseWriter, c *completion, q service.Question, usage bool) {
	out := &events{w: w}
	q.OnChunk = func(text string) error {
		if !out.begun {
			if err := out.send(c.chunk(map[string]any{"role": "assistant", "content": ""}, nil, usage)); err != nil {
				return err
			}
		}
		return out.send(c.chunk(map[string]any{"content": text}, nil, usage))
	}
	a, err := g.service.Ask(ctx, q)
	if err != nil {
		if !out.begun {
			failWith(w, err)
			return
		}
		_, e, _, _ := describe(err)
		_ = out.send(map[string]any{"error": e}) // whoever listened may have gone
		return
	}
	if !out.begun { // an answer without a word
		_ = out.send(c.chunk(map[string]any{"role": "assistant", "content": ""}, nil, usage))
	}
	last := c.chunk(map[string]any{}, finish(a), usage)
	last["prodai"] = evidence(a)
	_ = out.send(last)
	if usage {
		body := c.object("chat.completion.chunk", []any{})
		body["usage"] = usageOf(a)
		_ = out.send(body)
	}
	_ = out.raw("[DONE]")
}

// embeddings embeds with the model that the search uses.
func (g *Gateway) embeddings(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model  string          `json:"model"`
		Input  json.RawMessage `json:"input"`
		Format string          `json:"encoding_format"`
		Dim    *int            `json:"dimensions"`
	}
	if !read(w, r, &q) {
		return
	}
	if q.Model != embeddingModel {
		unknownModel(w, q.Model)
		return
	}
	texts, err := inputs(q.Input)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "input", err.Error())
		return
	}
	if q.Format != "" && q.Format != "float" && q.Format != "base64" {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "encoding_format", "encoding_format must be float or base64")
		return
	}
	vectors, err := g.service.Embedder().EmbedDocuments(r.Context(), texts)
	if err != nil {
		failWith(w, err)
		return
	}
	if q.Dim != nil && (*q.Dim < 1 || *q.Dim != len(vectors[0])) {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "dimensions", fmt.Sprintf("this model's vectors have %d dimensions", len(vectors[0])))
		return
	}
	data := make([]any, len(vectors))
	tokens := 0
	for i, v := range vectors {
		var embedding any = v
		if q.Format == "base64" {
			embedding = packed(v)
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": embedding}
		tokens += g.service.Count(texts[i])
	}
	reply(w, http.StatusOK, map[string]any{"object": "list", "model": embeddingModel, "data": data, "usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens}})
}

// maxInputs is how many texts a request may hold, as at OpenAI.
const maxInputs = 2048

func inputs(raw json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil && len(raw) > 0 {
		return []string{one}, nil
	}
	var many []string
	switch err := json.Unmarshal(raw, &many); {
	case err != nil:
		return nil, errors.New("input must be a string or a list of strings (token ids belong to another model's vocabulary)")
	case len(many) == 0 || len(many) > maxInputs:
		return nil, fmt.Errorf("input has %d texts, want 1 to %d", len(many), maxInputs)
	}
	return many, nil
}

// packed is a vector as little-endian float32 in base64, the official clients'
// default.
func packed(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

package openai

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
)

// recorded is one exchange between a real client and a server, or of a plain
// client with a real engine.
type recorded struct {
	Label    string            `json:"label"`
	Path     string            `json:"path"`
	URL      string            `json:"url"`
	Status   int               `json:"status"`
	Header   map[string]string `json:"response_headers"`
	Request  map[string]any    `json:"request"`
	Response json.RawMessage   `json:"response"`
	SSE      *string           `json:"response_sse"`
	Text     *string           `json:"response_text"`
}

var recordings = []string{
	"client_deepeval", "client_evals", "client_haystack", "client_instructor", "client_langchain", "client_langchaingo", "client_langgraph",
	"client_litellm", "client_llamaindex", "client_node", "client_openai", "client_pydanticai", "client_ragas",
	"server_vllm", "server_llamacpp", "server_ray_bento",
}

// TestGoldenRecordedExchanges plays every recorded answer to our client and
// compares what comes out with a plain reading of the same bytes, and sends
// every recorded request again and compares the bodies.
func TestGoldenRecordedExchanges(t *testing.T) {
	for _, file := range recordings {
		golden.Rows(t, "interop/wire", file+".jsonl", func(row recorded) error {
			path := row.Path + row.URL
			switch {
			case row.Status == 0 || row.Request == nil:
				return nil // the connection's end was not recorded, or bytes that are not JSON were sent
			case strings.Contains(path, "/chat/completions"):
				return errors.Join(row.replayChat(), row.resend())
			case strings.HasSuffix(strings.Split(path, "?")[0], "/embeddings"):
				return row.replayEmbeddings()
			}
			return nil
		})
	}
}

// RoundTrip answers with the recording.
func (row recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	h := http.Header{}
	for k, v := range row.Header {
		if !strings.EqualFold(k, "Content-Length") && !strings.EqualFold(k, "Transfer-Encoding") && !strings.EqualFold(k, "Content-Encoding") {
			h.Set(k, v)
		}
	}
	body := row.body()
	if row.SSE != nil {
		h.Set("Content-Type", "text/event-stream")
	}
	return &http.Response{StatusCode: row.Status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req, ContentLength: -1}, nil
}

func (row recorded) body() string {
	switch {
	case row.SSE != nil:
		return *row.SSE
	case row.Text != nil:
		return *row.Text
	}
	return string(row.Response)
}

func (row recorded) options() *Options {
	return &Options{BaseURL: "http://recorded/v1", HTTPClient: &http.Client{Transport: row}}
}

func (row recorded) replayChat() error {
	m, err := New("recorded", row.options())
	if err != nil {
		return err
	}
	var streamed strings.Builder
	var options []llms.CallOption
	if row.SSE != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			if isAnswer(ctx) {
				streamed.Write(chunk)
			}
			return nil
		}))
	}
	r, err := m.GenerateContent(context.Background(), ask("q"), options...)
	want := row.plain()
	if want.failed {
		e := new(Error)
		if !errors.As(err, &e) {
			return fmt.Errorf("%s: got %v, want an *Error", row.Label, err)
		}
		if row.Status >= 300 && e.HTTPStatus() != row.Status || want.message != "" && e.Message() != want.message {
			return fmt.Errorf("%s: got status %d, %q, want %d, %q", row.Label, e.HTTPStatus(), e.Message(), row.Status, want.message)
		}
		if e.Code() != want.code {
			return fmt.Errorf("%s: got code %q, want %q", row.Label, e.Code(), want.code)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", row.Label, err)
	}
	return want.compare(row.Label, r, streamed.String(), row.SSE != nil)
}

// plain is the content of a recording, read without any of this package's code.
type plain struct {
	failed        bool
	message, code string
	choices       map[int]*plainChoice
	usage         map[string]any
}

type plainChoice struct {
	content, finish string
	calls           map[int]*llms.FunctionCall
}

func (row recorded) plain() plain {
	out := plain{choices: map[int]*plainChoice{}}
	if row.SSE == nil {
		out.take([]byte(row.body()), "message")
	} else {
		for line := range strings.Lines(strings.ReplaceAll(*row.SSE, "\r", "")) {
			if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok && data != "[DONE]" {
				out.take([]byte(data), "delta")
			}
		}
	}
	for _, c := range out.choices {
		out.failed = out.failed || c.finish == ""
	}
	out.failed = out.failed || row.Status >= 300 || len(out.choices) == 0
	return out
}

func (p *plain) take(data []byte, part string) {
	var v map[string]any
	if json.Unmarshal(data, &v) != nil {
		p.failed = true
		return
	}
	if e, ok := v["error"].(map[string]any); ok {
		p.failed = true
		p.message, _ = e["message"].(string)
		if e["code"] != nil {
			p.code = fmt.Sprint(e["code"])
		}
	}
	if u, ok := v["usage"].(map[string]any); ok {
		p.usage = u
	}
	choices, _ := v["choices"].([]any)
	for _, raw := range choices {
		c := raw.(map[string]any)
		index := 0
		if f, ok := c["index"].(float64); ok {
			index = int(f)
		}
		into := p.choices[index]
		if into == nil {
			into = &plainChoice{calls: map[int]*llms.FunctionCall{}}
			p.choices[index] = into
		}
		if f, ok := c["finish_reason"].(string); ok {
			into.finish = f
		}
		d, _ := c[part].(map[string]any)
		text, _ := d["content"].(string)
		into.content += text
		calls, _ := d["tool_calls"].([]any)
		for i, raw := range calls {
			call := raw.(map[string]any)
			if f, ok := call["index"].(float64); ok {
				i = int(f)
			}
			if into.calls[i] == nil {
				into.calls[i] = &llms.FunctionCall{}
			}
			function, _ := call["function"].(map[string]any)
			name, _ := function["name"].(string)
			arguments, _ := function["arguments"].(string)
			into.calls[i].Name += name
			into.calls[i].Arguments += arguments
		}
	}
}

func (p plain) compare(label string, r *llms.ContentResponse, streamed string, stream bool) error {
	if len(r.Choices) != len(p.choices) {
		return fmt.Errorf("%s: %d choices, want %d", label, len(r.Choices), len(p.choices))
	}
	for i, c := range r.Choices {
		want := p.choices[i]
		if c.Content != want.content || c.StopReason != want.finish || len(c.ToolCalls) != len(want.calls) {
			return fmt.Errorf("%s: choice %d: %q, %s, %d calls; want %q, %s, %d", label, i, c.Content, c.StopReason, len(c.ToolCalls), want.content, want.finish, len(want.calls))
		}
		for j, t := range c.ToolCalls {
			if *t.FunctionCall != *want.calls[j] || t.ID == "" || t.Type != "function" {
				return fmt.Errorf("%s: call %d: %+v %+v, want %+v", label, j, t, *t.FunctionCall, *want.calls[j])
			}
		}
	}
	if stream && streamed != p.choices[0].content {
		return fmt.Errorf("%s: streamed %q, want %q", label, streamed, p.choices[0].content)
	}
	u, err := usage.Of(r)
	if p.usage == nil {
		if err == nil {
			return fmt.Errorf("%s: usage %+v out of nothing", label, u)
		}
		return nil
	}
	if in, out := p.usage["prompt_tokens"], p.usage["completion_tokens"]; err != nil || float64(u.Input) != in || float64(u.Output) != out {
		return fmt.Errorf("%s: usage %+v (%v), want %v and %v", label, u, err, in, out)
	}
	return nil
}

// resend makes the recorded call through our client and compares the body.
func (row recorded) resend() error {
	messages, options, err := row.call()
	if err != nil {
		return fmt.Errorf("%s: %w", row.Label, err)
	}
	if messages == nil {
		return nil // a request without messages, made to see the error
	}
	var sent map[string]any
	m, err := New(row.Request["model"].(string), &Options{BaseURL: "http://recorded/v1", HTTPClient: &http.Client{Transport: tap(func(body []byte) {
		_ = json.Unmarshal(body, &sent) // compared below
	})}})
	if err != nil {
		return err
	}
	_, _ = m.GenerateContent(context.Background(), messages, options...) // the tap answers nothing of use
	want := map[string]any{}
	for k, v := range row.Request {
		want[k] = v
	}
	want["messages"] = oneTextIsAString(want["messages"].([]any))
	for _, body := range []map[string]any{sent, want} {
		delete(body, "stream")
		delete(body, "stream_options")
	}
	if !reflect.DeepEqual(sent, want) {
		a, _ := json.Marshal(sent)
		b, _ := json.Marshal(want)
		return fmt.Errorf("%s: sent %s, want %s", row.Label, a, b)
	}
	return nil
}

// oneTextIsAString rewrites content that is a list of one text: the same to the
// protocol, and what our client sends.
func oneTextIsAString(messages []any) []any {
	for _, raw := range messages {
		m := raw.(map[string]any)
		if parts, ok := m["content"].([]any); ok && len(parts) == 1 {
			if p := parts[0].(map[string]any); p["type"] == "text" {
				m["content"] = p["text"]
			}
		}
	}
	return messages
}

// tap hands on what is sent and answers with an empty object.
type tap func(body []byte)

func (f tap) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	f(body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

// call turns a recorded request into langchaingo's messages and options.
func (row recorded) call() ([]llms.MessageContent, []llms.CallOption, error) {
	list, ok := row.Request["messages"].([]any)
	if !ok || len(list) == 0 {
		return nil, nil, nil
	}
	var messages []llms.MessageContent
	for _, raw := range list {
		m, err := recordedMessage(raw.(map[string]any))
		if err != nil {
			return nil, nil, err
		}
		messages = append(messages, m)
	}
	var options []llms.CallOption
	extra := map[string]any{}
	for key, v := range row.Request {
		number, isNumber := v.(float64)
		switch {
		case key == "model" || key == "messages" || key == "stream" || key == "stream_options":
		case key == "temperature" && isNumber:
			options = append(options, llms.WithTemperature(number))
		case key == "top_p" && isNumber:
			options = append(options, llms.WithTopP(number))
		case key == "seed" && isNumber:
			options = append(options, llms.WithSeed(int(number)))
		case key == "max_tokens" && isNumber:
			options = append(options, llms.WithMaxTokens(int(number)))
		case key == "n" && isNumber:
			options = append(options, llms.WithN(int(number)))
		default:
			extra[key] = v // tools too: clients put fields there that llms.Tool lacks
		}
	}
	return messages, append(options, llms.WithMetadata(map[string]any{MetadataExtra: extra})), nil
}

func recordedMessage(m map[string]any) (llms.MessageContent, error) {
	out := llms.MessageContent{Role: llms.ChatMessageType(m["role"].(string))}
	switch out.Role {
	case "assistant":
		out.Role = llms.ChatMessageTypeAI
	case "user":
		out.Role = llms.ChatMessageTypeHuman
	}
	if out.Role == llms.ChatMessageTypeTool {
		name, _ := m["name"].(string)
		content, ok := m["content"].(string)
		if !ok {
			return out, fmt.Errorf("a tool's result of type %T", m["content"])
		}
		out.Parts = []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m["tool_call_id"].(string), Name: name, Content: content}}
		return out, nil
	}
	switch content := m["content"].(type) {
	case string:
		if calls, _ := m["tool_calls"].([]any); content != "" || len(calls) == 0 {
			out.Parts = append(out.Parts, llms.TextPart(content))
		}
	case []any:
		for _, raw := range content {
			p := raw.(map[string]any)
			switch p["type"] {
			case "text":
				out.Parts = append(out.Parts, llms.TextPart(p["text"].(string)))
			case "image_url":
				image := p["image_url"].(map[string]any)
				detail, _ := image["detail"].(string)
				out.Parts = append(out.Parts, llms.ImageURLWithDetailPart(image["url"].(string), detail))
			default:
				return out, fmt.Errorf("a part of type %v", p["type"])
			}
		}
	}
	calls, _ := m["tool_calls"].([]any)
	for _, raw := range calls {
		c := raw.(map[string]any)
		f := c["function"].(map[string]any)
		out.Parts = append(out.Parts, llms.ToolCall{ID: c["id"].(string), Type: c["type"].(string),
			FunctionCall: &llms.FunctionCall{Name: f["name"].(string), Arguments: f["arguments"].(string)}})
	}
	return out, nil
}

func (row recorded) replayEmbeddings() error {
	e, err := NewEmbedder("recorded", row.options())
	if err != nil {
		return err
	}
	var want struct {
		Data []struct{ Embedding any }
	}
	if err := json.Unmarshal(row.Response, &want); err != nil {
		return fmt.Errorf("%s: %w", row.Label, err)
	}
	got, err := e.EmbedDocuments(context.Background(), make([]string, len(want.Data)))
	for i, d := range want.Data {
		n := 0
		switch v := d.Embedding.(type) {
		case string:
			b, _ := base64.StdEncoding.DecodeString(v)
			n = len(b) / 4
		case []any:
			if _, nested := v[0].([]any); nested { // llama.cpp with a model that isn't for embeddings: a vector a token
				if !errors.Is(err, ErrMalformed) {
					return fmt.Errorf("%s: got %v, want ErrMalformed", row.Label, err)
				}
				return nil
			}
			n = len(v)
		}
		if err != nil || len(got[i]) != n {
			return fmt.Errorf("%s: %w: %d dimensions, want %d", row.Label, err, len(got[i]), n)
		}
	}
	return nil
}

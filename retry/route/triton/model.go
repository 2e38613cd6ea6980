package triton

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// A Model is a text model with Triton's generate extension, such as the ensemble of
// the TensorRT-LLM backend. It is safe for concurrent use.
type Model struct {
	*Client
	name string
}

// NewModel returns a model of a server; nil options mean the defaults. It fails with
// [ErrOption].
func NewModel(address, model string, o *Options) (*Model, error) {
	if model == "" {
		return nil, fmt.Errorf("%w: the model's name is empty", ErrOption)
	}
	c, err := New(address, o)
	if err != nil {
		return nil, err
	}
	return &Model{c, model}, nil
}

// Check reports whether the server can run the model.
func (m *Model) Check(ctx context.Context) error { return m.ModelReady(ctx, m.name) }

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model. A stop reason isn't part of the protocol, so
// none is reported.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	return engine.Generate(ctx, messages, options, m.o.Prompt, m.ask)
}

// generated is an answer, or one event of a stream.
type generated struct {
	Text  json.RawMessage `json:"text_output"`
	Error string          `json:"error"`
}

func (g *generated) text() (string, error) {
	if g.Error != "" {
		// The status is a success all the same.
		return "", translate(&engine.StatusError{Status: http.StatusInternalServerError, Text: g.Error})
	}
	var text string
	var several []string
	switch {
	case json.Unmarshal(g.Text, &text) == nil:
		return text, nil
	case json.Unmarshal(g.Text, &several) == nil:
		return strings.Join(several, ""), nil
	}
	return "", engine.Malformed(fmt.Errorf("text_output is %.80q", g.Text))
}

func (m *Model) ask(ctx context.Context, r *engine.Request) (*engine.Answer, error) {
	body := map[string]any{}
	for k, v := range m.o.Parameters {
		body[k] = v
	}
	body["text_input"] = r.Prompt
	for _, s := range []struct {
		field callopt.Field
		name  string
		value any
	}{
		{callopt.MaxTokens, "max_tokens", r.MaxTokens}, {callopt.Temperature, "temperature", r.Temperature}, {callopt.TopP, "top_p", r.TopP},
		{callopt.TopK, "top_k", r.TopK}, {callopt.Seed, "random_seed", r.Seed}, {callopt.RepetitionPenalty, "repetition_penalty", r.RepetitionPenalty},
	} {
		if r.Has(s.field) {
			body[s.name] = s.value
		}
	}
	if len(r.StopWords) > 0 {
		body["stop_words"] = r.StopWords
	}
	path := "/v2/models/" + url.PathEscape(m.name)
	if r.Emit == nil {
		data, err := m.c.Post(ctx, path+"/generate", body)
		if err != nil {
			return nil, translate(err)
		}
		var g generated
		if err = json.Unmarshal(data, &g); err != nil {
			return nil, engine.Malformed(err)
		}
		text, err := g.text()
		return &engine.Answer{Text: text}, err
	}
	body["stream"] = true
	var all strings.Builder
	events := 0
	err := m.c.Events(ctx, path+"/generate_stream", body, func(data []byte) error {
		var g generated
		if err := json.Unmarshal(data, &g); err != nil {
			return engine.Malformed(err)
		}
		text, err := g.text()
		if err != nil {
			return err
		}
		events++
		if all.WriteString(text); all.Len() > engine.MaxBody {
			return engine.Malformed(fmt.Errorf("it has more than %d bytes", engine.MaxBody))
		}
		return r.Emit(text)
	})
	if err == nil && events == 0 {
		err = fault.New(fault.ClassMalformed, fmt.Errorf("%w: the stream has no event", engine.ErrMalformed))
	}
	return &engine.Answer{Text: all.String()}, translate(err)
}

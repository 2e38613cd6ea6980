package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("llamacpp: invalid option")

// Options are the settings of a [Model].
type Options struct {
	// APIKey is sent as a bearer token. Default: "", none.
	APIKey string
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Model is one server of llama.cpp (llama-server) or of llama-cpp-python. It is safe
// for concurrent use.
type Model struct {
	*openai.Model
	c *engine.Client
}

// New returns a model of a server, whose address is without /v1; nil options mean the
// defaults. It fails with [ErrOption].
func New(address, model string, o *Options) (*Model, error) {
	if o == nil {
		o = &Options{}
	}
	c, m, err := engine.OpenAI(address, "/v1", model, openai.Options{APIKey: o.APIKey, Header: o.Header, HTTPClient: o.HTTPClient, TokensField: openai.TokensFieldMaxTokens})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return &Model{m, c}, nil
}

// Check reports whether the server is up: by /health of llama-server, or by
// /v1/models of llama-cpp-python, which has no health address.
func (m *Model) Check(ctx context.Context) error {
	_, err := m.c.Get(ctx, "/health")
	var e *engine.StatusError
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		_, err = m.c.Get(ctx, "/v1/models")
	}
	return err
}

// ErrMetrics is wrapped by the error of a server whose /metrics lacks the queue.
var ErrMetrics = errors.New("llamacpp: the metrics have no queue: start llama-server with --metrics")

// Load reads the queue of a llama-server that was started with --metrics. The names
// are those of its documentation.
func (m *Model) Load(ctx context.Context) (route.Load, error) {
	text, err := m.c.Get(ctx, "/metrics")
	if err != nil {
		return route.Load{}, err
	}
	const processing, deferred, usage = "llamacpp:requests_processing", "llamacpp:requests_deferred", "llamacpp:kv_cache_usage_ratio"
	g := engine.Metrics(text, processing, deferred, usage)
	if g[deferred].N == 0 {
		return route.Load{}, ErrMetrics
	}
	return route.Load{Waiting: g[deferred].Count(), Running: g[processing].Count(), CacheUsage: g[usage].Max}, nil
}

// GenerateContent implements llms.Model. It evens out what the servers do
// differently from OpenAI; the package comment has the list.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	o := callopt.Resolve(options)
	if extra, changed := schema(o.Metadata); changed {
		options = append(options[:len(options):len(options)], llms.WithMetadata(extra))
	}
	r, err := m.Model.GenerateContent(ctx, messages, options...)
	if err != nil {
		return nil, translate(err)
	}
	if o.ToolChoice == "required" && len(o.Tools) > 0 && len(r.Choices) > 0 && len(r.Choices[0].ToolCalls) == 0 {
		return nil, fault.New(fault.ClassMalformed, errors.New("llamacpp: a tool call is required, and the answer has none: the server doesn't enforce it"))
	}
	return r, nil
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

// schema turns OpenAI's response_format of type json_schema into the servers' own
// form, json_object with a schema.
func schema(metadata map[string]any) (map[string]any, bool) {
	extra, _ := metadata[openai.MetadataExtra].(map[string]any)
	format, _ := extra["response_format"].(map[string]any)
	if format["type"] != "json_schema" {
		return nil, false
	}
	own := map[string]any{"type": "json_object"}
	if s, ok := format["json_schema"].(map[string]any); ok {
		own["schema"] = s["schema"]
	}
	metadata, extra = maps.Clone(metadata), maps.Clone(extra)
	extra["response_format"] = own
	metadata[openai.MetadataExtra] = extra
	return metadata, true
}

// translate corrects the class of an error, and leaves out stack traces and paths of
// files: a bad request is status 500 with both of them.
func translate(err error) error {
	var e *openai.Error
	if !errors.As(err, &e) || e.HTTPStatus() != http.StatusInternalServerError {
		return err
	}
	text := e.Message()
	class := fault.ClassServerError
	if strings.Contains(text, "validation error") || strings.Contains(text, "JSON decode error") {
		class = fault.ClassInvalidRequest
	}
	if trace := strings.Index(text, "\n  File \""); trace >= 0 {
		text = text[:trace]
	}
	f := fault.New(class, errors.New("llamacpp: "+strings.TrimSpace(text)))
	f.Status = e.HTTPStatus()
	return f
}

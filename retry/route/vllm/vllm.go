package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("vllm: invalid option")

// Options are the settings of a [Model].
type Options struct {
	// APIKey is sent as a bearer token. Default: "", none.
	APIKey string
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Model is one vLLM server. It is safe for concurrent use.
type Model struct {
	*openai.Model
	c    *engine.Client
	name string
}

// New returns a model of a server, whose address is without /v1; nil options mean the
// defaults. model is the name under which it is served. It fails with [ErrOption].
func New(address, model string, o *Options) (*Model, error) {
	if o == nil {
		o = &Options{}
	}
	c, m, err := engine.OpenAI(address, "/v1", model, openai.Options{APIKey: o.APIKey, Header: o.Header, HTTPClient: o.HTTPClient})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return &Model{m, c, model}, nil
}

// Check reports whether the server is up. It is made for route.Target.Check. vLLM's
// /health shows that the engine's loop runs. It stays green when a GPU hangs, so give
// the pool timeouts as well.
func (m *Model) Check(ctx context.Context) error {
	_, err := m.c.Get(ctx, "/health")
	return err
}

// Metrics are what a server reports of its engines, summed over them.
type Metrics struct {
	Running, Waiting int
	CacheUsage       float64 // the used share of the KV cache, of the fullest engine
	// PrefixQueries and PrefixHits count prompt tokens since the start: all, and
	// those that were found in the prefix cache.
	PrefixQueries, PrefixHits float64
	Preemptions               float64
}

// The names of the metrics; the second of a pair is that of older releases.
const (
	running    = "vllm:num_requests_running"
	waiting    = "vllm:num_requests_waiting"
	usage      = "vllm:kv_cache_usage_perc"
	usageOld   = "vllm:gpu_cache_usage_perc"
	queries    = "vllm:prefix_cache_queries_total"
	queriesOld = "vllm:gpu_prefix_cache_queries_total"
	hits       = "vllm:prefix_cache_hits_total"
	hitsOld    = "vllm:gpu_prefix_cache_hits_total"
	preempted  = "vllm:num_preemptions_total"
)

// ErrMetrics is wrapped by the error of a server whose /metrics lacks the queue.
var ErrMetrics = errors.New("vllm: the metrics have no queue")

// Metrics reads /metrics.
func (m *Model) Metrics(ctx context.Context) (Metrics, error) {
	text, err := m.c.Get(ctx, "/metrics")
	if err != nil {
		return Metrics{}, err
	}
	return ParseMetrics(text)
}

// ParseMetrics reads the text of /metrics. Names of older releases are known too.
func ParseMetrics(text []byte) (Metrics, error) {
	g := engine.Metrics(text, running, waiting, usage, usageOld, queries, queriesOld, hits, hitsOld, preempted)
	w, ok := g[waiting]
	if !ok {
		return Metrics{}, ErrMetrics
	}
	return Metrics{
		Running: g[running].Count(), Waiting: w.Count(), CacheUsage: max(g[usage].Max, g[usageOld].Max),
		PrefixQueries: max(g[queries].Sum, g[queriesOld].Sum), PrefixHits: max(g[hits].Sum, g[hitsOld].Sum), Preemptions: g[preempted].Sum,
	}, nil
}

// Load reads the queue. It is made for route.Target.Load.
func (m *Model) Load(ctx context.Context) (route.Load, error) {
	r, err := m.Metrics(ctx)
	return route.Load{Waiting: r.Waiting, Running: r.Running, CacheUsage: r.CacheUsage}, err
}

// Tokens counts a text with the server's own tokenizer.
func (m *Model) Tokens(ctx context.Context, text string) (int, error) {
	data, err := m.c.Post(ctx, "/tokenize", map[string]any{"model": m.name, "prompt": text})
	if err != nil {
		return 0, err
	}
	var r struct {
		Count *int `json:"count"`
	}
	if err = json.Unmarshal(data, &r); err != nil || r.Count == nil {
		return 0, engine.Malformed(fmt.Errorf("/tokenize has no count: %w", err))
	}
	return *r.Count, nil
}

// Window returns the context window, for route.Target.WindowTokens.
func (m *Model) Window(ctx context.Context) (int, error) {
	data, err := m.c.Get(ctx, "/v1/models")
	if err != nil {
		return 0, err
	}
	var r struct {
		Data []struct {
			ID     string `json:"id"`
			Window int    `json:"max_model_len"`
		} `json:"data"`
	}
	if err = json.Unmarshal(data, &r); err != nil {
		return 0, engine.Malformed(err)
	}
	for _, d := range r.Data {
		if d.ID == m.name {
			return d.Window, nil
		}
	}
	return 0, fault.New(fault.ClassNotFound, fmt.Errorf("vllm: the server has no model %q", m.name))
}

// choicesKey is the key of CallOptions.Metadata under which WithChoice keeps what
// the answer must be.
const choicesKey = "vllm:choices"

// WithChoice asks for an answer that is one of some texts. The server constrains the
// generation, and the answer is checked: a release that doesn't know the parameter
// ignores it and answers with status 200. An answer that isn't one of them, and
// wasn't cut by a token limit either, is an error of class malformed.
func WithChoice(choices ...string) llms.CallOption {
	choices = slices.Clone(choices)
	return func(o *llms.CallOptions) {
		o.Metadata = maps.Clone(o.Metadata)
		if o.Metadata == nil {
			o.Metadata = map[string]any{}
		}
		extra, _ := o.Metadata[openai.MetadataExtra].(map[string]any)
		extra = maps.Clone(extra)
		if extra == nil {
			extra = map[string]any{}
		}
		extra["structured_outputs"] = map[string]any{"choice": choices}
		o.Metadata[openai.MetadataExtra] = extra
		o.Metadata[choicesKey] = choices
	}
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	r, err := m.Model.GenerateContent(ctx, messages, options...)
	if err != nil {
		return nil, err
	}
	o := callopt.Resolve(options)
	choices, _ := o.Metadata[choicesKey].([]string)
	for _, c := range r.Choices {
		if choices != nil && !slices.Contains(choices, c.Content) && c.StopReason != "length" {
			return nil, fault.New(fault.ClassMalformed, errors.New("vllm: the answer isn't one of the choices: the server has ignored structured_outputs"))
		}
	}
	return r, nil
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

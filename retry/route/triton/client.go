package triton

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("triton: invalid option")

// Options are the settings of a [Client] or a [Model].
type Options struct {
	// Prompt makes the text of messages, with the template that the model was trained
	// with. Default: lines of "role: text", or the text alone for one message.
	Prompt func([]llms.MessageContent) (string, error)
	// Parameters are sent with each generate request. Default: none.
	Parameters map[string]any
	// MetricsURL is the address of the metrics: they have a port of their own.
	// Default: "", then Load fails.
	MetricsURL string
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Client uses the Open Inference Protocol, version 2, of Triton and KServe: any
// model with tensors, such as an embedder or a classifier. It is safe for concurrent
// use.
type Client struct {
	o       Options
	c       *engine.Client
	metrics *engine.Client
}

// New returns a client of a server; nil options mean the defaults. It fails with
// [ErrOption].
func New(address string, o *Options) (*Client, error) {
	c := &Client{}
	if o != nil {
		c.o = *o
	}
	var err error
	if c.c, err = engine.NewClient(address, c.o.Header, c.o.HTTPClient); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	if c.o.MetricsURL != "" {
		if c.metrics, err = engine.NewClient(c.o.MetricsURL, nil, c.o.HTTPClient); err != nil {
			return nil, fmt.Errorf("%w: Options.MetricsURL: %w", ErrOption, err)
		}
	}
	if c.o.Prompt == nil {
		c.o.Prompt = engine.Prompt
	}
	return c, nil
}

// Ready reports whether the server is ready.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.c.Get(ctx, "/v2/health/ready")
	return translate(err)
}

// ModelReady reports whether a model can be run. Triton answers 400 for one that it
// doesn't know.
func (c *Client) ModelReady(ctx context.Context, model string) error {
	_, err := c.c.Get(ctx, "/v2/models/"+url.PathEscape(model)+"/ready")
	return translate(err)
}

// ErrMetrics is wrapped by the error of Load without metrics of a queue.
var ErrMetrics = errors.New("triton: there are no metrics of a queue")

// Load reads how many requests wait for their execution, of all models.
func (c *Client) Load(ctx context.Context) (route.Load, error) {
	if c.metrics == nil {
		return route.Load{}, fmt.Errorf("%w: Options.MetricsURL is empty", ErrMetrics)
	}
	text, err := c.metrics.Get(ctx, "")
	if err != nil {
		return route.Load{}, err
	}
	const pending = "nv_inference_pending_request_count"
	g := engine.Metrics(text, pending)[pending]
	if g.N == 0 {
		return route.Load{}, ErrMetrics
	}
	return route.Load{Waiting: g.Count()}, nil
}

// Metadata is what a server reports of a model.
type Metadata struct {
	Name     string       `json:"name"`
	Versions []string     `json:"versions"`
	Platform string       `json:"platform"`
	Inputs   []TensorSpec `json:"inputs"`
	Outputs  []TensorSpec `json:"outputs"`
}

// A TensorSpec is the name, type and shape of a tensor; -1 is any size.
type TensorSpec struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
}

// Metadata returns what the server reports of a model. KServe's Python server leaves
// out inputs and outputs.
func (c *Client) Metadata(ctx context.Context, model string) (*Metadata, error) {
	data, err := c.c.Get(ctx, "/v2/models/"+url.PathEscape(model))
	if err != nil {
		return nil, translate(err)
	}
	m := &Metadata{}
	if err = json.Unmarshal(data, m); err != nil {
		return nil, engine.Malformed(err)
	}
	return m, nil
}

// An InferRequest is a request to a model.
type InferRequest struct {
	ID      string
	Inputs  []Tensor
	Outputs []string // the names to return; empty: all
	// Binary sends and asks for tensors as bytes after the JSON: shorter, and without
	// rounding. KServe's Python server takes only JSON. Default: false.
	Binary bool
}

// An InferResponse is a model's answer.
type InferResponse struct {
	ID      string
	Model   string
	Version string
	Outputs []Tensor
}

// Output returns the output of a name, or nil.
func (r *InferResponse) Output(name string) *Tensor {
	for i := range r.Outputs {
		if r.Outputs[i].Name == name {
			return &r.Outputs[i]
		}
	}
	return nil
}

// The header that splits a body into JSON and bytes.
const jsonLength = "Inference-Header-Content-Length"

// Infer runs a model once.
func (c *Client) Infer(ctx context.Context, model string, r *InferRequest) (*InferResponse, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the request of Infer is nil", ErrOption)
	}
	body, header, err := r.encode()
	if err != nil {
		return nil, err
	}
	data, head, err := c.c.Exchange(ctx, http.MethodPost, "/v2/models/"+url.PathEscape(model)+"/infer", body, header)
	if err != nil {
		return nil, translate(err)
	}
	split := len(data)
	if h := head.Get(jsonLength); h != "" {
		if split, err = strconv.Atoi(h); err != nil || split < 0 || split > len(data) {
			return nil, engine.Malformed(fmt.Errorf("%s is %.40q, and the body has %d bytes", jsonLength, h, len(data)))
		}
	}
	return decodeResponse(data[:split], data[split:])
}

// translate finds the caller's mistakes among the errors: Triton reports bad shapes
// and bad JSON with status 500.
func translate(err error) error {
	var e *engine.StatusError
	if !errors.As(err, &e) {
		return err
	}
	class := fault.ClassUnknown
	for words, c := range map[string]fault.Class{
		"Unable to parse": fault.ClassInvalidRequest, "failed to parse the request JSON": fault.ClassInvalidRequest, "unexpected shape": fault.ClassInvalidRequest,
		"expects model to produce exactly 1 response": fault.ClassInvalidRequest, "unexpected inference input": fault.ClassInvalidRequest,
		"unknown model": fault.ClassNotFound, "does not exist": fault.ClassNotFound, "Model version not ready": fault.ClassNotFound,
		"Exceeds maximum queue size": fault.ClassOverloaded,
	} {
		if strings.Contains(e.Text, words) {
			class = c
		}
	}
	if class == fault.ClassUnknown {
		return err
	}
	f := fault.New(class, err)
	f.Status, f.Message = e.Status, e.Text
	return f
}

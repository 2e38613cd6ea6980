package rayserve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("rayserve: invalid option")

// Options are the settings of a [Model].
type Options struct {
	// Path is where the application serves OpenAI's routes. Default: "/v1".
	Path string
	// MetricsURL is the address of Ray's metrics, such as http://host:8080/metrics:
	// they have a port of their own on each node. Default: "", then Load fails.
	MetricsURL string
	// Deployment is the deployment whose queue counts. Default: "", all together.
	Deployment string
	// APIKey is sent as a bearer token. Default: "", none.
	APIKey string
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Model is an application of Ray Serve with OpenAI's routes, such as those of Ray
// Serve LLM. It is safe for concurrent use.
type Model struct {
	*openai.Model
	c, metrics *engine.Client
	deployment string
}

// New returns a model of an application, whose address is that of the HTTP proxy; nil
// options mean the defaults. It fails with [ErrOption].
func New(address, model string, o *Options) (*Model, error) {
	if o == nil {
		o = &Options{}
	}
	path := "/v1"
	if o.Path != "" {
		path = "/" + strings.Trim(o.Path, "/")
	}
	c, served, err := engine.OpenAI(address, path, model, openai.Options{APIKey: o.APIKey, Header: o.Header, HTTPClient: o.HTTPClient})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	m := &Model{Model: served, c: c, deployment: o.Deployment}
	if o.MetricsURL != "" {
		if m.metrics, err = engine.NewClient(o.MetricsURL, nil, o.HTTPClient); err != nil {
			return nil, fmt.Errorf("%w: Options.MetricsURL: %w", ErrOption, err)
		}
	}
	return m, nil
}

// Check reports whether the proxy is up and has routes: /-/healthz must answer
// "success".
func (m *Model) Check(ctx context.Context) error {
	body, err := m.c.Get(ctx, "/-/healthz")
	if err == nil && strings.TrimSpace(string(body)) != "success" {
		err = fmt.Errorf("rayserve: the health is %.80q, want \"success\"", body)
	}
	return err
}

// ErrMetrics is wrapped by the error of Load without metrics of a queue.
var ErrMetrics = errors.New("rayserve: there are no metrics of a queue")

// Load reads the queue of the deployments and the requests at their replicas.
func (m *Model) Load(ctx context.Context) (route.Load, error) {
	if m.metrics == nil {
		return route.Load{}, fmt.Errorf("%w: Options.MetricsURL is empty", ErrMetrics)
	}
	text, err := m.metrics.Get(ctx, "")
	if err != nil {
		return route.Load{}, err
	}
	if m.deployment != "" {
		var b strings.Builder
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, `deployment="`+m.deployment+`"`) {
				b.WriteString(line)
			}
		}
		text = []byte(b.String())
	}
	const queued, processing = "ray_serve_deployment_queued_queries", "ray_serve_replica_processing_queries"
	g := engine.Metrics(text, queued, processing)
	if g[queued].N == 0 {
		return route.Load{}, ErrMetrics
	}
	return route.Load{Waiting: g[queued].Count(), Running: g[processing].Count()}, nil
}

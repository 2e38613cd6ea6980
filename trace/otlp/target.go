package otlp

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// A Target is a place that receives traces.
type Target struct {
	Name    string            // for error messages
	URL     string            // of the traces, such as "http://127.0.0.1:6006/v1/traces"
	Headers map[string]string // such as an API key

	// MaxBytes is the largest body that the receiver accepts, before compression.
	// 0 means 4 MiB.
	MaxBytes int

	// Resource attributes are added to those of the tracer provider.
	Resource []attribute.KeyValue

	// Rewrite returns the attributes to send for a span's. nil sends them as they
	// are. It must not change its argument.
	Rewrite func(attributes []attribute.KeyValue) []attribute.KeyValue
}

// join appends a path to a base address.
func join(base, path string) string { return strings.TrimRight(base, "/") + path }

// Collector is an OpenTelemetry Collector, or any other receiver of OTLP over HTTP,
// at a base address such as "http://127.0.0.1:4318".
func Collector(base string) Target {
	return Target{Name: "collector", URL: join(base, "/v1/traces")}
}

// Phoenix is an Arize Phoenix at a base address such as "http://127.0.0.1:6006";
// project is the project's name there, "" for its default. Wrap with
// Options.OpenInference of package trace, since Phoenix shows more of it.
func Phoenix(base, project string) Target {
	t := Target{Name: "Phoenix", URL: join(base, "/v1/traces")}
	if project != "" {
		t.Resource = []attribute.KeyValue{attribute.String("openinference.project.name", project)}
	}
	return t
}

// Honeycomb is Honeycomb with the key of an environment. dataset is needed for
// classic keys only; otherwise spans go into the data set of their service.name, and
// it is "". For its EU instance set URL to https://api.eu1.honeycomb.io/v1/traces.
func Honeycomb(key, dataset string) Target {
	t := Target{Name: "Honeycomb", URL: "https://api.honeycomb.io/v1/traces", Headers: map[string]string{"x-honeycomb-team": key}, MaxBytes: 15 << 20}
	if dataset != "" {
		t.Headers["x-honeycomb-dataset"] = dataset
	}
	return t
}

// LangSmith is LangSmith with an API key; project is the project's name there, ""
// for its default. It gets its own attributes and the older gen_ai names that it
// reads beside the others. For its EU instance set URL to
// https://eu.api.smith.langchain.com/otel/v1/traces.
func LangSmith(key, project string) Target {
	t := Target{Name: "LangSmith", URL: "https://api.smith.langchain.com/otel/v1/traces", Headers: map[string]string{"x-api-key": key}, Rewrite: langSmith}
	if project != "" {
		t.Headers["Langsmith-Project"] = project
	}
	return t
}

// Langfuse is a Langfuse at a base address such as "https://cloud.langfuse.com",
// with the two keys of a project. It gets usage in its own form, in which input
// excludes cached tokens.
func Langfuse(base, publicKey, secretKey string) Target {
	auth := base64.StdEncoding.EncodeToString([]byte(publicKey + ":" + secretKey))
	return Target{Name: "Langfuse", URL: join(base, "/api/public/otel/v1/traces"), Headers: map[string]string{"Authorization": "Basic " + auth}, Rewrite: langfuse}
}

// check refuses what cannot be sent to.
func (t *Target) check() error {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%w: Target.URL is %q: want an address that begins with http:// or https://", ErrOption, t.URL)
	}
	for name, value := range t.Headers {
		if name == "" || strings.ContainsAny(name, " \r\n:") || strings.ContainsAny(value, "\r\n") {
			return fmt.Errorf("%w: Target.Headers has a header %q that HTTP cannot carry", ErrOption, name)
		}
		if value == "" {
			return fmt.Errorf("%w: Target.Headers has no value for %q: the key is missing", ErrOption, name)
		}
	}
	if t.MaxBytes < 0 {
		return fmt.Errorf("%w: Target.MaxBytes is %d: want 0 (4 MiB) or more", ErrOption, t.MaxBytes)
	}
	return nil
}

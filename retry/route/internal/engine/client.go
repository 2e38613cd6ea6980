// Package engine has what the adapters of serving engines share: a small HTTP
// client with typed errors, a reader of metrics, and the frame of a model that
// generates text.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// The bounds of what is read.
const (
	MaxBody  = 64 << 20
	MaxLine  = 16 << 20
	maxError = 64 << 10
)

// A Client sends requests to one engine.
type Client struct {
	Base   string
	Header http.Header
	HTTP   *http.Client
}

// NewClient checks an address. A redirect is an error, because it would send the
// prompt to an address that the program didn't choose.
func NewClient(base string, header http.Header, client *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the address is %q: want an http or https address without a query", base)
	}
	c := &Client{Base: strings.TrimRight(base, "/"), Header: header.Clone(), HTTP: &http.Client{}}
	if client != nil {
		*c.HTTP = *client
	}
	if c.HTTP.CheckRedirect == nil {
		c.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// A StatusError is an answer with a status that isn't a success, or an error in the
// body of one. fault.FromError reads it.
type StatusError struct {
	Status  int
	Head    http.Header
	Content []byte
	Text    string // the engine's message, if it was found
	Kind    string // the engine's own code
	Request string // method and path, if the status is the response's
}

// Error names the request, the status and the engine's message.
func (e *StatusError) Error() string {
	text := e.Text
	if text == "" {
		text = strings.TrimSpace(string(e.Content[:min(len(e.Content), 200)]))
	}
	if e.Request != "" {
		return fmt.Sprintf("%s: status %d: %s", e.Request, e.Status, text)
	}
	return fmt.Sprintf("status %d: %s", e.Status, text)
}

// HTTPStatus returns the status.
func (e *StatusError) HTTPStatus() int { return e.Status }

// Code returns the engine's own code.
func (e *StatusError) Code() string { return e.Kind }

// Header returns the response's header.
func (e *StatusError) Header() http.Header { return e.Head }

// Body returns the beginning of the response's body.
func (e *StatusError) Body() []byte { return e.Content }

// RetryAfter returns the wait that the engine asked for.
func (e *StatusError) RetryAfter() (time.Duration, bool) { return fault.RetryAfter(e.Head, time.Now()) }

// ErrMalformed is wrapped by the error of an answer that can't be read.
var ErrMalformed = errors.New("the answer is malformed")

// Malformed is the error of an answer that can't be read.
func Malformed(cause error) error {
	return fault.New(fault.ClassMalformed, fmt.Errorf("%w: %w", ErrMalformed, cause))
}

// Send sends a request and returns its response if the status is a success; the
// caller closes the body. A body that isn't []byte is sent as JSON; nil is none.
func (c *Client) Send(ctx context.Context, method, path string, body any, header http.Header) (*http.Response, error) {
	var content []byte
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		content, contentType = b, "application/octet-stream"
	default:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(body); err != nil {
			return nil, fault.New(fault.ClassInvalidRequest, fmt.Errorf("the request can't be written as JSON: %w", err))
		}
		content = buf.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	for _, h := range []http.Header{c.Header, header} {
		for name, values := range h {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fault.FromError(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	content, _ = io.ReadAll(io.LimitReader(resp.Body, maxError))
	return nil, &StatusError{Status: resp.StatusCode, Head: resp.Header, Content: content, Text: Message(content), Request: method + " " + path}
}

// Get returns the body of a GET.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	data, _, err := c.Exchange(ctx, http.MethodGet, path, nil, nil)
	return data, err
}

// Post sends JSON and returns the answer's body.
func (c *Client) Post(ctx context.Context, path string, body any) ([]byte, error) {
	data, _, err := c.Exchange(ctx, http.MethodPost, path, body, nil)
	return data, err
}

// Exchange sends a request and returns the body and the header of its answer.
func (c *Client) Exchange(ctx context.Context, method, path string, body any, header http.Header) ([]byte, http.Header, error) {
	resp, err := c.Send(ctx, method, path, body, header)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	data, err := Read(ctx, resp.Body)
	return data, resp.Header, err
}

// Read returns a whole body.
func Read(ctx context.Context, body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, MaxBody+1))
	if err != nil {
		return nil, Broken(ctx, err)
	}
	if len(data) > MaxBody {
		return nil, Malformed(fmt.Errorf("it has more than %d bytes", MaxBody))
	}
	return data, nil
}

// Broken is the error of a body that ended too early.
func Broken(ctx context.Context, err error) error {
	if done := ctx.Err(); done != nil {
		return fault.FromContext(done, err)
	}
	return fault.New(fault.ClassMalformed, err)
}

// Message finds the words of an engine in the body of an error: {"error": "…"} of
// Triton, KServe, Ollama and BentoML, {"error": {"message": "…"}} of OpenAI's form,
// and {"detail": …} of FastAPI.
func Message(body []byte) string {
	var o struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &o) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{o.Error, o.Detail} {
		var text string
		var object struct {
			Message string `json:"message"`
		}
		var list []struct {
			Loc []any  `json:"loc"`
			Msg string `json:"msg"`
		}
		switch {
		case len(raw) == 0:
		case json.Unmarshal(raw, &text) == nil && text != "":
			return text
		case json.Unmarshal(raw, &object) == nil && object.Message != "":
			return object.Message
		case json.Unmarshal(raw, &list) == nil && len(list) > 0:
			parts := make([]string, len(list))
			for i, l := range list {
				parts[i] = strings.Trim(fmt.Sprint(l.Loc...)+": "+l.Msg, ": ")
			}
			return strings.Join(parts, "; ")
		}
	}
	return ""
}

package openai

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
)

// Options configure a [Model] or an [Embedder]. The zero value sends requests to
// OpenAI without a key. Nothing is read from the environment.
type Options struct {
	// BaseURL is the address that "/chat/completions" is appended to. For Azure
	// it is the resource's address without a path. Default:
	// https://api.openai.com/v1.
	BaseURL string

	// APIKey authenticates: as a bearer token, or on Azure as an api-key header.
	// Default: "", none is sent.
	APIKey string

	// Organization and Project are OpenAI's. Default: "", none is sent.
	Organization, Project string

	// Header is added to every request. Default: none.
	Header http.Header

	// HTTPClient sends the requests. A redirect is an error unless the client has a
	// CheckRedirect of its own, because it would send the prompt, and on Azure the
	// key, to an address that the program didn't choose. Default: a client without a
	// timeout, whose calls end with their context.
	HTTPClient *http.Client

	// Azure switches to Azure OpenAI's paths, where a model's name is that of
	// its deployment. Default: nil, OpenAI's paths.
	Azure *Azure

	// TokensField is the name under which a token limit is sent. See its values.
	// Default: TokensFieldAuto, the zero value.
	TokensField TokensField

	// NoStreamUsage leaves out stream_options for servers that refuse it.
	// Streamed answers then carry no usage. Default: false.
	NoStreamUsage bool

	// Dimensions is the length of the vectors that an [Embedder] asks for. Not
	// every model can shorten them. Default: 0, the model's own.
	Dimensions int

	// MaxLineBytes bounds one event of a stream. Default: 16 MiB.
	MaxLineBytes int

	// MaxBodyBytes bounds a whole answer that isn't streamed. Default: 64 MiB.
	MaxBodyBytes int
}

// Azure is what Azure OpenAI needs beside the options.
type Azure struct {
	APIVersion string // required, such as "2024-10-21"
	Bearer     bool   // the key is a Microsoft Entra token
}

// A TokensField is the name under which llms.WithMaxTokens is sent.
//
// OpenAI replaced max_tokens by max_completion_tokens. Its reasoning models refuse
// the old name, and other servers, such as DeepSeek's, ignore the new one. A limit
// that is ignored makes long and expensive answers.
type TokensField uint8

// The names.
const (
	TokensFieldAuto                TokensField = iota // the new name at api.openai.com and for OpenAI's reasoning models, else the old one
	TokensFieldMaxTokens                              // max_tokens
	TokensFieldMaxCompletionTokens                    // max_completion_tokens
)

// The defaults of Options.
const (
	defaultBaseURL = "https://api.openai.com/v1"
	defaultLine    = 16 << 20
	defaultBody    = 64 << 20

	// maxLimit keeps sums with a limit from overflowing an int of 32 bits.
	maxLimit = 1 << 30
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work. It is also wrapped by the error of a call whose options or messages
// can't be sent.
var ErrOption = errors.New("openai: invalid option")

// client sends requests and turns what goes wrong into an [*Error].
type client struct {
	o    Options
	http *http.Client
}

func newClient(model string, o *Options) (*client, error) {
	c := &client{}
	if o != nil {
		c.o = *o
		c.o.Header = o.Header.Clone()
		if o.Azure != nil {
			azure := *o.Azure
			c.o.Azure = &azure
		}
	}
	if model == "" {
		return nil, fmt.Errorf("%w: the model's name is empty", ErrOption)
	}
	if err := c.o.check(); err != nil {
		return nil, err
	}
	c.o.BaseURL = strings.TrimRight(c.o.BaseURL, "/")
	c.o.MaxLineBytes = limit(c.o.MaxLineBytes, defaultLine)
	c.o.MaxBodyBytes = limit(c.o.MaxBodyBytes, defaultBody)
	c.http = &http.Client{}
	if c.o.HTTPClient != nil {
		*c.http = *c.o.HTTPClient
	}
	if c.http.CheckRedirect == nil {
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// check sets BaseURL if it is not set, and returns an error for a value that can't
// work.
func (o *Options) check() error {
	if o.BaseURL == "" {
		if o.Azure != nil {
			return fmt.Errorf("%w: Options.BaseURL is empty: want the resource's address for Azure", ErrOption)
		}
		o.BaseURL = defaultBaseURL
	}
	if u, err := url.Parse(o.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%w: Options.BaseURL is %q: want an http or https address without a query", ErrOption, o.BaseURL)
	}
	if o.Azure != nil && o.Azure.APIVersion == "" {
		return fmt.Errorf("%w: Azure.APIVersion is empty: want one such as 2024-10-21", ErrOption)
	}
	if o.TokensField > TokensFieldMaxCompletionTokens {
		return fmt.Errorf("%w: Options.TokensField is %d: want one of its constants", ErrOption, o.TokensField)
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"Dimensions", o.Dimensions}, {"MaxLineBytes", o.MaxLineBytes}, {"MaxBodyBytes", o.MaxBodyBytes}} {
		if n.value < 0 {
			return fmt.Errorf("%w: Options.%s is %d: want 0 (the default) or more", ErrOption, n.name, n.value)
		}
	}
	return nil
}

func limit(n, byDefault int) int {
	if n == 0 {
		return byDefault
	}
	return min(n, maxLimit)
}

// address returns the URL of an endpoint such as "chat/completions".
func (c *client) address(model, endpoint string) string {
	if c.o.Azure == nil {
		return c.o.BaseURL + "/" + endpoint
	}
	return c.o.BaseURL + "/openai/deployments/" + url.PathEscape(model) + "/" + endpoint + "?api-version=" + url.QueryEscape(c.o.Azure.APIVersion)
}

// post sends a request and returns the response if its status is 2xx; the
// caller closes its body. Any other outcome is an [*Error].
func (c *client) post(ctx context.Context, address string, body any, stream bool) (*http.Response, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, fmt.Errorf("%w: the request can't be written as JSON: %w", ErrOption, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	for name, values := range c.o.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if stream {
		req.Header.Set("Accept", "text/event-stream")
	}
	switch {
	case c.o.APIKey == "":
	case c.o.Azure != nil && !c.o.Azure.Bearer:
		req.Header.Set("Api-Key", c.o.APIKey)
	default:
		req.Header.Set("Authorization", "Bearer "+c.o.APIKey)
	}
	if c.o.Organization != "" {
		req.Header.Set("OpenAI-Organization", c.o.Organization)
	}
	if c.o.Project != "" {
		req.Header.Set("OpenAI-Project", c.o.Project)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer func() { _ = resp.Body.Close() }() // what was read is what counts
		return nil, c.statusError(ctx, resp)
	}
	return resp, nil
}

// read returns a whole body, or an [*Error] if it is cut or too long.
func (c *client) read(ctx context.Context, resp *http.Response, body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, int64(c.o.MaxBodyBytes)+1))
	if err != nil {
		return nil, c.brokenError(ctx, resp, err, data)
	}
	if len(data) > c.o.MaxBodyBytes {
		return nil, c.brokenError(ctx, resp, fmt.Errorf("%w: the answer has more than %d bytes", ErrTooLarge, c.o.MaxBodyBytes), data)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), nil
}

// settleTime is how long a complete answer waits for the end of its transfer.
const settleTime = 50 * time.Millisecond

// settle reads what follows the end of a stream, mostly the few bytes that end the
// transfer. Only then can the connection be used again, so that the next call needs
// no handshake. If a server keeps the stream open, the connection is closed.
func settle(body io.Reader, hangUp context.CancelFunc) {
	timer := time.AfterFunc(settleTime, hangUp)
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, 4<<10) // the answer is complete, whatever comes
}

package bedrock

import (
	"bufio"
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

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is missing.
var ErrOption = errors.New("bedrock: invalid option")

// ErrIncomplete is wrapped by the error of a stream that ended without a stop reason.
var ErrIncomplete = errors.New("bedrock: the stream ended before the answer did")

// Options are the settings of a [Model].
type Options struct {
	// Address is where requests are sent. Default: the region's own endpoint.
	Address string
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
	// Now is the clock of the signatures. Default: time.Now.
	Now func() time.Time
}

// A Model is a model of Bedrock. It is safe for concurrent use.
type Model struct {
	o           Options
	http        *http.Client
	region, id  string
	credentials func(context.Context) (Credentials, error)
	family      family
}

// Keys returns a source of fixed credentials; token is "" for keys of a user.
func Keys(id, secret, token string) func(context.Context) (Credentials, error) {
	return func(context.Context) (Credentials, error) { return Credentials{id, secret, token}, nil }
}

// New returns a model; nil options mean the defaults. credentials is asked for each
// call, so temporary keys may change. It fails with [ErrOption].
func New(region, model string, credentials func(context.Context) (Credentials, error), o *Options) (*Model, error) {
	m := &Model{region: region, id: model, credentials: credentials}
	if o != nil {
		m.o = *o
	}
	if region == "" || strings.ContainsAny(region, "/:@?#. ") {
		return nil, fmt.Errorf("%w: the region is %q: want one such as us-east-1", ErrOption, region)
	}
	if credentials == nil {
		return nil, fmt.Errorf("%w: the credentials of New are nil", ErrOption)
	}
	var err error
	if m.family, err = familyOf(model); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	if m.o.Address == "" {
		m.o.Address = "https://bedrock-runtime." + region + ".amazonaws.com"
	}
	c, err := engine.NewClient(m.o.Address, nil, m.o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.Address: %w", ErrOption, err)
	}
	m.http, m.o.Address = c.HTTP, c.Base
	if m.o.Now == nil {
		m.o.Now = time.Now
	}
	return m, nil
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var all []turn
	return engine.Generate(ctx, messages, options, func(messages []llms.MessageContent) (_ string, err error) {
		all, err = turns(messages)
		return "", err
	}, func(ctx context.Context, r *engine.Request) (*engine.Answer, error) { return m.ask(ctx, all, r) })
}

func (m *Model) ask(ctx context.Context, all []turn, r *engine.Request) (*engine.Answer, error) {
	stream := r.Emit != nil && m.family.event != nil
	resp, err := m.send(ctx, m.family.request(all, &r.Options), stream)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	if stream {
		return m.stream(ctx, resp.Body, r.Emit)
	}
	data, err := engine.Read(ctx, resp.Body)
	if err != nil {
		return nil, err
	}
	p, err := m.family.answer(data)
	if err != nil {
		return nil, engine.Malformed(err)
	}
	if p.stop == "" && p.text == "" {
		return nil, engine.Malformed(errors.New("there is no answer in it"))
	}
	if r.Emit != nil {
		if err := r.Emit(p.text); err != nil {
			return nil, err
		}
	}
	return &engine.Answer{Text: p.text, StopReason: p.stop, Info: p.info()}, nil
}

// info is the usage in the form that other clients have.
func (p *piece) info() map[string]any {
	if p.input < 0 || p.output < 0 {
		return nil
	}
	return map[string]any{"PromptTokens": p.input, "CompletionTokens": p.output, "TotalTokens": p.input + p.output}
}

// send signs and sends a request, and returns the response if it is a success.
func (m *Model) send(ctx context.Context, body map[string]any, stream bool) (*http.Response, error) {
	var content bytes.Buffer
	enc := json.NewEncoder(&content)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, fault.New(fault.ClassInvalidRequest, err)
	}
	operation := "/invoke"
	if stream {
		operation = "/invoke-with-response-stream"
	}
	// url.PathEscape leaves a colon as it is, and AWS doesn't.
	path := "/model/" + strings.ReplaceAll(url.PathEscape(m.id), ":", "%3A") + operation
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.o.Address+path, bytes.NewReader(content.Bytes()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if stream {
		req.Header.Set("X-Amzn-Bedrock-Accept", "*/*")
	} else {
		req.Header.Set("Accept", "*/*")
	}
	c, err := m.credentials(ctx)
	if err != nil {
		return nil, fault.New(fault.ClassAuth, fmt.Errorf("bedrock: there are no credentials: %w", err))
	}
	sign(req, content.Bytes(), c, m.region, "bedrock", m.o.Now())
	resp, err := m.http.Do(req)
	if err != nil {
		return nil, fault.FromError(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	name, _, _ := strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	return nil, &engine.StatusError{Status: resp.StatusCode, Head: resp.Header, Content: data, Text: message(data), Kind: name}
}

func message(data []byte) string {
	var o struct{ Message string }
	_ = json.Unmarshal(data, &o) // without one the body is shown
	return o.Message
}

// The statuses of the exceptions that come within a stream.
var exceptions = map[string]int{
	"throttlingException": 429, "validationException": 400, "internalServerException": 500, "serviceUnavailableException": 503,
	"modelTimeoutException": 408, "modelStreamErrorException": 424,
}

// stream reads frames to the end of the stream.
func (m *Model) stream(ctx context.Context, body io.Reader, emit func(string) error) (*engine.Answer, error) {
	r := bufio.NewReader(body)
	whole := piece{input: -1, output: -1}
	var text strings.Builder
	for {
		f, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errFrame) {
			return nil, engine.Malformed(err)
		}
		if err != nil {
			return nil, engine.Broken(ctx, err)
		}
		if kind := f.headers[":exception-type"]; kind != "" || f.headers[":message-type"] == "error" {
			status := exceptions[kind]
			if status == 0 {
				status = http.StatusInternalServerError
			}
			return nil, &engine.StatusError{Status: status, Content: f.payload, Text: message(f.payload), Kind: strings.ToUpper(kind[:min(1, len(kind))]) + kind[min(1, len(kind)):]}
		}
		var chunk struct{ Bytes []byte }
		if err := json.Unmarshal(f.payload, &chunk); err != nil {
			return nil, engine.Malformed(err)
		}
		if len(chunk.Bytes) == 0 {
			continue
		}
		p, err := m.family.event(chunk.Bytes)
		if err != nil {
			return nil, engine.Malformed(err)
		}
		if p.stop != "" {
			whole.stop = p.stop
		}
		whole.input, whole.output = max(whole.input, p.input), max(whole.output, p.output)
		if p.text == "" {
			continue
		}
		if text.WriteString(p.text); text.Len() > engine.MaxBody {
			return nil, engine.Malformed(fmt.Errorf("it has more than %d bytes", engine.MaxBody))
		}
		if err := emit(p.text); err != nil {
			return nil, err
		}
	}
	if whole.stop == "" {
		e := fault.New(fault.ClassStreamInterrupted, ErrIncomplete)
		e.Partial = &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text.String()}}}
		return nil, e
	}
	return &engine.Answer{Text: text.String(), StopReason: whole.stop, Info: whole.info()}, nil
}

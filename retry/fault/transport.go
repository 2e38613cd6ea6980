package fault

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// keptBody is how much of a body is kept to be classified.
const keptBody = 64 << 10

// A Transport records the HTTP exchange below a client that hides it, for a
// retry.Model. langchaingo's clients drop the headers, the provider's code and
// often the cause, and report a stream that was cut as a success. Each of them
// accepts an HTTP client:
//
//	client := &http.Client{Transport: &fault.Transport{}}
//	llm, err := anthropic.New(anthropic.WithHTTPClient(client))
//	model, err := retry.New(llm, nil)
//
// It records, in the request's context, the status, the headers, the beginning of
// the body, and whether a stream came to its end. It also sends the call's
// Idempotency-Key. retry.Model and retry.Do make requests inside an [Attempt]; any
// other request passes unchanged. A Transport is safe for concurrent use.
//
// It changes one thing that the client sees. The official SDKs of OpenAI and
// Anthropic retry by themselves, which multiplies with the retries here. They send
// X-Stainless-Retry-Count, and obey the response's X-Should-Retry, so a Transport
// sets X-Should-Retry: false on a failure. It can't stop their retries after a
// failed connection, nor those of AWS's SDK. These are reported as the event
// retry.nested.
type Transport struct {
	Base http.RoundTripper // nil means http.DefaultTransport
}

// HTTPClient returns an HTTP client like base, nil meaning the default one,
// whose exchanges a retry.Model sees. See [Transport].
func HTTPClient(base *http.Client) *http.Client {
	c := &http.Client{}
	if base != nil {
		*c = *base
	}
	c.Transport = &Transport{Base: c.Transport}
	return c
}

// RoundTrip implements http.RoundTripper. It returns an error only where Base does.
// If it returned its own error for a 429, some clients would replace it by one with
// less information.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	a := AttemptOf(req.Context())
	if a == nil {
		return base.RoundTrip(req)
	}
	if req.Header.Get("Idempotency-Key") == "" {
		req = req.Clone(req.Context()) // a RoundTripper must not change its request
		if req.Header == nil {
			req.Header = http.Header{}
		}
		req.Header.Set("Idempotency-Key", a.call.idempotencyKey(a))
	}
	if repeats(req.Header) {
		a.repeats.Add(1)
	}
	x := a.record()
	resp, err := base.RoundTrip(req)
	if err != nil {
		x.fail(err)
		return nil, err
	}
	if resp == nil { // http.Client's error is better
		x.fail(errNoResponse)
		return nil, nil // as Base has it
	}
	x.respond(resp)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, nil // its body is a connection, to be written to as well
	}
	if resp.Body == nil { // http.Client forgives it
		resp.Body = http.NoBody
	}
	if resp.StatusCode >= 300 {
		// Some clients don't read the whole of an error.
		head, _ := io.ReadAll(io.LimitReader(resp.Body, keptBody))
		x.observe(head, nil)
		resp.Body = readCloser{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
		if req.Header.Get(stainless) != "" {
			resp.Header = resp.Header.Clone() // what the server sent has been recorded
			if resp.Header == nil {
				resp.Header = http.Header{}
			}
			resp.Header.Set("X-Should-Retry", "false")
		}
		return resp, nil
	}
	resp.Body = &watchedBody{resp.Body, x}
	return resp, nil
}

var errNoResponse = errors.New("fault: the RoundTripper returned no response and no error")

// stainless is the header of the official SDKs' own retries.
const stainless = "X-Stainless-Retry-Count"

// repeats reports whether the headers show that a client has sent this request
// before.
func repeats(h http.Header) bool {
	if n := h.Get(stainless); n != "" {
		return n != "0"
	}
	n := h.Get("Amz-Sdk-Request") // "attempt=2; max=3"
	return strings.HasPrefix(n, "attempt=") && !strings.HasPrefix(n, "attempt=1;")
}

// CloseIdleConnections closes those of Base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}

type watchedBody struct {
	io.ReadCloser
	x *exchange
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.x.observe(p[:n], err)
	return n, err
}

// An exchange is what an attempt's last HTTP request and response looked like.
// A client may read the body on a goroutine of its own.
type exchange struct {
	mu     sync.Mutex
	err    error // RoundTrip's
	status int
	header http.Header

	body    []byte // its beginning
	length  int64
	readErr error // what ended the body, io.EOF included

	line     []byte // of a stream: the one being read
	problem  []byte // of a stream: the line that held an error
	ended    bool   // of a stream: the provider's end mark was seen
	finished bool   // of a stream: a choice has its finish_reason
}

func (x *exchange) fail(err error) {
	x.mu.Lock()
	x.err = err
	x.mu.Unlock()
}

func (x *exchange) respond(resp *http.Response) {
	x.mu.Lock()
	x.status, x.header = resp.StatusCode, resp.Header
	x.mu.Unlock()
}

func (x *exchange) observe(p []byte, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.length += int64(len(p))
	if room := keptBody - len(x.body); room > 0 {
		x.body = append(x.body, p[:min(len(p), room)]...)
	}
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := keptBody - len(x.line); room > 0 {
			x.line = append(x.line, line[:min(len(line), room)]...)
		}
		if whole {
			x.endLine()
		}
		p = rest
	}
	if err != nil {
		x.readErr = err
		x.endLine()
	}
}

var (
	doneLine   = []byte("[DONE]")
	ollamaDone = []byte(`"done":true`)
	errorKey   = []byte(`"error"`)
	baseKey    = []byte(`"base_resp"`)
	reasonKey  = []byte(`"finish_reason":"`)
)

// endLine looks at a whole line of a stream for the end that the provider's
// protocol has: [DONE], message_stop or "done":true, and for an error.
func (x *exchange) endLine() {
	line := bytes.TrimSpace(x.line)
	x.line = x.line[:0]
	data, event := bytes.CutPrefix(line, []byte("data:"))
	data = bytes.TrimSpace(data)
	if !event && !bytes.HasPrefix(data, []byte("{")) {
		return
	}
	if event && bytes.Equal(data, doneLine) {
		x.ended = true
		return
	}
	// Providers write JSON with and without blanks; text can't hold these keys
	// unescaped.
	compact := bytes.ReplaceAll(data, []byte(`": `), []byte(`":`))
	switch {
	case event && bytes.Contains(compact, []byte(`"type":"message_stop"`)), !event && bytes.Contains(compact, ollamaDone):
		x.ended = true
	case bytes.Contains(compact, reasonKey):
		x.finished = true
	}
	if x.problem == nil && mayFail(data) && parseProblem(data, true).found {
		x.problem = bytes.Clone(data)
	}
}

// failure returns what failed, or nil if the whole exchange was a success. failed
// is whether the client returned an error.
func (x *exchange) failure(failed bool, now time.Time) *Error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.err != nil:
		return fromTransport(x.err)
	case x.status == 0:
		return nil // still in progress when the client gave up
	case x.status == http.StatusSwitchingProtocols:
		return nil
	}
	r := Response{Status: x.status, Header: x.header, Body: x.body}
	if x.status >= 300 {
		return Classify(r, now)
	}
	if x.problem != nil {
		r.Body = x.problem
		return Classify(r, now)
	}
	if isEvents(x.body) || isLines(x.body) {
		cleanEnd := x.ended || x.finished && errors.Is(x.readErr, io.EOF)
		if cleanEnd || failed && x.readErr == nil {
			return nil // a client that failed in the middle has its own reason
		}
		e := New(ClassStreamInterrupted, x.readErr)
		e.Status, e.RequestID = x.status, requestID(x.header, problem{})
		return e
	}
	if x.length > int64(len(x.body)) || x.readErr == nil && failed {
		return nil
	}
	e := Classify(r, now)
	if e != nil && e.Class == ClassMalformed && x.readErr != nil && !errors.Is(x.readErr, io.EOF) {
		e.Cause = x.readErr
	}
	return e
}

// isLines reports whether a body is a stream of JSON lines in Ollama's form. There
// even a single line has the field done.
func isLines(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && bytes.Contains(body, []byte(`"done":`)) && bytes.Contains(body, []byte(`"model":`))
}

package prefix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// TransportOptions configure a [Transport]. The zero value works.
type TransportOptions struct {
	// TTL is how long the provider keeps what is marked: 5 minutes, or an hour, whose
	// writes cost more. Default: 5 minutes.
	TTL time.Duration

	// UnmarkedSystem leaves the system prompt and the tools as they are, so that only
	// marks of messages are sent. Default: the end of the system prompt is marked, or
	// that of the tools if there is no system prompt.
	UnmarkedSystem bool
}

// A Transport adds marks of prompt caching to requests for Anthropic's messages. The
// client of langchaingo drops the mark of a system prompt, and sends no time to live;
// give it an http.Client with this Transport (anthropic.WithHTTPClient). Other requests,
// and bodies that it can't read, pass unchanged.
type Transport struct {
	next http.RoundTripper
	o    TransportOptions
}

// NewTransport returns a Transport around next; nil means http.DefaultTransport. nil
// options mean the defaults. Its error wraps [ErrOption].
func NewTransport(next http.RoundTripper, o *TransportOptions) (*Transport, error) {
	t := &Transport{next: next}
	if next == nil {
		t.next = http.DefaultTransport
	}
	if o != nil {
		t.o = *o
	}
	if t.o.TTL == 0 {
		t.o.TTL = 5 * time.Minute
	}
	if t.o.TTL != 5*time.Minute && t.o.TTL != time.Hour {
		return nil, fmt.Errorf("%w: a time to live of %v: want 5 minutes or an hour", ErrOption, t.o.TTL)
	}
	return t, nil
}

// maxMarks is how many marks the provider accepts in a request.
const maxMarks = 4

// RoundTrip sends a copy of the request with the marks in its body.
func (t *Transport) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method != http.MethodPost || q.Body == nil || !strings.HasSuffix(q.URL.Path, "/messages") {
		return t.next.RoundTrip(q)
	}
	body, err := io.ReadAll(q.Body)
	if closed := q.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("prefix: reading the request: %w", err)
	}
	if len(body) == 0 {
		empty := q.Clone(q.Context())
		empty.Body = http.NoBody
		return t.next.RoundTrip(empty)
	}
	if marked, ok := t.mark(body); ok {
		body = marked
	}
	out := q.Clone(q.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.ContentLength = int64(len(body))
	if out.Header.Get("Content-Length") != "" {
		out.Header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	return t.next.RoundTrip(out)
}

type object = map[string]json.RawMessage

// mark returns the body with marks, or false if it isn't what is expected.
func (t *Transport) mark(body []byte) ([]byte, bool) {
	var request object
	if json.Unmarshal(body, &request) != nil || request == nil {
		return nil, false
	}
	control := json.RawMessage(`{"type":"ephemeral"}`)
	if t.o.TTL == time.Hour {
		control = json.RawMessage(`{"type":"ephemeral","ttl":"1h"}`)
	}
	marks := 0
	var messages []object
	if json.Unmarshal(request["messages"], &messages) != nil {
		return nil, false
	}
	for _, m := range messages {
		if m == nil {
			return nil, false
		}
		marks += remark(m, "content", control)
	}
	marks += remark(request, "tools", control)
	marks += remark(request, "system", control)
	if !t.o.UnmarkedSystem && marks < maxMarks {
		t.markSystem(request, control)
	}
	var err error
	if request["messages"], err = json.Marshal(messages); err != nil {
		return nil, false
	}
	out, err := json.Marshal(request)
	return out, err == nil
}

const cacheControl = "cache_control"

// remark replaces the marks in a list of blocks, and returns their number.
func remark(of object, field string, control json.RawMessage) int {
	var blocks []object
	if json.Unmarshal(of[field], &blocks) != nil {
		return 0 // a text
	}
	n := 0
	for _, b := range blocks {
		if b[cacheControl] != nil && string(b[cacheControl]) != "null" {
			b[cacheControl] = control
			n++
		}
	}
	if n > 0 {
		of[field], _ = json.Marshal(blocks) // raw messages that were just read
	}
	return n
}

// markSystem marks the end of the system prompt, or of the tools.
func (t *Transport) markSystem(request object, control json.RawMessage) {
	var text string
	if json.Unmarshal(request["system"], &text) == nil && text != "" {
		block := object{"type": json.RawMessage(`"text"`), "text": request["system"], cacheControl: control}
		request["system"], _ = json.Marshal([]object{block})
		return
	}
	for _, field := range []string{"system", "tools"} {
		var blocks []object
		if json.Unmarshal(request[field], &blocks) != nil || len(blocks) == 0 {
			continue
		}
		last := blocks[len(blocks)-1]
		if last == nil {
			return
		}
		last[cacheControl] = control
		request[field], _ = json.Marshal(blocks)
		return
	}
}

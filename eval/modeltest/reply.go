package modeltest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// A Reply says what a [Server] does with one request. The zero Reply answers with
// an empty completion; [Say] in Turn gives it a text. Every field is a fault or a
// form of answer that real providers and proxies have shown.
//
//	Reply{Turn: Say("fine")}                                   // an answer, streamed if asked for
//	Reply{Error: RateLimited(3 * time.Second)}                 // 429 with Retry-After
//	Reply{Status: 503, Body: []byte("<html>busy</html>")}      // a proxy's page
//	Reply{Turn: Say("half an"), CutAfter: 2}                   // the connection closed mid-stream
//	Reply{Turn: Turn{Chunks: Words("half an"), Hang: true}}    // silent after two chunks
//	Reply{Turn: Say("half an"), StreamError: &APIError{…}}     // an error event mid-stream
type Reply struct {
	// Match reports whether the reply is for this request. Default: for all.
	Match func(Request) bool

	// Times is how often the reply may be given, a negative number without end.
	// Default: once.
	Times int

	// Turn is the model's answer. The fields Delay (after the headers, before the
	// first chunk), Chunks, Choices, Stop, Usage and Hang are used; the others are
	// for [Script]. Without Usage, words are counted.
	Turn Turn

	// Vectors are the embeddings, one for each input, instead of hashed ones.
	Vectors [][]float32

	// Error answers with an error in OpenAI's shape and its status.
	Error *APIError

	// Body, if not nil, is sent unchanged instead of Turn and Error: malformed
	// JSON, HTML, or nothing ([]byte{}). Its type is application/json unless Header
	// sets another one.
	Body []byte

	// Status is the HTTP status, 200 to 999. Default: the Error's, or 200.
	Status int

	// Header is set on the answer: Retry-After, x-ratelimit-…, a wrong
	// Content-Type.
	Header http.Header

	// Delay is the time before the status line.
	Delay time.Duration

	// Stall never sends a status line: the request hangs until the client
	// leaves.
	Stall bool

	// Drop closes the connection before the status line.
	Drop bool

	// Reset makes Drop, CutAfter and CutBody reset the connection (TCP RST,
	// ECONNRESET) rather than close it.
	Reset bool

	// CutAfter closes the connection after so many events of a stream
	// (the one with a choice's role is the first, keep-alive comments don't
	// count); the client sees an unexpected end.
	CutAfter int

	// CutBody closes the connection after so many bytes of a body that isn't a
	// stream, whose Content-Length says more.
	CutBody int

	// StreamError is sent as an error event after the chunks; then the stream
	// ends without finish_reason and [DONE].
	StreamError *APIError

	// NoFinish leaves out the finish_reason, NoDone the final [DONE] line,
	// NoUsage the usage.
	NoFinish, NoDone, NoUsage bool

	// KeepAlive writes an SSE comment before each event.
	KeepAlive bool

	// Events, if not nil, are sent unchanged as the stream, instead of Turn's.
	Events []Event

	// Edit, if set, may change every completion and chunk object before it is
	// sent: logprobs, a refusal, a fingerprint.
	Edit func(object map[string]any)
}

// An Event is a raw piece of a stream: Data is written as it is and flushed,
// so it contains its own "data: " and blank line, or lacks them, or ends in the
// middle of a character.
type Event struct {
	Delay time.Duration
	Data  string
}

// An APIError is an error in OpenAI's shape.
type APIError struct {
	Status  int // the HTTP status; unused mid-stream. Default: 500
	Message string
	Type    string
	Code    string // "" is sent as null
	Param   string // "" is sent as null

	// RetryAfter, if positive, is sent as Retry-After (whole seconds, rounded
	// up) and retry-after-ms.
	RetryAfter time.Duration
}

func (e *APIError) Error() string { return e.Message }

// RateLimited is OpenAI's answer to too many requests, with the time to wait;
// 0 sends no Retry-After.
func RateLimited(after time.Duration) *APIError {
	return &APIError{Status: 429, Type: "requests", Code: "rate_limit_exceeded", Message: "Rate limit reached for requests", RetryAfter: after}
}

// OutOfQuota is the other error with status 429: the account has no money left, so
// waiting doesn't help.
func OutOfQuota() *APIError {
	return &APIError{Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", Message: "You exceeded your current quota, please check your plan and billing details."}
}

// ContextTooLong is OpenAI's answer to a prompt that is longer than the model's
// context window.
func ContextTooLong(window, tokens int) *APIError {
	return &APIError{Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages",
		Message: "This model's maximum context length is " + strconv.Itoa(window) + " tokens. However, your messages resulted in " + strconv.Itoa(tokens) + " tokens. Please reduce the length of the messages."}
}

// Overloaded is a 503 that asks to try again later.
func Overloaded() *APIError {
	return &APIError{Status: 503, Type: "server_error", Code: "overloaded", Message: "The engine is currently overloaded, please try again later"}
}

// object returns the error as OpenAI writes it.
func (e *APIError) object() map[string]any {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{"error": map[string]any{"message": e.Message, "type": e.Type, "code": null(e.Code), "param": null(e.Param)}}
}

// A player answers one request.
type player struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	req    *Request
	number int
	reply  Reply
	events int
}

func (p *player) play(reply Reply) {
	p.reply = reply
	if !p.sleep(reply.Delay) {
		return
	}
	switch {
	case reply.Stall:
		p.hang()
		return
	case reply.Drop:
		p.hangUp()
		return
	}
	for k, v := range reply.Header {
		p.w.Header()[http.CanonicalHeaderKey(k)] = v
	}
	switch {
	case reply.Body != nil:
		p.body(p.status(200), reply.Body)
	case reply.Error != nil:
		p.fail(reply.Error)
	case !p.req.messages:
		p.json(p.status(200), embeddings(p.req, reply.Vectors, reply.NoUsage))
	case p.req.Stream || reply.Events != nil:
		p.stream()
	default:
		if !p.sleep(reply.Turn.pause()) {
			return
		}
		if reply.Turn.Hang {
			p.hang()
			return
		}
		p.json(p.status(200), p.edit(p.completion()))
	}
}

// status returns the reply's status, or what it is by default.
func (p *player) status(otherwise int) int {
	if p.reply.Status != 0 {
		return p.reply.Status
	}
	return otherwise
}

// pause is how long a call that doesn't stream waits for the turn.
func (t *Turn) pause() time.Duration {
	d := t.Delay
	for _, c := range t.Chunks {
		d += c.Delay
	}
	return d
}

// fail answers with an error.
func (p *player) fail(e *APIError) {
	status := e.Status
	if status == 0 {
		status = 500
	}
	if e.RetryAfter > 0 {
		p.w.Header().Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
		p.w.Header().Set("Retry-After-Ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	p.json(p.status(status), e.object())
}

func (p *player) json(status int, v any) { p.body(status, encode(v)) }

func (p *player) body(status int, data []byte) {
	h := p.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(data)))
	}
	p.begin(status)
	if cut := p.reply.CutBody; cut > 0 && cut < len(data) {
		_, _ = p.w.Write(data[:cut])
		p.flush()
		p.hangUp()
		return
	}
	if _, err := p.w.Write(data); err != nil {
		p.aborted()
	}
}

func (p *player) begin(status int) {
	p.server.mu.Lock()
	p.req.Status = status
	p.server.mu.Unlock()
	p.w.WriteHeader(status)
}

func (p *player) flush() { _ = http.NewResponseController(p.w).Flush() }

// sleep waits for d and reports whether the client is still there.
func (p *player) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.r.Context().Done():
		p.aborted()
		return false
	}
}

// hang waits until the client leaves or the server is closed.
func (p *player) hang() {
	<-p.r.Context().Done()
	p.aborted()
}

func (p *player) aborted() {
	p.server.mu.Lock()
	p.req.Aborted = true
	p.server.mu.Unlock()
}

// hangUp closes the connection while the client uses it.
func (p *player) hangUp() {
	conn, buffered, err := http.NewResponseController(p.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 can't be hijacked; this resets its stream
	}
	_ = buffered.Flush()
	if p.reply.Reset {
		abort(conn)
		return
	}
	_ = conn.Close()
}

// event writes one event of a stream and reports whether to continue.
func (p *player) event(data string) bool {
	if p.reply.KeepAlive {
		data = ": keep-alive\n\n" + data
	}
	if p.r.Context().Err() != nil {
		p.aborted()
		return false
	}
	if _, err := p.w.Write([]byte(data)); err != nil {
		p.aborted()
		return false
	}
	p.flush()
	p.events++
	if p.reply.CutAfter > 0 && p.events >= p.reply.CutAfter {
		p.hangUp()
		return false
	}
	return true
}

func (p *player) object(v map[string]any) bool {
	return p.event("data: " + string(encode(p.edit(v))) + "\n\n")
}

func (p *player) edit(v map[string]any) map[string]any {
	if p.reply.Edit == nil {
		return v
	}
	// An editor gets the same as a client: the object as JSON decodes it.
	var plain map[string]any
	if json.Unmarshal(encode(v), &plain) != nil {
		return v
	}
	p.reply.Edit(plain)
	return plain
}

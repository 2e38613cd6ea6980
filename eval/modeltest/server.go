package modeltest

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// ServerOptions set what a [Server] answers and where it listens; nil means the
// defaults.
type ServerOptions struct {
	// Replies are given in order, one a request for a completion or an embedding: a
	// request gets the first reply that matches it and has plays left. When none is
	// left the server answers status 500 with the code "script_exhausted". A list
	// that is empty and not nil has none. Default: with nil Replies and no Answer,
	// a completion is "You said: " and the last message, and an embedding a hash of
	// the words.
	Replies []Reply

	// Answer is asked before Replies; where it returns false, they decide. It is
	// called from the goroutine of each request. Default: Replies decide.
	Answer func(Request) (Reply, bool)

	// Loopback listens on a port of 127.0.0.1, so that other processes can connect.
	// Not for testing/synctest bubbles: there a goroutine that waits for the
	// network keeps virtual time from moving on. Default: in memory.
	Loopback bool

	// Key is the key that requests must carry, as a bearer token or in Azure's
	// api-key header; others get status 401. Default: no key is checked.
	Key string

	// Paths are further paths whose POST requests get replies: "/v1/messages"
	// for a test of another provider's client. The server doesn't know their
	// shapes: reply with Body or Events. Default: none.
	Paths []string

	// Models are listed by /v1/models. Requests for other models are answered
	// all the same. An empty list that is not nil lists none. Default: nil means
	// "scripted-1" and "scripted-embed".
	Models []string
}

func (o *ServerOptions) check() error {
	for _, p := range o.Paths {
		if !strings.HasPrefix(p, "/") {
			return fmt.Errorf("%w: ServerOptions.Paths has %q: want a path that begins with /", ErrOption, p)
		}
	}
	for i := range o.Replies {
		r := &o.Replies[i]
		status := r.Status
		if status == 0 && r.Error != nil {
			status = r.Error.Status
		}
		if status != 0 && (status < 200 || status > 999) { // net/http panics below 100, and 1xx isn't an answer
			return fmt.Errorf("%w: the status of ServerOptions.Replies[%d] is %d: want 0 or 200 to 999", ErrOption, i, status)
		}
		if r.CutAfter < 0 || r.CutBody < 0 {
			return fmt.Errorf("%w: CutAfter and CutBody of ServerOptions.Replies[%d] are %d and %d: want 0 or more", ErrOption, i, r.CutAfter, r.CutBody)
		}
	}
	return nil
}

// A Server implements OpenAI's HTTP protocol and does what its replies say: it
// answers, fails, stalls, sends wrong data or closes the connection. It serves
//
//   - POST /v1/chat/completions, plain and as server-sent events, with
//     stream_options.include_usage
//   - POST /v1/embeddings, as floats and as base64
//   - GET /v1/models and /v1/models/{id}
//   - the first two under Azure's /openai/deployments/{name}/…
//
// and answers other paths with a 404 in OpenAI's form. Each request is recorded.
//
// By default a Server has no port: [Server.Client] connects to it in memory,
// over net.Pipe, with the real net/http on both ends. That works in a
// testing/synctest bubble, where a stall of an hour takes no time, if the
// server is started and closed inside it.
type Server struct {
	// URL is the root that requests go to, without "/v1".
	URL string

	o        ServerOptions
	http     *http.Server
	client   *http.Client
	listener net.Listener
	served   chan struct{} // closed when Serve has returned

	mu       sync.Mutex
	requests []*Request
	played   []int
	conns    map[net.Conn]bool // open ones
	fewer    *sync.Cond        // signalled when one closes
}

// A Request is one that a [Server] got.
type Request struct {
	Method string
	Path   string // with Azure's prefix, if it had one
	Query  url.Values
	Header http.Header
	Body   []byte

	// Model is the body's model, or Azure's deployment.
	Model string

	// Stream and IncludeUsage report whether server-sent events were asked for,
	// and a usage chunk at their end.
	Stream, IncludeUsage bool

	// Status is the status of the answer, 0 if there is none or none yet.
	Status int

	// Aborted reports that the client left before the answer was complete.
	Aborted bool

	text       string   // the last message's, or the inputs to embed
	inputs     []string // to embed
	messages   bool
	base64     bool
	dimensions int
}

// Decode parses the body as JSON into v.
func (r Request) Decode(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("modeltest: body of %s %s: %w", r.Method, r.Path, err)
	}
	return nil
}

// Text returns the last message's text, or the texts to embed in lines.
func (r Request) Text() string { return r.text }

// NewServer starts a server. The caller closes it; in a test, with
// t.Cleanup(s.Close). It fails with [ErrOption], or if Loopback finds no port.
func NewServer(o *ServerOptions) (*Server, error) {
	s := &Server{served: make(chan struct{}), conns: make(map[net.Conn]bool)}
	s.fewer = sync.NewCond(&s.mu)
	if o != nil {
		s.o = *o
		s.o.Replies, s.o.Paths, s.o.Models = slices.Clone(o.Replies), slices.Clone(o.Paths), slices.Clone(o.Models)
	}
	if err := s.o.check(); err != nil {
		return nil, err
	}
	if s.o.Models == nil {
		s.o.Models = []string{"scripted-1", "scripted-embed"}
	}
	transport := &http.Transport{}
	if s.o.Loopback {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("modeltest: no port on loopback: %w", err)
		}
		s.listener, s.URL = l, "http://"+l.Addr().String()
	} else {
		l := newPipeListener()
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return l.Dial(ctx) }
		s.listener, s.URL = l, "http://modeltest.invalid" // never resolved: every dial goes to the pipe
	}
	s.client = &http.Client{Transport: transport}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ConnState: s.track}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(s.listener) // returns when Close is called
	}()
	return s, nil
}

// Client returns a client that connects to the server for any host in the URL
// (except if the server is on loopback). Give it to the code under test, with
// [Server.URL] as the root.
func (s *Server) Client() *http.Client { return s.client }

// Close closes all connections, ends the work on them and waits for its end. Later
// requests are refused.
func (s *Server) Close() {
	s.client.CloseIdleConnections()
	_ = s.http.Close() // its error is about connections that are closed already
	<-s.served
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.conns) > 0 {
		s.fewer.Wait()
	}
}

// Requests returns the requests so far, oldest first. The caller may change
// the slice.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = *r
		out[i].Header, out[i].Body = r.Header.Clone(), slices.Clone(r.Body)
	}
	return out
}

// Connections returns how many connections are open: 0 means that the client has
// closed all.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
		s.fewer.Broadcast()
	}
}

// serve records the request and plays the next reply.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	req := &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body, Aborted: err != nil}
	s.mu.Lock()
	s.requests = append(s.requests, req)
	number := len(s.requests)
	s.mu.Unlock()
	if err != nil {
		return
	}
	p := &player{server: s, w: w, r: r, req: req, number: number}
	w.Header().Set("X-Request-Id", fmt.Sprintf("req_%024x", number))
	w.Header().Set("Openai-Processing-Ms", "1")

	path, deployment := route(r.URL.Path)
	other := slices.Contains(s.o.Paths, r.URL.Path)
	known := other || path == "/chat/completions" || path == "/embeddings"
	listing := path == "/models" || strings.HasPrefix(path, "/models/")
	switch {
	case !known && !listing:
		p.fail(&APIError{Status: 404, Type: "invalid_request_error", Message: fmt.Sprintf("Invalid URL (%s %s)", r.Method, r.URL.Path)})
	case known && r.Method != http.MethodPost, listing && r.Method != http.MethodGet:
		p.fail(&APIError{Status: 405, Type: "invalid_request_error", Message: fmt.Sprintf("Not allowed to %s on %s", r.Method, r.URL.Path)})
	case !s.authorized(r):
		p.fail(&APIError{Status: 401, Type: "invalid_request_error", Code: "invalid_api_key", Message: "Incorrect API key provided."})
	case listing:
		p.models(strings.TrimPrefix(strings.TrimPrefix(path, "/models"), "/"))
	default:
		s.mu.Lock() // Requests may be reading
		if other {
			path = r.URL.Path
		}
		invalid := req.parse(path, deployment)
		parsed := *req
		s.mu.Unlock()
		if invalid != nil {
			p.fail(invalid)
			return
		}
		p.play(s.due(parsed))
	}
}

// route splits off "/v1", or Azure's prefix with the deployment's name.
func route(path string) (rest, deployment string) {
	if after, ok := strings.CutPrefix(path, "/openai/deployments/"); ok {
		deployment, rest, _ = strings.Cut(after, "/")
		return "/" + rest, deployment
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "/openai"), "/v1"), ""
}

func (s *Server) authorized(r *http.Request) bool {
	if s.o.Key == "" {
		return true
	}
	got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if key := r.Header.Get("Api-Key"); key != "" {
		got = key
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(s.o.Key)) == 1
}

// parse reads what the server needs of the body.
func (r *Request) parse(path, deployment string) *APIError {
	var body struct {
		Model         string            `json:"model"`
		Stream        bool              `json:"stream"`
		Messages      []json.RawMessage `json:"messages"`
		Input         json.RawMessage   `json:"input"`
		Encoding      string            `json:"encoding_format"`
		Dimensions    int               `json:"dimensions"`
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return &APIError{Status: 400, Type: "invalid_request_error", Message: "We could not parse the JSON body of your request: " + err.Error()}
	}
	r.Model, r.Stream, r.IncludeUsage = body.Model, body.Stream, body.StreamOptions.IncludeUsage
	if deployment != "" {
		r.Model = deployment
	}
	if path != "/embeddings" {
		if len(body.Messages) == 0 && path == "/chat/completions" {
			return &APIError{Status: 400, Type: "invalid_request_error", Code: "missing_required_parameter", Param: "messages", Message: "Missing required parameter: 'messages'."}
		}
		r.messages = true
		if n := len(body.Messages); n > 0 {
			r.text = contentText(body.Messages[n-1])
		}
		return nil
	}
	r.base64 = body.Encoding == "base64"
	r.dimensions = body.Dimensions
	r.inputs = inputTexts(body.Input)
	r.text = strings.Join(r.inputs, "\n")
	if len(r.inputs) == 0 || body.Dimensions < 0 || body.Dimensions > maxDimensions {
		return &APIError{Status: 400, Type: "invalid_request_error", Param: "input", Message: "'$.input' or '$.dimensions' is invalid."}
	}
	return nil
}

// contentText returns a message's text: a string, or the text of its parts.
func contentText(message json.RawMessage) string {
	var whole struct {
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(message, &whole) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(whole.Content, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(whole.Content, &parts) // content of another form has no text
	for _, p := range parts {
		text += p.Text
	}
	return text
}

// inputTexts returns the inputs of an embedding request. Token arrays, which
// some clients send, are written as their numbers.
func inputTexts(input json.RawMessage) []string {
	var one string
	if json.Unmarshal(input, &one) == nil && one != "" {
		return []string{one}
	}
	var many []json.RawMessage
	if json.Unmarshal(input, &many) != nil || len(many) == 0 {
		return nil
	}
	var texts []string
	for _, m := range many {
		var s string
		if json.Unmarshal(m, &s) != nil {
			if !bytes.HasPrefix(bytes.TrimSpace(m), []byte("[")) {
				return []string{string(input)} // one array of tokens
			}
			s = string(m)
		}
		texts = append(texts, s)
	}
	return texts
}

// due returns the reply to a request.
func (s *Server) due(req Request) Reply {
	if s.o.Answer != nil {
		if reply, ok := s.o.Answer(req); ok {
			return reply
		}
	}
	if s.o.Answer == nil && s.o.Replies == nil {
		return Reply{Turn: Say("You said: " + req.text)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.played == nil {
		s.played = make([]int, len(s.o.Replies))
	}
	for i, reply := range s.o.Replies {
		spent := reply.Times >= 0 && s.played[i] >= max(reply.Times, 1)
		if !spent && (reply.Match == nil || reply.Match(req)) {
			s.played[i]++
			return reply
		}
	}
	return Reply{Error: &APIError{Status: 500, Type: "server_error", Code: "script_exhausted",
		Message: fmt.Sprintf("The scripted server has no reply left for %s %s with the text %.80q: add one, or Times: -1 to one that repeats.", req.Method, req.Path, req.text)}}
}

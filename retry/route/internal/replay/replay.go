// Package replay answers requests of a test or an example with what real servers were
// recorded to answer.
package replay

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

// A Row is one exchange.
type Row struct {
	Server  string
	Label   string
	Method  string
	Path    string
	URL     string
	Status  int
	Header  map[string]string `json:"response_headers"`
	Request json.RawMessage
	JSON    json.RawMessage `json:"response"`
	SSE     *string         `json:"response_sse"`
	Text    *string         `json:"response_text"`
	Base64  *string         `json:"response_base64"`
}

// Body is what the server answered.
func (r *Row) Body(t testing.TB) []byte {
	t.Helper()
	data, err := r.content()
	require.NoError(t, err)
	return data
}

func (r *Row) content() ([]byte, error) {
	var text string
	switch {
	case r.SSE != nil:
		return []byte(*r.SSE), nil
	case r.Text != nil:
		return []byte(*r.Text), nil
	case r.Base64 != nil:
		return base64.StdEncoding.DecodeString(*r.Base64)
	case json.Unmarshal(r.JSON, &text) == nil:
		return []byte(text), nil
	}
	return r.JSON, nil
}

// Streams reports whether the request asked for a stream.
func (r *Row) Streams() bool {
	var q struct {
		Stream bool `json:"stream"`
	}
	_ = json.Unmarshal(r.Request, &q) // a request that isn't JSON asks for none
	return q.Stream
}

// Rows calls f with each exchange of a file of golden set interop, as a subtest.
func Rows(t *testing.T, file string, f func(t *testing.T, r *Row)) {
	t.Helper()
	rows, err := parse(golden.Read(t, "interop", "wire/"+file))
	require.NoError(t, err)
	require.NotEmpty(t, rows)
	for _, r := range rows {
		t.Run(r.Label, func(t *testing.T) { f(t, r) })
	}
}

func parse(data []byte) (rows []*Row, err error) {
	for line := range bytes.Lines(data) {
		r := &Row{}
		if err := json.Unmarshal(line, r); err != nil {
			return nil, err
		}
		if r.Path == "" {
			r.Path = r.URL
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Open starts a server for an example. It answers as recorded in a file of testdata/wire,
// by the exchanges with these labels; it panics if one is missing.
func Open(file string, labels ...string) *httptest.Server {
	data, err := os.ReadFile(filepath.Join("testdata", "wire", file))
	if err != nil {
		panic(err)
	}
	rows, err := parse(data)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for _, label := range labels {
		r := rows[slices.IndexFunc(rows, func(r *Row) bool { return r.Label == label })]
		body, err := r.content()
		if err != nil {
			panic(err)
		}
		mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, _ *http.Request) { r.answer(w, body) })
	}
	return httptest.NewServer(mux)
}

// A Server answers each request with a row, whatever its path.
type Server struct {
	URL string

	mu   sync.Mutex
	path string
	body []byte
	head http.Header
}

// Serve starts a server for a test.
func Serve(t testing.TB, r *Row) *Server {
	t.Helper()
	body := r.Body(t)
	s := &Server{}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		data, _ := io.ReadAll(q.Body)
		s.mu.Lock()
		s.path, s.body, s.head = q.URL.EscapedPath(), data, q.Header.Clone()
		s.mu.Unlock()
		r.answer(w, body)
	}))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

func (r *Row) answer(w http.ResponseWriter, body []byte) {
	for name, value := range r.Header {
		switch strings.ToLower(name) {
		case "content-length", "transfer-encoding", "connection", "date":
		default:
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(body) // the client may be gone
}

// Last returns the last request.
func (s *Server) Last() (path string, body []byte, head http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.path, s.body, s.head
}

// ChatText returns the text of an answer in OpenAI's form, streamed or not.
func (r *Row) ChatText(t testing.TB) string {
	t.Helper()
	type choice struct {
		Message, Delta struct{ Content string }
	}
	var text strings.Builder
	add := func(data []byte) {
		var c struct{ Choices []choice }
		require.NoError(t, json.Unmarshal(data, &c))
		if len(c.Choices) > 0 {
			text.WriteString(c.Choices[0].Message.Content + c.Choices[0].Delta.Content)
		}
	}
	if r.SSE == nil {
		add(r.JSON)
		return text.String()
	}
	for line := range strings.Lines(*r.SSE) {
		if data, ok := strings.CutPrefix(line, "data: "); ok && !strings.HasPrefix(data, "[DONE]") {
			add([]byte(data))
		}
	}
	return text.String()
}

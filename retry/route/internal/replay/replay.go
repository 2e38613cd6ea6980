// Package replay answers requests of a test with what real servers were recorded to
// answer.
package replay

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
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
	switch {
	case r.SSE != nil:
		return []byte(*r.SSE)
	case r.Text != nil:
		return []byte(*r.Text)
	case r.Base64 != nil:
		data, err := base64.StdEncoding.DecodeString(*r.Base64)
		require.NoError(t, err)
		return data
	}
	var text string
	if json.Unmarshal(r.JSON, &text) == nil {
		return []byte(text)
	}
	return r.JSON
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
	sc := bufio.NewScanner(bytes.NewReader(golden.Read(t, "interop", "wire/"+file)))
	sc.Buffer(nil, 16<<20)
	n := 0
	for sc.Scan() {
		r := &Row{}
		require.NoError(t, json.Unmarshal(sc.Bytes(), r))
		if r.Path == "" {
			r.Path = r.URL
		}
		n++
		t.Run(r.Label, func(t *testing.T) { f(t, r) })
	}
	require.Positive(t, n)
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
		for name, value := range r.Header {
			switch strings.ToLower(name) {
			case "content-length", "transfer-encoding", "connection", "date":
			default:
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(r.Status)
		_, _ = w.Write(body) // the client may be gone
	}))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
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

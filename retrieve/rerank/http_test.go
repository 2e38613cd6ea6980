package rerank_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/rerank"
)

// An exchange is a line of testdata/wire.jsonl: a request as a service's documentation
// shows it, with the answer there.
type exchange struct {
	Service, Page string
	Wire          rerank.Wire
	Model         string
	Query         string
	Texts         []string
	Request       json.RawMessage
	Response      json.RawMessage
	Want          []int
}

func TestWireForms(t *testing.T) {
	data, err := os.ReadFile("testdata/wire.jsonl")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var x exchange
		require.NoError(t, json.Unmarshal([]byte(line), &x), line)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.JSONEq(t, string(x.Request), string(body), x.Service)
			require.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
			_, err = w.Write(x.Response)
			require.NoError(t, err)
		}))
		h, err := rerank.NewHTTP(server.URL+"/v1/rerank", &rerank.HTTPOptions{Wire: x.Wire, Model: x.Model, Key: "secret"})
		require.NoError(t, err)
		ranked, err := h.Rank(t.Context(), x.Query, x.Texts)
		require.NoError(t, err, x.Service)
		var got []int
		for _, r := range ranked {
			got = append(got, r.Index)
		}
		require.Equal(t, x.Want, got, x.Service)
		server.Close()
	}
}

func answers(t *testing.T, status int, body string) *rerank.HTTP {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status == http.StatusFound {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	h, err := rerank.NewHTTP(server.URL, nil)
	require.NoError(t, err)
	return h
}

func TestAnswersThatAreNoRanking(t *testing.T) {
	for _, body := range []string{
		``, `[]`, `null`, `{}`, `{"results":null}`, `{"results":[]}`, `{"results":[{}]}`, `{"results":[{"index":0}]}`, `{"results":[{"relevance_score":1}]}`,
		`{"results":[{"index":7,"relevance_score":1}]}`, `{"results":[{"index":-1,"relevance_score":1}]}`, `{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":2}]}`,
		`{"results":[{"index":0,"relevance_score":"NaN"}]}`, `{"error":"busy"}`, strings.Repeat(" ", 17<<20) + `{}`, strings.Repeat("[", 100_000),
	} {
		_, err := answers(t, 200, body).Rank(t.Context(), "q", []string{"a", "b"})
		require.ErrorIs(t, err, rerank.ErrRanking, "%.60s", body)
	}
	ranked, err := answers(t, 500, "").Rank(t.Context(), "q", nil)
	require.NoError(t, err, "nothing to ask")
	require.Empty(t, ranked)
}

func TestStatusIsKept(t *testing.T) {
	for _, status := range []int{302, 400, 401, 429, 503} {
		_, err := answers(t, status, strings.Repeat("wait\xff ", 1000)).Rank(t.Context(), "q", []string{"a"})
		var s interface{ HTTPStatus() int }
		require.ErrorAs(t, err, &s)
		require.Equal(t, status, s.HTTPStatus())
		require.Less(t, len(err.Error()), 700)
	}
}

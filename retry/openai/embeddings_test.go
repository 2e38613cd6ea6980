package openai

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func TestEmbedder(t *testing.T) {
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Key: "sk-1234567"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	e, err := NewEmbedder("embed-1", &Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client(), APIKey: "sk-1234567", Organization: "org", Project: "proj", Header: http.Header{"X-Own": {"1"}}})
	require.NoError(t, err)
	texts := make([]string, batch+3)
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i%5)
	}
	got, err := e.CreateEmbedding(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, got, len(texts))
	require.Equal(t, got[1], got[batch+2-(batch+2-1)%5], "in order")
	require.Len(t, s.Requests(), 2)
	require.Equal(t, []string{"org", "proj", "1"}, []string{s.Requests()[0].Header.Get("OpenAI-Organization"), s.Requests()[0].Header.Get("OpenAI-Project"), s.Requests()[0].Header.Get("X-Own")})
	got, err = e.EmbedDocuments(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, "embed-1", e.Name())
}

func TestEmbeddingsThatAreWrong(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `{"data":[]}`, `{"data":[{"index":1,"embedding":[1]}]}`, `{"data":[{"index":0,"embedding":[]}]}`, `{"data":[{"index":0,"embedding":"AAA="}]}`,
		`{"data":[{"index":0,"embedding":"!"}]}`, `{"data":[{"index":0,"embedding":[[1]]}]}`, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`,
		`{"error":{"message":"m"}}`,
	} {
		s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{{Body: []byte(body)}}})
		require.NoError(t, err)
		e, err := NewEmbedder("m", &Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client()})
		require.NoError(t, err)
		_, err = e.EmbedQuery(t.Context(), "q")
		require.ErrorAs(t, err, new(*Error), body)
		s.Close()
	}
}

package redis

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/semantic"
)

// one gives all texts the same vector.
type one struct{}

func (one) EmbedQuery(context.Context, string) ([]float32, error) { return []float32{1, 0}, nil }

func (one) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	return nil, fmt.Errorf("%d documents", len(texts))
}

// counting answers with the number of the call.
type counting struct{ calls atomic.Int64 }

func (c *counting) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: fmt.Sprint(c.calls.Add(1)), StopReason: "stop"}}}, nil
}

func (c *counting) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// Similar questions are found by another process and after a restart; a damaged entry and
// a lock are no obstacle.
func TestSemantic(t *testing.T) {
	s, client := open(t)
	ctx := t.Context()
	next := &counting{}
	process := func() *semantic.Model {
		m, err := semantic.New(next, one{}, .9, &semantic.Options{Store: s, Model: "m", Embedder: "one"})
		require.NoError(t, err)
		return m
	}
	first, second := process(), process()
	answer, err := first.Call(ctx, "how big is a cat")
	require.NoError(t, err)
	require.Equal(t, "1", answer)
	require.NoError(t, client.Set(ctx, s.o.Prefix+cache.Key{7}.String(), "{", 0).Err())
	unlock, ok, err := s.TryLock(ctx, cache.Key{9}, 1e12)
	require.NoError(t, err)
	require.True(t, ok)
	defer unlock()
	n, err := second.Load(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	answer, err = second.Call(ctx, "How big is the cat?")
	require.NoError(t, err)
	require.Equal(t, "1", answer)
	n, err = first.Delete(ctx, func(s semantic.Stored) bool { return s.Question == "how big is a cat" })
	require.NoError(t, err)
	require.Equal(t, 2, n, "and the damaged one")
	n, err = process().Load(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
}

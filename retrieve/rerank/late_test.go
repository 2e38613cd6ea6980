package rerank_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/rerank"
)

func TestLateFindsTheWord(t *testing.T) {
	e, err := embed.New()
	require.NoError(t, err)
	w, err := rerank.Words(e)
	require.NoError(t, err)
	l, err := rerank.NewLate(w, nil)
	require.NoError(t, err)
	require.Equal(t, "the dog sleeps cars drive", order2(t, l, "a sleeping dog", "cars drive", "the dog sleeps"))
	require.Equal(t, "x ", order2(t, l, "", "x", ""), "nothing to compare keeps the order")
}

func order2(t *testing.T, r rerank.Ranker, question string, in ...string) string {
	t.Helper()
	ranked, err := r.Rank(t.Context(), question, in)
	require.NoError(t, err)
	out := ""
	for i, x := range ranked {
		if i > 0 {
			out += " "
		}
		out += in[x.Index]
	}
	return out
}

// fixed is an embedder with a table of vectors.
type fixed map[string][]float32

func (f fixed) EmbedQuery(_ context.Context, text string) ([]float32, error) {
	if v, ok := f[text]; ok {
		return v, nil
	}
	return nil, errors.New("unknown text")
}

func (f fixed) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	if f["short"] != nil {
		return nil, nil
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		v, err := f.EmbedQuery(ctx, t)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// TestDiverseReturnsTheOrderOfChoice: not that of the search (langchain-azure#813).
func TestDiverseReturnsTheOrderOfChoice(t *testing.T) {
	e := fixed{"q": {1, 0}, "a": {.3, -.95}, "b": {.61, .79}, "c": {1, .1}}
	d, err := rerank.NewDiverse(e, &rerank.DiverseOptions{K: 2})
	require.NoError(t, err)
	out, err := d.Rerank(t.Context(), "q", docs("a", "b", "c"))
	require.NoError(t, err)
	require.Equal(t, "c a", texts(out))
	out, err = d.Rerank(t.Context(), "q", nil)
	require.NoError(t, err)
	require.Empty(t, out)
	e["q"] = []float32{0, 0}
	out, err = d.Rerank(t.Context(), "q", docs("a", "b", "c"))
	require.NoError(t, err)
	require.Equal(t, "a b", texts(out), "without a direction the order of the search")
	_, err = d.Rerank(t.Context(), "other", docs("a"))
	require.Error(t, err)
	e["q"] = []float32{1}
	_, err = d.Rerank(t.Context(), "q", docs("a"))
	require.ErrorIs(t, err, rerank.ErrVector)
	e["short"], e["q"] = []float32{1}, []float32{1, 0}
	_, err = d.Rerank(t.Context(), "q", docs("a"))
	require.ErrorIs(t, err, rerank.ErrVector)
}

func TestVectorsThatCantBeCompared(t *testing.T) {
	nan := math.NaN()
	for _, x := range []struct {
		query   []float64
		vectors [][]float64
		k       int
		lambda  float64
		want    error
	}{
		{[]float64{0, 0}, [][]float64{{1, 1}}, 1, .5, rerank.ErrVector},
		{nil, [][]float64{{1, 1}}, 1, .5, rerank.ErrVector},
		{[]float64{1, nan}, [][]float64{{1, 1}}, 1, .5, rerank.ErrVector},
		{[]float64{1, 1}, [][]float64{{1, math.Inf(1)}}, 1, .5, rerank.ErrVector},
		{[]float64{1, 1}, [][]float64{{1}}, 1, .5, rerank.ErrVector},
		{[]float64{1, 1}, [][]float64{{1, 1}}, -1, .5, rerank.ErrOption},
		{[]float64{1, 1}, [][]float64{{1, 1}}, 1, nan, rerank.ErrOption},
		{[]float64{1, 1}, [][]float64{{1, 1}}, 1, 1.1, rerank.ErrOption},
	} {
		_, err := rerank.MMR(x.query, x.vectors, x.k, x.lambda)
		require.ErrorIs(t, err, x.want, "%v", x)
	}
	got, err := rerank.MMR([]float64{1e-300, 1e-300}, [][]float64{{1e300, 0}, {1e300, 1e300}}, 5, 1)
	require.NoError(t, err, "lengths beyond the range of their squares")
	require.Equal(t, []int{1, 0}, got)
	_, err = rerank.MaxSim([][]float64{{1, 2}}, [][]float64{{1}}, rerank.SimilarityCosine)
	require.ErrorIs(t, err, rerank.ErrVector)
	_, err = rerank.MaxSim([][]float64{{1, 2}}, [][]float64{{1, 2}}, 7)
	require.ErrorIs(t, err, rerank.ErrOption)
}

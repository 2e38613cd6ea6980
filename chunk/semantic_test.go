package chunk

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// topics is an embedder whose vector counts the words of each topic in a text.
type topics struct{ err error }

func (e topics) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{0.1 + float32(strings.Count(t, "cat")), 0.1 + float32(strings.Count(t, "tax")), 0.1 + float32(strings.Count(t, "sea"))}
	}
	return out, e.err
}

func (e topics) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	v, err := e.EmbedDocuments(ctx, []string{text})
	return v[0], err
}

func TestSemanticCutsWhereTheSubjectChanges(t *testing.T) {
	text := strings.Repeat("The cat met a cat. ", 6) + strings.Repeat("A tax is a tax. ", 6) + strings.Repeat("The sea is a sea. ", 6)
	for method, amount := range map[Breakpoint]float64{BreakpointPercentile: 85, BreakpointStdDev: 1, BreakpointInterquartile: 0, BreakpointGradient: 90, BreakpointOptimal: 0} {
		s, err := NewSemantic(topics{}, &SemanticOptions{Breakpoint: method, Threshold: amount, Neighbors: -1})
		require.NoError(t, err)
		chunks, err := s.Chunk(t.Context(), text)
		require.NoError(t, err)
		requireLaws(t, "semantic", text, 800, utf8.RuneCountInString, chunks)
		if method == BreakpointGradient { // the slope is steepest beside the step
			require.Greater(t, len(chunks), 1)
			continue
		}
		require.Len(t, chunks, 3, "method %d: %q", method, texts(chunks))
		require.True(t, strings.HasPrefix(chunks[1].Text, "A tax") && strings.HasPrefix(chunks[2].Text, "The sea"), "method %d", method)
	}
}

func TestSemanticRefuses(t *testing.T) {
	for _, o := range []*SemanticOptions{{Breakpoint: 9}, {Threshold: 101}, {Threshold: math.NaN()}, {Threshold: -1}} {
		_, err := NewSemantic(topics{}, o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := NewSemantic(topics{}, &SemanticOptions{Options: Options{Size: -1}})
	require.ErrorIs(t, err, ErrOption)
	boom := errors.New("boom")
	s, err := NewSemantic(topics{boom}, nil)
	require.NoError(t, err)
	_, err = s.Chunk(t.Context(), "One. Two.")
	require.ErrorIs(t, err, boom)
	s, err = NewSemantic(badVectors{}, nil)
	require.NoError(t, err)
	_, err = s.Chunk(t.Context(), "One. Two.")
	require.ErrorIs(t, err, ErrVectors)
}

type badVectors struct{ topics }

func (badVectors) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	return [][]float32{{1, 2}, {float32(math.NaN()), 1}}[:len(texts)], nil
}

// The dynamic program finds what trying all cuts finds.
func TestOptimalIsOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 2 + r.IntN(8)
		vectors, sizes := make([][]float64, n), make([]int, n)
		for i := range vectors {
			a := r.Float64() * 6
			vectors[i], sizes[i] = []float64{math.Cos(a), math.Sin(a)}, 1+r.IntN(3)
		}
		size := 3 + r.IntN(6)
		mean := 0.0
		for i := range n {
			for k := range i {
				mean += dot(vectors[i], vectors[k]) * 2 / float64(n*(n-1))
			}
		}
		worth := func(cuts int) float64 { // bit i: a cut before sentence i+1
			total, start, used := 0.0, 0, 0
			for i := range n {
				if i > 0 && cuts>>(i-1)&1 == 1 {
					start, used = i, 0
				}
				if used += sizes[i]; used > size && i > start {
					return math.Inf(-1)
				}
				for k := start; k < i; k++ {
					total += dot(vectors[i], vectors[k]) - mean
				}
			}
			return total
		}
		best := math.Inf(-1)
		for cuts := range 1 << (n - 1) {
			best = max(best, worth(cuts))
		}
		mask := 0
		for _, c := range optimal(vectors, sizes, size) {
			mask |= 1 << (c - 1)
		}
		require.InDelta(t, best, worth(mask), 1e-9)
	}
}

// Figures by numpy: percentile, std, gradient.
func TestStatistics(t *testing.T) {
	v := []float64{1, 2, 4, 7, 11}
	require.InDelta(t, 10.2, percentile(v, 95), 1e-12)
	mean, dev := meanDev(v)
	require.InDelta(t, 5, mean, 1e-12)
	require.InDelta(t, math.Sqrt(13.2), dev, 1e-12)
	require.Equal(t, []float64{1, 1.5, 2.5, 3.5, 4}, gradient(v))
	require.Equal(t, []float64{0}, gradient([]float64{5}))
}

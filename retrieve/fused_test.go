package retrieve

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFusionOfScores: the score of each passage is that of DBSF over both rankings, with
// the weights that are given, or 0.3 and 0.7.
func TestFusionOfScores(t *testing.T) {
	texts := []string{"kiwi kiwi melon", "melon pear", "limes and a kiwi", "plum", "melon melon lemon"}
	for name, o := range map[string]Options{
		"default weights": {}, "given weights": {DenseWeight: 2, SparseWeight: .5}, "words alone": {SparseWeight: 1},
	} {
		t.Run(name, func(t *testing.T) {
			o.Words, o.Normalize = words(t), DBSF
			c, err := Open("", letters{}, &o)
			require.NoError(t, err)
			_, err = c.Sync(t.Context(), "fruit", docs(texts...))
			require.NoError(t, err)
			found, err := c.Search(t.Context(), "kiwi melon", 10, nil)
			require.NoError(t, err)
			require.Len(t, found, len(texts))

			var cosines, byWords []float64
			for _, f := range found {
				cosines = append(cosines, f.Cosine)
				if f.Words > 0 {
					byWords = append(byWords, f.Words)
				}
			}
			cosines, byWords = DBSF(cosines), DBSF(byWords)
			dense, sparse := o.DenseWeight, o.SparseWeight
			if name == "default weights" {
				dense, sparse = .3, .7
			}
			for i, f := range found {
				want := dense * cosines[i]
				if f.Words > 0 {
					want += sparse * byWords[0]
					byWords = byWords[1:]
				}
				require.InDelta(t, want, f.Score, 1e-6, f.PageContent)
				if i > 0 {
					require.LessOrEqual(t, f.Score, found[i-1].Score)
				}
			}
		})
	}

	odd := func(scores []float64) []float64 { return append(scores, math.NaN(), 1) }
	c, err := Open("", letters{}, &Options{Words: words(t), Normalize: odd})
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "fruit", docs(texts...))
	require.NoError(t, err)
	found, err := c.Search(t.Context(), "kiwi melon", 10, nil)
	require.NoError(t, err)
	require.Len(t, found, len(texts), "too many scores")
}

// TestFusionOfScoresKeepsAClearWinner: two passages share each one place of both rankings.
// Ranks cannot tell them apart, scores know which one is far ahead.
func TestFusionOfScoresKeepsAClearWinner(t *testing.T) {
	dense := []Ranked[string]{{"a", .51}, {"b", .50}, {"c", .1}}
	sparse := []Ranked[string]{{"b", 19}, {"a", 3}, {"c", 2}}
	for want, normalize := range map[string]func([]float64) []float64{"a": nil, "b": DBSF} {
		c := &Collection{o: Options{Normalize: normalize, DenseWeight: 1, SparseWeight: 1}}
		require.Equal(t, want, c.fuse(dense, sparse)[0].ID)
	}
}

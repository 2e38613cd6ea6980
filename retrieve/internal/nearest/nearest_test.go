package nearest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBestIsThatOfASort, ties included.
func TestBestIsThatOfASort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		n, k := rng.IntN(40), 1+rng.IntN(20)
		b := Best{K: k}
		var all []Hit
		for id := range n {
			h := Hit{ID: n - id, Score: float64(rng.IntN(8))}
			all = append(all, h)
			b.Offer(h.ID, float32(h.Score))
		}
		slices.SortFunc(all, func(x, y Hit) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.ID, y.ID)) })
		if bar, full := b.Bar(); full {
			require.EqualValues(t, all[k-1].Score, bar)
		}
		require.Equal(t, min(n, k), b.Len())
		got := b.Hits()
		require.Len(t, got, min(n, k))
		for i := range got {
			require.Equal(t, all[i], got[i])
		}
	}
}

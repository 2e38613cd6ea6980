package limit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// No number is so large that it passes, or fills a bucket that it should
// empty.
func TestNoSumOverflows(t *testing.T) {
	day := Rate{N: 1000, Per: 24 * time.Hour}
	claims := func(n float64) []Claim { return []Claim{{Key: "k", Rate: day, N: n}} }
	for _, n := range []float64{1001, 1e8, 2e8, math.MaxInt32, 1e12, math.MaxFloat64, math.Inf(1)} {
		var l Memory
		d, err := l.Take(t.Context(), claims(n), math.MaxInt64)
		require.NoError(t, err)
		require.False(t, d.OK, n)
		require.Equal(t, Never, d.Wait, n)

		for range 4 { // debts add up
			require.NoError(t, l.Charge(t.Context(), claims(n)))
			d, err = l.Take(t.Context(), claims(1), 0)
			require.NoError(t, err)
			require.False(t, d.OK, n)
			require.Positive(t, d.Wait, n)
		}
		require.NoError(t, l.Charge(t.Context(), claims(-n)))
	}
	century := []Claim{{Key: "k", Rate: Rate{N: 1, Per: time.Duration(maxSpan)}, N: 1}}
	var l Memory
	for range 8 { // a caller that waits forever
		d, err := l.Take(t.Context(), century, math.MaxInt64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, l.tats["k"], l.last, "%+v", d)
	}
}

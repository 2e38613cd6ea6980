package fit

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMinimizeReachesTheOptimum checks the gradient at the solution and the
// solution of a problem that has one by symmetry.
func TestMinimizeReachesTheOptimum(t *testing.T) {
	p := &Problem{Lambda: .1, Bias: 3, N: 4, Bounds: [4]uint32{4, 4, 4, 4}, Rows: []Row{
		{[]uint32{0}, [4]float32{1, 1, 1, 1}, 1, 1}, {[]uint32{1}, [4]float32{1, 1, 1, 1}, 0, 1}, {[]uint32{0, 2}, [4]float32{1, 1, 1, 1}, 1, 2},
	}}
	w := p.Minimize(200)
	g := make([]float64, p.N)
	p.loss(w, g)
	require.Less(t, math.Sqrt(dot(g, g)), .02)
	require.Greater(t, w[0], 0.0)
	require.Less(t, w[1], 0.0)
}

func TestMeasures(t *testing.T) {
	x := []Scored{{3, 1}, {2, 0}, {1, 1}, {0, 0}, {-1, 0}}
	require.InDelta(t, 5.0/6, AUC(x), 1e-9)
	require.InDelta(t, .5, Rate(x, 1, 2.5), 1e-9)
	easy := []Scored{{-2, 0}, {5, 1}}
	require.InDelta(t, 2, Lowest([][]Scored{x, easy, {{9, 1}}}, .03, .05), 1e-3)
	require.InDelta(t, -2, Lowest([][]Scored{easy}, .03, .05), 1e-3)
}

func TestIntervals(t *testing.T) {
	require.Equal(t, "0.500 [0.237, 0.763]", Interval(5, 10)) // Wilson's, as statsmodels 0.14 gives it
	require.Equal(t, "-", Interval(0, 0))
	x := []Scored{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {2.5, 1}}
	require.InDelta(t, 2, ThresholdFor(x, .25), 1e-9)
	require.Greater(t, ThresholdFor(x, .25), 2.0)
	hits, n := Count(x, 0, ThresholdFor(x, .25))
	require.Equal(t, [2]int{1, 4}, [2]int{hits, n})
}

package kmeans

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/vec"
)

func blobs(n, dim, k int, rng *rand.Rand) []float32 {
	centers := make([]float32, k*dim)
	for i := range centers {
		centers[i] = float32(rng.NormFloat64()) * 3
	}
	out := make([]float32, n*dim)
	for i := range n {
		c := rng.IntN(k)
		for j := range dim {
			out[i*dim+j] = centers[c*dim+j] + float32(rng.NormFloat64())*.3
		}
	}
	return out
}

func cost(points []float32, dim int, centers []float32) float64 {
	total := 0.0
	distances := make([]float32, len(centers)/dim)
	for i := range len(points) / dim {
		vec.L2Rows(points[i*dim:][:dim], centers, distances)
		total += float64(distances[Least(distances)])
	}
	return total / float64(len(points)/dim)
}

// TestMiniBatchComesNearLloyd: from the same first centers it makes the distances nearly
// as small as Lloyd's algorithm does, and much smaller than they were.
func TestMiniBatchComesNearLloyd(t *testing.T) {
	const dim, k = 8, 30
	points := blobs(4000, dim, 60, rand.New(rand.NewPCG(1, 2)))
	first := make([]float32, k*dim)
	Seed(points, dim, first, rand.New(rand.NewPCG(3, 4)))
	lloyd, mini := slices.Clone(first), slices.Clone(first)
	Lloyd(points, dim, lloyd, 50, nil)
	MiniBatch(points, dim, mini, 4, rand.New(rand.NewPCG(5, 6)))
	before, best, got := cost(points, dim, first), cost(points, dim, lloyd), cost(points, dim, mini)
	t.Logf("seeded %.3f, Lloyd %.3f, mini-batch %.3f", before, best, got)
	require.Less(t, got, 1.05*best)
	require.Less(t, got, .95*before)
}

func TestSeedSpreadsTheCenters(t *testing.T) {
	const dim, k = 4, 20
	rng := rand.New(rand.NewPCG(1, 2))
	points := blobs(2000, dim, k, rng)
	seeded, drawn := 0.0, 0.0
	for range 5 {
		centers := make([]float32, k*dim)
		Seed(points, dim, centers, rng)
		seeded += cost(points, dim, centers)
		for c := range k {
			copy(centers[c*dim:][:dim], points[rng.IntN(2000)*dim:])
		}
		drawn += cost(points, dim, centers)
	}
	require.Less(t, seeded, .7*drawn, "k-means++ against random points")
}

// TestFewDifferentPoints: fewer of them than centers.
func TestFewDifferentPoints(t *testing.T) {
	points := slices.Repeat([]float32{1, 2, 3, 4}, 50)
	for range 3 {
		centers := make([]float32, 7*2)
		rng := rand.New(rand.NewPCG(1, 2))
		Seed(points, 2, centers, rng)
		MiniBatch(points, 2, centers, 3, rng)
		require.Less(t, cost(points, 2, centers), 1e-3)
		Lloyd(points, 2, centers, 3, rng)
	}
	out := make([]int, 2)
	Assign([]float32{0, 0, 9, 9}, 2, []float32{8, 8, 1, 1}, nil, out)
	require.Equal(t, []int{1, 0}, out)
	Assign([]float32{0, 0, 9, 9}, 2, []float32{8, 8, 1, 1}, []int{1, 0}, out)
	require.Equal(t, []int{0, 1}, out)
}

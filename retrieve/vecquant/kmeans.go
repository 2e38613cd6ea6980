package vecquant

import (
	"math/rand/v2"

	"github.com/prodailabs/prodai/internal/vec"
)

// kMeans moves the centers, rows of dim elements, so that the mean squared distance
// of the points to their nearest center becomes small (Lloyd's algorithm). rng
// chooses the first centers by k-means++; if it is nil, they are there already. A
// center that has no points left takes half of the points of the center that has
// most.
func kMeans(points []float32, dim int, centers []float32, rounds int, rng *rand.Rand) {
	n, k := len(points)/dim, len(centers)/dim
	if rng != nil {
		plusPlus(points, dim, centers, rng)
	}
	distances := make([]float32, k)
	nearest := make([]int, n)
	sums, counts := make([]float64, len(centers)), make([]int, k)
	before := -1.0
	for range rounds {
		clear(sums)
		clear(counts)
		total := 0.0
		for i := range n {
			p := points[i*dim:][:dim]
			vec.L2Rows(p, centers, distances)
			c := least(distances)
			nearest[i] = c
			total += float64(distances[c])
			counts[c]++
			for j, e := range p {
				sums[c*dim+j] += float64(e)
			}
		}
		for c := range k {
			for j := range dim {
				if counts[c] > 0 {
					centers[c*dim+j] = float32(sums[c*dim+j] / float64(counts[c]))
				}
			}
		}
		split := splitEmpty(centers, dim, counts)
		if !split && before >= 0 && before-total <= 1e-5*before {
			return
		}
		before = total
	}
}

// splitEmpty puts each center without points next to the center with most.
func splitEmpty(centers []float32, dim int, counts []int) bool {
	split := false
	for c := range counts {
		if counts[c] > 0 {
			continue
		}
		most := 0
		for i, n := range counts {
			if n > counts[most] {
				most = i
			}
		}
		if counts[most] < 2 {
			break // there are fewer different points than centers
		}
		split = true
		for j := range dim {
			e := centers[most*dim+j]
			centers[c*dim+j], centers[most*dim+j] = e*(1+1.0/1024), e*(1-1.0/1024)
		}
		counts[c] = counts[most] / 2
		counts[most] -= counts[c]
	}
	return split
}

// plusPlus chooses centers among the points, each with a probability that grows
// with the squared distance to the nearest center chosen before.
//
// Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", SODA 2007.
func plusPlus(points []float32, dim int, centers []float32, rng *rand.Rand) {
	n, k := len(points)/dim, len(centers)/dim
	near, distances := make([]float32, n), make([]float32, n)
	at := rng.IntN(n)
	for c := range k {
		copy(centers[c*dim:][:dim], points[at*dim:][:dim])
		vec.L2Rows(centers[c*dim:][:dim], points, distances)
		total := 0.0
		for i, d := range distances {
			if c == 0 || d < near[i] {
				near[i] = d
			}
			total += float64(near[i])
		}
		at = rng.IntN(n) // if all points are centers already
		for i, left := 0, rng.Float64()*total; i < n && total > 0; i++ {
			if left -= float64(near[i]); left < 0 {
				at = i
				break
			}
		}
	}
}

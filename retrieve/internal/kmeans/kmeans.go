// Package kmeans groups vectors around centers.
package kmeans

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/prodailabs/prodai/internal/vec"
)

// Lloyd moves the centers, rows of dim elements, so that the mean squared distance
// of the points to their nearest center becomes small (Lloyd's algorithm). rng
// chooses the first centers by k-means++; if it is nil, they are there already. A
// center that has no points left takes half of the points of the center that has
// most.
func Lloyd(points []float32, dim int, centers []float32, rounds int, rng *rand.Rand) {
	n, k := len(points)/dim, len(centers)/dim
	if rng != nil {
		Seed(points, dim, centers, rng)
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
			c := Least(distances)
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

// Seed chooses centers among the points, each with a probability that grows
// with the squared distance to the nearest center chosen before.
//
// Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", SODA 2007.
func Seed(points []float32, dim int, centers []float32, rng *rand.Rand) {
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

// Least returns the place of the smallest number, the first of equal ones.
func Least(x []float32) int {
	at := 0
	for i, e := range x {
		if e < x[at] {
			at = i
		}
	}
	return at
}

// batch is how many points a step of MiniBatch looks at.
const batch = 1024

// MiniBatch moves the centers as [Lloyd] does, by steps that look at some points only:
// each center moves towards the points of the batch that are nearest to it, less and
// less as it has seen more. The points are looked at passes times in random order. The
// centers must be chosen already.
//
// Sculley: "Web-scale k-means clustering", WWW 2010.
func MiniBatch(points []float32, dim int, centers []float32, passes int, rng *rand.Rand) {
	n, k := len(points)/dim, len(centers)/dim
	counts := make([]int, k)
	nearest := make([]int, batch)
	order := rng.Perm(n)
	for range passes {
		seen := make([]int, k)
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		for from := 0; from < n; from += batch {
			part := order[from:min(n, from+batch)]
			Assign(points, dim, centers, part, nearest)
			for i, p := range part {
				c := nearest[i]
				counts[c]++
				seen[c]++
				rate := 1 / float32(counts[c])
				center := centers[c*dim:][:dim]
				for j, e := range points[p*dim:][:dim] {
					center[j] += rate * (e - center[j])
				}
			}
		}
		if splitEmpty(centers, dim, seen) {
			for c := range counts { // the split ones start anew
				counts[c] = min(counts[c], seen[c])
			}
		}
	}
}

// Assign sets out[i] to the center that is nearest to point rows[i], or to point i if
// rows is nil. It uses all processors.
func Assign(points []float32, dim int, centers []float32, rows, out []int) {
	n := len(points) / dim
	if rows != nil {
		n = len(rows)
	}
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		from, to := w*n/workers, (w+1)*n/workers
		wg.Go(func() {
			distances := make([]float32, len(centers)/dim)
			for i := from; i < to; i++ {
				at := i
				if rows != nil {
					at = rows[i]
				}
				vec.L2Rows(points[at*dim:][:dim], centers, distances)
				out[i] = Least(distances)
			}
		})
	}
	wg.Wait()
}

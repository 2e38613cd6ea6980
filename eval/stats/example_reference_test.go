package stats

import (
	"fmt"
	"slices"
)

// plainBootstrap is the bootstrap of a corpus score as it is defined. The score is a
// function of the sums of width counts, and rows has these counts for each of n
// segments. A resample draws n segments with replacement, adds up their counts and
// scores the sums. The tests compare [PairedBootstrap]'s packed sums with it.
//
// Traps:
//   - n segments are drawn, as many as there are. With fewer the interval is too wide.
//   - The counts are summed before the score is taken. The mean of the segments' scores
//     is another number (see BLEU).
//   - Segments are drawn with replacement. Without it every resample is the whole
//     corpus, and the interval has no width.
//   - Two systems are compared on the same draws. Draws of their own for each system
//     add the difference of the segments to the difference of the systems.
func plainBootstrap(rows []float64, n, width, samples int, seed uint64, score func([]float64) float64) []float64 {
	g := NewGenerator(seed)
	out := make([]float64, samples)
	index := make([]int64, n)
	for i := range out {
		g.Integers(index, uint64(n))
		sum := make([]float64, width)
		for _, k := range index {
			for j := range sum {
				sum[j] += rows[int(k)*width+j]
			}
		}
		out[i] = score(sum)
	}
	return out
}

// The percentile interval of an accuracy: 8 of 10 answers are right. Each row is
// (right, asked). The package's quantile takes the values between the ranks into
// account; here the interval is read off the sorted values.
func Example_plainBootstrap() {
	rows := []float64{1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1}
	values := plainBootstrap(rows, 10, 2, 1000, 12345, func(sum []float64) float64 { return sum[0] / sum[1] })
	slices.Sort(values)
	fmt.Printf("0.8, 95 %% between %.1f and %.1f\n", values[25], values[974])
	// Output:
	// 0.8, 95 % between 0.5 and 1.0
}

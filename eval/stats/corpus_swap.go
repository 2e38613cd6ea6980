package stats

import (
	"math"
	"math/bits"
	"slices"
)

// batch is how many trials of approximate randomization are done at once, 64
// because then a batch's coin flips are whole words of the stream.
const batch = 64

// group is how many segments a step of a trial takes: four tables of four.
const group = 16

// swappedDifferences returns |score(A) - score(B)| of every trial, where A has the
// baseline's row for each head and the system's row otherwise, and B has the other
// rows.
//
// A is the system's total plus the sum, over the heads, of the rows' differences.
// Such sums of subsets of the same rows are computed by tables, which is called the
// method of the four Russians. For four segments at a time all 16 sums are computed
// once for each batch, and a trial adds the one that its four coins select. Packed
// words (see [table]) can be subtracted and added like numbers: what a field
// borrows from the next field is given back when the total is added.
func swappedDifferences(baseline, system []float64, n, width, samples, workers int, g *Generator, score func([]float64) float64) []float64 {
	t := newTable([][]float64{slices.Concat(baseline, system)}, 2*n, width, lanes)
	totalB, totalA := totals(baseline, width), totals(system, width)
	words, floats := rowDifferences(t.words, n), rowDifferences(t.floats, n)
	wordTotals := make([]uint64, len(t.words)*lanes)
	for p, panel := range t.words {
		for _, row := range panel[n:] {
			for j, v := range row {
				wordTotals[p*lanes+j] += v
			}
		}
	}

	out := make([]float64, samples)
	tasks := (samples + batch - 1) / batch
	workers = workersFor(tasks, workers)
	type buffers struct {
		coins     []uint64
		wordSums  [][lanes]uint64
		floatSums [][lanes]float64
		words     []uint64
		a, b      []float64
	}
	bufs := make([]buffers, workers)
	for w := range bufs {
		bufs[w] = buffers{
			coins:     make([]uint64, n+2),
			wordSums:  make([][lanes]uint64, batch*len(words)),
			floatSums: make([][lanes]float64, batch*len(floats)),
			words:     make([]uint64, len(wordTotals)),
			a:         make([]float64, width),
			b:         make([]float64, width),
		}
	}
	inOrder(tasks, workers,
		func(task, w int) {
			g.fillBits(bufs[w].coins, min(batch, samples-task*batch)*n)
		},
		func(task, w int) {
			b := bufs[w]
			trials := min(batch, samples-task*batch)
			headSums(words, b.coins, n, trials, b.wordSums)
			headSums(floats, b.coins, n, trials, b.floatSums)
			for i := range trials {
				if t.floats == nil {
					for k, total := range wordTotals {
						b.words[k] = total + b.wordSums[i*len(words)+k/lanes][k%lanes]
					}
					t.unpack(b.words, n, b.a)
				} else {
					for j := range b.a {
						b.a[j] = totalA[j] + b.floatSums[i*len(floats)+j/lanes][j%lanes]
					}
				}
				for j := range b.b {
					b.b[j] = totalA[j] + totalB[j] - b.a[j]
				}
				out[task*batch+i] = math.Abs(score(b.a) - score(b.b))
			}
		})
	return out
}

// fillBits reads n coin flips, the bits of the stream's 32-bit words. The caller
// must not have used half of a word before.
func (g *Generator) fillBits(dst []uint64, n int) {
	halves := (n + 31) / 32
	for i := range halves / 2 {
		dst[i] = g.Uint64()
	}
	if halves%2 == 1 {
		dst[halves/2] = uint64(g.Uint32())
	}
}

// rowDifferences returns the first n rows of each panel less the other n, and
// rows of zeros up to a whole number of groups.
func rowDifferences[T uint64 | float64](panels [][][lanes]T, n int) [][][lanes]T {
	var out [][][lanes]T
	for _, panel := range panels {
		rows := make([][lanes]T, (n+group-1)/group*group)
		for i := range n {
			for j := range lanes {
				rows[i][j] = panel[i][j] - panel[n+i][j]
			}
		}
		out = append(out, rows)
	}
	return out
}

// headSums adds up, for each trial and panel, the rows for which the trial's coins,
// n bits each, are heads.
func headSums[T uint64 | float64](panels [][][lanes]T, coins []uint64, n, trials int, sums [][lanes]T) {
	clear(sums)
	var tables [4][16][lanes]T
	for p, rows := range panels {
		for at := 0; at < len(rows); at += group {
			for q := range tables {
				subsetSums((*[4][lanes]T)(rows[at+4*q:]), &tables[q])
			}
			for i := range trials {
				bit := i*n + at
				c := coins[bit>>6]>>(bit&63) | coins[bit>>6+1]<<(64-bit&63)
				r0, r1, r2, r3 := &tables[0][c&15], &tables[1][c>>4&15], &tables[2][c>>8&15], &tables[3][c>>12&15]
				s := &sums[i*len(panels)+p]
				s[0] += (r0[0] + r1[0]) + (r2[0] + r3[0])
				s[1] += (r0[1] + r1[1]) + (r2[1] + r3[1])
				s[2] += (r0[2] + r1[2]) + (r2[2] + r3[2])
				s[3] += (r0[3] + r1[3]) + (r2[3] + r3[3])
			}
		}
	}
}

// subsetSums sets sums[m] to the sum of the rows that the bits of m select. The
// empty sum stays zero.
func subsetSums[T uint64 | float64](rows *[4][lanes]T, sums *[16][lanes]T) {
	for m := 1; m < 16; m++ {
		from, row := &sums[m&(m-1)], &rows[bits.TrailingZeros(uint(m))&3]
		for j := range lanes {
			sums[m][j] = from[j] + row[j]
		}
	}
}

package stats

import "math"

// batch is how many trials of approximate randomisation are done at once, 64
// because then a batch's coin flips are whole words of the stream.
const batch = 64

// swappedDifferences returns |score(A) - score(B)| of every trial, A having the
// baseline's row where the coin fell heads and the system's elsewhere, B the
// other ones.
//
// A is the system's total plus the sum, over the heads, of the rows' differences.
// Sums of subsets of the same rows, many times over: the "four Russians" do
// that by tables. For four segments at a time all 16 sums are formed once per
// batch; a trial then adds the one that its four coins name.
func swappedDifferences(baseline, system []float64, n, width, samples, workers int, g *Generator, score func([]float64) float64) []float64 {
	const group = 16 // segments per step: four tables of four
	blocks := (n + group - 1) / group
	diff := make([]float64, blocks*group*width)
	for i, x := range baseline {
		diff[i] = x - system[i]
	}
	totalA, totalB := totals(system, width), totals(baseline, width)

	out := make([]float64, samples)
	tasks := (samples + batch - 1) / batch
	workers = workersFor(tasks, workers)
	type buffers struct {
		bits   []uint64
		tables []float64 // 4 tables of 16 rows
		sums   []float64 // a row per trial
		a, b   []float64
	}
	bufs := make([]buffers, workers)
	for w := range bufs {
		bufs[w] = buffers{
			bits:   make([]uint64, n+2),
			tables: make([]float64, 4*16*width),
			sums:   make([]float64, batch*width),
			a:      make([]float64, width),
			b:      make([]float64, width),
		}
	}
	inOrder(tasks, workers,
		func(task, w int) {
			trials := min(batch, samples-task*batch)
			g.fillBits(bufs[w].bits, trials*n)
		},
		func(task, w int) {
			b := bufs[w]
			trials := min(batch, samples-task*batch)
			clear(b.sums)
			for block := range blocks {
				subsetSums(diff[block*group*width:][:group*width], width, b.tables)
				for t := range trials {
					at := t*n + block*group
					coins := b.bits[at>>6]>>(at&63) | b.bits[at>>6+1]<<(64-at&63)
					addTables(b.sums[t*width:][:width], b.tables, width, coins)
				}
			}
			for t := range trials {
				for j := range width {
					b.a[j] = totalA[j] + b.sums[t*width+j]
					b.b[j] = totalB[j] - b.sums[t*width+j]
				}
				out[task*batch+t] = math.Abs(score(b.a) - score(b.b))
			}
		})
	return out
}

// fillBits reads n coin flips, the bits of the stream's 32-bit words.
func (g *Generator) fillBits(dst []uint64, n int) {
	clear(dst)
	for i := range (n + 31) / 32 {
		dst[i/2] |= uint64(g.Uint32()) << (i % 2 * 32)
	}
}

// subsetSums fills four tables of 16 rows: row m of table q is the sum of those
// of the four rows 4q.. that the bits of m name.
func subsetSums(rows []float64, width int, tables []float64) {
	for q := range 4 {
		table := tables[q*16*width:][:16*width]
		clear(table[:width])
		for m := 1; m < 16; m++ {
			rest := m & (m - 1)
			low := 0
			for m>>low&1 == 0 {
				low++
			}
			row := rows[(4*q+low)*width:][:width]
			from := table[rest*width:][:width]
			to := table[m*width:][:width]
			for j := range to {
				to[j] = from[j] + row[j]
			}
		}
	}
}

func addTables(sum, tables []float64, width int, coins uint64) {
	t0 := tables[(coins&15)*uint64(width):][:len(sum)]
	t1 := tables[(16+coins>>4&15)*uint64(width):][:len(sum)]
	t2 := tables[(32+coins>>8&15)*uint64(width):][:len(sum)]
	t3 := tables[(48+coins>>12&15)*uint64(width):][:len(sum)]
	for j := range sum {
		sum[j] += (t0[j] + t1[j]) + (t2[j] + t3[j])
	}
}

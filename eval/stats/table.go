package stats

import (
	"math"
	"math/bits"
)

// lanes is how many words of a row are summed at once: as many running sums as
// stay in registers beside the row and its weight.
const lanes = 8

// A table holds the rows of one or more systems side by side, in panels of
// eight words, each panel's rows one after the other: a weighted sum then
// reads memory in one direction.
//
// Sufficient statistics are counts more often than not. Where all are whole
// numbers, several share a 64-bit word, each in a field so wide that no
// resample's sum overflows it: one multiplication adds them all. BLEU's twenty
// numbers a segment (two systems) need seven words.
type table struct {
	n, columns int
	words      [][][lanes]uint64  // panels, when fields is set
	fields     []field            // where each column is
	floats     [][][lanes]float64 // panels, otherwise
}

type field struct {
	word  int
	shift uint
	mask  uint64
}

func newTable(systems [][]float64, n, width int) *table {
	t := &table{n: n, columns: width * len(systems)}
	at := func(i, column int) float64 { return systems[column/width][i*width+column%width] }
	if t.fields = packing(n, t.columns, at); t.fields == nil {
		t.floats = panels[float64](n, t.columns)
		for c := range t.columns {
			for i := range n {
				t.floats[c/lanes][i][c%lanes] = at(i, c)
			}
		}
		return t
	}
	t.words = panels[uint64](n, t.fields[t.columns-1].word+1)
	for c, f := range t.fields {
		for i := range n {
			t.words[f.word/lanes][i][f.word%lanes] |= uint64(at(i, c)) << f.shift
		}
	}
	return t
}

func panels[T uint64 | float64](n, words int) [][][lanes]T {
	p := make([][][lanes]T, (words+lanes-1)/lanes)
	for i := range p {
		p[i] = make([][lanes]T, n)
	}
	return p
}

// packing gives every column a field, or returns nil if one of the numbers
// isn't a whole one that 53 bits can sum.
func packing(n, columns int, at func(i, column int) float64) []field {
	fields := make([]field, columns)
	word, used := 0, uint(0)
	for c := range fields {
		largest := 0.0
		for i := range n {
			x := at(i, c)
			if x < 0 || x != math.Floor(x) {
				return nil
			}
			largest = max(largest, x)
		}
		if largest*float64(n) >= 1<<53 {
			return nil
		}
		need := uint(max(1, bits.Len64(uint64(largest)*uint64(n))))
		if used+need > 64 {
			word, used = word+1, 0
		}
		fields[c] = field{word: word, shift: used, mask: 1<<need - 1}
		used += need
	}
	return fields
}

// weightedSums adds up the rows, each as often as weights says, into out, one
// sum a column.
func (t *table) weightedSums(weights []uint16, out []float64) {
	if t.fields == nil {
		for p, panel := range t.floats {
			s := sumFloats(panel, weights)
			copy(out[p*lanes:], s[:])
		}
		return
	}
	c := 0
	for p, panel := range t.words {
		s := sumWords(panel, weights)
		for ; c < len(out) && t.fields[c].word < (p+1)*lanes; c++ {
			f := t.fields[c]
			out[c] = float64(s[f.word%lanes] >> f.shift & f.mask)
		}
	}
}

func sumWords(panel [][lanes]uint64, weights []uint16) [lanes]uint64 {
	panel = panel[:len(weights)] // no bounds check in the loop
	var s0, s1, s2, s3, s4, s5, s6, s7 uint64
	for i, weight := range weights {
		w := uint64(weight)
		r := &panel[i]
		s0 += w * r[0]
		s1 += w * r[1]
		s2 += w * r[2]
		s3 += w * r[3]
		s4 += w * r[4]
		s5 += w * r[5]
		s6 += w * r[6]
		s7 += w * r[7]
	}
	return [lanes]uint64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// sumFloats converts each product explicitly, which keeps a compiler from
// fusing it with the addition: every processor gives the same bits.
func sumFloats(panel [][lanes]float64, weights []uint16) [lanes]float64 {
	panel = panel[:len(weights)] // no bounds check in the loop
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for i, weight := range weights {
		w := float64(weight)
		r := &panel[i]
		s0 += float64(w * r[0])
		s1 += float64(w * r[1])
		s2 += float64(w * r[2])
		s3 += float64(w * r[3])
		s4 += float64(w * r[4])
		s5 += float64(w * r[5])
		s6 += float64(w * r[6])
		s7 += float64(w * r[7])
	}
	return [lanes]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}

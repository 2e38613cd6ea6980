package stats

import "math/bits"

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
	if t.fields = packing(systems, n, width); t.fields == nil {
		t.floats = panels[float64](n, t.columns)
	} else {
		t.words = panels[uint64](n, t.fields[t.columns-1].word+1)
	}
	for s, rows := range systems {
		for j := range width {
			c := s*width + j
			if t.fields == nil {
				panel := t.floats[c/lanes]
				for i := range panel {
					panel[i][c%lanes] = rows[i*width+j]
				}
				continue
			}
			f := t.fields[c]
			panel := t.words[f.word/lanes]
			for i := range panel {
				panel[i][f.word%lanes] |= uint64(rows[i*width+j]) << f.shift
			}
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
func packing(systems [][]float64, n, width int) []field {
	largest := make([]float64, width*len(systems))
	for s, rows := range systems {
		for i := 0; i < len(rows); i += width {
			for j, x := range rows[i : i+width] {
				if !(x >= 0 && x < 1<<53) || x != float64(int64(x)) {
					return nil
				}
				largest[s*width+j] = max(largest[s*width+j], x)
			}
		}
	}
	fields := make([]field, len(largest))
	word, used := 0, uint(0)
	for c, top := range largest {
		if top*float64(n) >= 1<<53 {
			return nil
		}
		need := uint(max(1, bits.Len64(uint64(top)*uint64(n))))
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

package stats

import "math/bits"

// lanes is how many words of a row are summed at once: few enough for the
// running sums, the row and its weight to stay in registers.
const lanes = 4

// A table has the rows of one or more systems in the form in which a resample, a
// weighted sum of them, is fastest to compute.
//
// The rows are in panels of four words a row (the last may have two). The rows of a
// panel follow each other, so that memory is read in one direction.
//
// Sufficient statistics are usually counts, and if all are whole numbers two things
// save most of the work. First, several columns share a 64-bit word, each in a
// field so wide that no resample's sum overflows it, so one multiplication adds
// them all. Second, a column that differs from an earlier one by the same amount in
// every row (the reference length of both systems, the number of bigrams and that
// of words) isn't summed. So BLEU's twenty numbers of two systems need only four
// words.
type table struct {
	n       int
	columns []column
	words   [][][lanes]uint64
	tail    [][2]uint64
	floats  [][][lanes]float64 // instead, if a number isn't whole
}

// A column is where the sum of a column is found: in a field of a word, plus
// the rows' number times an offset.
type column struct {
	word   int
	shift  uint
	mask   uint64
	offset float64
}

// newTable lays out systems of n rows of width numbers. The last panel is of
// narrow words a row if those are enough: 2, or lanes for whole panels only.
func newTable(systems [][]float64, n, width, narrow int) *table {
	t := &table{n: n}
	if !packable(systems, n) {
		t.setFloats(systems, width)
		return t
	}
	word, used := 0, uint(0)
	var kept []int
	for s, rows := range systems {
		for j := range width {
			if k, offset, ok := shifted(systems, width, kept, rows[j:]); ok {
				col := t.columns[k]
				col.offset += offset
				t.columns = append(t.columns, col)
				continue
			}
			top := 0.0
			for i := j; i < len(rows); i += width {
				top = max(top, rows[i])
			}
			need := uint(max(1, bits.Len64(uint64(top)*uint64(n))))
			if used+need > 64 {
				word, used = word+1, 0
			}
			t.columns = append(t.columns, column{word: word, shift: used, mask: 1<<need - 1})
			used += need
			kept = append(kept, s*width+j)
		}
	}
	t.words = panels[uint64](n, (word+1)/lanes)
	switch left := (word + 1) % lanes; {
	case left == 0:
	case left <= 2 && narrow == 2:
		t.tail = make([][2]uint64, n)
	default:
		t.words = append(t.words, make([][lanes]uint64, n))
	}
	for _, c := range kept {
		rows, j := systems[c/width], c%width
		col := t.columns[c]
		for i := range n {
			v := uint64(rows[i*width+j]) << col.shift
			if p := col.word / lanes; p < len(t.words) {
				t.words[p][i][col.word%lanes] |= v
			} else {
				t.tail[i][col.word%lanes] |= v
			}
		}
	}
	return t
}

// setFloats lays the numbers out as they are, a column to a lane.
func (t *table) setFloats(systems [][]float64, width int) {
	t.floats = panels[float64](t.n, (len(systems)*width+lanes-1)/lanes)
	t.columns = make([]column, len(systems)*width)
	for s, rows := range systems {
		for j := range width {
			c := s*width + j
			for i := range t.n {
				t.floats[c/lanes][i][c%lanes] = rows[i*width+j]
			}
		}
	}
}

func panels[T uint64 | float64](n, count int) [][][lanes]T {
	p := make([][][lanes]T, count)
	for i := range p {
		p[i] = make([][lanes]T, n)
	}
	return p
}

// packable reports whether all numbers are whole, not negative, and so small that a
// float64 can store any resample's sum exactly.
func packable(systems [][]float64, n int) bool {
	limit := float64(1<<53) / float64(n)
	for _, rows := range systems {
		for _, x := range rows {
			if !(x >= 0 && x < limit) || x != float64(int64(x)) {
				return false
			}
		}
	}
	return true
}

// shifted looks for a kept column that differs by the same amount in every row from
// the column that starts at rows[0].
func shifted(systems [][]float64, width int, kept []int, rows []float64) (k int, offset float64, ok bool) {
next:
	for _, k := range kept {
		other := systems[k/width][k%width:]
		offset := rows[0] - other[0]
		for i := 0; i < len(rows); i += width {
			if rows[i]-other[i] != offset {
				continue next
			}
		}
		return k, offset, true
	}
	return 0, 0, false
}

// weightedSums adds up the rows, each as often as its weight, into out, one sum for
// each column. The weights sum to the number of rows.
func (t *table) weightedSums(weights []uint16, out []float64) {
	if t.floats != nil {
		for p, panel := range t.floats {
			s := sumFloats(panel, weights)
			copy(out[p*lanes:], s[:])
		}
		return
	}
	var small [8 * lanes]uint64
	words := small[:0]
	for _, panel := range t.words {
		s := sumWords(panel, weights)
		words = append(words, s[:]...)
	}
	if t.tail != nil {
		s := sumPairs(t.tail, weights)
		words = append(words, s[:]...)
	}
	t.unpack(words, t.n, out)
}

// unpack reads the columns' sums over a number of rows from the words' sums.
func (t *table) unpack(words []uint64, rows int, out []float64) {
	for c, col := range t.columns {
		out[c] = float64(words[col.word]>>col.shift&col.mask) + float64(rows)*col.offset
	}
}

func sumWords(panel [][lanes]uint64, weights []uint16) [lanes]uint64 {
	panel = panel[:len(weights)] // no bounds check in the loop
	var s0, s1, s2, s3 uint64
	for i, weight := range weights {
		w := uint64(weight)
		r := &panel[i]
		s0 += w * r[0]
		s1 += w * r[1]
		s2 += w * r[2]
		s3 += w * r[3]
	}
	return [lanes]uint64{s0, s1, s2, s3}
}

func sumPairs(panel [][2]uint64, weights []uint16) [2]uint64 {
	panel = panel[:len(weights)]
	var s0, s1 uint64
	for i, weight := range weights {
		w := uint64(weight)
		r := &panel[i]
		s0 += w * r[0]
		s1 += w * r[1]
	}
	return [2]uint64{s0, s1}
}

// sumFloats converts each product explicitly, so that a compiler doesn't fuse it
// with the addition and every processor gives the same bits.
func sumFloats(panel [][lanes]float64, weights []uint16) [lanes]float64 {
	panel = panel[:len(weights)]
	var s0, s1, s2, s3 float64
	for i, weight := range weights {
		w := float64(weight)
		r := &panel[i]
		s0 += float64(w * r[0])
		s1 += float64(w * r[1])
		s2 += float64(w * r[2])
		s3 += float64(w * r[3])
	}
	return [lanes]float64{s0, s1, s2, s3}
}

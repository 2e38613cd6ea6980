package eval

import (
	"math"
	"math/bits"
	"slices"
)

// An lcs finds longest common subsequences. Its tables are reused.
type lcs struct {
	masks []uint64 // by id: its positions in a block of a
	carry []uint64 // by position in b: the carry of the block before
	table []int32
}

// length is the length of the longest common subsequence of a and b, 64 cells of
// the dynamic program at a time: bit i of v is 0 where the row's value steps up at
// position i of a, and one addition moves every step of a row (Hyyrö 2004,
// "Bit-Parallel LCS-length Computation Revisited"). If a is longer than 64, it is
// processed in blocks, each with the whole of b. The carries of the additions are
// kept for the next block.
func (l *lcs) length(a, b []uint32) int {
	top := uint32(0)
	for _, id := range a {
		top = max(top, id)
	}
	if n := int(top) + 1; n > len(l.masks) {
		l.masks = make([]uint64, n+n/2)
	}
	l.carry = l.carry[:0]
	if len(a) > 64 {
		l.carry = append(l.carry, make([]uint64, len(b))...)
	}
	found := 0
	for len(a) > 0 {
		block := a[:min(64, len(a))]
		a = a[len(block):]
		for i, id := range block {
			l.masks[id] |= 1 << i
		}
		v := ^uint64(0)
		if len(l.carry) == 0 {
			for _, id := range b {
				if id <= top {
					u := v & l.masks[id]
					v = (v + u) | (v - u)
				}
			}
		} else {
			for j, id := range b {
				u := uint64(0)
				if id <= top {
					u = v & l.masks[id]
				}
				var sum uint64
				sum, l.carry[j] = bits.Add64(v, u, l.carry[j])
				v = sum | (v - u)
			}
		}
		found += bits.OnesCount64(^v << (64 - len(block)))
		for _, id := range block {
			l.masks[id] = 0
		}
	}
	return found
}

// maxTable bounds the cells of mark's table. For longer texts only some of its rows
// are kept, and those between are computed again.
const maxTable = 1 << 24

// mark sets used[i] for the positions i of want in one longest common subsequence
// with got. It is the one that the back-trace of rouge-score finds, which goes up
// unless the cell to the left is larger.
func (l *lcs) mark(want, got []uint32, used []bool) {
	rows := len(want) // of a block
	if (rows+1)*(len(got)+1) > maxTable {
		rows = int(math.Sqrt(float64(rows))) + 1
	}
	l.markBlocks(want, got, used, rows)
}

// markBlocks is mark with blocks of this many rows. It keeps the row above every
// block, and fills one block at a time from the last, where the trace begins.
func (l *lcs) markBlocks(want, got []uint32, used []bool, rows int) {
	cols := len(got) + 1
	if n := (rows + 1) * cols; n > len(l.table) {
		l.table = make([]int32, n)
	}
	starts := [][]int32{nil} // the first block's is all zeros
	for from := 0; from+rows < len(want); from += rows {
		block := l.fill(want[from:from+rows], got, starts[len(starts)-1])
		starts = append(starts, slices.Clone(block[rows*cols:]))
	}
	j := len(got)
	for b := len(starts) - 1; b >= 0 && j > 0; b-- {
		from := b * rows
		to := min(from+rows, len(want))
		t := l.fill(want[from:to], got, starts[b])
		for i := to - from; i > 0 && j > 0; {
			switch {
			case want[from+i-1] == got[j-1]:
				used[from+i-1] = true
				i--
				j--
			case t[i*cols+j-1] > t[(i-1)*cols+j]:
				j--
			default:
				i--
			}
		}
	}
}

// fill computes the table of some rows below a first one, nil for zeros.
func (l *lcs) fill(want, got []uint32, first []int32) []int32 {
	cols := len(got) + 1
	t := l.table[:(len(want)+1)*cols]
	if first == nil {
		clear(t[:cols])
	} else {
		copy(t, first)
	}
	for i := 1; i <= len(want); i++ {
		above, row := t[(i-1)*cols:i*cols], t[i*cols:(i+1)*cols]
		row[0] = 0
		for j := 1; j < cols; j++ {
			if want[i-1] == got[j-1] {
				row[j] = above[j-1] + 1
			} else {
				row[j] = max(above[j], row[j-1])
			}
		}
	}
	return t
}

package eval

import "math/bits"

// An lcs finds longest common subsequences. Its tables are reused.
type lcs struct {
	masks []uint64 // of id: the positions in a block of a that hold it
	carry []uint64 // of position in b: what the block before hands on
	table []int32
}

// length is the length of the longest common subsequence of a and b, 64 cells
// of the dynamic program at a time: bit i of v is 0 where the row's value steps
// up at position i of a, and one addition moves every step of a row (Hyyrö
// 2004, "Bit-Parallel LCS-length Computation Revisited"). An a of more than 64
// is worked off in blocks, the whole of b for each, with the additions' carries
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

// mark sets used[i] for the positions i of want in one longest common
// subsequence with got: the one that rouge-score's back-trace finds, which
// goes up unless the cell to the left is larger.
func (l *lcs) mark(want, got []uint32, used []bool) {
	cols := len(got) + 1
	if n := (len(want) + 1) * cols; n > len(l.table) {
		l.table = make([]int32, n)
	}
	t := l.table
	clear(t[:cols])
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
	for i, j := len(want), len(got); i > 0 && j > 0; {
		switch {
		case want[i-1] == got[j-1]:
			used[i-1] = true
			i--
			j--
		case t[i*cols+j-1] > t[(i-1)*cols+j]:
			j--
		default:
			i--
		}
	}
}

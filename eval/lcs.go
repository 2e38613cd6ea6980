package eval

import "math/bits"

// An lcs finds longest common subsequences. Its tables are reused.
type lcs struct {
	masks []uint64 // of id: the positions of a that hold it, words to an id
	v     []uint64
	table []int32
}

// length is the length of the longest common subsequence of a and b, 64 cells
// of the dynamic program at a time: bit i of v is 0 where the row's value steps
// up at position i of a, and one addition moves every step of a row (Hyyrö
// 2004, "Bit-Parallel LCS-length Computation Revisited").
func (l *lcs) length(a, b []uint32) int {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	words := (len(a) + 63) / 64
	top := uint32(0)
	for _, id := range a {
		top = max(top, id)
	}
	if n := (int(top) + 1) * words; n > len(l.masks) {
		l.masks = make([]uint64, n+n/2)
	}
	for i, id := range a {
		l.masks[int(id)*words+i/64] |= 1 << (i % 64)
	}
	found := 0
	if words == 1 {
		v := ^uint64(0)
		for _, id := range b {
			if id <= top {
				u := v & l.masks[id]
				v = (v + u) | (v - u)
			}
		}
		found = bits.OnesCount64(^v << (64 - len(a)))
	} else {
		found = l.long(b, top, words, len(a))
	}
	for _, id := range a {
		clear(l.masks[int(id)*words : int(id+1)*words])
	}
	return found
}

func (l *lcs) long(b []uint32, top uint32, words, n int) int {
	if words > len(l.v) {
		l.v = make([]uint64, words)
	}
	v := l.v[:words]
	for i := range v {
		v[i] = ^uint64(0)
	}
	for _, id := range b {
		if id > top {
			continue
		}
		mask := l.masks[int(id)*words:]
		carry := uint64(0)
		for i, x := range v {
			u := x & mask[i]
			var sum uint64
			sum, carry = bits.Add64(x, u, carry)
			v[i] = sum | (x - u)
		}
	}
	if rest := n % 64; rest > 0 { // the bits past the end of a are no steps
		v[words-1] |= ^uint64(0) << rest
	}
	found := 0
	for _, x := range v {
		found += bits.OnesCount64(^x)
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

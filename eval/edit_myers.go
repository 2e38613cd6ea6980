package eval

import "slices"

// A myers finds edit distances with 64 cells of the dynamic program in a word:
// the table's vertical differences are -1, 0 or +1, kept as two bit vectors,
// and a row of them is moved on by a few operations (Myers 1999; Hyyrö 2003).
// The pattern runs along the bits, the text down the rows.
//
// A pattern longer than 64 is processed in blocks of columns, each with the whole
// text. The horizontal differences at the right edge of a block are kept for the
// next one. So the masks of one block at a time are enough, and memory grows with
// the length of a line, also if its words are all different.
type myers struct {
	pattern []uint32
	stride  int      // the largest id in the pattern, and one
	words   int      // blocks
	dense   bool     // the masks of all blocks are computed
	masks   []uint64 // by block w and id: its positions in the block, at w*stride+id
	edge    []int8   // by row: the difference at the edge of the block before
	// With keep, the bit vectors of every row and block, for trace.
	keep     bool
	pvs, nvs []uint64
}

// maxMasks bounds the masks that are kept for all blocks at once.
const maxMasks = 1 << 20

// set takes a pattern of small ids. Call reset before the next one.
func (m *myers) set(pattern []uint32) {
	m.pattern = pattern
	m.words = (len(pattern) + 63) / 64
	m.stride = 0
	for _, id := range pattern {
		m.stride = max(m.stride, int(id)+1)
	}
	m.dense = m.stride*m.words <= maxMasks
	need := m.stride
	if m.dense {
		need *= m.words
	}
	if need > len(m.masks) {
		m.masks = make([]uint64, need+need/2)
	}
	if m.dense {
		for i, id := range pattern {
			m.masks[i/64*m.stride+int(id)] |= 1 << (i % 64)
		}
	}
}

func (m *myers) reset() {
	if m.dense {
		for i, id := range m.pattern {
			m.masks[i/64*m.stride+int(id)] = 0
		}
	}
	m.pattern = nil
}

// block calls f with the masks of block w.
func (m *myers) block(w int, f func(masks []uint64)) {
	if m.dense {
		f(m.masks[w*m.stride : (w+1)*m.stride])
		return
	}
	part := m.pattern[w*64 : min(w*64+64, len(m.pattern))]
	for i, id := range part {
		m.masks[id] |= 1 << i
	}
	f(m.masks[:m.stride])
	for _, id := range part {
		m.masks[id] = 0
	}
}

// distance is the Levenshtein distance of the pattern and text.
func (m *myers) distance(text []uint32) int {
	n := len(m.pattern)
	if n == 0 {
		return len(text)
	}
	if m.keep {
		m.pvs = slices.Grow(m.pvs[:0], len(text)*m.words)[:len(text)*m.words]
		m.nvs = slices.Grow(m.nvs[:0], len(text)*m.words)[:len(text)*m.words]
	}
	m.edge = m.edge[:0]
	for range text {
		m.edge = append(m.edge, 1) // the row above the table rises by 1 a column
	}
	score := n
	for w := range m.words {
		last := min(63, n-1-w*64)
		m.block(w, func(masks []uint64) {
			change := m.column(w, masks, text, last)
			if w == m.words-1 {
				score += change
			}
		})
	}
	return score
}

// column moves one block down the text and returns by how much the cells below
// its last column differ from the first row's.
func (m *myers) column(w int, masks []uint64, text []uint32, last int) int {
	pv, nv := ^uint64(0), uint64(0)
	change := 0
	for row, id := range text {
		eq := uint64(0)
		if int(id) < len(masks) {
			eq = masks[id]
		}
		in := m.edge[row]
		p, n := uint64(in+1)>>1, uint64(uint8(in))>>7 // whether it is +1, whether it is -1
		x := eq | n
		d0 := ((x & pv) + pv) ^ pv | x | nv
		hp := nv | ^(d0 | pv)
		hn := pv & d0
		out := int8(hp>>last&1) - int8(hn>>last&1)
		m.edge[row] = out
		change += int(out)
		hp = hp<<1 | p
		hn = hn<<1 | n
		pv = hn | ^(d0 | hp)
		nv = hp & d0
		if m.keep {
			m.pvs[row*m.words+w], m.nvs[row*m.words+w] = pv, nv
		}
	}
	return change
}

// trace calls op for each step of one cheapest alignment of the pattern with
// text, last step first, after a distance with keep. Of several cheapest
// alignments it takes the one that rapidfuzz does: a deletion (from the
// pattern) if there is one, else an insertion, else a pair.
func (m *myers) trace(text []uint32, op func(kind byte, i, j int)) {
	bit := func(vs []uint64, row, col int) bool {
		return vs[row*m.words+col/64]>>(col%64)&1 == 1
	}
	col, row := len(m.pattern), len(text)
	for row > 0 && col > 0 {
		if bit(m.pvs, row-1, col-1) {
			col--
			op(opDelete, col, row)
			continue
		}
		row--
		if row > 0 && bit(m.nvs, row-1, col-1) {
			op(opInsert, col, row)
			continue
		}
		col--
		if m.pattern[col] == text[row] {
			op(opMatch, col, row)
		} else {
			op(opSubst, col, row)
		}
	}
	for col > 0 {
		col--
		op(opDelete, col, row)
	}
	for row > 0 {
		row--
		op(opInsert, col, row)
	}
}

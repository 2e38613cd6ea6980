package eval

// A myers finds edit distances with 64 cells of the dynamic program in a word:
// the table's vertical differences are -1, 0 or +1, kept as two bit vectors,
// and a row of them is moved on by a few operations (Myers 1999; Hyyrö 2003).
// The pattern runs along the bits, the text down the rows.
type myers struct {
	pattern []uint32
	masks   []uint64 // of id: the positions of the pattern that hold it, words to an id
	top     uint32   // the largest id in the pattern
	words   int
	pv, nv  []uint64
	// With keep, the bit vectors of every row, for trace.
	keep bool
	pvs  []uint64
	nvs  []uint64
}

// set takes a pattern of small ids. Call reset before the next one.
func (m *myers) set(pattern []uint32) {
	m.pattern = pattern
	m.words = (len(pattern) + 63) / 64
	m.top = 0
	for _, id := range pattern {
		m.top = max(m.top, id)
	}
	if n := (int(m.top) + 1) * m.words; n > len(m.masks) {
		m.masks = make([]uint64, n+n/2)
	}
	for i, id := range pattern {
		m.masks[int(id)*m.words+i/64] |= 1 << (i % 64)
	}
}

func (m *myers) reset() {
	for i, id := range m.pattern {
		m.masks[int(id)*m.words+i/64] = 0
	}
	m.pattern = nil
}

// distance is the Levenshtein distance of the pattern and text.
func (m *myers) distance(text []uint32) int {
	n := len(m.pattern)
	if n == 0 {
		return len(text)
	}
	m.pvs, m.nvs = m.pvs[:0], m.nvs[:0]
	if m.words == 1 {
		return m.short(text)
	}
	if cap(m.pv) < m.words {
		m.pv, m.nv = make([]uint64, m.words), make([]uint64, m.words)
	}
	pv, nv := m.pv[:m.words], m.nv[:m.words]
	for i := range pv {
		pv[i], nv[i] = ^uint64(0), 0
	}
	score, last := n, uint64(1)<<((n-1)%64)
	for _, id := range text {
		var mask []uint64
		if id <= m.top {
			mask = m.masks[int(id)*m.words : (int(id)+1)*m.words]
		}
		pCarry, nCarry := uint64(1), uint64(0) // the row above the table rises by 1 a column
		for i := range pv {
			eq := uint64(0)
			if mask != nil {
				eq = mask[i]
			}
			p, v := pv[i], nv[i]
			x := eq | nCarry
			d0 := ((x & p) + p) ^ p | x | v
			hp := v | ^(d0 | p)
			hn := p & d0
			if i == m.words-1 {
				if hp&last != 0 {
					score++
				} else if hn&last != 0 {
					score--
				}
			}
			pOut, nOut := hp>>63, hn>>63
			hp = hp<<1 | pCarry
			hn = hn<<1 | nCarry
			pCarry, nCarry = pOut, nOut
			pv[i] = hn | ^(d0 | hp)
			nv[i] = hp & d0
		}
		if m.keep {
			m.pvs, m.nvs = append(m.pvs, pv...), append(m.nvs, nv...)
		}
	}
	return score
}

func (m *myers) short(text []uint32) int {
	pv, nv := ^uint64(0), uint64(0)
	score, last := len(m.pattern), uint64(1)<<(len(m.pattern)-1)
	for _, id := range text {
		eq := uint64(0)
		if id <= m.top {
			eq = m.masks[id]
		}
		d0 := ((eq & pv) + pv) ^ pv | eq | nv
		hp := nv | ^(d0 | pv)
		hn := pv & d0
		if hp&last != 0 {
			score++
		} else if hn&last != 0 {
			score--
		}
		hp = hp<<1 | 1
		hn <<= 1
		pv = hn | ^(d0 | hp)
		nv = hp & d0
		if m.keep {
			m.pvs, m.nvs = append(m.pvs, pv), append(m.nvs, nv)
		}
	}
	return score
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

package eval

import (
	"math/bits"
	"unicode/utf8"
)

// A byteMyers is [myers] for ASCII: the masks of all 128 bytes lie in one
// table, word by word.
type byteMyers struct {
	masks  []uint64 // word i of byte c at i*128+c
	pv, nv []uint64
}

func (m *byteMyers) distance(a, b string) int {
	words := (len(a) + 63) / 64
	if len(m.masks) < words*utf8.RuneSelf {
		m.masks = make([]uint64, words*utf8.RuneSelf)
		m.pv, m.nv = make([]uint64, words), make([]uint64, words)
	}
	for i := 0; i < len(a); i++ {
		m.masks[i/64*utf8.RuneSelf+int(a[i])] |= 1 << (i % 64)
	}
	var score int
	switch words {
	case 1:
		score = one((*[128]uint64)(m.masks), len(a), b)
	case 2:
		score = two((*[128]uint64)(m.masks), (*[128]uint64)(m.masks[128:]), len(a), b)
	default:
		score = m.long(words, len(a), b)
	}
	clear(m.masks[:words*utf8.RuneSelf])
	return score
}

func one(masks *[128]uint64, n int, b string) int {
	pv, nv := ^uint64(0), uint64(0)
	score, shift := n, n-1
	for i := 0; i < len(b); i++ {
		eq := masks[b[i]&127]
		d0 := ((eq & pv) + pv) ^ pv | eq | nv
		hp := nv | ^(d0 | pv)
		hn := pv & d0
		score += int(hp>>shift&1) - int(hn>>shift&1)
		hp = hp<<1 | 1
		pv = hn<<1 | ^(d0 | hp)
		nv = hp & d0
	}
	return score
}

// two is the loop for two words without a loop, because sentences are about that
// long. The carry between the words is that of the sum, so both words are one
// number of 128 bits.
func two(low, high *[128]uint64, n int, b string) int {
	p0, p1 := ^uint64(0), ^uint64(0)
	var n0, n1 uint64
	score, shift := n, n-65
	for i := 0; i < len(b); i++ {
		c := b[i] & 127
		e0, e1 := low[c], high[c]
		s0, carry := bits.Add64(e0&p0, p0, 0)
		s1, _ := bits.Add64(e1&p1, p1, carry)
		d0, d1 := s0^p0|e0|n0, s1^p1|e1|n1
		hp0, hp1 := n0|^(d0|p0), n1|^(d1|p1)
		hn0, hn1 := p0&d0, p1&d1
		score += int(hp1>>shift&1) - int(hn1>>shift&1)
		hp1 = hp1<<1 | hp0>>63
		hp0 = hp0<<1 | 1
		p1 = (hn1<<1 | hn0>>63) | ^(d1 | hp1)
		p0 = hn0<<1 | ^(d0 | hp0)
		n0, n1 = hp0&d0, hp1&d1
	}
	return score
}

func (m *byteMyers) long(words, n int, b string) int {
	pv, nv := m.pv[:words], m.nv[:words]
	for i := range pv {
		pv[i], nv[i] = ^uint64(0), 0
	}
	score, shift := n, (n-1)%64
	for i := 0; i < len(b); i++ {
		masks := m.masks[b[i]&127:]
		var carry, hpIn, hnIn uint64
		hpIn = 1
		var hp, hn uint64
		for w := range pv {
			eq, p, v := masks[w*utf8.RuneSelf], pv[w], nv[w]
			var sum uint64
			sum, carry = bits.Add64(eq&p, p, carry)
			d0 := sum ^ p | eq | v
			hp, hn = v|^(d0|p), p&d0
			hpNext, hnNext := hp>>63, hn>>63
			up := hp<<1 | hpIn
			pv[w] = (hn<<1 | hnIn) | ^(d0 | up)
			nv[w] = up & d0
			hpIn, hnIn = hpNext, hnNext
		}
		score += int(hp>>shift&1) - int(hn>>shift&1)
	}
	return score
}

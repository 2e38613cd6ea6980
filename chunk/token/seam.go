package token

import "math/bits"

// seams is a filter. It looks at the bytes on both sides of a place in a text, and may
// find that no merge reaches across the place. Then any two tokens that meet there
// are the encoding of their bytes, and [vocab.valid] has nothing to do. Between Chinese
// words in random order, that is so at 19 of 20 places.
//
// The middle of a merge is the last bytes of its left part and the first bytes of its
// right part, up to three of each. The filter has the middles of all merges, and all
// middles of tokens that merging starts from.
type seams struct {
	// sizes is by the last byte of a left part and the first byte of a right part. It
	// has a bit for each of the sizes from 1+1 to 3+2 bytes that a middle with these two
	// bytes has. Middles of 3+3 bytes, which are the most frequent, have no bit.
	sizes [1 << 16]uint8

	// middles has two bits of a word set for the hash of each middle.
	middles []uint64
	shift   uint
}

// newSeams makes the filter for n tokens. It has 16 to 32 bits for each of them.
func newSeams(n int) *seams {
	size := max(bits.Len(uint(n))+3, 6)
	return &seams{middles: make([]uint64, 1<<size/64), shift: uint(64 - size + 6)}
}

func (s *seams) add(left, right string) {
	l, r := min(len(left), 3), min(len(right), 3)
	if size := 3*l + r - 4; size < 8 {
		s.sizes[uint(left[len(left)-1])<<8|uint(right[0])] |= 1 << size
	}
	middle := uint64(l)<<48 | uint64(r)<<50
	for k := range l {
		middle |= uint64(left[len(left)-1-k]) << (16 - 8*k)
	}
	for k := range r {
		middle |= uint64(right[k]) << (24 + 8*k)
	}
	at, both := s.place(middle)
	s.middles[at] |= both
}

// place returns which word of middles a middle is in, and its two bits there.
func (s *seams) place(middle uint64) (at, both uint64) {
	h := middle * hashFactor
	return h >> s.shift, 1<<(h>>26&63) | 1<<(h>>20&63)
}

// free reports whether no merge reaches across i, a place inside of text. If it reports
// false, a merge may reach across it or not.
func (s *seams) free(text string, i int) bool { return s.freeBit(text, i) != 0 }

// freeBit is free as a bit. It has no branch that depends on middles, because the
// processor could not predict it.
func (s *seams) freeBit(text string, i int) uint64 {
	sizes := s.sizes[uint(text[i-1])<<8|uint(text[i])]
	if sizes&1 != 0 {
		return 0
	}
	if i < 3 || len(text)-i < 3 {
		if sizes != 0 {
			return 0
		}
		return 1
	}
	b := text[i-3 : i+3]
	bytes := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40
	at, both := s.place(bytes | 3<<48 | 3<<50)
	missing := s.middles[at]&both ^ both
	if sizes != 0 && !s.shortFree(bytes, sizes) {
		return 0
	}
	return (missing | -missing) >> 63
}

// freePlaces returns which places of text[from:] are free, as bits, of the 64 that
// begin at from. Places inside of characters and before a small letter of
// ASCII are left out, because few of them are free.
func (s *seams) freePlaces(text string, from int) uint64 {
	free := uint64(0)
	for i := max(from, 1); i < min(from+64, len(text)); i++ {
		if c := text[i]; c&0xC0 != 0x80 && c-'a' >= 26 {
			free |= s.freeBit(text, i) << (i - from)
		}
	}
	return free
}

// shortFree is free for the middles of less than six bytes, with the given sizes.
// Bytes are the six bytes around the place.
func (s *seams) shortFree(bytes uint64, sizes uint8) bool {
	for ; sizes != 0; sizes &= sizes - 1 {
		size := bits.TrailingZeros8(sizes)
		l, r := size/3+1, size%3+1
		keep := (uint64(1)<<(8*(l+r)) - 1) << (8 * (3 - l))
		at, both := s.place(bytes&keep | uint64(l)<<48 | uint64(r)<<50)
		if s.middles[at]&both == both {
			return false
		}
	}
	return true
}

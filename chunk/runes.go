package chunk

import "unicode/utf8"

// runesOf returns a counter of code points for the parts of a text.
func runesOf(text string) func(string) int {
	if utf8.ValidString(text) {
		return validRunes
	}
	return utf8.RuneCountInString
}

// boundary reports whether text can be cut at i without cutting a code point.
func boundary(text string, i int) bool {
	for at := i - 1; i < len(text) && at >= max(0, i-utf8.UTFMax+1); at-- {
		if utf8.RuneStart(text[at]) {
			_, n := utf8.DecodeRuneInString(text[at:])
			return at+n <= i
		}
	}
	return true
}

// validRunes counts the code points of valid UTF-8: the bytes that don't continue
// one, 10xxxxxx. It looks at eight bytes at a time and adds in each of the eight
// lanes of a word, each of which can count to 255.
func validRunes(s string) int {
	n := len(s)
	for len(s) >= 32 {
		part := s[:min(len(s)&^31, 32*(255/4))]
		s = s[len(part):]
		var lanes uint64
		for ; len(part) >= 32; part = part[32:] {
			lanes += inside(part[0:8]) + inside(part[8:16]) + inside(part[16:24]) + inside(part[24:32])
		}
		n -= sum(lanes)
	}
	var lanes uint64
	for ; len(s) >= 8; s = s[8:] {
		lanes += inside(s[:8])
	}
	n -= sum(lanes)
	for i := range len(s) {
		if s[i]&0xc0 == 0x80 {
			n--
		}
	}
	return n
}

// inside returns a 1 in each lane whose byte of the eight is 10xxxxxx. The
// compiler makes the word one load.
func inside(w string) uint64 {
	_ = w[7]
	x := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
		uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
	return x >> 7 & ^(x >> 6) & 0x0101010101010101
}

// sum adds the eight lanes.
func sum(lanes uint64) int {
	const every = 0x00ff00ff00ff00ff
	return int((lanes&every + lanes>>8&every) * 0x0001000100010001 >> 48)
}

package chunk

import (
	"math/bits"
	"unicode/utf8"
)

// runesOf returns a counter of code points for the parts of a text.
func runesOf(text string) func(string) int {
	if utf8.ValidString(text) {
		return validRunes
	}
	return utf8.RuneCountInString
}

// validRunes counts the code points of valid UTF-8: the bytes that don't go on
// with one, 10xxxxxx. It looks at eight bytes at a time, four times over so that
// the sums don't wait for one another.
func validRunes(s string) int {
	n := len(s)
	var a, b, c, d int
	for ; len(s) >= 32; s = s[32:] {
		a += inside(word(s[0:8]))
		b += inside(word(s[8:16]))
		c += inside(word(s[16:24]))
		d += inside(word(s[24:32]))
	}
	for ; len(s) >= 8; s = s[8:] {
		a += inside(word(s[:8]))
	}
	for i := range len(s) {
		if s[i]&0xc0 == 0x80 {
			b++
		}
	}
	return n - a - b - c - d
}

// word returns eight bytes as a number; the compiler makes it one load.
func word(w string) uint64 {
	_ = w[7]
	return uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
		uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
}

// inside returns how many of the bytes are 10xxxxxx.
func inside(x uint64) int { return bits.OnesCount64(x >> 7 & ^(x >> 6) & 0x0101010101010101) }

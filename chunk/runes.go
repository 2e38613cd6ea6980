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
// with one, 10xxxxxx, eight at a time.
func validRunes(s string) int {
	const low = 0x0101010101010101
	more := 0
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := s[i : i+8]
		x := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
			uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		more += bits.OnesCount64(x >> 7 & ^(x >> 6) & low)
	}
	for ; i < len(s); i++ {
		if s[i]&0xc0 == 0x80 {
			more++
		}
	}
	return len(s) - more
}

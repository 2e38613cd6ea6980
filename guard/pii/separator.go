package pii

import "unicode/utf8"

// invisible is the separator that has no width: writers and converters leave such
// characters inside values.
const invisible = 0xff

// separator returns what separates groups of digits at a place, and its length: a blank,
// a hyphen, a full stop, or [invisible]. The characters of Unicode count as the one of
// ASCII that they look like. Without a separator both are 0.
func separator(text string, at int) (sep byte, size int) {
	switch b := text[at]; {
	case b == ' ' || b == '-' || b == '.':
		return b, 1
	case b < utf8.RuneSelf:
		return 0, 0
	}
	r, size := utf8.DecodeRuneInString(text[at:])
	switch {
	case r == 0xA0 || r >= 0x2000 && r <= 0x200A || r == 0x202F || r == 0x205F || r == 0x3000:
		return ' ', size
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212 || r == 0xFE58 || r == 0xFE63 || r == 0xFF0D:
		return '-', size
	case r == 0xB7 || r == 0x2022 || r == 0x2024 || r == 0x2027 || r == 0xFF0E:
		return '.', size
	case isInvisible(r):
		return invisible, size
	}
	return 0, 0
}

func isInvisible(r rune) bool {
	return r == 0xAD || r >= 0x200B && r <= 0x200D || r == 0x2060 || r == 0xFEFF
}

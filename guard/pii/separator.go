package pii

import (
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

// invisible is what char returns for a character without width. Editors and converters of
// documents leave such characters inside values.
const invisible = 0xff

// wideStart is the first byte of a full-width digit or letter in UTF-8. Starts of a rule
// contains it if a value may begin with such a character.
const wideStart = "\xef"

// digitStarts are the bytes with which a digit can begin.
const digitStarts = "0123456789" + wideStart

// widest is the length in bytes of the longest character that char knows.
const widest = 3

// char returns the ASCII character that the character at a place looks like, and the
// length of the character in bytes. All rules read numbers by char, so they agree on what
// a separator is. Each blank, hyphen and full stop of Unicode is the one of ASCII. A
// full-width form is the usual form. Two blanks in a row are one. A character without
// width is [invisible]. For any other character both results are 0.
func char(text string, at int) (b byte, size int) {
	b = text[at]
	switch {
	case b == ' ':
		return ' ', 1 + blankLen(text, at+1)
	case b < utf8.RuneSelf:
		return b, 1
	}
	r, size := utf8.DecodeRuneInString(text[at:])
	switch {
	case isBlank(r):
		return ' ', size + blankLen(text, at+size)
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212 || r == 0xFE58 || r == 0xFE63:
		return '-', size
	case r == 0xB7 || r == 0x2022 || r == 0x2024 || r == 0x2027:
		return '.', size
	case r >= 0xFF01 && r <= 0xFF5E:
		return byte(r - 0xFEE0), size
	case isInvisible(r):
		return invisible, size
	}
	return 0, 0
}

// blankLen returns the length of the blank at a place, 0 if there is none.
func blankLen(text string, at int) int {
	if at >= len(text) {
		return 0
	}
	if text[at] == ' ' {
		return 1
	}
	if text[at] < utf8.RuneSelf {
		return 0
	}
	if r, size := utf8.DecodeRuneInString(text[at:]); isBlank(r) {
		return size
	}
	return 0
}

func isBlank(r rune) bool {
	return r == 0xA0 || r >= 0x2000 && r <= 0x200A || r == 0x202F || r == 0x205F || r == 0x3000
}

func isInvisible(r rune) bool {
	return r == 0xAD || r >= 0x200B && r <= 0x200D || r == 0x2060 || r == 0xFEFF
}

// digitAt reports whether a digit, perhaps a full-width one, is at a place.
func digitAt(text string, at int) bool {
	if at >= len(text) {
		return false
	}
	b := text[at]
	return detect.Digits[b] || b == wideStart[0] && len(text) > at+2 && text[at+1] == 0xBC && text[at+2] >= 0x90 && text[at+2] <= 0x99
}

// wideAt reports whether a full-width digit or letter is at a place: U+FF10 to FF19, FF21
// to FF3A, FF41 to FF5A.
func wideAt(text string, at int) bool {
	if len(text) < at+3 || text[at] != wideStart[0] {
		return false
	}
	switch b := text[at+2]; text[at+1] {
	case 0xBC:
		return b >= 0x90 && b <= 0x99 || b >= 0xA1 && b <= 0xBA
	case 0xBD:
		return b >= 0x81 && b <= 0x9A
	}
	return false
}

// wideBefore reports whether a full-width letter or digit ends right before a place.
func wideBefore(text string, at int) bool { return at >= 3 && wideAt(text, at-3) }

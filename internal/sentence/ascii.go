package sentence

import (
	"strings"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// unicodeSentences yields the sentences of UAX #29. Text that is all ASCII, for
// which a dozen of the rules' classes are empty, has a faster way to the same.
func unicodeSentences(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if isASCII(text) {
			for text != "" {
				n := asciiSentence(text)
				if !yield(text[:n]) {
					return
				}
				text = text[n:]
			}
			return
		}
		for it := sentences.FromString(text); it.Next(); {
			if !yield(it.Value()) {
				return
			}
		}
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiSentence returns the length of the first sentence.
func asciiSentence(s string) int {
	for i := 0; ; {
		n := strings.IndexAny(s[i:], ".!?\n\r")
		if n < 0 {
			return len(s)
		}
		i += n
		c := s[i]
		i++
		if c == '\n' || c == '\r' { // SB4, and SB3: CR LF is one
			if c == '\r' && i < len(s) && s[i] == '\n' {
				i++
			}
			return i
		}
		if c == '.' && i < len(s) && (isDigit(s[i]) || isUpper(s[i]) && i > 1 && isLetter(s[i-2])) {
			continue // SB6: 3.14; SB7: U.S
		}
		for i < len(s) && strings.IndexByte(`"'()[]{}`, s[i]) >= 0 { // SB9
			i++
		}
		for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\v' || s[i] == '\f') { // SB10
			i++
		}
		switch {
		case i == len(s):
			return i
		case s[i] == '\n' || s[i] == '\r' || c == '.' && goesOn(s[i:]):
			continue // SB9, SB10: the line end belongs here; SB8
		case strings.IndexByte(",-:;.!?", s[i]) >= 0:
			continue // SB8a
		}
		return i
	}
}

// goesOn reports whether the first letter is a small one, before any end.
func goesOn(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c):
			return !isUpper(c)
		case strings.IndexByte(".!?\n\r", c) >= 0:
			return false
		}
	}
	return false
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isLetter(c byte) bool { return isUpper(c) || c >= 'a' && c <= 'z' }

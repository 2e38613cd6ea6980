package sentence

import (
	"strings"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// unicodeSentences yields the sentences of UAX #29. If a sentence, and the text
// after it that the rules look at, is all ASCII and typographers' quotes and
// dashes, it is found without Unicode's tables. For these characters a dozen of the
// rules' classes are empty.
func unicodeSentences(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		ascii := 0 // how many bytes from here on are known to be plain
		for text != "" {
			if ascii == 0 {
				ascii = plainPrefix(text)
			}
			n, sure := asciiSentence(text[:ascii])
			if !sure && ascii < len(text) {
				it := sentences.FromString(text)
				if !it.Next() {
					return
				}
				n = len(it.Value())
			}
			if !yield(text[:n]) {
				return
			}
			text, ascii = text[n:], max(0, ascii-n)
		}
	}
}

// plainPrefix returns how many bytes are ASCII, quotes and dashes.
func plainPrefix(s string) int {
	for i := 0; i < len(s); i++ {
		for len(s)-i >= 8 && (s[i]|s[i+1]|s[i+2]|s[i+3]|s[i+4]|s[i+5]|s[i+6]|s[i+7]) < 0x80 {
			i += 8
		}
		if i < len(s) && s[i] >= 0x80 {
			if !isQuote(s[i:]) && !isDash(s[i:]) {
				return i
			}
			i += 2
		}
	}
	return len(s)
}

// isQuote reports whether s begins with one of \u2018 to \u201f: quotation marks.
func isQuote(s string) bool { return len(s) > 2 && s[:2] == "\xe2\x80" && s[2] >= 0x98 && s[2] <= 0x9f }

// isDash reports whether s begins with \u2013 or \u2014, the dashes.
func isDash(s string) bool {
	return len(s) > 2 && s[:2] == "\xe2\x80" && (s[2] == 0x93 || s[2] == 0x94)
}

// asciiSentence returns the length of the first sentence, and whether this length
// is certain for any text after s.
func asciiSentence(s string) (n int, sure bool) { //nolint:gocognit // a hot loop: a call for the step SB9 made it slower
	for i := 0; ; {
		n := strings.IndexAny(s[i:], ".!?\n\r")
		if n < 0 {
			return len(s), false
		}
		i += n
		c := s[i]
		i++
		if c == '\n' || c == '\r' { // SB4, and SB3: CR LF is one
			if c == '\r' && i < len(s) && s[i] == '\n' {
				i++
			}
			return i, c == '\n' || i < len(s)
		}
		if c == '.' && i < len(s) && (isDigit(s[i]) || isUpper(s[i]) && i > 1 && isLetter(s[i-2])) {
			continue // SB6: 3.14; SB7: U.S
		}
		for i < len(s) { // SB9
			if strings.IndexByte(`"'()[]{}`, s[i]) >= 0 {
				i++
			} else if isQuote(s[i:]) {
				i += 3
			} else {
				break
			}
		}
		for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\v' || s[i] == '\f') { // SB10
			i++
		}
		if i == len(s) {
			return i, false
		}
		next, known := firstLetter(s[i:])
		switch {
		case s[i] == '\n' || s[i] == '\r':
			continue // SB9, SB10: the line end belongs here
		case c == '.' && known && next >= 'a':
			continue // SB8
		case strings.IndexByte(",-:;.!?", s[i]) >= 0 || isDash(s[i:]):
			continue // SB8a
		}
		return i, c != '.' || known
	}
}

// firstLetter returns the first letter, or 0 if an end comes before it. The result
// isn't known if s has neither.
func firstLetter(s string) (c byte, known bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c):
			return c, true
		case strings.IndexByte(".!?\n\r", c) >= 0:
			return 0, true
		}
	}
	return 0, false
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isLetter(c byte) bool { return isUpper(c) || c >= 'a' && c <= 'z' }

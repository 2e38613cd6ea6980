package eval

import (
	"unicode"
	"unicode/utf8"
)

// UnicodeTokenizer cuts text of any script into words: runs of letters, marks
// and digits, where every rune of a script written without spaces (Chinese,
// Japanese, Thai, Lao, Khmer, Burmese) is a word of its own. It is a
// simplification of Unicode's word boundaries (UAX #29) that needs no
// dictionary.
func UnicodeTokenizer() *Tokenizer {
	return &Tokenizer{"unicode", func(line []byte, spans []span) ([]byte, []span) {
		start := -1
		closeAt := func(i int) {
			if start >= 0 {
				spans = append(spans, span{int32(start), int32(i)})
				start = -1
			}
		}
		for i := 0; i < len(line); {
			r, size := utf8.DecodeRune(line[i:])
			switch {
			case !unicode.In(r, unicode.L, unicode.M, unicode.N):
				closeAt(i)
			case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
				!(unicode.Is(unicode.M, r) && start >= 0):
				closeAt(i)
				start = i
			case start < 0:
				start = i
			case !unicode.Is(unicode.M, r) && unspaced(line[start:i]):
				closeAt(i)
				start = i
			}
			i += size
		}
		closeAt(len(line))
		return line, spans
	}}
}

// unspaced reports whether a token began in a script written without spaces.
func unspaced(token []byte) bool {
	r, _ := utf8.DecodeRune(token)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

package eval

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Tokenizer cuts a line into the tokens that BLEU counts. The predefined
// ones are sacreBLEU's; two BLEU scores can only be compared when they used
// the same one, so its name is part of the signature.
type Tokenizer struct {
	name string
	// split appends the bounds of the line's tokens to spans. It may rewrite
	// the line, and returns the bytes that the bounds refer to.
	split func(line []byte, spans []span) ([]byte, []span)
}

// A span is the half-open byte range of a token.
type span struct{ start, end int32 }

// NewTokenizer returns the tokenizer of this name:
//
//   - 13a: what WMT's mteval-v13a.pl does; the default, for languages that put
//     spaces between words
//   - intl: mteval-v14's rules over Unicode's punctuation and symbols
//   - zh: 13a after every Chinese character was set apart
//   - char: every rune but spaces is a token
//   - none: cut at spaces; for text that was tokenized before
//
// The tokenizers that need a model file (spm, flores101, flores200, ja-mecab,
// ko-mecab) are not offered: the error says so, and nothing falls back to
// another one silently. [CustomTokenizer] takes any function.
func NewTokenizer(name string) (*Tokenizer, error) {
	switch name {
	case "", "13a":
		return &Tokenizer{"13a", split13a}, nil
	case "intl":
		return &Tokenizer{"intl", splitIntl}, nil
	case "zh":
		return &Tokenizer{"zh", splitZh}, nil
	case "char":
		return &Tokenizer{"char", splitChars}, nil
	case "none":
		return &Tokenizer{"none", splitSpaces}, nil
	case "spm", "flores101", "flores200", "spBLEU-1K", "ja-mecab", "ko-mecab":
		return nil, fmt.Errorf("%w: tokenizer %q needs a model file that isn't carried here; use char, zh or a CustomTokenizer that calls it", ErrOption, name)
	}
	return nil, fmt.Errorf("%w: tokenizer %q; want 13a, intl, zh, char or none", ErrOption, name)
}

// CustomTokenizer wraps a function that returns a line's tokens. The name goes
// into signatures, so it should change when the function does.
func CustomTokenizer(name string, tokens func(line string) []string) (*Tokenizer, error) {
	if name == "" || strings.ContainsAny(name, "|:") || tokens == nil {
		return nil, fmt.Errorf("%w: a tokenizer needs a function and a name without | and :, not %q", ErrOption, name)
	}
	return &Tokenizer{name, func(line []byte, spans []span) ([]byte, []span) {
		var text []byte
		for _, t := range tokens(string(line)) {
			if t != "" {
				spans = append(spans, span{int32(len(text)), int32(len(text) + len(t))})
				text = append(text, t...)
			}
		}
		return text, spans
	}}, nil
}

// Name returns the tokenizer's name, as it stands in signatures.
func (t *Tokenizer) Name() string { return t.name }

// Tokens returns the tokens of a line.
func (t *Tokenizer) Tokens(line string) []string {
	text, spans := t.split([]byte(line), nil)
	tokens := make([]string, len(spans))
	for i, s := range spans {
		tokens[i] = string(text[s.start:s.end])
	}
	return tokens
}

// rstrip removes trailing white space, which sacreBLEU does to every line.
func rstrip(s string) string { return strings.TrimRightFunc(s, isSpace) }

func splitSpaces(line []byte, spans []span) ([]byte, []span) {
	start := -1
	for i := 0; i < len(line); {
		c := line[i]
		size, space := 1, false
		if c < utf8.RuneSelf {
			space = asciiSpace(c)
		} else {
			var r rune
			r, size = utf8.DecodeRune(line[i:])
			space = unicode.IsSpace(r)
		}
		switch {
		case space && start >= 0:
			spans = append(spans, span{int32(start), int32(i)})
			start = -1
		case !space && start < 0:
			start = i
		}
		i += size
	}
	if start >= 0 {
		spans = append(spans, span{int32(start), int32(len(line))})
	}
	return line, spans
}

func splitChars(line []byte, spans []span) ([]byte, []span) {
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if !isSpace(r) {
			spans = append(spans, span{int32(i), int32(i + size)})
		}
		i += size
	}
	return line, spans
}

// The western rules of mteval are four regular expressions run one after the
// other:
//
//	[{-~[-` -&(-+:-@/]  ->  " \0 "    set these apart
//	([^0-9])([.,])      ->  "\1 \2 "  set . and , apart unless after a digit
//	([.,])([^0-9])      ->  " \1 \2"  ... unless before a digit
//	([0-9])(-)          ->  "\1 \2 "  set - apart after a digit
//
// Matches don't overlap, so what becomes of a run like "..." depends on its
// length. Followed through, the rules say that in a run of k marks every mark
// is a token of its own, but that the last one stays glued to a digit that
// follows if k is odd after a digit, or even after anything else; a single
// mark between two digits is glued to both. Where the line isn't padded with
// spaces (zh, intl), its edges behave like digits. That is one pass, with
// tokens that are slices of the line. TestTokenizersAgainstRegexps holds it to
// the four expressions.
//
// intl is the same with punctuation in the place of . and , and numbers in the
// place of digits, and no rule for the dash.
type class uint8

const (
	classWord  class = iota
	classDigit       // for intl: a number
	classMark        // . and ,; for intl: punctuation
	classApart       // always a token of its own
	classDash
	classSpace
)

var ascii13a = func() (table [utf8.RuneSelf]class) {
	for c := range table {
		switch {
		case asciiSpace(byte(c)):
			table[c] = classSpace
		case '0' <= c && c <= '9':
			table[c] = classDigit
		case c == '.' || c == ',':
			table[c] = classMark
		case c == '-':
			table[c] = classDash
		case '{' <= c && c <= '~', '[' <= c && c <= '`', ' ' <= c && c <= '&', '(' <= c && c <= '+', ':' <= c && c <= '@', c == '/':
			table[c] = classApart
		}
	}
	return table
}()

var asciiIntl = func() (table [utf8.RuneSelf]class) {
	for c := range table {
		table[c] = classIntl(rune(c))
	}
	return table
}()

func classWestern(r rune) class {
	if unicode.IsSpace(r) {
		return classSpace
	}
	return classWord
}

func classChinese(r rune) class {
	if !unicode.IsSpace(r) && chinese(r) {
		return classApart
	}
	return classWestern(r)
}

func classIntl(r rune) class {
	switch {
	case isSpace(r):
		return classSpace
	case unicode.IsNumber(r):
		return classDigit
	case unicode.IsPunct(r):
		return classMark
	case unicode.IsSymbol(r):
		return classApart
	}
	return classWord
}

// chinese is what sacreBLEU's zh tokenizer sets apart. Two of its ranges were
// meant to be the ideographs above U+FFFF, but were written with a four-digit
// escape: they are U+2000..U+2A6D and U+2F80..U+2FA1 instead, plus ends that
// compare as strings. So quotation marks, dashes, arrows and mathematics are
// set apart and the rare ideographs are not; a score that should equal the
// reference must do the same.
func chinese(r rune) bool {
	switch {
	case r < 0x2001:
		return false
	case r <= 0x2a6d, 0x2e80 <= r && r <= 0x2fdf, 0x2ff0 <= r && r <= 0x303f, 0x3100 <= r && r <= 0x312f,
		0x31a0 <= r && r <= 0x31ef, 0x3200 <= r && r <= 0x4db5, 0x4e00 <= r && r <= 0x9fbb,
		0xf900 <= r && r <= 0xfa2d, 0xfa30 <= r && r <= 0xfa6a, 0xfa70 <= r && r <= 0xfad9,
		0xfe10 <= r && r <= 0xfe1f, 0xfe30 <= r && r <= 0xfe4f, 0xff00 <= r && r <= 0xffef:
		return true
	}
	return false
}

func split13a(line []byte, spans []span) ([]byte, []span) {
	line = unescape13a(line)
	return line, splitWestern(line, spans, &ascii13a, classWestern, true)
}

func splitZh(line []byte, spans []span) ([]byte, []span) {
	line = bytes.TrimFunc(line, isSpace)
	return line, splitWestern(line, spans, &ascii13a, classChinese, false)
}

func splitIntl(line []byte, spans []span) ([]byte, []span) {
	return line, splitWestern(line, spans, &asciiIntl, classIntl, false)
}

func splitWestern(line []byte, spans []span, ascii *[utf8.RuneSelf]class, other func(rune) class, padded bool) []span {
	at := func(i int) (class, int) {
		if c := line[i]; c < utf8.RuneSelf {
			return ascii[c], 1
		}
		r, size := utf8.DecodeRune(line[i:])
		return other(r), size
	}
	edge := classDigit
	if padded {
		edge = classSpace
	}
	start := -1 // of the open token, if there is one
	closeAt := func(i int) {
		if start >= 0 {
			spans = append(spans, span{int32(start), int32(i)})
			start = -1
		}
	}
	before := edge
	for i := 0; i < len(line); {
		var cl class
		size := 1
		if c := line[i]; c < utf8.RuneSelf {
			cl = ascii[c]
		} else {
			cl, size = at(i)
		}
		switch cl {
		case classWord, classDigit:
			if start < 0 {
				start = i
			}
		case classSpace:
			closeAt(i)
		case classApart:
			closeAt(i)
			spans = append(spans, span{int32(i), int32(i + size)})
		case classDash:
			if before == classDigit && i > 0 {
				closeAt(i)
				spans = append(spans, span{int32(i), int32(i + 1)})
			} else if start < 0 {
				start = i
			}
		case classMark:
			end, last, k := i, i, 0
			after := edge
			for end < len(line) {
				next, n := at(end)
				if next != classMark {
					after = next
					break
				}
				last = end
				end += n
				k++
			}
			digitBefore, digitAfter := before == classDigit, after == classDigit
			glued := digitAfter && digitBefore == (k%2 == 1)
			if k == 1 && digitBefore && digitAfter {
				if start < 0 {
					start = i
				}
				size = end - i
				break
			}
			closeAt(i)
			for m := i; m < end; {
				_, n := at(m)
				if m == last && glued {
					start = m
				} else {
					spans = append(spans, span{int32(m), int32(m + n)})
				}
				m += n
			}
			size = end - i
		}
		before = cl
		i += size
	}
	closeAt(len(line))
	return spans
}

// unescape13a applies the rules that come before the punctuation: skipped
// segments, words hyphenated over a line break, and four entities, the
// ampersand not the last, so that &amp;lt; becomes <.
func unescape13a(line []byte) []byte {
	if bytes.IndexByte(line, '<') >= 0 {
		line = replace(line, "<skipped>", "")
	}
	if bytes.IndexByte(line, '\n') >= 0 {
		line = replace(line, "-\n", "")
		line = replace(line, "\n", " ")
	}
	if bytes.IndexByte(line, '&') >= 0 {
		line = replace(line, "&quot;", `"`)
		line = replace(line, "&amp;", "&")
		line = replace(line, "&lt;", "<")
		line = replace(line, "&gt;", ">")
	}
	return line
}

// replace replaces old by new, which is not longer, in place.
func replace(line []byte, old, new string) []byte {
	out := line[:0]
	for {
		i := bytes.Index(line, []byte(old))
		if i < 0 {
			return append(out, line...)
		}
		out = append(out, line[:i]...)
		out = append(out, new...)
		line = line[i+len(old):]
	}
}

package eval

import (
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
// ko-mecab) are not offered: that is an error, and nothing falls back to
// another one silently. [NewCustomTokenizer] takes any function.
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
		return nil, fmt.Errorf("%w: tokenizer %q needs a model file that isn't part of this package: want char, zh or a tokenizer of NewCustomTokenizer that calls it", ErrOption, name)
	}
	return nil, fmt.Errorf("%w: the tokenizer is %q: want 13a, intl, zh, char or none", ErrOption, name)
}

// NewCustomTokenizer wraps a function that returns a line's tokens. The name goes
// into signatures, so it should change when the function does.
func NewCustomTokenizer(name string, tokens func(line string) []string) (*Tokenizer, error) {
	if name == "" || strings.ContainsAny(name, "|:") {
		return nil, fmt.Errorf("%w: the tokenizer's name is %q: want a name that has neither | nor : in it", ErrOption, name)
	}
	if tokens == nil {
		return nil, fmt.Errorf("%w: the tokenizer's function is nil", ErrOption)
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

// Name returns the tokenizer's name, as signatures have it.
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
		size := 1
		var space bool
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

package pdf

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/prodailabs/prodai/retrieve/load"
)

// The objects of a PDF file (ISO 32000-1, 7.3). A number is a float64, true and false are
// bool, null is nil.
type (
	name  string
	array []any
	dict  map[name]any
	ref   int    // the number of an indirect object; its generation doesn't matter here
	op    string // a word that is not an object: an operator, endobj
)

// A stream is a dictionary with data, as it is in the file.
type stream struct {
	dict dict
	raw  []byte
}

var errObject = errors.New("an object is damaged")

// maxObjects is how many objects, with those inside of arrays and dictionaries, are kept.
const maxObjects = 2_000_000

// A lexer reads the objects of a text. Each step goes forward or ends, so no text makes it
// run forever.
type lexer struct {
	data  []byte
	pos   int
	depth int  // how deep values may be nested
	refs  bool // "3 0 R" is a reference: not in content streams
	left  *int // objects that may still be made; nil: any number
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// skip goes to the next byte that is neither white space nor in a comment.
func (l *lexer) skip() {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

// value returns the next object or operator; ok is false at the end.
func (l *lexer) value(deep int) (v any, ok bool, err error) {
	l.skip()
	if l.pos >= len(l.data) {
		return nil, false, nil
	}
	if deep > l.depth {
		return nil, false, &load.LimitError{What: "depth", Limit: l.depth}
	}
	if l.left != nil {
		if *l.left--; *l.left < 0 {
			return nil, false, &load.LimitError{What: "objects", Limit: maxObjects}
		}
	}
	switch c := l.data[l.pos]; c {
	case '(':
		return l.literal(), true, nil
	case '<':
		if l.pos+1 < len(l.data) && l.data[l.pos+1] == '<' {
			l.pos += 2
			v, err = l.dict(deep)
			return v, true, err
		}
		return l.hex(), true, nil
	case '[':
		l.pos++
		v, err = l.array(deep)
		return v, true, err
	case '/':
		return l.name(), true, nil
	case ']', '{', '}', ')':
		l.pos++
		return op(c), true, nil
	case '>':
		l.pos++
		if l.pos < len(l.data) && l.data[l.pos] == '>' {
			l.pos++
			return op(">>"), true, nil
		}
		return op(">"), true, nil
	}
	return l.word(), true, nil
}

func (l *lexer) regular() []byte {
	start := l.pos
	for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelimiter(l.data[l.pos]) {
		l.pos++
	}
	return l.data[start:l.pos]
}

// word reads a number, a reference, true, false, null, or an operator.
func (l *lexer) word() any {
	text := l.regular()
	switch string(text) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	if c := text[0]; c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.' {
		if f, ok := number(text); ok {
			if n := int(f); l.refs && f >= 0 && f < 1e9 && float64(n) == f && l.reference() {
				return ref(n)
			}
			return f
		}
	}
	const longest = 64 // of an operator
	return op(text[:min(len(text), longest)])
}

// number reads a number as PDF has them: without an exponent. "--5" and "5-3" are seen in
// real files.
func number(text []byte) (float64, bool) {
	for len(text) > 1 && text[0] == '-' && text[1] == '-' {
		text = text[1:]
	}
	if i := bytes.LastIndexByte(text, '-'); i > 0 {
		text = text[:i]
	}
	for _, c := range text {
		if (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return 0, false
		}
	}
	const longest = 40
	f, err := strconv.ParseFloat(string(text[:min(len(text), longest)]), 64)
	return f, err == nil
}

// reference reads " 0 R" after a number. It looks a few bytes ahead only, since it goes
// back if there is none.
func (l *lexer) reference() bool {
	const farthest = 24
	ahead := &lexer{data: l.data[l.pos:min(len(l.data), l.pos+farthest)]}
	blanks := func() int {
		start := ahead.pos
		for ahead.pos < len(ahead.data) && isSpace(ahead.data[ahead.pos]) {
			ahead.pos++
		}
		return ahead.pos - start
	}
	if blanks() == 0 {
		return false
	}
	gen := ahead.regular()
	if len(gen) == 0 || len(gen) > 5 || len(bytes.Trim(gen, "0123456789")) > 0 || blanks() == 0 || string(ahead.regular()) != "R" {
		return false
	}
	l.pos += ahead.pos
	return true
}

func (l *lexer) name() name {
	l.pos++
	text := l.regular()
	if bytes.IndexByte(text, '#') < 0 {
		return name(text)
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '#' && i+2 < len(text) && hexDigit(text[i+1]) >= 0 && hexDigit(text[i+2]) >= 0 {
			out = append(out, byte(hexDigit(text[i+1])<<4|hexDigit(text[i+2])))
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return name(out)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// hex reads a string in angle brackets. The end of the data ends it.
func (l *lexer) hex() string {
	l.pos++
	var out []byte
	high := -1
	for ; l.pos < len(l.data); l.pos++ {
		c := l.data[l.pos]
		if c == '>' {
			l.pos++
			break
		}
		d := hexDigit(c)
		switch {
		case d < 0:
		case high < 0:
			high = d
		default:
			out = append(out, byte(high<<4|d))
			high = -1
		}
	}
	if high >= 0 {
		out = append(out, byte(high<<4))
	}
	return string(out)
}

// literal reads a string in parentheses. The end of the data ends it.
func (l *lexer) literal() string {
	var out []byte
	open := 0
	for l.pos < len(l.data) {
		c := l.data[l.pos]
		l.pos++
		switch c {
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				return string(out)
			}
		case '\\':
			out = l.escape(out)
			continue
		case '\r':
			if l.pos < len(l.data) && l.data[l.pos] == '\n' {
				l.pos++
			}
			c = '\n'
		}
		out = append(out, c)
	}
	return string(out)
}

func (l *lexer) escape(out []byte) []byte {
	if l.pos >= len(l.data) {
		return out
	}
	c := l.data[l.pos]
	l.pos++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if l.pos < len(l.data) && l.data[l.pos] == '\n' {
			l.pos++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	x := int(c - '0')
	for range 2 {
		if l.pos < len(l.data) && l.data[l.pos] >= '0' && l.data[l.pos] <= '7' {
			x = x<<3 | int(l.data[l.pos]-'0')
			l.pos++
		}
	}
	return append(out, byte(x))
}

func (l *lexer) array(deep int) (array, error) {
	var out array
	for {
		v, ok, err := l.value(deep + 1)
		if err != nil || !ok || v == op("]") {
			return out, err
		}
		if word, isOp := v.(op); isOp && (word == "endobj" || word == ">>") {
			return out, nil // it isn't closed
		}
		out = append(out, v)
	}
}

func (l *lexer) dict(deep int) (dict, error) {
	out := dict{}
	for {
		key, ok, err := l.value(deep + 1)
		if err != nil || !ok || key == op(">>") || key == op("endobj") {
			return out, err
		}
		k, isName := key.(name)
		if !isName {
			continue
		}
		v, ok, err := l.value(deep + 1)
		if err != nil || !ok || v == op(">>") || v == op("endobj") {
			return out, err
		}
		out[k] = v
	}
}

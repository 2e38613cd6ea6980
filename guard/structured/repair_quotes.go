package structured

import (
	"strings"
	"unicode/utf8"
)

// closers maps each quote that can open a string to those that can close it.
var closers = map[rune]string{
	'"': `"`, '\'': "'", '`': "`'",
	'＂': "＂\"", '“': "”\"", '”': "”", '„': "“”", '«': "»", '‘': "’", '’': "’",
}

func isQuote(c rune) bool {
	if c < utf8.RuneSelf {
		return c == '"' || c == '\'' || c == '`'
	}
	_, ok := closers[c]
	return ok
}

// oneOf reports whether set contains c; it is faster than package strings for two.
func oneOf(set string, c rune) bool {
	for _, s := range set {
		if s == c {
			return true
		}
	}
	return false
}

// lostKeyEnd returns where a key that lacks its last quote ends, before the colon, and
// 0 if it has one: {"a: 1, "b": 2}.
func (r *reader) lostKeyEnd(start int, ends string) int {
	window := r.text[start:min(len(r.text), start+lookahead)]
	colon := 0
	for ; colon < min(len(window), maxName) && window[colon] != ':'; colon++ {
		switch c := window[colon]; c {
		case '"', ends[0], '\\', '{', '}', '[', ']', ',', '\n':
			return 0 // of a quote of several bytes the first one is enough
		}
	}
	if colon == 0 || colon >= min(len(window), maxName) || !r.valueAt(start+colon+1) {
		return 0
	}
	quote := colon
	for quote < len(window) {
		c, size := utf8.DecodeRuneInString(window[quote:])
		if oneOf(ends, c) {
			break
		}
		if c == '\\' {
			size++
		}
		quote += size
	}
	if quote >= len(window) {
		if r.growing || start+len(window) < len(r.text) || !strings.ContainsAny(window, "}\n") {
			return 0
		}
		return start + colon
	}
	_, size := utf8.DecodeRuneInString(window[quote:])
	if r.closes(start+quote+size, true) {
		return 0
	}
	return start + colon
}

// lostEnd returns the end, before the comma, of a string in an object that lacks its
// last quote, and 0 if the string goes on: {"a": "x, "b": 2}. at is the first quote of
// what may be the next key.
func (r *reader) lostEnd(start, at int) int {
	if !r.in('}') {
		return 0
	}
	text := strings.TrimRightFunc(r.text[max(start, at-maxName):at], isBlank)
	end := at - len(r.text[max(start, at-maxName):at]) + len(text) - 1
	if !strings.HasSuffix(text, ",") || !r.keyAhead(at) {
		return 0
	}
	// A member follows only if its value is one, and if something follows the value.
	p := r.ahead(at)
	if !p.item() {
		return 0
	}
	p.skip()
	if c, size := p.peek(); c == ':' || c == '：' {
		p.at += size
	}
	p.skip()
	c, size := p.peek()
	if size == 0 || c == '{' || c == '[' {
		return end
	}
	if !p.item() {
		return 0
	}
	if isQuote(c) && strings.HasSuffix(strings.TrimRightFunc(p.text[:p.at-1], isBlank), ",") && r.keyAhead(p.at-1) {
		return end // that value lacks its last quote too
	}
	p.skip()
	if c, size = p.peek(); size == 0 || c == '}' || c == ',' && r.commaEnds(p.at+size) {
		return end
	}
	return 0
}

// closes reports whether a quote that ends at end closes the string: whether
// what follows is what may follow a key, or a value.
func (r *reader) closes(end int, key bool) bool {
	p := r.ahead(end)
	p.skip()
	c, size := p.peek()
	spaced := p.at > end
	if size == 0 {
		return true
	}
	if key {
		switch {
		case c == ':' || c == '=' || c == '：' || c == ',' || c == '}':
			return true
		case spaced: // the colon is missing, if a value follows
			return isQuote(c) || c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9' || r.literalAt(p.at)
		}
		return c == '{' || c == '['
	}
	inObject := r.in('}')
	switch {
	case len(r.stack) == 0:
		return true
	case c == '}' || c == ']' || c == ')' && r.in(')'):
		return true
	case isComma(c):
		p.at += size
		p.skip()
		next, size := p.peek()
		switch {
		case inObject && (c == ';' || c == '；'):
			return r.keyAhead(p.at)
		case size == 0 || isQuote(next) || next == '}' || next == ']' || next == ',' || next == ')' && r.in(')'):
			return true
		case inObject:
			return r.keyAhead(p.at)
		}
		return strings.ContainsRune("{[-+.0123456789", next) || r.literalAt(p.at) || r.wordIsElement(p.at)
	case inObject: // the comma is missing, and perhaps the next colon too
		return spaced && (r.keyAhead(p.at) || strings.Contains(r.text[end:p.at], "\n") && isQuote(c) && r.nameAhead(p.at+size))
	case isQuote(c) || c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9':
		return spaced
	}
	return false
}

// maxName bounds a key that lacks a quote, in bytes.
const maxName = 64

// lostQuote returns where the last quote of a key is that lacks its first one, and 0
// if there is no such key: {a": 1}.
func (r *reader) lostQuote(at int) int {
	for i := at; i < min(len(r.text), at+maxName); i++ {
		size := 1
		switch r.text[i] {
		case ':', '=', '{', '}', '[', ']', ',', '\n', '\\':
			return 0
		case '"':
		case "”"[0]:
			if size = len("”"); !strings.HasPrefix(r.text[i:], "”") {
				continue
			}
		default:
			continue
		}
		p := r.ahead(i + size)
		p.skip()
		if c, _ := p.peek(); i == at || c != ':' && c != '：' {
			return 0
		}
		return i
	}
	return 0
}

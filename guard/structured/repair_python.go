package structured

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// setMark means a set on the reader's stack, where '}' means an object.
const setMark = '>'

// item passes over a string with both its quotes, a number or a word like true, and
// reports whether there is one.
func (r *reader) item() bool {
	c, size := r.peek()
	if !isQuote(c) {
		end := r.wordEnd(r.at)
		_, isNumber := number(r.text[r.at:end], false)
		_, _, isLiteral := literal(r.text[r.at:end])
		r.at = end
		return isNumber || isLiteral
	}
	ends := closers[c]
	for i := r.at + size; i < len(r.text); {
		next, n := rune(r.text[i]), 1
		if next >= utf8.RuneSelf {
			next, n = utf8.DecodeRuneInString(r.text[i:])
		}
		switch {
		case next == '\\' && i+1 < len(r.text):
			_, n = utf8.DecodeRuneInString(r.text[i+1:])
			n++
		case oneOf(ends, next):
			r.at = i + n
			return true
		}
		i += n
	}
	return false
}

// valueAt reports whether a value begins at a place, one in quotes or brackets, a
// number or a word like true.
func (r *reader) valueAt(at int) bool {
	p := r.ahead(at)
	p.skip()
	c, size := p.peek()
	return size > 0 && (isQuote(c) || strings.ContainsRune("{[-0123456789", c) || r.literalAt(p.at))
}

// collection is how many bytes a tuple may have.
const collection = 1024

// isSet reports whether the brace at a place begins a set, as Python writes it: items,
// and no colon after the first ones.
func (r *reader) isSet(at int) bool {
	p := &reader{text: r.text[:min(len(r.text), at+collection)], at: at + 1}
	for n := 1; ; n++ {
		if p.skip(); !p.item() {
			return false
		}
		p.skip()
		switch c, size := p.peek(); {
		case c == '}':
			return true
		case c != ',':
			return false
		case n == 2:
			return true
		default:
			p.at += size
		}
	}
}

// isTuple reports whether the parenthesis at a place begins a tuple, as Python writes
// it: items with commas, and after it the value's end.
func (r *reader) isTuple(at int) bool {
	p := &reader{text: r.text[:min(len(r.text), at+collection)], at: at + 1}
	if amount.MatchString(p.text[p.at:min(len(p.text), p.at+maxName)]) {
		return false
	}
	commas, items := 0, 0
	for p.skip(); ; p.skip() {
		switch c, size := p.peek(); {
		case size == 0:
			return false
		case c == ')':
			p.at++
			p.skip()
			c, size = p.peek()
			return (commas > 0 || items == 0) && (size == 0 && p.at == len(r.text) || strings.ContainsRune(",，}])", c))
		case c == ',':
			p.at++
			commas++
			continue
		case strings.ContainsRune("([{", c):
			if !p.passBrackets() {
				return false
			}
		case !p.item():
			return false
		}
		items++
	}
}

// amount matches the inside of (1,299.50), which is a negative amount in bookkeeping.
var amount = regexp.MustCompile(`^\d{1,3}(,\d{3})+(\.\d+)?\)`)

// passBrackets passes over what is in brackets, and reports whether they are closed.
func (r *reader) passBrackets() bool {
	depth := 0
	for r.at < len(r.text) {
		switch c, size := r.peek(); {
		case isQuote(c):
			if !r.item() {
				return false
			}
		case strings.ContainsRune("([{", c):
			if depth++; depth > 16 {
				return false // not a tuple that a model writes, and reading it costs time
			}
			r.at += size
		case strings.ContainsRune(")]}", c):
			r.at += size
			if depth--; depth == 0 {
				return true
			}
		default:
			r.at += size
		}
	}
	return false
}

package structured

import (
	"encoding/json"
	"math/big"
	"strings"
	"unicode/utf8"
)

// isComma reports whether c separates members or elements.
func isComma(c rune) bool { return c == ',' || c == ';' || c == '，' || c == '；' }

func (r *reader) in(mark byte) bool { return len(r.stack) > 0 && r.stack[len(r.stack)-1] == mark }

// string reads a string from its opening quote and writes it.
func (r *reader) string(open rune, key bool) {
	r.at += utf8.RuneLen(open)
	r.repaired = r.repaired || open != '"'
	start := r.at
	ends := closers[open]
	if key {
		if colon := r.lostKeyEnd(start, ends); colon > 0 {
			r.repaired = true
			r.writeString(r.text[start:colon])
			r.at = colon
			return
		}
	}
	for i := start; i < len(r.text); {
		c, size := rune(r.text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(r.text[i:])
		}
		switch {
		case c == '\\' && i+1 < len(r.text):
			_, next := utf8.DecodeRuneInString(r.text[i+1:])
			i += 1 + next
			continue
		case oneOf(ends, c):
			if r.closes(i+size, key) {
				r.writeString(r.text[start:i])
				r.at = i + size
				return
			}
			r.repaired = true
			if !key {
				if end := r.lostEnd(start, i); end > 0 {
					r.writeString(r.text[start:end])
					r.at = end
					return
				}
			}
		}
		i += size
	}
	r.cut, r.repaired = true, true
	r.at = len(r.text)
	r.writeString(strings.TrimRight(trimCutEscape(r.text[start:]), "`\n"))
}

// lookahead is how far a decision may look, in bytes, so that reading stays
// linear.
const lookahead = 256

// ahead returns a reader that looks at what follows a place, but not far.
func (r *reader) ahead(at int) *reader {
	return &reader{text: r.text[:min(len(r.text), at+16*lookahead)], at: at}
}

// keyAhead reports whether a key and its colon are at a place.
func (r *reader) keyAhead(at int) bool {
	window := r.text[at:min(len(r.text), at+lookahead)]
	c, size := utf8.DecodeRuneInString(window)
	i := size
	if isQuote(c) {
		for ; i < len(window); i++ {
			next, n := utf8.DecodeRuneInString(window[i:])
			if next == '\\' {
				i++
				continue
			}
			if strings.ContainsRune(closers[c], next) {
				rest := strings.TrimLeftFunc(window[i+n:], isBlank)
				return strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "：")
			}
			if next == '\n' {
				return false
			}
			i += n - 1
		}
		return at+lookahead >= len(r.text) // cut within the key
	}
	if r.lostQuote(at) > 0 {
		return true
	}
	end := r.keyEnd(at)
	if end == at || end > at+lookahead {
		return false
	}
	if end == len(r.text) {
		return true
	}
	return strings.HasPrefix(r.text[end:], ":") && !strings.ContainsAny(strings.TrimRightFunc(r.text[at:end], isBlank), " \t\n")
}

// commaEnds reports whether a comma before a place ends a value. In an object it does if
// a member follows, or nothing. Otherwise the comma belongs to the value, as in 1,299.50
// and Smith, John. In an array it belongs to the value in 1,000, and in 12,50 EUR, where
// the rest is not a number.
func (r *reader) commaEnds(at int) bool {
	p := r.ahead(at)
	if !r.in('}') {
		if n := p.digits(); n == 0 || n > 3 {
			return true
		}
		word := r.text[at:r.wordEnd(at)]
		p.at += len(word)
		p.skip()
		c, size := p.peek()
		_, isNumber := number(word, size == 0)
		return strings.ContainsAny(word, "-/:") || isNumber && (size == 0 || strings.ContainsRune(",，]})", c))
	}
	p.skip()
	c, size := p.peek()
	if size == 0 || isQuote(c) || isComma(c) || c == '}' || c == ']' {
		return true
	}
	switch end := r.keyEnd(p.at); {
	case end == len(r.text):
		return c < '0' || c > '9' // the rest of a key, or of a number
	case end > p.at && r.text[end] == '=':
		return true
	}
	return r.keyAhead(p.at)
}

// digits returns the number of digits at the reader's place.
func (r *reader) digits() int {
	n := 0
	for r.at+n < len(r.text) && r.text[r.at+n] >= '0' && r.text[r.at+n] <= '9' {
		n++
	}
	return n
}

// nameAhead reports whether a place begins with a name and a quote after it.
func (r *reader) nameAhead(at int) bool {
	end := at
	for end < len(r.text) && end < at+64 && (r.text[end] == '_' || r.text[end] == '-' || r.text[end] >= '0' && r.text[end] <= '9' || r.text[end]|0x20 >= 'a' && r.text[end]|0x20 <= 'z') {
		end++
	}
	c, _ := utf8.DecodeRuneInString(r.text[end:])
	return end > at && isQuote(c)
}

// wordIsElement reports whether a bare word at a place is a whole element.
func (r *reader) wordIsElement(at int) bool {
	end := r.wordEnd(at)
	p := r.ahead(end)
	p.skip()
	c, size := p.peek()
	return size == 0 || end > at && (c == ',' || c == ']') && !strings.ContainsAny(r.text[at:end], "\"”")
}

func (r *reader) literalAt(at int) bool {
	_, _, ok := literal(r.text[at:r.wordEnd(at)])
	return ok
}

func endsWord(c rune) bool {
	switch c {
	case ',', ':', '{', '}', '[', ']', ')', '"', '“', '”', ';', '`', '，', '；':
		return true
	}
	return false
}

func endsKey(c rune) bool {
	switch c {
	case ':', '=', '{', '}', '[', ']', ',', '"', '“', '”', '\n':
		return true
	}
	return false
}

// wordEnd returns where the bare word at a place ends.
func (r *reader) wordEnd(at int) int {
	limit := min(len(r.text), at+lookahead)
	for i, c := range r.text[at:limit] {
		if endsWord(c) || isBlank(c) {
			return at + i
		}
	}
	return limit
}

// keyEnd returns where a bare key at a place ends: before the colon, or the
// first blank or bracket.
func (r *reader) keyEnd(at int) int {
	limit := min(len(r.text), at+lookahead)
	for i, c := range r.text[at:limit] {
		if endsKey(c) || isBlank(c) {
			end := at + i
			p := r.ahead(end)
			p.skip()
			if next, _ := p.peek(); isBlank(c) && next == ':' {
				return p.at
			}
			return end
		}
	}
	return limit
}

// bare reads a value that has no quote before it: a number, a word like true, or a
// string that lost its quotes or the first one.
func (r *reader) bare() {
	end := r.wordEnd(r.at)
	word := r.text[r.at:end]
	p := r.ahead(end)
	p.skip()
	after, size := p.peek()
	inObject := r.in('}')
	ends := size == 0 || after == '}' || after == ']' || after == '`' || after == ')' && r.in(')') || isComma(after) && r.commaEnds(p.at+size)
	next := ends || p.at > end // a blank, and then the next member without its comma
	if num, ok := number(word, end == len(r.text)); ok && next && (ends || r.startsNext(p.at)) {
		if r.growing && r.mayGrow(end, inObject) {
			r.at, r.cut, r.repaired = len(r.text), true, true
			return
		}
		r.out = append(r.out, num...)
		r.repaired = r.repaired || num != word
		r.at, r.cut = end, r.cut || end == len(r.text)
		return
	}
	if lit, exact, ok := literal(word); ok && next && (ends || r.startsNext(p.at)) {
		r.out = append(r.out, lit...)
		r.repaired = r.repaired || !exact
		r.at = end
		return
	}
	r.repaired = true
	if end == len(r.text) { // the end cut a word or a number
		r.at, r.cut = end, true
		return
	}
	// A string without its first quote ends at its last one.
	if q := r.nextQuote(r.at); q >= 0 && r.closes(q+1, false) {
		r.out = appendString(r.out, unescape(r.text[r.at:q]))
		r.at = q + 1
		return
	}
	end = r.bareEnd(r.at)
	if c := r.text[r.at]; end < len(r.text) || !r.growing || c != '-' && c != '+' && (c < '0' || c > '9') {
		r.out = appendString(r.out, strings.TrimFunc(unescape(r.text[r.at:end]), isBlank))
	}
	r.at, r.cut = end, r.cut || end == len(r.text)
}

// mayGrow reports whether a number that ends at a place is not yet whole in a text that
// still grows: digits may follow, after a comma too.
func (r *reader) mayGrow(end int, inObject bool) bool {
	rest := strings.TrimRightFunc(r.text[end:], isBlank)
	return rest == "" || inObject && (rest == "," || rest == "，")
}

// bareEnd returns where a string without quotes ends.
func (r *reader) bareEnd(start int) int {
	for at := start; ; {
		i := strings.IndexAny(r.text[at:], ",，}]\n\"([{")
		if i < 0 {
			return len(r.text)
		}
		at += i
		c, size := utf8.DecodeRuneInString(r.text[at:])
		switch {
		case c == '"': // the next key, if its comma is missing
			if r.in('}') && at > start && r.text[at-1] == ' ' && r.keyAhead(at) {
				return at
			}
		case c == '(' || c == '[' || c == '{': // set([1, 2]), \d{3}
			p := &reader{text: r.text[:min(len(r.text), at+lookahead)], at: at}
			if p.passBrackets() {
				at = p.at
				continue
			}
		case !isComma(c) || r.commaEnds(at+size):
			return at
		}
		at += size
	}
}

// startsNext reports whether the next member or element begins at a place.
func (r *reader) startsNext(at int) bool {
	if r.in('}') {
		return r.keyAhead(at)
	}
	c, _ := utf8.DecodeRuneInString(r.text[at:])
	if c >= '0' && c <= '9' { // not the thousands of 1 000
		_, ok := number(r.text[at:r.wordEnd(at)], false)
		return ok
	}
	return isQuote(c) || c == '{' || c == '[' || c == '-' || r.literalAt(at)
}

// nextQuote returns the next double quote on the line that has no backslash
// before it, or -1 if there is none before the value must end otherwise.
func (r *reader) nextQuote(at int) int {
	if r.quote < at {
		r.quote = r.next(at, func(c byte) bool { return c == '"' })
	}
	if r.stop < at {
		r.stop = r.next(at, func(c byte) bool { return c == '\n' || c == '{' || c == '}' || c == '[' || c == ']' })
	}
	if r.quote == len(r.text) || r.stop < r.quote {
		return -1
	}
	return r.quote
}

// next returns the place of the first byte, at or after a place, for which is reports
// true and that has no backslash before it. Without one it returns the end.
func (r *reader) next(at int, is func(byte) bool) int {
	for i := at; i < len(r.text); i++ {
		if r.text[i] == '\\' {
			i++
		} else if is(r.text[i]) {
			return i
		}
	}
	return len(r.text)
}

// literal reads a word as JSON, Python or JavaScript would.
func literal(word string) (lit string, exact, ok bool) {
	switch word {
	case "true", "false", "null":
		return word, true, true
	case "True", "TRUE":
		return "true", false, true
	case "False", "FALSE":
		return "false", false, true
	case "None", "NULL", "Null", "nil", "undefined", "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf":
		return "null", false, true
	}
	return "", false, false
}

// number reads a word as a number and returns it as JSON writes it. If the text was
// cut after the word, what is left of an exponent is dropped.
func number(word string, cut bool) (string, bool) {
	if word == "" || !strings.ContainsAny(word, "0123456789") || strings.Trim(word, "+-.0123456789abcdefABCDEFxX_") != "" {
		return "", false
	}
	if json.Valid([]byte(word)) {
		return word, true
	}
	w := strings.TrimPrefix(word, "+")
	sign := ""
	if rest, ok := strings.CutPrefix(w, "-"); ok {
		sign, w = "-", rest
	}
	if strings.HasPrefix(w, "0x") || strings.HasPrefix(w, "0X") {
		n, ok := new(big.Int).SetString(w[2:], 16)
		if !ok || len(w) > 66 {
			return "", false
		}
		return sign + n.String(), true
	}
	if cut {
		w = strings.TrimRight(w, "eE+-")
	}
	w = strings.TrimSuffix(w, ".")
	if strings.HasPrefix(w, ".") {
		w = "0" + w
	}
	if strings.Contains(w, "__") || strings.HasPrefix(w, "_") || strings.HasSuffix(w, "_") {
		return "", false
	}
	w = strings.Replace(strings.ReplaceAll(w, "_", ""), ".e", ".0e", 1)
	if len(w) > 1 && w[0] == '0' && w[1] >= '0' && w[1] <= '9' {
		return "", false // 007 is a name, not a number
	}
	if w = sign + w; json.Valid([]byte(w)) {
		return w, true
	}
	return "", false
}

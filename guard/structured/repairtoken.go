package structured

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// closers maps each quote that can open a string to those that can close it.
var closers = map[rune]string{
	'"': `"`, '\'': "'", '`': "`'",
	'“': "”\"", '”': "”", '„': "“”", '«': "»", '‘': "’", '’': "’",
}

func isQuote(c rune) bool { _, ok := closers[c]; return ok }

// string reads a string from its opening quote and writes it.
func (r *reader) string(open rune, key bool) {
	r.at += utf8.RuneLen(open)
	r.repaired = r.repaired || open != '"'
	start := r.at
	ends := closers[open]
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
		case strings.ContainsRune(ends, c):
			if r.closes(i+size, key) {
				r.writeString(r.text[start:i])
				r.at = i + size
				return
			}
			r.repaired = true
		}
		i += size
	}
	r.cut, r.repaired = true, true
	r.at = len(r.text)
	r.writeString(strings.TrimRight(trimCutEscape(r.text[start:]), "`\n"))
}

// trimCutEscape takes off an escape that the end of the text cut.
func trimCutEscape(s string) string {
	i := strings.LastIndexByte(s, '\\')
	if i < 0 || len(s)-i > 6 {
		return s
	}
	slashes := 0
	for j := i; j >= 0 && s[j] == '\\'; j-- {
		slashes++
	}
	if slashes%2 == 1 && (len(s) == i+1 || s[i+1] == 'u' && len(s) < i+6) {
		return s[:i]
	}
	return s
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
	inObject := len(r.stack) > 0 && r.stack[len(r.stack)-1] == '}'
	switch {
	case len(r.stack) == 0:
		return true
	case c == '}' || c == ']':
		return true
	case c == ',':
		p.at += size
		p.skip()
		next, size := p.peek()
		switch {
		case size == 0 || isQuote(next) || next == '}' || next == ']' || next == ',':
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

// lookahead is how far a decision may look, in bytes, so that reading stays
// linear.
const lookahead = 256

// ahead returns a reader that looks at what follows a place, but not far.
func (r *reader) ahead(at int) *reader {
	return &reader{text: r.text[:min(len(r.text), at+16*lookahead)], at: at}
}

// keyAhead reports whether a key and its colon stand at a place.
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
	end := r.keyEnd(at)
	if end == at || end > at+lookahead {
		return false
	}
	if end == len(r.text) {
		return true
	}
	return strings.HasPrefix(r.text[end:], ":") && !strings.ContainsAny(strings.TrimRightFunc(r.text[at:end], isBlank), " \t\n")
}

// nameAhead reports whether a place begins with a name and a quote behind it.
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

// wordEnd returns where the bare word at a place ends.
func (r *reader) wordEnd(at int) int {
	limit := min(len(r.text), at+lookahead)
	for i, c := range r.text[at:limit] {
		if isBlank(c) || strings.ContainsRune(",:{}[]\"“”;`", c) {
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
		if strings.ContainsRune(":={}[],\"“”\n", c) || isBlank(c) {
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

// bare reads what stands where a value should and has no quote in front: a
// number, a word like true, or a string that lost its quotes or the first one.
func (r *reader) bare() {
	end := r.wordEnd(r.at)
	word := r.text[r.at:end]
	p := r.ahead(end)
	p.skip()
	after, size := p.peek()
	ends := size == 0 || after == ',' || after == '}' || after == ']' || after == '`' || after == ';'
	next := ends || p.at > end // a blank, and then the next member without its comma
	if num, ok := number(word); ok && next && (ends || r.startsNext(p.at)) && (!r.growing || end < len(r.text)) {
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
	end = len(r.text)
	if i := strings.IndexAny(r.text[r.at:], ",}]\n"); i >= 0 {
		end = r.at + i
	}
	r.out = appendString(r.out, strings.TrimFunc(unescape(r.text[r.at:end]), isBlank))
	r.at, r.cut = end, r.cut || end == len(r.text)
}

// startsNext reports whether the next member or element begins at a place.
func (r *reader) startsNext(at int) bool {
	if len(r.stack) > 0 && r.stack[len(r.stack)-1] == '}' {
		return r.keyAhead(at)
	}
	c, _ := utf8.DecodeRuneInString(r.text[at:])
	return isQuote(c) || strings.ContainsRune("{[-0123456789", c) || r.literalAt(at)
}

// nextQuote returns the next double quote on the line that no backslash stands
// before, or -1 if there is none before the value must end otherwise.
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

// next returns the first byte of a sort at or behind a place that no backslash
// stands before, or the end.
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

// number reads a word as a number and returns it as JSON writes it.
func number(word string) (string, bool) {
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
	if trimmed := strings.TrimRight(w, "eE+-."); trimmed != "" {
		w = trimmed
	}
	if strings.HasPrefix(w, ".") {
		w = "0" + w
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

// writeString writes the inside of a string, undoing its escapes.
func (r *reader) writeString(inside string) {
	quoted := `"` + inside + `"`
	if json.Valid([]byte(quoted)) {
		r.out = append(r.out, quoted...)
		return
	}
	r.repaired = true
	r.out = appendString(r.out, unescape(inside))
}

// unescape undoes JSON's escapes, and those of other languages: a backslash
// before any other character is dropped.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		switch c := s[i+1]; c {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'u', 'x':
			if text, n := hexEscape(s[i:]); n > 0 {
				b.WriteString(text)
				i += n
				continue
			}
			b.WriteByte(c)
		default:
			_, size := utf8.DecodeRuneInString(s[i+1:])
			b.WriteString(s[i+1 : i+1+size])
			i += 1 + size
			continue
		}
		i += 2
	}
	return b.String()
}

// hexEscape reads \uXXXX, a pair of them for one character, or \xXX.
func hexEscape(s string) (string, int) {
	digits := 4
	if s[1] == 'x' {
		digits = 2
	}
	n := 2 + digits
	if len(s) < n {
		return "", 0
	}
	v, err := strconv.ParseUint(s[2:n], 16, 32)
	if err != nil {
		return "", 0
	}
	if v >= 0xd800 && v < 0xdc00 && len(s) >= n+6 && s[n] == '\\' && s[n+1] == 'u' {
		if low, err := strconv.ParseUint(s[n+2:n+6], 16, 32); err == nil && low >= 0xdc00 && low < 0xe000 {
			return string(rune((v-0xd800)<<10 + low - 0xdc00 + 0x10000)), n + 6
		}
	}
	return string(rune(v)), n
}

func appendString(out []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(out, `""`...) // a string always encodes
	}
	return append(out, bytes.TrimRight(b.Bytes(), "\n")...)
}

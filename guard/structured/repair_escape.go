package structured

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// trimCutEscape removes an escape that the end of the text cut, and the first half of
// a surrogate pair, which is not a character alone.
func trimCutEscape(s string) string {
	for range 2 {
		i := strings.LastIndexByte(s, '\\')
		if i < 0 || len(s)-i > 6 {
			return s
		}
		slashes := 0
		for j := i; j >= 0 && s[j] == '\\'; j-- {
			slashes++
		}
		half := len(s) == i+6 && (strings.HasPrefix(s[i:], `\ud`) || strings.HasPrefix(s[i:], `\uD`)) && strings.IndexByte("89abAB", s[i+3]) >= 0
		if slashes%2 == 0 || !half && len(s) > i+1 && (s[i+1] != 'u' || len(s) >= i+6) {
			return s
		}
		s = s[:i]
	}
	return s
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

// unescape undoes JSON's escapes, \' and \xXX. A backslash before anything else belongs
// to the text, as in "\d+" and "\alpha": without it the program or formula would be
// another one.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	raw := rawBackslashes(s)
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		next, size := utf8.DecodeRuneInString(s[i+1:])
		letter := strings.IndexByte("bfnrt", s[i+1])
		switch {
		case next == '\\' || next == '/' || isQuote(next):
			b.WriteString(s[i+1 : i+1+size])
			i += 1 + size
			continue
		case letter >= 0 && !raw(s[i+1:]):
			b.WriteByte("\b\f\n\r\t"[letter])
			i += 2
			continue
		case (next == 'u' || next == 'x') && !raw(s[i+1:]):
			if text, n := hexEscape(s[i:]); n > 0 {
				b.WriteString(text)
				i += n
				continue
			}
		}
		b.WriteByte('\\')
		i++
	}
	return b.String()
}

// rawBackslashes returns a function that reports whether the backslash before a rest
// of s belongs to the text, although the rest begins as an escape does. That is so in a
// path of Windows, and before b, f or a word of LaTeX in a text where another backslash
// can't be an escape.
func rawBackslashes(s string) func(rest string) bool {
	for i := 1; i+2 < len(s); i++ {
		if s[i:i+2] == `:\` && s[i+2] != '\\' && letters(s[i-1:i]) == 1 && (i == 1 || letters(s[i-2:i-1]) == 0) {
			return func(string) bool { return true }
		}
	}
	own := false
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' {
			i++
			c, _ := utf8.DecodeRuneInString(s[i:])
			own = own || !isQuote(c) && !strings.ContainsRune(`\/bfnrtux`, c)
		}
	}
	return func(rest string) bool {
		return own && (rest[0] == 'b' || rest[0] == 'f' || latex[rest[:letters(rest)]])
	}
}

// letters returns the number of ASCII letters that s begins with.
func letters(s string) int {
	n := 0
	for n < len(s) && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
		n++
	}
	return n
}

// latex are the common commands of LaTeX that begin with n, r or t.
var latex = func() map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields("nabla natural ne nearrow neg neq newline nexists ni nleq nmid noindent nonumber not notin nu " +
		"raggedright rangle rceil ref renewcommand rfloor rho right rightarrow rightharpoonup rm root " +
		"tan tanh tau tbinom text textbf textit textrm textsf textsc texttt tfrac therefore theta tilde times tiny to top triangle") {
		all[w] = true
	}
	return all
}()

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

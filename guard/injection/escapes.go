package injection

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes undoes URL escapes (%69), HTML references (&#105; &lt;) and backslash
// escapes (i, \x69, \u{69}), each kind in a reading of its own.
func escapes(m *mapped, emit func(string, mapped)) {
	for _, e := range []struct {
		name  string
		first byte
		one   func(s string) (out string, n int)
	}{{"url", '%', percent}, {"html_entities", '&', reference}, {"unicode_escape", '\\', backslash}} {
		s := m.text
		if strings.Count(s, string(rune(e.first))) < 2 {
			continue
		}
		b := newBuilder(m, len(s))
		count, done := 0, 0
		for i := 0; i < len(s); {
			if s[i] != e.first {
				i++
				continue
			}
			out, n := e.one(s[i:])
			if n == 0 {
				i++
				continue
			}
			b.keep(done, i)
			b.add(out, i, i+n)
			i += n
			done = i
			count++
		}
		b.keep(done, len(s))
		if count >= 2 && utf8.Valid(b.out) {
			emit(e.name, b.mapped())
		}
	}
}

func percent(s string) (string, int) {
	if len(s) < 3 {
		return "", 0
	}
	v, err := strconv.ParseUint(s[1:3], 16, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(v)}), 3
}

func reference(s string) (string, int) {
	n := strings.IndexByte(s[:min(len(s), 12)], ';')
	if n < 2 {
		return "", 0
	}
	out := html.UnescapeString(s[:n+1])
	if out == s[:n+1] {
		return "", 0
	}
	return out, n + 1
}

func backslash(s string) (string, int) {
	switch {
	case strings.HasPrefix(s, `\u{`):
		n := strings.IndexByte(s[:min(len(s), 12)], '}')
		if n < 0 {
			return "", 0
		}
		v, err := strconv.ParseUint(s[3:n], 16, 21)
		if err != nil {
			return "", 0
		}
		return string(rune(v)), n + 1
	case len(s) >= 6 && s[1] == 'u':
		v, err := strconv.ParseUint(s[2:6], 16, 16)
		if err != nil {
			return "", 0
		}
		if r := rune(v); utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if low, err := strconv.ParseUint(s[8:12], 16, 16); err == nil {
				return string(utf16.DecodeRune(r, rune(low))), 12
			}
		}
		return string(rune(v)), 6
	case len(s) >= 4 && s[1] == 'x':
		v, err := strconv.ParseUint(s[2:4], 16, 8)
		if err != nil {
			return "", 0
		}
		return string([]byte{byte(v)}), 4
	}
	return "", 0
}

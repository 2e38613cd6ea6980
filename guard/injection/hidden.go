package injection

import (
	"strings"
	"unicode/utf8"
)

// hiddenCharacters finds text that no screen shows: in tag
// characters, in variation selectors, and under a bidirectional override.
func hiddenCharacters(m *mapped, emit func(string, mapped)) {
	s := m.text
	if isASCII(s) {
		return
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r >= 0xE0020 && r <= 0xE007E:
			i = tags(m, i, emit)
		case selectorByte(r) >= 0:
			i = selectors(m, i, emit)
		case r == 0x202E:
			i = override(m, i+size, emit)
		default:
			i += size
		}
	}
}

// tags reads a run of tag characters, ASCII moved up by U+E0000. A short run
// after a black flag is the flag of a region.
func tags(m *mapped, i int, emit func(string, mapped)) int {
	s, start := m.text, i
	b := newBuilder(m, 64)
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r < 0xE0000 || r > 0xE007F {
			break
		}
		if r >= 0xE0020 && r < 0xE007F {
			b.add(string(r-0xE0000), i, i+size)
		}
		i += size
	}
	if len(b.out) > 6 || !strings.HasSuffix(s[:start], "🏴") {
		emit("tags", b.mapped())
	}
	return i
}

// selectorByte is the byte that a variation selector can carry, or -1.
func selectorByte(r rune) int {
	switch {
	case r >= 0xFE00 && r <= 0xFE0F:
		return int(r - 0xFE00)
	case r >= 0xE0100 && r <= 0xE01EF:
		return int(r-0xE0100) + 16
	}
	return -1
}

// selectors reads a run of variation selectors as bytes. A single selector is
// their ordinary use.
func selectors(m *mapped, i int, emit func(string, mapped)) int {
	s := m.text
	b := newBuilder(m, 64)
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		v := selectorByte(r)
		if v < 0 {
			break
		}
		b.add(string([]byte{byte(v)}), i, i+size)
		i += size
	}
	if len(b.out) >= 3 && readable(b.out) {
		emit("variation_selectors", b.mapped())
	}
	return i
}

// override reverses the text between a right-to-left override and its end.
func override(m *mapped, i int, emit func(string, mapped)) int {
	s, end := m.text, len(m.text)
	if n := strings.IndexAny(s[i:], "\u202c\n"); n >= 0 {
		end = i + n
	}
	b := newBuilder(m, end-i)
	for at := end; at > i; {
		r, size := utf8.DecodeLastRuneInString(s[i:at])
		if r < 0x202A || r > 0x202E { // an override inside adds nothing
			b.keep(at-size, at)
		}
		at -= size
	}
	emit("bidi", b.mapped())
	return end
}

// readable reports whether decoded bytes are text: valid UTF-8 with hardly a
// control character and mostly letters and blanks.
func readable(b []byte) bool {
	if len(b) < 3 || !utf8.Valid(b) {
		return false
	}
	good, runes := 0, 0
	for _, r := range string(b) {
		runes++
		switch {
		case r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7F:
			return false
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == ' ':
			good++
		case r >= '0' && r <= '9' || r >= 0x80:
			good++
		}
	}
	return good*10 >= runes*7
}

package injection

import (
	"strings"
	"unicode/utf8"
)

// International Morse code, ITU-R M.1677-1.
var morseCode = map[string]byte{
	".-": 'a', "-...": 'b', "-.-.": 'c', "-..": 'd', ".": 'e', "..-.": 'f', "--.": 'g', "....": 'h', "..": 'i',
	".---": 'j', "-.-": 'k', ".-..": 'l', "--": 'm', "-.": 'n', "---": 'o', ".--.": 'p', "--.-": 'q', ".-.": 'r',
	"...": 's', "-": 't', "..-": 'u', "...-": 'v', ".--": 'w', "-..-": 'x', "-.--": 'y', "--..": 'z',
	"-----": '0', ".----": '1', "..---": '2', "...--": '3', "....-": '4', ".....": '5', "-....": '6', "--...": '7',
	"---..": '8', "----.": '9', ".-.-.-": '.', "--..--": ',', "..--..": '?', "-.-.--": '!', "-..-.": '/', "-....-": '-',
}

// morse reads runs of at least five Morse letters; a slash or more than one
// blank separates words.
func morse(m *mapped, emit func(string, mapped)) {
	s := m.text
	b := newBuilder(m, 64)
	letters := 0
	flush := func() {
		if letters >= 5 {
			emit("morse", b.mapped())
		}
		b, letters = newBuilder(m, 64), 0
	}
	for i := 0; i < len(s); {
		switch {
		case s[i] == ' ':
			n := i
			for n < len(s) && s[n] == ' ' {
				n++
			}
			if n-i > 1 {
				wordGap(b, i, n)
			}
			i = n
			continue
		case s[i] == '/' || s[i] == '|' || s[i] == '\n':
			wordGap(b, i, i+1)
			i++
			continue
		}
		code, end := dotsAndDashes(s, i)
		l, ok := morseCode[code]
		if ok && (end == len(s) || strings.IndexByte(" /|\n", s[end]) >= 0) {
			b.add(string(rune(l)), i, end)
			letters++
			i = end
			continue
		}
		flush()
		i++
		for i < len(s) && s[i] > ' ' { // the rest of this word
			i++
		}
		i = max(i, end)
	}
	flush()
}

// dotsAndDashes reads the code of one letter, up to the seventh sign: no code is as long.
func dotsAndDashes(s string, at int) (code string, end int) {
	for end = at; end < len(s) && len(code) <= 6; {
		r, size := utf8.DecodeRuneInString(s[end:])
		switch r {
		case '.', '·', '•':
			code += "."
		case '-', '_':
			code += "-"
		default:
			return code, end
		}
		end += size
	}
	return code, end
}

func wordGap(b *builder, start, end int) {
	if n := len(b.out); n > 0 && b.out[n-1] != ' ' {
		b.add(" ", start, end)
	}
}

package injection

import (
	"unicode"
	"unicode/utf8"
)

// minSpelled is how many letters in a row must be set apart.
const minSpelled = 4

// spelled joins letters that are set apart by one separator each: "i g n o r
// e", "i.g.n.o.r.e", "i-g-n-o-r-e". A wider gap separates words.
func spelled(m *mapped, emit func(string, mapped)) {
	s := m.text
	var b *builder
	done := 0
	for i := 0; i < len(s); {
		if i > 0 && !boundary(s[i-1]) {
			i++
			continue
		}
		end := letterRun(m, i, nil)
		if end <= i {
			i++
			continue
		}
		if b == nil {
			b = newBuilder(m, len(s))
		}
		b.keep(done, i)
		letterRun(m, i, b)
		done, i = end, end
	}
	if b != nil {
		b.keep(done, len(s))
		emit("spelled", b.mapped())
	}
}

func boundary(b byte) bool { return classes[b]&(isLetter|isDigit|isHigh) == 0 }

// letterRun reads single letters from i on and returns the end of the run, or i
// if it is too short. With a builder it also writes the joined text.
func letterRun(m *mapped, i int, b *builder) int {
	s, start, letters := m.text, i, 0
	var sep rune
	end := i
	for i < len(s) {
		size := loneLetter(s[i:])
		if size == 0 {
			break
		}
		after, gapSize := utf8.DecodeRuneInString(s[i+size:])
		if b != nil {
			b.keep(i, i+size)
		}
		letters++
		i += size
		end = i
		if i == len(s) || after == '\n' {
			break
		}
		n := gapEnd(s, i, after)
		if loneLetter(s[n:]) == 0 {
			break
		}
		single := n-i == gapSize
		switch {
		case sep == 0 && single:
			sep = after
		case sep == 0 || single && after == sep:
		case single && after != ' ':
			return finish(start, end, letters)
		}
		if b != nil && (!single || after != sep) {
			b.add(" ", i, n)
		}
		i = n
	}
	return finish(start, end, letters)
}

// loneLetter returns the size of the letter or digit that s begins with, or 0 if there
// is none or it begins a longer word.
func loneLetter(s string) int {
	r, size := utf8.DecodeRuneInString(s)
	if !letterOrDigit(r) {
		return 0
	}
	if after, _ := utf8.DecodeRuneInString(s[size:]); letterOrDigit(after) {
		return 0
	}
	return size
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// gapEnd returns the end of the spaces and separators from i on, of which it reads
// about eight bytes.
func gapEnd(s string, i int, separator rune) int {
	n := i
	for n < len(s) && n-i < 8 {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r != separator && r != ' ' {
			break
		}
		n += size
	}
	return n
}

func finish(start, end, letters int) int {
	if letters < minSpelled {
		return start
	}
	return end
}

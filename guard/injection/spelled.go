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
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		after, gapSize := utf8.DecodeRuneInString(s[i+size:])
		if i+size < len(s) && (unicode.IsLetter(after) || unicode.IsDigit(after)) {
			break // a word of more than one letter
		}
		if b != nil {
			b.keep(i, i+size)
		}
		letters++
		i += size
		end = i
		if i == len(s) || after == '\n' {
			break
		}
		n := i
		for n < len(s) && n-i < 8 {
			next, size := utf8.DecodeRuneInString(s[n:])
			if next != after && next != ' ' {
				break
			}
			n += size
		}
		next, nextSize := utf8.DecodeRuneInString(s[n:])
		if !unicode.IsLetter(next) && !unicode.IsDigit(next) {
			break
		}
		if follow, _ := utf8.DecodeRuneInString(s[n+nextSize:]); n+nextSize < len(s) && (unicode.IsLetter(follow) || unicode.IsDigit(follow)) {
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

func finish(start, end, letters int) int {
	if letters < minSpelled {
		return start
	}
	return end
}

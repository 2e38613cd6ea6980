package injection

import (
	"math/bits"
	"unicode/utf8"
)

// minGain is by how many sixteenths of a bit the best stretch of a transformed
// text must be likelier than the text as it is. In a longer text the best stretch
// is better by accident: log2 of the length corrects for that. Pairs of letters
// tell less about direction than about substitution, so reversal needs less.
func (c cipher) minGain(length int) int {
	base := 12
	if c.table == nil {
		base = 3
	}
	return (base + bits.Len(uint(length))) * 16
}

// A cipher undoes one transformation of letters. A substitution has a table;
// reversal has none.
type cipher struct {
	name  string
	table func(b byte) byte
}

var ciphers = []cipher{
	{"rot13", rotate(13)},
	{"caesar3", rotate(23)},
	{"atbash", func(b byte) byte { return mapLetter(b, func(i byte) byte { return 25 - i }) }},
	{"reverse", nil},
}

func rotate(by byte) func(byte) byte {
	return func(b byte) byte { return mapLetter(b, func(i byte) byte { return (i + by) % 26 }) }
}

func mapLetter(b byte, f func(byte) byte) byte {
	switch {
	case b >= 'a' && b <= 'z':
		return 'a' + f(b-'a')
	case b >= 'A' && b <= 'Z':
		return 'A' + f(b-'A')
	}
	return b
}

// decipher returns, for each cipher, the lines that it makes likelier as
// language. The gain of a stretch is the sum over its letter pairs of
//
//	log2 P(pair deciphered) - log2 P(pair as it is)
//
// and the best stretch is found in one pass, as the maximum subarray.
func decipher(m *mapped, emit func(name string, child mapped)) {
	gains := bestGains(m.text)
	for i, c := range ciphers {
		if g := gains[i]; g.sum >= c.minGain(len(m.text)) {
			start, end := wholeLines(m.text, g.start, g.end)
			b := newBuilder(m, end-start)
			if c.table == nil {
				for at := end; at > start; {
					_, size := utf8.DecodeLastRuneInString(m.text[start:at])
					b.keep(at-size, at)
					at -= size
				}
			} else {
				b.keep(start, end)
				for j := range b.out {
					b.out[j] = c.table(b.out[j])
				}
			}
			emit(c.name, b.mapped())
		}
	}
}

type gain struct{ sum, start, end int }

func bestGains(s string) (best [4]gain) {
	var now [4]gain
	last := gap
	for i := 0; i <= len(s); i++ {
		next := gap
		if i < len(s) {
			next = letter(s[i])
		}
		if last == gap && next == gap {
			continue
		}
		plain := follows(last, next)
		for c := range now {
			var coded int
			switch c {
			case 3:
				coded = follows(next, last)
			default:
				coded = follows(substitute(c, last), substitute(c, next))
			}
			now[c].sum += coded - plain
			if now[c].sum <= 0 {
				now[c] = gain{0, i, i}
			} else if now[c].end = i; now[c].sum > best[c].sum {
				best[c] = now[c]
			}
		}
		last = next
	}
	return best
}

func substitute(c, l int) int {
	if l == gap {
		return gap
	}
	switch c {
	case 0:
		if l += 13; l >= 26 {
			l -= 26
		}
	case 1:
		if l += 23; l >= 26 {
			l -= 26
		}
	default:
		l = 25 - l
	}
	return l
}

func wholeLines(s string, start, end int) (int, int) {
	for start > 0 && s[start-1] != '\n' {
		start--
	}
	for end < len(s) && s[end] != '\n' {
		end++
	}
	return start, end
}

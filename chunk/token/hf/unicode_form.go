package hf

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm returns the normalizer of one of Unicode's forms (UAX #15).
//
// The package norm writes U+034F after each 30 combining marks ("stream-safe text"),
// which no tokenizer does. Where it has, the text is normalized once more, by the
// definition.
func unicodeForm(f norm.Form) normalizer {
	const joiner = "\u034f"
	return func(s string) string {
		out := f.String(s)
		if !strings.Contains(out, joiner) || strings.Count(out, joiner) == strings.Count(s, joiner) {
			return out
		}
		points := decompose(s, f == norm.NFKC || f == norm.NFKD)
		if f == norm.NFC || f == norm.NFKC {
			points = compose(points)
		}
		var b strings.Builder
		for _, p := range points {
			b.WriteString(p.text)
		}
		return b.String()
	}
}

// A point is a code point, or a byte that isn't UTF-8.
type point struct {
	text  string
	class uint8 // canonical combining class
}

// decompose returns the code points of a text taken apart, marks in canonical order.
func decompose(s string, compatibility bool) (out []point) {
	f := norm.NFD
	if compatibility {
		f = norm.NFKD
	}
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			out = append(out, point{text: s[:1]})
		} else {
			for _, r := range f.String(s[:size]) {
				text := string(r)
				out = append(out, point{text, f.PropertiesString(text).CCC()})
			}
		}
		s = s[size:]
	}
	for i := 0; i < len(out); i++ {
		end := i
		for end < len(out) && out[end].class > 0 {
			end++
		}
		slices.SortStableFunc(out[i:end], func(a, b point) int { return cmp.Compare(a.class, b.class) })
		i = end
	}
	return out
}

// compose puts marks together with the starter before them, where there is a code
// point for both and nothing of their class is between.
func compose(in []point) []point {
	out := in[:0:0]
	starter := -1
	for _, p := range in {
		if starter >= 0 {
			last := out[len(out)-1]
			adjacent := len(out)-1 == starter
			if adjacent || last.class > 0 && last.class < p.class {
				both := norm.NFC.String(out[starter].text + p.text)
				if utf8.RuneCountInString(both) == 1 && utf8.ValidString(both) {
					out[starter].text = both
					continue
				}
			}
		}
		if p.class == 0 {
			starter = len(out)
		}
		out = append(out, p)
	}
	return out
}

// Package norm gives the normal forms of Unicode (UAX #15) as they are defined.
//
// Package golang.org/x/text/unicode/norm follows the Stream-Safe format besides
// (UAX #15, section 13): after 30 marks in a row it inserts U+034F. A text that must
// equal its normal form elsewhere must not gain a character, so here a text with such
// a run is normalized by the definition.
package norm

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Form is one of the normal forms.
type Form struct {
	form, decomposed norm.Form
	composes         bool
}

// The forms.
var (
	NFC  = Form{norm.NFC, norm.NFD, true}
	NFD  = Form{norm.NFD, norm.NFD, false}
	NFKC = Form{norm.NFKC, norm.NFKD, true}
	NFKD = Form{norm.NFKD, norm.NFKD, false}
)

// joiner is the character that x/text inserts.
const joiner = "\u034f"

// String returns text in the form.
func (f Form) String(text string) string {
	out := f.form.String(text)
	if !strings.Contains(out, joiner) || strings.Count(out, joiner) == strings.Count(text, joiner) {
		return out
	}
	points := f.decompose(text)
	if f.composes {
		points = compose(points)
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, p := range points {
		b.WriteString(p.text)
	}
	return b.String()
}

// A point is a code point, or a byte that isn't UTF-8.
type point struct {
	text  string
	class uint8 // canonical combining class, 0 for one that starts anew
}

// decompose returns the full decomposition of text, with the marks between two starters
// in canonical order.
func (f Form) decompose(text string) []point {
	out := make([]point, 0, len(text))
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			out = append(out, point{text: text[:1]})
		} else {
			for _, r := range f.decomposed.String(text[:size]) {
				one := string(r)
				out = append(out, point{one, f.decomposed.PropertiesString(one).CCC()})
			}
		}
		text = text[size:]
	}
	for i := 0; i < len(out); {
		end := i
		for end < len(out) && out[end].class != 0 {
			end++
		}
		slices.SortStableFunc(out[i:end], func(a, b point) int { return int(a.class) - int(b.class) })
		i = end + 1
	}
	return out
}

// compose joins each code point with the last starter, if there is a character for both
// and no point between them blocks it.
func compose(in []point) []point {
	out := in[:0]
	starter := -1 // its place in out
	last := uint8(0)
	for _, p := range in {
		if starter >= 0 && (starter == len(out)-1 || last < p.class) {
			both := norm.NFC.String(out[starter].text + p.text)
			if r, size := utf8.DecodeRuneInString(both); size == len(both) && (r != utf8.RuneError || size > 1) {
				out[starter].text = both
				continue
			}
		}
		if p.class == 0 {
			starter = len(out)
		}
		last = p.class
		out = append(out, p)
	}
	return out
}

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
	runes := f.decompose(text)
	if f.composes {
		runes = compose(runes)
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range runes {
		b.WriteRune(r.r)
	}
	return b.String()
}

// A mark is a rune and its canonical combining class, 0 for one that starts anew.
type mark struct {
	r     rune
	class uint8
}

// decompose returns the full decomposition of text, with the marks between two starters
// in canonical order.
func (f Form) decompose(text string) []mark {
	out := make([]mark, 0, len(text))
	for _, r := range text {
		for _, d := range f.decomposed.String(string(r)) {
			out = append(out, mark{d, class(d)})
		}
	}
	for i := 0; i < len(out); {
		end := i
		for end < len(out) && out[end].class != 0 {
			end++
		}
		slices.SortStableFunc(out[i:end], func(a, b mark) int { return int(a.class) - int(b.class) })
		i = end + 1
	}
	return out
}

func class(r rune) uint8 {
	var b [utf8.UTFMax]byte
	return norm.NFD.Properties(b[:utf8.EncodeRune(b[:], r)]).CCC()
}

// compose joins each rune with the last starter, if there is a character for both and
// no rune between them blocks it.
func compose(in []mark) []mark {
	out := in[:0]
	starter := -1 // its place in out
	last := uint8(0)
	for _, m := range in {
		if starter >= 0 && (starter == len(out)-1 || last < m.class) {
			if r, ok := pair(out[starter].r, m.r); ok {
				out[starter].r = r
				continue
			}
		}
		if m.class == 0 {
			starter = len(out)
		}
		last = m.class
		out = append(out, m)
	}
	return out
}

// pair returns the primary composite of two characters.
func pair(a, b rune) (rune, bool) {
	composed := norm.NFC.String(string(a) + string(b))
	r, size := utf8.DecodeRuneInString(composed)
	return r, size == len(composed)
}

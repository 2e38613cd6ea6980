package sentence

import (
	"strings"
	"testing"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// The fast way finds what UAX #29's rules find, in ASCII and mixed text.
func FuzzASCII(f *testing.F) {
	for _, s := range []string{"One. Two! \"Three?\" (four.) five. 3.14 U.S.A. e.g. x; Wait... What?! no.\r\nYes.\n\nA.\rB", "a. , b", "a! , b. - C", "“a.” – b ‘c.’ ", "a.— b? – C. ‘d’. 5", ".. .) ( x", "a.B c.\t\v\fD", "x.1", "a;b. ;C", ".\n)a", "It’s so. “Yes.” he said. No! é. a", "a.é b", "a. 1 , é", "x.\r", "a.\u0301 B", "a!\u200d b", "a. \u0085b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "") // the peer joins a broken code point to what is before it
		var want []string
		for it := sentences.FromString(s); it.Next(); {
			want = append(want, it.Value())
		}
		i := 0
		for got := range unicodeSentences(s) {
			if i >= len(want) || got != want[i] {
				t.Fatalf("%q: sentence %d is %q, want %q", s, i, got, want)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("%q: %d sentences, want %q", s, i, want)
		}
	})
}

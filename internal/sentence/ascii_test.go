package sentence

import (
	"testing"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// The fast way finds what UAX #29's rules find.
func FuzzASCII(f *testing.F) {
	for _, s := range []string{"One. Two! \"Three?\" (four.) five. 3.14 U.S.A. e.g. x; Wait... What?! no.\r\nYes.\n\nA.\rB", "a. , b", "a! , b. - C", ".. .) ( x", "a.B c.\t\v\fD", "x.1", "a;b. ;C", ".\n)a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := []byte(s)
		for i := range text {
			text[i] &= 0x7f
		}
		s = string(text)
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

package token

import "testing"

// The short way to plain words finds the same pieces as the pattern.
func FuzzPlainWord(f *testing.F) {
	for _, s := range []string{" The end's near", "don't", "aB", "ABc d", "camelCase Word", " é", "eé", "e\u0301x", " a", "A", " ", "z1", "It'll", "x\u2019s", "'S", "'re"} {
		f.Add(s)
	}
	var all []splitter
	for p := range PatternWhole + 1 {
		s, err := newSplitter(p)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range all {
			for i := range len(text) {
				if got, want := s.next(text, i), s.match(text, i); got != want {
					t.Fatalf("%v at %d of %q: %d, want %d", s.pattern, i, text, got, want)
				}
			}
		}
	})
}

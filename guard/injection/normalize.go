package injection

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	unicodenorm "golang.org/x/text/unicode/norm"

	"github.com/prodailabs/prodai/internal/norm"
)

// NFKC returns the compatibility composition of text (UAX #15). It adds no character,
// unlike golang.org/x/text, which adds joiners to a long run of marks.
func NFKC(text string) string { return norm.NFKC.String(text) }

// Fold returns the full case folding of NFKC(text). It is not the property
// NFKC_Casefold: joiners, selectors, tags and the byte order mark stay.
func Fold(text string) string { return cases.Fold().String(norm.NFKC.String(text)) }

// normalizeMapped undoes what makes the same words look different: invisible
// characters, compatibility forms, stacked marks and look-alike letters. It keeps
// the case. It returns the names of the steps that changed something.
func normalizeMapped(m mapped) (mapped, []string) {
	if isASCII(m.text) {
		return m, nil
	}
	var steps []string
	b := newBuilder(&m, len(m.text))
	s := m.text
	dropped, compat, marks := false, false, false
	bare := true // the letter before is one whose marks are dropped
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
			n := i
			for n < len(s) && s[n] < utf8.RuneSelf && (n+1 == len(s) || s[n+1] < utf8.RuneSelf) {
				n++
			}
			b.keep(i, n)
			i, bare = n, true
			continue
		}
		n := unicodenorm.NFKC.NextBoundaryInString(s[i:], true)
		if n <= 0 {
			n = len(s) - i
		}
		segment := s[i : i+n]
		clean := strings.Map(visible, segment)
		dropped = dropped || len(clean) != len(segment)
		if unicodenorm.NFKC.QuickSpanString(clean) != len(clean) {
			composed := norm.NFKC.String(clean)
			compat = compat || composed != clean
			clean = composed
		}
		if bare = withoutMarksOf(clean, bare); bare {
			if letters := withoutMarks(clean); letters != clean {
				marks = marks || utf8.RuneCountInString(letters) < utf8.RuneCountInString(clean)
				clean = letters
			}
		}
		if clean == segment {
			b.keep(i, i+n)
		} else {
			b.add(clean, i, i+n)
		}
		i += n
	}
	for _, step := range []struct {
		done bool
		name string
	}{{dropped, "invisible"}, {compat, "nfkc"}, {marks, "marks"}} {
		if step.done {
			steps = append(steps, step.name)
		}
	}
	out := b.mapped()
	if plain, changed := lookAlikes(out); changed {
		return plain, append(steps, "confusables")
	}
	return out, steps
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// visible drops what has no width: format characters, joiners, fillers,
// selectors and tags. A reader who needs a joiner (emoji, Persian, Hindi) sees
// the original; this text is only ever searched.
func visible(r rune) rune {
	switch {
	case r < 0xAD:
		return r
	case r == 0xAD, r == 0x034F, r == 0x061C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x3164, r == 0xFFA0,
		r >= 0x180B && r <= 0x180F, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE0FFF:
		return -1
	}
	return r
}

// withoutMarksOf reports whether the marks of a segment are dropped: those of a
// Latin, Greek or Cyrillic letter, of a digit or of punctuation. Every other
// script needs its marks: a vowel of Thai, Hindi or Khmer is one. A segment that
// begins with a mark belongs to the segment before it.
func withoutMarksOf(segment string, before bool) bool {
	r, _ := utf8.DecodeRuneInString(segment)
	switch {
	case segment == "", unicode.Is(unicode.Mn, r):
		return before
	case r < utf8.RuneSelf:
		return true
	case unicode.IsLetter(r):
		return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
	}
	return false
}

// withoutMarks drops the combining marks of a segment.
func withoutMarks(s string) string {
	if r, size := utf8.DecodeRuneInString(s); r < utf8.RuneSelf && size == len(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// lookAlikes replaces letters that look like ASCII ones, in words that also contain
// ASCII letters, or contain only look-alikes. A Russian or Greek word keeps its
// letters: hardly any is made of look-alikes alone.
func lookAlikes(m mapped) (mapped, bool) {
	s := m.text
	if isASCII(s) {
		return m, false
	}
	var b *builder
	done := 0
	ascii := strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz")
	for i := 0; i < len(s); {
		end, latin, alike, other := wordShape(s, i)
		if alike > 0 && (latin > 0 || other == 0 && ascii) {
			for at := i; at < end; {
				r, size := utf8.DecodeRuneInString(s[at:])
				if to, ok := confusable(r); ok {
					if b == nil {
						b = newBuilder(&m, len(s))
					}
					b.keep(done, at)
					b.add(string(to), at, at+size)
					done = at + size
				}
				at += size
			}
		}
		i = end
	}
	if b == nil {
		return m, false
	}
	b.keep(done, len(s))
	return b.mapped(), true
}

// wordShape reads a run of bytes without a blank and counts its letters.
func wordShape(s string, i int) (end, latin, alike, other int) {
	for end = i; end < len(s); {
		r, size := utf8.DecodeRuneInString(s[end:])
		if r == ' ' || r == '\n' || r == '\t' {
			return max(end, i+1), latin, alike, other
		}
		switch _, ok := confusable(r); {
		case r|0x20 >= 'a' && r|0x20 <= 'z':
			latin++
		case ok:
			alike++
		case r >= utf8.RuneSelf && unicode.IsLetter(r):
			other++
		}
		end += size
	}
	return end, latin, alike, other
}

// Normalize returns text as the rules and the classifier compare it: NFKC,
// without what has no width, without marks on Latin, Greek and Cyrillic
// letters, with look-alike letters replaced. Case is kept.
func Normalize(text string) string {
	m, _ := normalizeMapped(mapped{text: text})
	return m.text
}

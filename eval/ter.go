package eval

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"unicode/utf8"
)

// TEROptions sets which TER; nil means the defaults, which are sacreBLEU's.
type TEROptions struct {
	// Normalize tokenizes punctuation as tercom does. Default: words are cut at
	// spaces only.
	Normalize bool
	// NoPunctuation removes punctuation. Default: it counts.
	NoPunctuation bool
	// Asian lets Normalize and NoPunctuation treat Chinese and Japanese
	// characters too; it does nothing alone. Default: they don't.
	Asian bool
	// CaseSensitive compares letters as they are. Default: in lower case.
	CaseSensitive bool
}

// TER is the number of edits a person would need to turn the output into a
// reference, per reference word:
//
//	TER = 100 · (insertions + deletions + substitutions + shifts) / mean reference length
//
// A shift moves a run of words and costs 1 however far it goes. The best sequence
// of shifts is NP-hard to find, so TER is defined by tercom's greedy search, with
// its limits: runs of at most 10 words, moved at most 50, at most 1,000 candidates
// a pair, and an edit distance looked for in a beam of 25 around the diagonal. So
// very different long texts are estimated, in bounded time.
//
// Lower is better, and it may exceed 100. It misleads if there are many right
// answers and one reference: it counts the distance to that one. Of several
// references the fewest edits count, over their mean length.
//
// Source: Snover et al. 2006; tercom's definitions as in sacreBLEU 2.6.0.
type TER struct{ o TEROptions }

// NewTER returns the metric with these options; nil means the defaults.
func NewTER(o *TEROptions) (*TER, error) {
	t := &TER{}
	if o != nil {
		t.o = *o
	}
	return t, nil
}

// CountsReferences returns true; see [ReferenceCounter].
func (m *TER) CountsReferences() bool { return true }

// Signature returns the metric's name and options, as sacreBLEU writes them.
func (m *TER) Signature() Signature {
	caseMode := "lc"
	if m.o.CaseSensitive {
		caseMode = "mixed"
	}
	return Signature{
		Metric: "TER", LowerIsBetter: true, Version: sacreBLEUVersion,
		Params: fmt.Sprintf("case:%s|tok:tercom|norm:%s|punct:%s|asian:%s", caseMode, yesNo(m.o.Normalize), yesNo(!m.o.NoPunctuation), yesNo(m.o.Asian)),
	}
}

// Width is 2: the edits and the mean reference length.
func (m *TER) Width() int { return 2 }

// Stats writes the fewest edits and the mean length of the references.
func (m *TER) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.vocab.reset()
	s.hyp = m.cut(s, s.hyp[:0], o.Text, 1)
	best, length := -1, 0
	for _, ref := range c.References {
		s.ref = m.cut(s, s.ref[:0], ref, 2)
		if edits := s.ter.edits(s.hyp, s.ref); best < 0 || edits < best {
			best = edits
		}
		length += len(s.ref)
	}
	dst[0], dst[1] = float64(best), float64(length)/float64(len(c.References))
	return nil
}

// Value returns TER in percent; 100 if the references are empty and the
// output isn't.
func (m *TER) Value(sum []float64) float64 {
	switch {
	case sum[1] > 0:
		return 100 * (sum[0] / sum[1])
	case sum[0] > 0:
		return 100
	}
	return 0
}

// Score returns the score of one output against its references, in percent as
// [TER.Value] does.
func (m *TER) Score(output string, references ...string) (float64, error) {
	return segment(m, output, references)
}

// cut appends the ids of a line's tokens. sacreBLEU normalizes references
// twice, which shows where the second pass still finds something: "person's."
// becomes "person 's ." in a reference and "person's ." in an output.
func (m *TER) cut(s *scratch, dst []uint32, line string, times int) []uint32 {
	line = rstrip(line)
	if m.o.CaseSensitive {
		s.text = append(s.text[:0], line...)
	} else {
		s.text = appendLower(s.text[:0], line)
	}
	text := s.text
	if m.o.Normalize || m.o.NoPunctuation {
		for range times {
			if len(text) > 0 {
				text = m.normalize(text)
				text, s.spans = joinSpaces(text, s.spans)
			}
		}
	}
	_, s.spans = splitSpaces(text, s.spans[:0])
	return s.ids(dst, text, s.spans, true)
}

// joinSpaces puts one space between the words of a text and none around them.
func joinSpaces(text []byte, spans []span) ([]byte, []span) {
	_, spans = splitSpaces(text, spans[:0])
	out := text[:0]
	for i, sp := range spans {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, text[sp.start:sp.end]...)
	}
	return out, spans
}

// normalize applies tercom's rules, one after the other as it does.
func (m *TER) normalize(t []byte) []byte {
	if m.o.Normalize {
		t = bytes.ReplaceAll(t, []byte("\n-"), nil)
		for _, pair := range [][2]string{{"\n", " "}, {"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
			t = bytes.ReplaceAll(t, []byte(pair[0]), []byte(pair[1]))
		}
		t = slices.Concat([]byte(" "), t, []byte(" "))
		t = apart(t, func(r rune) bool { return r < utf8.RuneSelf && ascii13a[r] == classApart || r == ' ' })
		t = bytes.ReplaceAll(t, []byte("'s "), []byte(" 's ")) // the padding makes the end of the line a space
		t = markRules(t)
		if m.o.Asian {
			t = splitAsian(t)
		}
	}
	if m.o.NoPunctuation {
		t = without(t, func(r rune) bool { return r < utf8.RuneSelf && bytes.IndexByte([]byte(`.,?:;!"()`), byte(r)) >= 0 })
		if m.o.Asian {
			t = without(t, func(r rune) bool { return asianPunct(r) || fullWidthPunct(r) })
		}
	}
	return t
}

// apart puts a space on both sides of every rune that is set apart.
func apart(t []byte, is func(rune) bool) []byte {
	out := make([]byte, 0, 2*len(t))
	for _, r := range string(t) {
		if is(r) {
			out = append(out, ' ')
			out = utf8.AppendRune(out, r)
			out = append(out, ' ')
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func without(t []byte, is func(rune) bool) []byte {
	return bytes.Map(func(r rune) rune {
		if is(r) {
			return -1
		}
		return r
	}, t)
}

// markRules are the last three of the western rules (see [splitWestern]), as
// rewriting passes: here the result is text that further rules read.
func markRules(t []byte) []byte {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	mark := func(c byte) bool { return c == '.' || c == ',' }
	pass := func(t []byte, match func(a, b byte) bool, write func(out []byte, a, b byte) []byte) []byte {
		out := make([]byte, 0, len(t)+len(t)/4)
		for i := 0; i < len(t); i++ {
			if i+1 < len(t) && match(t[i], t[i+1]) {
				out = write(out, t[i], t[i+1])
				i++
			} else {
				out = append(out, t[i])
			}
		}
		return out
	}
	t = pass(t, func(a, b byte) bool { return !digit(a) && mark(b) }, func(out []byte, a, b byte) []byte { return append(out, a, ' ', b, ' ') })
	t = pass(t, func(a, b byte) bool { return mark(a) && !digit(b) }, func(out []byte, a, b byte) []byte { return append(out, ' ', a, ' ', b) })
	return pass(t, func(a, b byte) bool { return digit(a) && b == '-' }, func(out []byte, a, b byte) []byte { return append(out, a, ' ', b, ' ') })
}

// splitAsian sets apart the characters that tercom's port does. Two of its
// expressions don't say what their comments do, and are followed: the enclosed
// letters were meant to end at U+32FF but end at U+3F22, and kana are never set
// apart, since the expression matches them only at the start of a line, and the
// line begins with a space by then.
func splitAsian(t []byte) []byte {
	t = apart(t, func(r rune) bool { return in(r, 0x4e00, 0x9fff) || in(r, 0x3400, 0x4dbf) })
	t = apart(t, func(r rune) bool { return in(r, 0x31c0, 0x31ef) || in(r, 0x2e80, 0x2eff) })
	t = apart(t, func(r rune) bool { return in(r, 0x3300, 0x33ff) || in(r, 0xf900, 0xfaff) || in(r, 0xfe30, 0xfe4f) })
	t = apart(t, func(r rune) bool { return in(r, 0x3200, 0x3f22) })
	t = apart(t, asianPunct)
	return apart(t, fullWidthPunct)
}

func in(r, lo, hi rune) bool { return lo <= r && r <= hi }

func asianPunct(r rune) bool {
	return r == 0x3001 || r == 0x3002 || in(r, 0x3008, 0x3011) || in(r, 0x3014, 0x301f) || in(r, 0xff61, 0xff65) || r == 0x30fb
}

func fullWidthPunct(r rune) bool {
	switch r {
	case 0xff0e, 0xff0c, 0xff1f, 0xff1a, 0xff1b, 0xff01, 0xff02, 0xff08, 0xff09:
		return true
	}
	return false
}

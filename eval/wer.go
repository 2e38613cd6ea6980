package eval

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// WEROptions sets which error rate; nil means the defaults.
type WEROptions struct {
	// Characters counts runes: CER, for languages without spaces and for OCR.
	// Default: words.
	Characters bool
	// Normalize is applied to both sides first. Default: texts are compared as
	// they are, so that case and punctuation are errors.
	Normalize func(string) string
	// NormalizeName names the normalization in the signature. Default: custom
	// with Normalize, none without.
	NormalizeName string
}

// WER is the word error rate: how many words of the reference were replaced,
// dropped or added, per word of the reference, over the whole corpus:
//
//	WER = (S + D + I) / N
//
// Lower is better, and it may exceed 1, if a recognizer writes words where nothing
// was said. It treats all words alike; "the" for "a" costs as much as a wrong dose.
// WER isn't defined for several references: here the one with the fewest errors
// counts.
//
// Source: the definitions of jiwer 4.0.0.
type WER struct{ o WEROptions }

// NewWER returns the metric; nil options mean the defaults.
func NewWER(o *WEROptions) (*WER, error) {
	m := &WER{}
	if o != nil {
		m.o = *o
	}
	if err := checkName("WEROptions.NormalizeName", m.o.NormalizeName); err != nil {
		return nil, err
	}
	return m, nil
}

// Signature names the metric and the normalization.
func (m *WER) Signature() Signature {
	name, norm := "WER", m.o.NormalizeName
	if m.o.Characters {
		name = "CER"
	}
	if norm == "" {
		norm = "none"
		if m.o.Normalize != nil {
			norm = "custom"
		}
	}
	return Signature{Metric: name, Params: "norm:" + norm, LowerIsBetter: true}
}

// Width is 4: hits, substitutions, insertions and deletions.
func (m *WER) Width() int { return 4 }

// Stats writes the counts of the alignment.
func (m *WER) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	best := m.Align(c.References[0], o.Text)
	for _, ref := range c.References[1:] {
		if a := m.Align(ref, o.Text); a.Distance() < best.Distance() {
			best = a
		}
	}
	dst[0], dst[1], dst[2], dst[3] = float64(best.Hits), float64(best.Substitutions), float64(best.Insertions), float64(best.Deletions)
	return nil
}

// Align aligns an output with a reference.
func (m *WER) Align(ref, hyp string) Alignment {
	if m.o.Normalize != nil {
		ref, hyp = m.o.Normalize(ref), m.o.Normalize(hyp)
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if m.o.Characters {
		ref, hyp = strings.TrimFunc(ref, isSpace), strings.TrimFunc(hyp, isSpace)
		s.ref, s.hyp = s.runeIDs(ref, hyp)
	} else {
		s.vocab.reset()
		s.ref = s.spaced(s.ref[:0], ref)
		s.hyp = s.spaced(s.hyp[:0], hyp)
	}
	return s.align(s.ref, s.hyp)
}

// spaced appends the ids of a line's words as jiwer cuts it: at a space, and at
// two or more of any white space; a single tab or line break is part of a word.
func (s *scratch) spaced(dst []uint32, line string) []uint32 {
	line = strings.TrimFunc(line, isSpace)
	s.text = append(s.text[:0], line...)
	start := 0
	word := func(end int) {
		if end > start {
			dst = append(dst, s.vocab.id(s.text[start:end], true))
		}
	}
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		if !isSpace(r) {
			i += size
			continue
		}
		end, run := i, 0
		for end < len(line) {
			next, n := utf8.DecodeRuneInString(line[end:])
			if !isSpace(next) {
				break
			}
			end += n
			run++
		}
		if r == ' ' || run > 1 {
			word(i)
			start = end
		}
		i = end
	}
	word(len(line))
	return dst
}

// Value returns the error rate. Without a word in any reference it is the
// number of insertions, as in jiwer.
func (m *WER) Value(sum []float64) float64 {
	a := Alignment{int(sum[0]), int(sum[1]), int(sum[2]), int(sum[3])}
	return a.ErrorRate()
}

// ErrorRate is (S+D+I) / N; of an empty reference the number of insertions.
func (a Alignment) ErrorRate() float64 {
	n := a.Hits + a.Substitutions + a.Deletions
	if n == 0 {
		return float64(a.Insertions)
	}
	return float64(a.Distance()) / float64(n)
}

// MatchErrorRate is (S+D+I) / (H+S+D+I): the share of steps that are errors, at
// most 1 (Morris, Maier, Green 2004).
func (a Alignment) MatchErrorRate() float64 {
	return ratio(float64(a.Distance()), float64(a.Distance()+a.Hits))
}

// InformationPreserved is H/N · H/P, of N reference and P output words; 1 if
// both are empty (WIP; Morris, Maier, Green 2004). Its complement is WIL.
func (a Alignment) InformationPreserved() float64 {
	n, p := a.Hits+a.Substitutions+a.Deletions, a.Hits+a.Substitutions+a.Insertions
	if n == 0 && p == 0 {
		return 1
	}
	return ratio(float64(a.Hits), float64(n)) * ratio(float64(a.Hits), float64(p))
}

// String shows the counts.
func (a Alignment) String() string {
	return fmt.Sprintf("%d hits, %d substitutions, %d insertions, %d deletions", a.Hits, a.Substitutions, a.Insertions, a.Deletions)
}

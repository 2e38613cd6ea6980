package eval

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ChrFOptions sets which chrF; nil means the defaults, which are sacreBLEU's
// chrF2.
type ChrFOptions struct {
	// CharOrder is the length of the longest character n-gram, -1 for none.
	// Default: 6.
	CharOrder int
	// WordOrder is the length of the longest word n-gram; 2 makes it chrF++.
	// Default: no word n-grams.
	WordOrder int
	// Beta is how many times recall weighs as much as precision. Default: 2.
	Beta int
	// Lowercase compares in lower case. Default: case matters.
	Lowercase bool
	// Whitespace counts white space as characters. Default: it is left out.
	Whitespace bool
	// EpsSmoothing averages F over all orders, as chrF++.py, NLTK and Moses do.
	// Default: precision and recall are averaged over the orders that both sides
	// have n-grams of.
	EpsSmoothing bool
}

// ChrF is an F-score over character n-grams:
//
//	chrF = 100 · (1+β²) P R / (β² P + R)
//
// P and R are the means over the n-gram orders of precision and recall. It needs no
// tokenizer, forgives inflection, and agrees with people better than BLEU on
// morphologically rich languages. It misleads where a few characters reverse the
// meaning ("not"), and its values look high: 40 is bad.
//
// Of several references the one that gives the segment the best F counts.
//
// Source: Popović 2015 (chrF), 2017 (chrF++); the definitions of sacreBLEU
// 2.6.0.
type ChrF struct{ o ChrFOptions }

// NewChrF returns the metric with these options; nil means the defaults.
func NewChrF(o *ChrFOptions) (*ChrF, error) {
	m := &ChrF{}
	if o != nil {
		m.o = *o
	}
	switch m.o.CharOrder {
	case 0:
		m.o.CharOrder = 6
	case -1:
		m.o.CharOrder = 0
	}
	if m.o.Beta == 0 {
		m.o.Beta = 2
	}
	switch {
	case m.o.CharOrder < 0 || m.o.CharOrder > maxOrder:
		return nil, fmt.Errorf("%w: ChrFOptions.CharOrder is %d: want -1 to %d", ErrOption, m.o.CharOrder, maxOrder)
	case m.o.WordOrder < 0 || m.o.WordOrder > maxOrder:
		return nil, fmt.Errorf("%w: ChrFOptions.WordOrder is %d: want 0 to %d", ErrOption, m.o.WordOrder, maxOrder)
	case m.o.CharOrder+m.o.WordOrder == 0:
		return nil, fmt.Errorf("%w: ChrFOptions.CharOrder is -1 and WordOrder 0: want n-grams of one kind", ErrOption)
	case m.o.Beta < 0:
		return nil, fmt.Errorf("%w: ChrFOptions.Beta is %d: want 1 or more", ErrOption, m.o.Beta)
	}
	return m, nil
}

// CountsReferences returns true; see [ReferenceCounter].
func (m *ChrF) CountsReferences() bool { return true }

// Signature returns the metric's name and options, as sacreBLEU writes them.
func (m *ChrF) Signature() Signature {
	caseMode := "mixed"
	if m.o.Lowercase {
		caseMode = "lc"
	}
	return Signature{
		Metric: fmt.Sprintf("chrF%d%s", m.o.Beta, strings.Repeat("+", m.o.WordOrder)),
		Params: fmt.Sprintf("case:%s|eff:%s|nc:%d|nw:%d|space:%s", caseMode, yesNo(!m.o.EpsSmoothing),
			m.o.CharOrder, m.o.WordOrder, yesNo(m.o.Whitespace)),
		Version: sacreBLEUVersion,
	}
}

func (m *ChrF) orders() int { return m.o.CharOrder + m.o.WordOrder }

// Width is 3 counts an order.
func (m *ChrF) Width() int { return 3 * m.orders() }

// Stats writes for each order the n-grams of the output, of the reference, and
// those they share. The output's count is 0 where the reference has no n-gram
// of the order.
func (m *ChrF) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if len(c.References) == 1 {
		m.against(s, o.Text, c.References[0], dst)
		return nil
	}
	s.row = append(s.row[:0], make([]float64, m.Width())...)
	best := -1.0
	for _, ref := range c.References {
		m.against(s, o.Text, ref, s.row)
		if f := m.Value(s.row); f > best {
			best = f
			copy(dst, s.row)
		}
	}
	return nil
}

func (m *ChrF) against(s *scratch, hyp, ref string, dst []float64) {
	s.counts = append(s.counts[:0], make([]int, m.orders())...)
	chars, words := s.counts[:m.o.CharOrder], s.counts[m.o.CharOrder:]

	s.grams.reset()
	m.lower(s, ref)
	s.ref = m.runes(s.ref[:0], s.text)
	refChars := len(s.ref)
	s.grams.addReference(0, s.ref, m.o.CharOrder)
	refWords := 0
	if m.o.WordOrder > 0 {
		s.vocab.reset()
		s.words.reset()
		s.ref = s.chrFWords(s.ref[:0], true)
		refWords = len(s.ref)
		s.words.addReference(0, s.ref, m.o.WordOrder)
	}
	m.lower(s, hyp)
	s.hyp = m.runes(s.hyp[:0], s.text)
	hypChars := len(s.hyp)
	s.grams.match(s.hyp, m.o.CharOrder, chars)
	hypWords := 0
	if m.o.WordOrder > 0 {
		s.hyp = s.chrFWords(s.hyp[:0], false)
		hypWords = len(s.hyp)
		s.words.match(s.hyp, m.o.WordOrder, words)
	}
	put := func(at, hypLen, refLen int, matches []int) {
		for n, shared := range matches {
			row := dst[3*(at+n):]
			inRef := grams(refLen, n+1)
			row[0], row[1], row[2] = 0, float64(inRef), float64(shared)
			if inRef > 0 {
				row[0] = float64(grams(hypLen, n+1))
			}
		}
	}
	put(0, hypChars, refChars, chars)
	put(m.o.CharOrder, hypWords, refWords, words)
}

func (m *ChrF) lower(s *scratch, text string) {
	if m.o.Lowercase {
		s.text = appendLower(s.text[:0], text)
	} else {
		s.text = append(s.text[:0], text...)
	}
}

// runes appends the text's runes, white space left out unless it counts.
func (m *ChrF) runes(dst []uint32, text []byte) []uint32 {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if m.o.Whitespace || !asciiSpace(c) {
				dst = append(dst, uint32(c))
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if m.o.Whitespace || !unicode.IsSpace(r) {
			dst = append(dst, uint32(r))
		}
		i += size
	}
	return dst
}

// chrFWords cuts s.text at spaces and sets one punctuation mark of a word
// apart: its last character, or else its first. "(hi)" is "(hi" and ")".
func (s *scratch) chrFWords(dst []uint32, add bool) []uint32 {
	_, s.spans = splitSpaces(s.text, s.spans[:0])
	for _, sp := range s.spans {
		w := s.text[sp.start:sp.end]
		_, first := utf8.DecodeRune(w)
		switch last := w[len(w)-1]; {
		case first == len(w):
			dst = append(dst, s.vocab.id(w, add))
		case asciiPunct(last):
			dst = append(dst, s.vocab.id(w[:len(w)-1], add), s.vocab.id(w[len(w)-1:], add))
		case asciiPunct(w[0]):
			dst = append(dst, s.vocab.id(w[:1], add), s.vocab.id(w[1:], add))
		default:
			dst = append(dst, s.vocab.id(w, add))
		}
	}
	return dst
}

func asciiPunct(c byte) bool {
	return '!' <= c && c <= '/' || ':' <= c && c <= '@' || '[' <= c && c <= '`' || '{' <= c && c <= '~'
}

// Value returns chrF, 0 to 100.
func (m *ChrF) Value(sum []float64) float64 {
	const eps = 1e-16
	factor := float64(m.o.Beta) * float64(m.o.Beta)
	score, precision, recall := 0.0, 0.0, 0.0
	effective := 0
	for i := range m.orders() {
		hyp, ref, match := sum[3*i], sum[3*i+1], sum[3*i+2]
		p, r := eps, eps
		if hyp > 0 {
			p = match / hyp
		}
		if ref > 0 {
			r = match / ref
		}
		if denom := factor*p + r; denom > 0 {
			score += (1 + factor) * p * r / denom
		} else {
			score += eps
		}
		if hyp > 0 && ref > 0 {
			precision += p
			recall += r
			effective++
		}
	}
	if m.o.EpsSmoothing {
		return 100 * score / float64(m.orders())
	}
	if effective == 0 || precision+recall == 0 {
		return 0
	}
	precision /= float64(effective)
	recall /= float64(effective)
	return 100 * (1 + factor) * precision * recall / (factor*precision + recall)
}

// Score returns the score of one output against its references, 0 to 100.
func (m *ChrF) Score(output string, references ...string) (float64, error) {
	return segment(m, output, references)
}

// segment returns a text metric's value of one output.
func segment(m Metric, hyp string, refs []string) (float64, error) {
	sum := make([]float64, m.Width())
	if err := m.Stats(context.Background(), &Case{References: refs}, &Output{Text: hyp}, sum); err != nil {
		return 0, err
	}
	return m.Value(sum), nil
}

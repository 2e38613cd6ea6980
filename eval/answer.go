package eval

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// An AnswerRule is the benchmark by whose script short answers are compared.
// Default: [AnswerSQuAD2].
type AnswerRule string

// The rules. They normalize alike and differ on answers that are empty once
// normalized ("the", "?!"), and on yes and no.
const (
	AnswerSQuAD2   AnswerRule = "squad2" // two empty answers agree: F1 is 1 (Rajpurkar et al. 2018)
	AnswerSQuAD1   AnswerRule = "squad1" // an empty answer scores an F1 of 0 (Rajpurkar et al. 2016)
	AnswerHotpotQA AnswerRule = "hotpot" // as AnswerSQuAD1, but yes, no and noanswer must match exactly (Yang et al. 2018)
)

// AnswerOptions sets how short answers are compared; nil means the defaults.
type AnswerOptions struct {
	// Rule is the benchmark's rule. Default: [AnswerSQuAD2].
	Rule AnswerRule
	// Raw compares texts as they are. Default: they are normalized, as by
	// [NormalizeAnswer].
	Raw bool
}

// NormalizeAnswer is SQuAD's normalization: lower case, ASCII punctuation removed,
// the articles a, an and the removed, white space collapsed. It is made for
// English: it doesn't remove “ and 。, and turns "co-op" into "coop".
func NormalizeAnswer(s string) string { return string(normalizeAnswer(nil, s)) }

func normalizeAnswer(dst []byte, s string) []byte {
	at := len(dst)
	dst = appendLower(dst, s)
	kept := dst[:at]
	for _, c := range dst[at:] {
		if !asciiPunct(c) {
			kept = append(kept, c)
		}
	}
	text := kept[at:]
	out := dst[:at]
	gap := false // white space, or an article, since the last byte written
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		end := i + size
		if wordRune(r) {
			for end < len(text) {
				next, n := utf8.DecodeRune(text[end:])
				if !wordRune(next) {
					break
				}
				end += n
			}
			switch string(text[i:end]) {
			case "a", "an", "the":
				gap = true
				i = end
				continue
			}
		} else if isSpace(r) {
			gap = true
			i = end
			continue
		}
		if gap && len(out) > at {
			out = append(out, ' ')
		}
		gap = false
		out = append(out, text[i:end]...) // never longer than what was read: an article or a space made the gap
		i = end
	}
	return out
}

// wordRune is \w of Python's regular expressions.
func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// ExactMatch is 1 where the normalized output equals a normalized reference, else
// 0; the value is the share of matches. It is the fairest metric for closed
// answers, and too strict for longer ones: "in 1969" is not "1969".
type ExactMatch struct{ o AnswerOptions }

// NewExactMatch returns the metric; nil options mean the defaults.
func NewExactMatch(o *AnswerOptions) (*ExactMatch, error) {
	opts, err := answerOptions(o)
	if err != nil {
		return nil, err
	}
	return &ExactMatch{opts}, nil
}

func answerOptions(o *AnswerOptions) (AnswerOptions, error) {
	var opts AnswerOptions
	if o != nil {
		opts = *o
	}
	switch opts.Rule {
	case "":
		opts.Rule = AnswerSQuAD2
	case AnswerSQuAD1, AnswerSQuAD2, AnswerHotpotQA:
	default:
		return opts, fmt.Errorf("%w: AnswerOptions.Rule is %q: want squad2, squad1 or hotpot", ErrOption, opts.Rule)
	}
	return opts, nil
}

// Signature names the metric and its rule.
func (m *ExactMatch) Signature() Signature {
	norm := "squad"
	if m.o.Raw {
		norm = "none"
	}
	return Signature{Metric: "exact_match", Params: "norm:" + norm}
}

// Width is 2: the matches and the segments.
func (m *ExactMatch) Width() int { return 2 }

// Stats writes whether the output matches.
func (m *ExactMatch) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	dst[0], dst[1] = 0, 1
	for _, ref := range c.References {
		if m.match(s, o.Text, ref) {
			dst[0] = 1
			break
		}
	}
	return nil
}

func (m *ExactMatch) match(s *scratch, hyp, ref string) bool {
	if m.o.Raw {
		return hyp == ref
	}
	s.text = normalizeAnswer(s.text[:0], hyp)
	n := len(s.text)
	s.text = normalizeAnswer(s.text, ref)
	return string(s.text[:n]) == string(s.text[n:])
}

// Value returns the share of matches, 0 to 1.
func (m *ExactMatch) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

// TokenF1 is the overlap of an output's and a reference's words as bags:
//
//	P = common / output's     R = common / reference's     F1 = 2PR/(P+R)
//
// after SQuAD's normalization; of several references the best F1 counts. It
// gives part marks where [ExactMatch] gives none, and misleads where word
// order or one word decides: "not guilty" has an F1 of 0.67 with "guilty".
type TokenF1 struct{ o AnswerOptions }

// NewTokenF1 returns the metric; nil options mean the defaults.
func NewTokenF1(o *AnswerOptions) (*TokenF1, error) {
	opts, err := answerOptions(o)
	if err != nil {
		return nil, err
	}
	return &TokenF1{opts}, nil
}

// Signature names the metric and its rule.
func (m *TokenF1) Signature() Signature {
	norm := "squad"
	if m.o.Raw {
		norm = "none"
	}
	return Signature{Metric: "token_f1", Params: fmt.Sprintf("rule:%s|norm:%s", m.o.Rule, norm)}
}

// Width is 4: the sums of P, R and F1 of the best reference, and the segments.
func (m *TokenF1) Width() int { return 4 }

// Stats writes the precision, recall and F1 against the best reference.
func (m *TokenF1) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	best := m.score(o.Text, c.References[0])
	for _, ref := range c.References[1:] {
		if f := m.score(o.Text, ref); f.F > best.F {
			best = f
		}
	}
	dst[0], dst[1], dst[2], dst[3] = best.Precision, best.Recall, best.F, 1
	return nil
}

func (m *TokenF1) score(hyp, ref string) PRF {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.vocab.reset()
	s.grams.reset()
	s.ref = m.cut(s, s.ref[:0], ref, true)
	s.answer = append(s.answer[:0], s.text...)
	s.hyp = m.cut(s, s.hyp[:0], hyp, false)
	if m.o.Rule == AnswerHotpotQA && (closedAnswer(s.answer) || closedAnswer(s.text)) && string(s.text) != string(s.answer) {
		return PRF{}
	}
	if len(s.hyp) == 0 || len(s.ref) == 0 {
		if m.o.Rule == AnswerSQuAD2 && len(s.hyp) == len(s.ref) {
			return PRF{1, 1, 1}
		}
		return PRF{}
	}
	s.grams.addReference(0, s.ref, 1)
	var common [1]int
	s.grams.match(s.hyp, 1, common[:])
	return prf(float64(common[0]), float64(len(s.hyp)), float64(len(s.ref)))
}

// closedAnswer reports whether HotpotQA compares an answer word for word.
func closedAnswer(norm []byte) bool {
	switch string(norm) {
	case "yes", "no", "noanswer":
		return true
	}
	return false
}

func (m *TokenF1) cut(s *scratch, dst []uint32, text string, add bool) []uint32 {
	if m.o.Raw {
		s.text = append(s.text[:0], text...)
	} else {
		s.text = normalizeAnswer(s.text[:0], text)
	}
	_, s.spans = splitSpaces(s.text, s.spans[:0])
	return s.ids(dst, s.text, s.spans, add)
}

// Value returns the mean F1, 0 to 1.
func (m *TokenF1) Value(sum []float64) float64 { return ratio(sum[2], sum[3]) }

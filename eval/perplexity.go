package eval

import (
	"context"
	"fmt"
	"math"
	"unicode"
)

// A PerplexityUnit is what perplexity is counted by. Default:
// [PerplexityPerToken].
type PerplexityUnit string

// The units. Only bytes can be compared between models with different
// vocabularies.
const (
	PerplexityPerToken PerplexityUnit = "token"
	PerplexityPerWord  PerplexityUnit = "word"
	PerplexityPerByte  PerplexityUnit = "byte"
	// PerplexityBitsPerByte is the logarithm to base 2 of the perplexity per byte.
	PerplexityBitsPerByte PerplexityUnit = "bits_per_byte"
)

// Perplexity says how surprised the model was by its text:
//
//	PPL = exp(-1/N Σ ln p(token))
//
// over all tokens of the corpus, N being its tokens, words or bytes. Lower is
// better. It measures how well a model predicts text, not whether the text is
// right: a model that repeats itself is never surprised.
//
// A case needs the output's LogProbs.
type Perplexity struct{ unit PerplexityUnit }

// NewPerplexity returns the metric for this unit; empty means [PerplexityPerToken].
func NewPerplexity(unit PerplexityUnit) (*Perplexity, error) {
	switch unit {
	case "":
		unit = PerplexityPerToken
	case PerplexityPerToken, PerplexityPerWord, PerplexityPerByte, PerplexityBitsPerByte:
	default:
		return nil, fmt.Errorf("%w: the unit is %q: want token, word, byte or bits_per_byte", ErrOption, unit)
	}
	return &Perplexity{unit}, nil
}

// Signature names the metric and its unit.
func (m *Perplexity) Signature() Signature {
	return Signature{Metric: "perplexity", Params: "per:" + string(m.unit), LowerIsBetter: true}
}

// Width is 2: the negative log-likelihood and the number of units.
func (m *Perplexity) Width() int { return 2 }

// Stats writes the negative log-likelihood of the output and its length.
func (m *Perplexity) Stats(_ context.Context, _ *Case, o *Output, dst []float64) error {
	if o == nil {
		return errNilOutput
	}
	if len(o.LogProbs) == 0 {
		return skip("the output has no log-probabilities")
	}
	sum := 0.0
	for i, p := range o.LogProbs {
		if !finite(p) || p > 0 {
			return fmt.Errorf("%w: the log-probability of token %d is %v", ErrNotFinite, i, p)
		}
		sum -= p
	}
	n := len(o.LogProbs)
	switch m.unit {
	case PerplexityPerWord:
		n = countWords(o.Text)
	case PerplexityPerByte, PerplexityBitsPerByte:
		n = len(o.Text)
	}
	if n == 0 {
		return skip("the output is empty")
	}
	if !finite(sum) {
		return fmt.Errorf("%w: the log-probabilities sum to %v", ErrNotFinite, -sum)
	}
	dst[0], dst[1] = sum, float64(n)
	return nil
}

func countWords(s string) int {
	n, in := 0, false
	for _, r := range s {
		space := isSpace(r) || unicode.IsSpace(r)
		if !space && !in {
			n++
		}
		in = !space
	}
	return n
}

// Value returns the perplexity, at least 1, or the bits a byte; of nothing it
// is 1 (no surprise), or 0 bits.
func (m *Perplexity) Value(sum []float64) float64 {
	if m.unit == PerplexityBitsPerByte {
		return ratio(sum[0], sum[1]) / math.Ln2
	}
	return math.Exp(ratio(sum[0], sum[1]))
}

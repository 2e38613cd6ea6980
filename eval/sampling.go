package eval

import (
	"context"
	"fmt"
	"math"
	"unicode"
)

func pow(x, y float64) float64 { return math.Pow(x, y) }

// PerplexityUnit says what perplexity is counted by.
type PerplexityUnit string

// The units. Only bytes can be compared between models with different
// vocabularies.
const (
	PerToken PerplexityUnit = "token"
	PerWord  PerplexityUnit = "word"
	PerByte  PerplexityUnit = "byte"
	// BitsPerByte is the logarithm to base 2 of the perplexity per byte.
	BitsPerByte PerplexityUnit = "bits_per_byte"
)

// Perplexity is how surprised the model was by its text:
//
//	PPL = exp(-1/N Σ ln p(token))
//
// over all tokens of the corpus, N being its tokens, words or bytes. Lower is
// better. It says how well a model predicts text, not whether the text is
// right: a model that repeats itself is never surprised.
//
// A case needs the output's LogProbs.
type Perplexity struct{ unit PerplexityUnit }

// NewPerplexity returns the metric for this unit; empty means [PerToken].
func NewPerplexity(unit PerplexityUnit) (*Perplexity, error) {
	switch unit {
	case "":
		unit = PerToken
	case PerToken, PerWord, PerByte, BitsPerByte:
	default:
		return nil, fmt.Errorf("%w: perplexity per %q", ErrOption, unit)
	}
	return &Perplexity{unit}, nil
}

// Signature names the metric and its unit.
func (m *Perplexity) Signature() Signature {
	return Signature{Metric: "perplexity", Params: "per:" + string(m.unit), Lower: true}
}

// Width is 2: the negative log-likelihood and the number of units.
func (m *Perplexity) Width() int { return 2 }

// Stats writes the negative log-likelihood of the output and its length.
func (m *Perplexity) Stats(_ context.Context, _ *Case, o *Output, dst []float64) error {
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
	case PerWord:
		n = countWords(o.Text)
	case PerByte, BitsPerByte:
		n = len(o.Text)
	}
	if n == 0 {
		return skip("the output is empty")
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
	if m.unit == BitsPerByte {
		return ratio(sum[0], sum[1]) / math.Ln2
	}
	return math.Exp(ratio(sum[0], sum[1]))
}

// PassAtK is the chance that at least one of k answers is right, estimated
// without bias from n answers of which c were:
//
//	pass@k = 1 - C(n-c, k) / C(n, k)
//
// (Chen et al. 2021). Drawing only k answers and looking is unbiased too, but
// far noisier; 1-(1-c/n)^k is biased. It fails with [ErrOption] unless
// 0 <= c <= n and 1 <= k <= n.
func PassAtK(n, c, k int) (float64, error) {
	if err := checkPass(n, c, k); err != nil {
		return 0, err
	}
	if n-c < k {
		return 1, nil
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss, nil
}

// PassHatK is the chance that all of k answers are right, C(c, k) / C(n, k)
// (Yao et al. 2024, τ-bench's pass^k): what a user sees who comes back every
// day. A system with a pass@1 of 0.9 has a pass^8 of about 0.43.
func PassHatK(n, c, k int) (float64, error) {
	if err := checkPass(n, c, k); err != nil {
		return 0, err
	}
	all := 1.0
	for i := range k {
		all *= float64(c-i) / float64(n-i)
		if c-i <= 0 {
			return 0, nil
		}
	}
	return all, nil
}

func checkPass(n, c, k int) error {
	if c < 0 || c > n || k < 1 || k > n {
		return fmt.Errorf("%w: pass@%d of %d answers, %d of them right; want 0 <= right <= answers and 1 <= k <= answers", ErrOption, k, n, c)
	}
	return nil
}

// NewPassAtK returns the metric of [PassAtK] over an output's Text and Samples
// (with all set, of [PassHatK]); right says whether an answer is correct: a
// test run, a comparison. A case with fewer than k answers is skipped.
func NewPassAtK(k int, all bool, right func(ctx context.Context, c *Case, answer string) (bool, error)) (Metric, error) {
	if k < 1 || right == nil {
		return nil, fmt.Errorf("%w: pass@%d needs k >= 1 and a check", ErrOption, k)
	}
	name, estimate := fmt.Sprintf("pass@%d", k), PassAtK
	if all {
		name, estimate = fmt.Sprintf("pass^%d", k), PassHatK
	}
	return NewMean(Signature{Metric: name}, func(ctx context.Context, c *Case, o *Output) (float64, error) {
		answers := append([]string{o.Text}, o.Samples...)
		if len(answers) < k {
			return 0, Skip(fmt.Sprintf("%d answers for k = %d", len(answers), k))
		}
		n := 0
		for _, a := range answers {
			ok, err := right(ctx, c, a)
			if err != nil {
				return 0, err
			}
			if ok {
				n++
			}
		}
		return estimate(len(answers), n, k)
	})
}

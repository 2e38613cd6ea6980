package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// checkBinary checks the input of the functions below: a score for each truth, both
// classes present where ranking needs them.
func checkBinary(truth []bool, scores []float64, both bool) error {
	if len(truth) != len(scores) {
		return fmt.Errorf("%w: %d truths, %d scores", ErrLength, len(truth), len(scores))
	}
	if len(truth) == 0 {
		return ErrEmpty
	}
	for i, s := range scores {
		if !finite(s) {
			return fmt.Errorf("%w: score %d is %v", ErrNotFinite, i, s)
		}
	}
	if both && (!slices.Contains(truth, true) || !slices.Contains(truth, false)) {
		return fmt.Errorf("%w: all are of one class, so there is nothing to rank", ErrEmpty)
	}
	return nil
}

func probabilities(scores []float64) error {
	for i, s := range scores {
		if !(s >= 0 && s <= 1) {
			return fmt.Errorf("%w: probability %d is %v", ErrRange, i, s)
		}
	}
	return nil
}

// BrierScore is the mean squared error of probabilities, 0 to 1 (Brier 1950). Lower
// is better. It rewards right answers and honest probabilities.
func BrierScore(truth []bool, p []float64) (float64, error) {
	if err := cmp.Or(checkBinary(truth, p, false), probabilities(p)); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, x := range p {
		d := x - indicator(truth[i])
		sum += d * d
	}
	return sum / float64(len(p)), nil
}

// LogLoss is the mean negative log-likelihood of the truth, probabilities kept
// 2.2e-16 away from 0 and 1. One confident mistake can be larger than all else
// together.
func LogLoss(truth []bool, p []float64) (float64, error) {
	if err := cmp.Or(checkBinary(truth, p, false), probabilities(p)); err != nil {
		return 0, err
	}
	const eps = 2.220446049250313e-16
	sum := 0.0
	for i, x := range p {
		x = min(max(x, eps), 1-eps)
		if truth[i] {
			sum -= math.Log(x)
		} else {
			sum -= math.Log(1 - x)
		}
	}
	return sum / float64(len(p)), nil
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// maxBins bounds the bins, which are all kept, also the empty ones.
const maxBins = 1 << 20

// A CalibrationBin is a range of confidence, with the cases in it and how many were
// right.
type CalibrationBin struct {
	Low, High  float64 // Low < confidence <= High; the first bin contains 0 too
	N          int
	Confidence float64 // mean
	Accuracy   float64
}

// Calibration sorts predictions into bins of equal width by their confidence:
// a reliability diagram. Where a system reports 80 %, it should be right in 80 %
// of the cases.
func Calibration(right []bool, confidence []float64, bins int) ([]CalibrationBin, error) {
	if err := cmp.Or(checkBinary(right, confidence, false), probabilities(confidence)); err != nil {
		return nil, err
	}
	if bins < 1 || bins > maxBins {
		return nil, fmt.Errorf("%w: the number of bins is %d: want 1 to %d", ErrOption, bins, maxBins)
	}
	out := make([]CalibrationBin, bins)
	for i := range out {
		out[i].Low, out[i].High = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	for i, c := range confidence {
		b := &out[binOf(c, bins)]
		b.N++
		b.Confidence += c
		b.Accuracy += indicator(right[i])
	}
	for i := range out {
		if n := float64(out[i].N); n > 0 {
			out[i].Confidence /= n
			out[i].Accuracy /= n
		}
	}
	return out, nil
}

// binOf returns the number of the bin. Bins are closed on the right, and 0 is in
// the first. The edges are the numbers i/bins themselves, because multiplying would
// move 0.3 into another bin.
func binOf(c float64, bins int) int {
	i := min(bins-1, int(c*float64(bins)))
	for i > 0 && c <= float64(i)/float64(bins) {
		i--
	}
	for i < bins-1 && c > float64(i+1)/float64(bins) {
		i++
	}
	return i
}

// CalibrationError returns the expected and the maximum calibration error over
// the bins: the mean, by bin size, and the largest distance of confidence and
// accuracy (Naeini et al. 2015). Both depend on the number of bins; report it.
func CalibrationError(bins []CalibrationBin) (expected, maximum float64) {
	total := 0
	for _, b := range bins {
		gap := math.Abs(b.Confidence - b.Accuracy)
		expected += gap * float64(b.N)
		total += b.N
		if b.N > 0 {
			maximum = max(maximum, gap)
		}
	}
	return ratio(expected, float64(total)), maximum
}

// ECE is the expected calibration error as a [Metric]: of an output's
// Confidence, where an answer is right if it is an [ExactMatch]. Lower is
// better. A case's own value is the distance of its confidence from right or
// wrong.
type ECE struct {
	bins  int
	exact *ExactMatch
}

// ECEOptions sets which calibration error; nil means the defaults.
type ECEOptions struct {
	// Bins is the number of bins of equal width. Default: 10.
	Bins int
	// Answer sets when an answer is right. Default: as [NewExactMatch] does.
	Answer AnswerOptions
}

// NewECE returns the metric; nil options mean the defaults.
func NewECE(o *ECEOptions) (*ECE, error) {
	if o == nil {
		o = &ECEOptions{}
	}
	bins := cmp.Or(o.Bins, 10)
	if bins < 0 || bins > maxBins {
		return nil, fmt.Errorf("%w: ECEOptions.Bins is %d: want 1 to %d", ErrOption, bins, maxBins)
	}
	exact, err := NewExactMatch(&o.Answer)
	if err != nil {
		return nil, err
	}
	return &ECE{bins, exact}, nil
}

// Signature names the metric and its bins.
func (m *ECE) Signature() Signature {
	return Signature{Metric: "ECE", Params: fmt.Sprintf("bins:%d|%s", m.bins, m.exact.Signature().Params), LowerIsBetter: true}
}

// Width is 3 a bin: cases, confidence and right answers.
func (m *ECE) Width() int { return 3 * m.bins }

// Stats writes the case into its bin.
func (m *ECE) Stats(ctx context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	if o.Confidence == nil {
		return skip("the output has no confidence")
	}
	if err := probabilities([]float64{*o.Confidence}); err != nil {
		return err
	}
	var match [2]float64
	if err := m.exact.Stats(ctx, c, o, match[:]); err != nil {
		return err
	}
	clear(dst)
	bin := dst[3*binOf(*o.Confidence, m.bins):]
	bin[0], bin[1], bin[2] = 1, *o.Confidence, match[0]
	return nil
}

// Value returns the error, 0 to 1.
func (m *ECE) Value(sum []float64) float64 {
	gaps, n := 0.0, 0.0
	for i := 0; i < len(sum); i += 3 {
		n += sum[i]
		gaps += math.Abs(sum[i+1] - sum[i+2])
	}
	return ratio(gaps, n)
}

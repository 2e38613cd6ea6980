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
		return fmt.Errorf("%w: %d truths, %d scores", ErrLengths, len(truth), len(scores))
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
			return fmt.Errorf("%w: probability %d is %v", ErrOption, i, s)
		}
	}
	return nil
}

// A CurvePoint is a threshold and what calling everything at or above it
// positive gives.
type CurvePoint struct {
	Threshold                float64
	TruePositives, Positives int // found, and called positive
}

// curve returns the distinct thresholds, highest first.
func curve(truth []bool, scores []float64) []CurvePoint {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	var points []CurvePoint
	found := 0
	for n, i := range order {
		if truth[i] {
			found++
		}
		if n+1 == len(order) || scores[order[n+1]] != scores[i] {
			points = append(points, CurvePoint{scores[i], found, n + 1})
		}
	}
	return points
}

// A ROCPoint is a point of the receiver operating characteristic.
type ROCPoint struct{ FalsePositiveRate, TruePositiveRate, Threshold float64 }

// ROC returns the curve of true against false positive rates, from (0, 0) at
// the threshold +Inf, without the points on straight lines between others, as
// scikit-learn's roc_curve. It fails with [ErrEmpty] unless both classes occur.
func ROC(truth []bool, scores []float64) ([]ROCPoint, error) {
	if err := checkBinary(truth, scores, true); err != nil {
		return nil, err
	}
	points := curve(truth, scores)
	last := points[len(points)-1]
	positives, negatives := last.TruePositives, last.Positives-last.TruePositives
	out := []ROCPoint{{0, 0, math.Inf(1)}}
	for i, p := range points {
		if i > 0 && i+1 < len(points) {
			b, a := points[i-1], points[i+1]
			fp := func(q CurvePoint) int { return q.Positives - q.TruePositives }
			if a.TruePositives-p.TruePositives == p.TruePositives-b.TruePositives && fp(a)-fp(p) == fp(p)-fp(b) {
				continue
			}
		}
		out = append(out, ROCPoint{float64(p.Positives-p.TruePositives) / float64(negatives), float64(p.TruePositives) / float64(positives), p.Threshold})
	}
	return out, nil
}

// ROCAUC is the area under the ROC curve: the chance that a random positive
// scores above a random negative, ties counting half. It doesn't see how many
// negatives there are; with one positive in a thousand look at
// [AveragePrecision].
func ROCAUC(truth []bool, scores []float64) (float64, error) {
	if err := checkBinary(truth, scores, true); err != nil {
		return 0, err
	}
	area, tp, fp := 0.0, 0.0, 0.0
	for _, p := range curve(truth, scores) {
		t, f := float64(p.TruePositives), float64(p.Positives-p.TruePositives)
		area += (f - fp) * (t + tp) / 2
		tp, fp = t, f
	}
	return area / (tp * fp), nil
}

// AveragePrecision is the area under the precision-recall curve as a step
// function, Σ (R_n - R_{n-1}) P_n (PR-AUC; scikit-learn's
// average_precision_score).
func AveragePrecision(truth []bool, scores []float64) (float64, error) {
	if err := checkBinary(truth, scores, true); err != nil {
		return 0, err
	}
	points := curve(truth, scores)
	total := float64(points[len(points)-1].TruePositives)
	sum, before := 0.0, 0
	for _, p := range points {
		sum += float64(p.TruePositives-before) / total * float64(p.TruePositives) / float64(p.Positives)
		before = p.TruePositives
	}
	return sum, nil
}

// Brier is the mean squared error of probabilities, 0 to 1 (Brier 1950). Lower
// is better; it rewards being right and being honest about it.
func Brier(truth []bool, p []float64) (float64, error) {
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
// 2.2e-16 away from 0 and 1. One confident mistake can outweigh everything
// else.
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

// A CalibrationBin is a range of confidence and what came of it.
type CalibrationBin struct {
	Low, High  float64 // Low < confidence <= High; the first bin holds 0 too
	N          int
	Confidence float64 // mean
	Accuracy   float64
}

// Calibration sorts predictions into bins of equal width by their confidence:
// a reliability diagram. Where a system says 80 %, it should be right in 80 %
// of the cases.
func Calibration(right []bool, confidence []float64, bins int) ([]CalibrationBin, error) {
	if err := cmp.Or(checkBinary(right, confidence, false), probabilities(confidence)); err != nil {
		return nil, err
	}
	if bins < 1 {
		return nil, fmt.Errorf("%w: %d bins", ErrOption, bins)
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

// binOf returns the bin of right-closed bins, 0 in the first. The edges are the
// numbers i/bins themselves: multiplying would move 0.3 into another bin.
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
// accuracy (Naeini et al. 2015). Both depend on the number of bins; say it.
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
// Confidence, where an answer is right if [ExactMatch] says so. Lower is
// better. A case's own value is the distance of its confidence from right or
// wrong.
type ECE struct {
	bins  int
	exact *ExactMatch
}

// NewECE returns the metric with this many bins; 0 means 10.
func NewECE(bins int, o *AnswerOptions) (*ECE, error) {
	if bins == 0 {
		bins = 10
	}
	if bins < 0 {
		return nil, fmt.Errorf("%w: %d bins", ErrOption, bins)
	}
	exact, err := NewExactMatch(o)
	return &ECE{bins, exact}, err
}

// Signature names the metric and its bins.
func (m *ECE) Signature() Signature {
	return Signature{Metric: "ECE", Params: fmt.Sprintf("bins:%d|%s", m.bins, m.exact.Signature().Params), Lower: true}
}

// Width is 3 a bin: cases, confidence and right answers.
func (m *ECE) Width() int { return 3 * m.bins }

// Stats writes the case into its bin.
func (m *ECE) Stats(ctx context.Context, c *Case, o *Output, dst []float64) error {
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

package stats

import (
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// An Estimate is a number with its large-sample standard error.
type Estimate struct {
	Value, SE float64
}

// Interval is Value ± z·SE. It isn't cut off at impossible values, such as at 1 for
// a share. An end outside means that there are too few observations for the normal
// approximation.
func (e Estimate) Interval(level float64) (Interval, error) {
	if err := checkOpen("Interval", "level", level); err != nil {
		return Interval{}, err
	}
	if !finite(e.Value) || !finite(e.SE) {
		return Interval{}, fail("Interval", ErrNotFinite, "the estimate is %v with a standard error of %v", e.Value, e.SE)
	}
	half := normalCritical(level) * e.SE
	return Interval{Low: e.Value - half, High: e.Value + half, Level: level}.times("Interval", 0)
}

// MeanEstimate is the mean score of an evaluation and its standard error,
// sd/√n, by the central limit theorem: the questions are a sample of those that
// could have been asked (Miller, "Adding Error Bars to Evals", 2024, section 2).
func MeanEstimate(xs []float64) (Estimate, error) {
	if err := checkSample("MeanEstimate", "sample", xs, 2); err != nil {
		return Estimate{}, err
	}
	unit, scaled := inUnit(xs)
	return meanEstimate(scaled[0]).times("MeanEstimate", unit)
}

func meanEstimate(xs []float64) Estimate {
	return Estimate{Value: Mean(xs), SE: math.Sqrt(Variance(xs) / float64(len(xs)))}
}

// normalCritical is the z for which a standard normal is outside -z..z with the
// probability 1-level. (The quantile of (1+level)/2 is infinite where that rounds
// to 1.)
func normalCritical(level float64) float64 { return -dist.NormalQuantile((1 - level) / 2) }

// ShareEstimate is [MeanEstimate] for scores that are all 0 or 1: SE √(p(1-p)/n). It
// is 0 when all are equal; [ProportionInterval] does better there. It needs two
// scores, as [MeanEstimate] does.
func ShareEstimate(xs []float64) (Estimate, error) {
	const fn = "ShareEstimate"
	if err := checkSample(fn, "sample", xs, 2); err != nil {
		return Estimate{}, err
	}
	for i, x := range xs {
		if x != 0 && x != 1 {
			return Estimate{}, fail(fn, ErrRange, "score %d is %v, must be 0 or 1", i, x)
		}
	}
	p := Mean(xs)
	return Estimate{Value: p, SE: math.Sqrt(p * (1 - p) / float64(len(xs)))}, nil
}

// ClusteredEstimate is [MeanEstimate] where questions come in clusters, such as
// several on one passage or several samples of one question: within a cluster
// scores go up and down together, so n questions are less evidence than n
// independent ones. cluster[i] names the cluster of xs[i].
//
//	SE = √( Σ over clusters of (Σ of x - mean)² ) / n
//
// (Liang and Zeger, 1986; Miller 2024, section 2.2). The usual SE of reading
// comprehension sets is too small by a factor of up to three. It needs two
// clusters: the deviations of a single one sum to 0, which would hide the error.
func ClusteredEstimate(xs []float64, cluster []int) (Estimate, error) {
	const fn = "ClusteredEstimate"
	if err := checkSample(fn, "sample", xs, 1); err != nil {
		return Estimate{}, err
	}
	if len(cluster) != len(xs) {
		return Estimate{}, fail(fn, ErrLength, "%d scores, %d cluster names", len(xs), len(cluster))
	}
	unit, scaled := inUnit(xs)
	xs = scaled[0]
	m := Mean(xs)
	index := map[int]int{}
	var sums []float64 // in the order of appearance, so that the result is always the same
	for i, x := range xs {
		at, ok := index[cluster[i]]
		if !ok {
			at = len(sums)
			index[cluster[i]] = at
			sums = append(sums, 0)
		}
		sums[at] += x - m
	}
	if len(sums) < 2 {
		return Estimate{}, fail(fn, ErrTooFew, "1 cluster, needs at least 2")
	}
	total := 0.0
	for _, s := range sums {
		total += s * s
	}
	return Estimate{Value: m, SE: math.Sqrt(total) / float64(len(xs))}.times(fn, unit)
}

// PairedEstimate is the mean difference x[i]-y[i] of two systems on the same
// questions and its standard error. Questions that are hard for both cancel out:
// the SE is that of [UnpairedEstimate] less the covariance. A comparison of two
// averages loses this precision (Miller 2024, section 4.2).
func PairedEstimate(x, y []float64) (Estimate, error) {
	if err := checkPairs("PairedEstimate", x, y, 2); err != nil {
		return Estimate{}, err
	}
	d, unit := differences(x, y)
	return meanEstimate(d).times("PairedEstimate", unit)
}

// UnpairedEstimate is the difference of two independent samples' means and its
// standard error √(SE(x)² + SE(y)²).
func UnpairedEstimate(x, y []float64) (Estimate, error) {
	if err := checkTwo("UnpairedEstimate", x, y, 2); err != nil {
		return Estimate{}, err
	}
	unit, scaled := inUnit(x, y)
	x, y = scaled[0], scaled[1]
	se := math.Sqrt(Variance(x)/float64(len(x)) + Variance(y)/float64(len(y)))
	return Estimate{Value: Mean(x) - Mean(y), SE: se}.times("UnpairedEstimate", unit)
}

package eval

import (
	"cmp"
	"math"
	"slices"
)

// A curvePoint is a threshold, and the counts if everything at or above it is
// called positive.
type curvePoint struct {
	Threshold                float64
	TruePositives, Positives int // found, and called positive
}

// curve returns the distinct thresholds, highest first.
func curve(truth []bool, scores []float64) []curvePoint {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	var points []curvePoint
	found := 0
	for n, i := range order {
		if truth[i] {
			found++
		}
		if n+1 == len(order) || scores[order[n+1]] != scores[i] {
			points = append(points, curvePoint{scores[i], found, n + 1})
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
			fp := func(q curvePoint) int { return q.Positives - q.TruePositives }
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

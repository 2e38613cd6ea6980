package fit

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
)

// A Scored is a row's margin, and its label: 0 or 1.
type Scored struct {
	Margin float64
	Label  int
}

// Report prints the area under the ROC curve and, at the threshold, recall and
// the false-positive rate.
func Report(w io.Writer, name string, x []Scored, threshold float64) {
	area := "-"
	if a, half := AUCInterval(x); !math.IsNaN(a) {
		area = fmt.Sprintf("%.3f [%.3f, %.3f]", a, a-half, min(1, a+half))
	}
	fmt.Fprintf(w, "%-48s n %5d  AUC %-20s  recall %-20s  FPR %s\n", name, len(x), area, Interval(Count(x, 1, threshold)), Interval(Count(x, 0, threshold)))
}

// AUCInterval returns the area and half of its 95 % interval (Hanley and McNeil,
// 1982).
func AUCInterval(x []Scored) (area, half float64) {
	area = AUC(x)
	_, attacks := Count(x, 1, 0)
	_, harmless := Count(x, 0, 0)
	a, h := float64(attacks), float64(harmless)
	q1, q2 := area/(2-area), 2*area*area/(1+area)
	return area, 1.96 * math.Sqrt((area*(1-area)+(a-1)*(q1-area*area)+(h-1)*(q2-area*area))/(a*h))
}

// AUC is the area under the ROC curve: the share of pairs of an attack and a harmless text that are in the
// right order, ties counting half.
func AUC(x []Scored) float64 {
	x = slices.SortedFunc(slices.Values(x), func(a, b Scored) int { return cmp.Compare(a.Margin, b.Margin) })
	var sum, attacks, harmless float64
	for i := 0; i < len(x); {
		var a, h float64
		j := i
		for ; j < len(x) && x[j].Margin == x[i].Margin; j++ {
			a += float64(x[j].Label)
			h += float64(1 - x[j].Label)
		}
		sum += a * (harmless + h/2)
		attacks, harmless, i = attacks+a, harmless+h, j
	}
	return sum / attacks / harmless
}

// Rate returns the share of the rows with a label that reach a threshold.
func Rate(x []Scored, label int, threshold float64) float64 {
	var n, hits float64
	for _, s := range x {
		if s.Label == label {
			n++
			if s.Margin >= threshold {
				hits++
			}
		}
	}
	return hits / n
}

// Lowest returns the lowest threshold at which the false-positive rates of sources
// have at most a mean, and none is above worst. Each source counts the same: a large
// one with easy texts must not hide a small one.
func Lowest(sources [][]Scored, mean, worst float64) float64 {
	fits := func(t float64) bool {
		sum, n := 0.0, 0.0
		for _, x := range sources {
			r := Rate(x, 0, t)
			switch {
			case math.IsNaN(r): // it has attacks only
				continue
			case r > worst:
				return false
			}
			sum, n = sum+r, n+1
		}
		return sum <= mean*n
	}
	low, high := -10.0, 10.0
	for high-low > 1e-4 {
		if mid := (low + high) / 2; fits(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// ThresholdFor returns the lowest margin at which at most the share fpr of the
// harmless rows counts as attacks.
func ThresholdFor(x []Scored, fpr float64) float64 {
	var harmless []float64
	for _, s := range x {
		if s.Label == 0 {
			harmless = append(harmless, s.Margin)
		}
	}
	if len(harmless) == 0 {
		return math.Inf(-1)
	}
	slices.Sort(harmless)
	i := len(harmless) - 1 - int(fpr*float64(len(harmless)))
	return math.Nextafter(harmless[max(i, 0)], math.Inf(1))
}

// Count returns how many rows with a label reach the threshold, and of how many.
func Count(x []Scored, label int, threshold float64) (hits, n int) {
	for _, s := range x {
		if s.Label == label {
			n++
			if s.Margin >= threshold {
				hits++
			}
		}
	}
	return hits, n
}

// Interval writes a share with its 95 % interval (Wilson, 1927).
func Interval(hits, n int) string {
	if n == 0 {
		return "-"
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return fmt.Sprintf("%.3f [%.3f, %.3f]", p, max(0, mid-half), min(1, mid+half))
}

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

type scored struct {
	margin float64
	label  int
}

// report prints the area under the ROC curve and, at the threshold, recall and
// the false-positive rate.
func report(name string, x []scored, threshold float64) {
	area := "-"
	if a, half := aucInterval(x); !math.IsNaN(a) {
		area = fmt.Sprintf("%.3f [%.3f, %.3f]", a, a-half, min(1, a+half))
	}
	fmt.Printf("%-48s n %5d  AUC %-20s  recall %-20s  FPR %s\n", name, len(x), area, interval(count(x, 1, threshold)), interval(count(x, 0, threshold)))
}

// aucInterval returns the area and half of its 95 % interval (Hanley and McNeil,
// 1982).
func aucInterval(x []scored) (area, half float64) {
	area = auc(x)
	_, attacks := count(x, 1, 0)
	_, harmless := count(x, 0, 0)
	a, h := float64(attacks), float64(harmless)
	q1, q2 := area/(2-area), 2*area*area/(1+area)
	return area, 1.96 * math.Sqrt((area*(1-area)+(a-1)*(q1-area*area)+(h-1)*(q2-area*area))/(a*h))
}

// auc is the share of pairs of an attack and a harmless text that are in the
// right order, ties counting half.
func auc(x []scored) float64 {
	x = slices.SortedFunc(slices.Values(x), func(a, b scored) int { return cmp.Compare(a.margin, b.margin) })
	var sum, attacks, harmless float64
	for i := 0; i < len(x); {
		var a, h float64
		j := i
		for ; j < len(x) && x[j].margin == x[i].margin; j++ {
			a += float64(x[j].label)
			h += float64(1 - x[j].label)
		}
		sum += a * (harmless + h/2)
		attacks, harmless, i = attacks+a, harmless+h, j
	}
	return sum / attacks / harmless
}

func rate(x []scored, label int, threshold float64) float64 {
	var n, hits float64
	for _, s := range x {
		if s.label == label {
			n++
			if s.margin >= threshold {
				hits++
			}
		}
	}
	return hits / n
}

// lowest returns the lowest threshold at which the false-positive rates of sources
// have at most a mean, and none is above worst. Each source counts the same: a large
// one with easy texts must not hide a small one.
func lowest(sources [][]scored, mean, worst float64) float64 {
	fits := func(t float64) bool {
		sum, n := 0.0, 0.0
		for _, x := range sources {
			r := rate(x, 0, t)
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

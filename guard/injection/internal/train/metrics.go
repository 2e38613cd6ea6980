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
	fmt.Printf("%-55s n %6d  AUC %.4f  at %.3f: recall %.3f  FPR %.4f\n", name, len(x), auc(x), threshold, rate(x, 1, threshold), rate(x, 0, threshold))
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

// chooseThreshold returns the lowest threshold at which the false-positive rates
// of sources have at most the mean meanFPR, and none is above worstFPR. Each
// source counts the same: a large one with easy texts must not hide a small one.
func chooseThreshold(sources [][]scored) float64 {
	fits := func(t float64) bool {
		sum, n := 0.0, 0.0
		for _, x := range sources {
			r := rate(x, 0, t)
			switch {
			case math.IsNaN(r): // it has attacks only
				continue
			case r > worstFPR:
				return false
			}
			sum, n = sum+r, n+1
		}
		return sum <= meanFPR*n
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

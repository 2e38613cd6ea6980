package main

import (
	"cmp"
	"fmt"
	"slices"
)

type scored struct {
	margin float64
	label  int
}

// report prints the area under the ROC curve and, at the threshold, recall and
// the false-positive rate.
func report(name string, x []scored, threshold float64) {
	fmt.Printf("%-44s n %6d  AUC %.4f  recall %.3f  FPR %.4f\n", name, len(x), auc(x), rate(x, 1, threshold), rate(x, 0, threshold))
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

// thresholdAt is the lowest threshold at which the false-positive rate is at
// most fpr.
func thresholdAt(x []scored, fpr float64) float64 {
	var harmless []float64
	for _, s := range x {
		if s.label == 0 {
			harmless = append(harmless, s.margin)
		}
	}
	slices.Sort(harmless)
	return harmless[min(len(harmless)-1, len(harmless)-int(fpr*float64(len(harmless))))] + 1e-6
}

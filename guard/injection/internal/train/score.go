package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/prodailabs/prodai/guard/injection"
)

// scoreFile prints what the shipped detector makes of a file of rows: by source,
// by language of a source, and all together. The file's rows must never have been
// trained on. With document set, the detector's document mode scores the rows.
func scoreFile(path, weights string, document bool) error {
	rows, err := readCorpus(path)
	if err != nil {
		return err
	}
	var o injection.Options
	if weights != "" {
		data, err := os.ReadFile(weights)
		if err != nil {
			return err
		}
		o.Weights = string(data)
	}
	d, err := injection.New(&o)
	if err != nil {
		return err
	}
	scores := inParallel(len(rows), func(i int) scored {
		if document {
			return scored{logit(d.InspectDocument(rows[i].Text).Score), rows[i].Label}
		}
		return scored{logit(d.Inspect(rows[i].Text).Score), rows[i].Label}
	})
	sources, languages := map[string][]scored{}, map[string][]scored{}
	for i, r := range rows {
		sources[r.Source] = append(sources[r.Source], scores[i])
		languages[fmt.Sprintf("  %s, %d", r.Lang, r.Label)] = append(languages[fmt.Sprintf("  %s, %d", r.Lang, r.Label)], scores[i])
	}
	for _, k := range slices.Sorted(maps.Keys(sources)) {
		report(k, sources[k], 0)
	}
	fmt.Println("by language and label:")
	for _, k := range slices.Sorted(maps.Keys(languages)) {
		if len(languages[k]) >= 20 {
			report(k, languages[k], 0)
		}
	}
	report("all", scores, 0)
	t := thresholdFor(scores, .03)
	fmt.Printf("recall at 3 %% false positives: %s at a margin of %.2f\n", interval(count(scores, 1, t)), t)
	return nil
}

// thresholdFor returns the lowest margin at which at most the share fpr of the
// harmless rows counts as attacks.
func thresholdFor(x []scored, fpr float64) float64 {
	var harmless []float64
	for _, s := range x {
		if s.label == 0 {
			harmless = append(harmless, s.margin)
		}
	}
	if len(harmless) == 0 {
		return math.Inf(-1)
	}
	slices.Sort(harmless)
	i := len(harmless) - 1 - int(fpr*float64(len(harmless)))
	return math.Nextafter(harmless[max(i, 0)], math.Inf(1))
}

// count returns how many rows with a label reach the threshold, and of how many.
func count(x []scored, label int, threshold float64) (hits, n int) {
	for _, s := range x {
		if s.label == label {
			n++
			if s.margin >= threshold {
				hits++
			}
		}
	}
	return hits, n
}

// interval writes a share with its 95 % interval (Wilson, 1927).
func interval(hits, n int) string {
	if n == 0 {
		return "-"
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return fmt.Sprintf("%.3f [%.3f, %.3f]", p, max(0, mid-half), min(1, mid+half))
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

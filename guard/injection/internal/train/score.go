package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/fit"
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
	scores := inParallel(len(rows), func(i int) fit.Scored {
		if document {
			return fit.Scored{Margin: logit(d.InspectDocument(rows[i].Text).Score), Label: rows[i].Label}
		}
		return fit.Scored{Margin: logit(d.Inspect(rows[i].Text).Score), Label: rows[i].Label}
	})
	sources, languages := map[string][]fit.Scored{}, map[string][]fit.Scored{}
	for i, r := range rows {
		sources[r.Source] = append(sources[r.Source], scores[i])
		languages[fmt.Sprintf("  %s, %d", r.Lang, r.Label)] = append(languages[fmt.Sprintf("  %s, %d", r.Lang, r.Label)], scores[i])
	}
	for _, k := range slices.Sorted(maps.Keys(sources)) {
		fit.Report(os.Stdout, k, sources[k], 0)
	}
	fmt.Println("by language and label:")
	for _, k := range slices.Sorted(maps.Keys(languages)) {
		if len(languages[k]) >= 20 {
			fit.Report(os.Stdout, k, languages[k], 0)
		}
	}
	fit.Report(os.Stdout, "all", scores, 0)
	t := fit.ThresholdFor(scores, .03)
	fmt.Printf("recall at 3 %% false positives: %s at a margin of %.2f\n", fit.Interval(fit.Count(scores, 1, t)), t)
	return nil
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

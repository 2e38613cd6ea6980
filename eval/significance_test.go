package eval_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/internal/golden"
)

type systemResult struct {
	System   string
	Score    float64
	P        *float64
	Mean, CI *float64
}

// TestGoldenSignificance compares metrics and tests together with sacreBLEU's
// paired tests: the rows of this package and the random streams of eval/stats give
// the same p-value for the same seed.
func TestGoldenSignificance(t *testing.T) {
	metrics := map[string]eval.Metric{"BLEU": must(eval.NewBLEU(nil)), "chrF2": must(eval.NewChrF(nil)), "TER": must(eval.NewTER(nil))}
	golden.Rows(t, "eval", "significance.jsonl", func(row struct {
		Seed          uint64
		Ref, Baseline []string
		SysB          []string `json:"sys_b"`
		Tests         []struct {
			Type         string
			Samples      int `json:"n_samples"`
			ArConfidence int `json:"ar_confidence"`
			Results      map[string][]systemResult
		}
	}) error {
		refs := make([][]string, len(row.Ref))
		for i, r := range row.Ref {
			refs[i] = []string{r}
		}
		for _, test := range row.Tests {
			for name, systems := range test.Results {
				m, ok := metrics[name]
				if !ok {
					return fmt.Errorf("no metric %s", name)
				}
				baseline, err := eval.MeasureCorpus(t.Context(), m, row.Baseline, refs, &eval.MeasureOptions{Workers: 2})
				if err != nil {
					return err
				}
				for _, want := range systems {
					outputs := row.Baseline
					if want.System == "B" {
						outputs = row.SysB
					}
					system, err := eval.MeasureCorpus(t.Context(), m, outputs, refs, &eval.MeasureOptions{Workers: 2})
					if err != nil {
						return err
					}
					o := &stats.CorpusOptions{Resamples: test.Samples, Seed: row.Seed, ConfidenceResamples: max(0, test.ArConfidence)}
					paired := stats.PairedBootstrap
					if test.Type == "ar" {
						paired = stats.ApproximateRandomization
					}
					got, err := paired(baseline.Rows, system.Rows, m.Width(), m.Value, o)
					if err != nil {
						return err
					}
					if want.P == nil && test.ArConfidence > 0 { // the baseline's own interval starts a stream of its own
						own, err := stats.CorpusBootstrap(baseline.Rows, m.Width(), m.Value, &stats.CorpusOptions{Resamples: test.ArConfidence, Seed: row.Seed})
						if err != nil {
							return err
						}
						got.CorpusEstimate = *own
					}
					if err := checkSystem(got, want); err != nil {
						return fmt.Errorf("%s %s of %s: %w", test.Type, name, want.System, err)
					}
				}
			}
		}
		return nil
	})
}

func checkSystem(got *stats.PairedResult, want systemResult) error {
	if math.Abs(got.Score-want.Score) > 1e-9*max(1, want.Score) {
		return fmt.Errorf("score %v, want %v", got.Score, want.Score)
	}
	if want.P != nil && math.Abs(got.P-*want.P) > 1e-12 {
		return fmt.Errorf("p %v, want %v", got.P, *want.P)
	}
	// the reference sums in float32, and writes -1 or null where it has no interval
	for what, pair := range map[string][2]*float64{"mean": {&got.Mean, want.Mean}, "ci": {&got.HalfWidth, want.CI}} {
		if g, w := pair[0], pair[1]; w != nil && *w >= 0 && !math.IsNaN(*g) && math.Abs(*g-*w) > 1e-4 {
			return fmt.Errorf("%s %v, want %v", what, *g, *w)
		}
	}
	return nil
}

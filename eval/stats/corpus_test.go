package stats

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/internal/golden"
)

// corpusMetrics are sacreBLEU's metrics with its defaults.
func corpusMetrics(t *testing.T) map[string]eval.Metric {
	bleu, err := eval.NewBLEU(nil)
	require.NoError(t, err)
	chrf, err := eval.NewChrF(nil)
	require.NoError(t, err)
	ter, err := eval.NewTER(nil)
	require.NoError(t, err)
	return map[string]eval.Metric{"BLEU": bleu, "chrF2": chrf, "TER": ter}
}

func TestGoldenSignificance(t *testing.T) {
	type result struct {
		System             string
		Score, P, Mean, CI num
	}
	type row struct {
		Seed     uint64
		Ref      []string
		Baseline []string
		SysB     []string `json:"sys_b"`
		Tests    []struct {
			Type       string
			Samples    int `json:"n_samples"`
			Confidence int `json:"ar_confidence"`
			Results    map[string][]result
		}
	}
	metrics := corpusMetrics(t)
	rows := func(m eval.Metric, hyps, refs []string) ([]float64, error) {
		stats := make([]float64, len(hyps)*m.Width())
		for i, hyp := range hyps {
			c, o := &eval.Case{References: refs[i : i+1]}, &eval.Output{Text: hyp}
			if err := m.Stats(context.Background(), c, o, stats[i*m.Width():(i+1)*m.Width()]); err != nil {
				return nil, err
			}
		}
		return stats, nil
	}
	golden.Rows(t, "eval", "significance.jsonl", func(r row) error {
		var c checks
		estimate := func(name string, got CorpusEstimate, want result) {
			c.value(name+" score", got.Score, float64(want.Score))
			c.within(name+" mean", got.Mean, float64(want.Mean), 1e-4) // float32 sums in the reference
			c.within(name+" half width", got.HalfWidth, float64(want.CI), 1e-4)
		}
		scored, wanted := 0, 0
		for _, test := range r.Tests {
			wanted += len(test.Results)
		}
		for name, m := range metrics {
			baseline, err := rows(m, r.Baseline, r.Ref)
			if err != nil {
				return err
			}
			system, err := rows(m, r.SysB, r.Ref)
			if err != nil {
				return err
			}
			for _, test := range r.Tests {
				want, ok := test.Results[name]
				if !ok {
					continue // some rows leave TER out
				}
				scored++
				run, base := PairedBootstrap, &CorpusOptions{Resamples: test.Samples, Seed: r.Seed}
				if test.Type == "ar" {
					run, base.Resamples = ApproximateRandomization, max(0, test.Confidence)
				}
				if len(want) != 3 {
					return fmt.Errorf("%s %s: %d systems", test.Type, name, len(want))
				}
				if base.Resamples > 0 { // the baseline's own resamples, from a fresh stream
					got, err := CorpusBootstrap(baseline, m.Width(), m.Value, base)
					if err != nil {
						return err
					}
					estimate(test.Type+" baseline "+name, *got, want[0])
				}
				for i, rows := range [][]float64{system, baseline} {
					got, err := run(baseline, rows, m.Width(), m.Value,
						&CorpusOptions{Resamples: test.Samples, ConfidenceResamples: max(0, test.Confidence), Seed: r.Seed})
					if err != nil {
						return err
					}
					label := fmt.Sprintf("%s %s %s", test.Type, want[i+1].System, name)
					estimate(label, got.CorpusEstimate, want[i+1])
					if got.P != float64(want[i+1].P) {
						c.add("%s p: got %v, want %v", label, got.P, want[i+1].P)
					}
				}
			}
		}
		if scored != wanted {
			c.add("%d results compared, the row has %d", scored, wanted)
		}
		return c.err()
	})
}

package eval

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
)

// TestGrowthOfMetrics: a long line of different words takes linear time, but for
// the metrics that are defined by an alignment of the two texts.
func TestGrowthOfMetrics(t *testing.T) {
	line := func(r *rand.Rand, n int) string {
		words := make([]string, n)
		for i := range words {
			words[i] = fmt.Sprint("w", r.IntN(n))
		}
		return strings.Join(words, " ")
	}
	rouge := must(NewROUGE(&ROUGEOptions{Types: []string{"rouge1", "rouge2"}, Stem: true}))
	metrics := append(rouge.Metrics(), must(NewBLEU(nil)), must(NewChrF(&ChrFOptions{WordOrder: 2})), must(NewExactMatch(nil)),
		must(NewTokenF1(nil)), must(NewMETEOR(nil)), must(NewTER(nil)), must(NewJSONMatch(nil)))
	for _, m := range metrics {
		t.Run(m.Signature().Metric, func(t *testing.T) {
			growth.Test(t, 4000, 3.3, func(n int) func() {
				r := rand.New(rand.NewPCG(59, 60))
				c, o := &Case{References: []string{line(r, n), line(r, n)}}, &Output{Text: line(r, n)}
				if m.Signature().Metric == "json_match" {
					c.References, o.Text = []string{`["` + c.References[0] + `"]`}, `["`+o.Text+`"]`
				}
				dst := make([]float64, m.Width())
				return func() { require.NoError(t, m.Stats(t.Context(), c, o, dst)) }
			})
		})
	}
}

// TestGrowthOfALongLine: a long line beside a short one takes linear time, on both
// sides and for all metrics.
func TestGrowthOfALongLine(t *testing.T) {
	for m := range textMetrics(t) {
		for _, side := range []string{"output", "reference"} {
			t.Run(m.Signature().Name()+" of a long "+side, func(t *testing.T) {
				growth.Test(t, 80_000, 3.5, func(n int) func() { // below, tables grow out of a processor cache
					words := make([]string, n)
					for i := range words {
						words[i] = fmt.Sprint("w", i)
					}
					output, reference := strings.Join(words, " "), "some words w1 and w2"
					if side == "reference" {
						output, reference = reference, output
					}
					return func() {
						_, err := segment(m, output, []string{reference})
						require.NoError(t, err)
					}
				})
			})
		}
	}
}

// TestGrowthOfSets: sets of texts, scores and labels take linear time.
func TestGrowthOfSets(t *testing.T) {
	for name, f := range map[string]func(r *rand.Rand, n int) func() error{
		"distinct": func(r *rand.Rand, n int) func() error {
			texts := make([]string, n)
			for i := range texts {
				texts[i] = fmt.Sprintf("some words %d and %d", i, r.IntN(n))
			}
			return func() error { _, err := DistinctN(texts, 3); return err }
		},
		"roc": func(r *rand.Rand, n int) func() error {
			truth, scores := make([]bool, n), make([]float64, n)
			for i := range truth {
				truth[i], scores[i] = r.IntN(2) == 0, r.Float64()
			}
			truth[0], truth[1] = true, false
			return func() error {
				_, err := ROCAUC(truth, scores)
				return err
			}
		},
		"ranking": func(r *rand.Rand, n int) func() error {
			judged, run := map[string]int{}, make([]Retrieved, n)
			for i := range run {
				run[i] = Retrieved{ID: fmt.Sprint(i), Score: r.Float64()}
				judged[run[i].ID] = r.IntN(3)
			}
			return func() error {
				ranking, err := Rank(judged, run, 1)
				if err == nil {
					ranking.NDCG(0)
					ranking.BPref()
					ranking.ElevenPoint()
				}
				return err
			}
		},
		"classes": func(r *rand.Rand, n int) func() error {
			labels := make([]string, n)
			for i := range labels {
				labels[i] = fmt.Sprint(i)
			}
			m := must(NewClassification("f1_macro", labels))
			dst := make([]float64, m.Width())
			return func() error {
				err := m.Stats(t.Context(), &Case{References: labels[:1]}, &Output{Text: labels[n-1]}, dst)
				m.Value(dst)
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			growth.Test(t, 8000, 3, func(n int) func() {
				run := f(rand.New(rand.NewPCG(61, 62)), n)
				return func() { require.NoError(t, run()) }
			})
		})
	}
}

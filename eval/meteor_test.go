package eval

import (
	"math"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenMETEOR(t *testing.T) {
	golden.Rows(t, "eval", "meteor.jsonl", func(row struct {
		Hyp       []string   `json:"hyp_tokens"`
		Refs      [][]string `json:"ref_tokens"`
		ExactStem float64    `json:"exact_stem"`
		WordNet   float64
		Other     float64 `json:"alpha8_beta2_gamma4"`
		Synonyms  map[string][]string
	}) error {
		score := func(o METEOROptions) float64 {
			m, err := NewMETEOR(&o)
			if err != nil {
				return math.NaN()
			}
			best := 0.0
			for _, ref := range row.Refs {
				best = max(best, m.Score(row.Hyp, ref))
			}
			return best
		}
		synonyms := SynonymMap(row.Synonyms)
		return first(
			near("exact_stem", score(METEOROptions{}), row.ExactStem),
			near("wordnet", score(METEOROptions{Synonyms: synonyms}), row.WordNet),
			near("other", score(METEOROptions{Synonyms: synonyms, Alpha: 0.8, Beta: 2, Gamma: 0.4}), row.Other),
		)
	})
}

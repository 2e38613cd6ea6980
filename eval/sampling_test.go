package eval

import (
	"fmt"
	"math"
	"strings"
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

func TestGoldenPerplexity(t *testing.T) {
	golden.Rows(t, "eval", "perplexity.jsonl", func(row struct {
		LogProbs     []float64
		Bytes, Words int
		PPL          float64
		NLL          float64 `json:"nll_per_token"`
		WordPPL      float64 `json:"word_ppl"`
		BytePPL      float64 `json:"byte_ppl"`
		BPB          float64 `json:"bits_per_byte"`
	}) error {
		text := strings.Repeat("a ", row.Words)
		text = strings.Repeat(" ", row.Bytes-len(text)) + text
		if row.Bytes < 2*row.Words {
			return fmt.Errorf("%d words don't fit in %d bytes", row.Words, row.Bytes)
		}
		value := func(unit PerplexityUnit) float64 {
			m, err := NewPerplexity(unit)
			if err != nil {
				return math.NaN()
			}
			dst := make([]float64, 2)
			if err := m.Stats(t.Context(), nil, &Output{Text: text, LogProbs: row.LogProbs}, dst); err != nil {
				return math.NaN()
			}
			return m.Value(dst)
		}
		return first(
			near("ppl", value(PerToken), row.PPL), near("nll", math.Log(value(PerToken)), row.NLL),
			near("word", value(PerWord), row.WordPPL), near("byte", value(PerByte), row.BytePPL), near("bits", value(BitsPerByte), row.BPB),
		)
	})
}

func TestGoldenPassAtK(t *testing.T) {
	golden.Rows(t, "eval", "passk.jsonl", func(row struct {
		N, C, K int
		Pass    float64 `json:"pass_at_k"`
		All     float64 `json:"pass_hat_k_all"`
	}) error {
		p, err1 := PassAtK(row.N, row.C, row.K)
		a, err2 := PassHatK(row.N, row.C, row.K)
		return first(err1, err2, near("pass@k", p, row.Pass), near("pass^k", a, row.All))
	})
}

func TestGoldenDiversity(t *testing.T) {
	golden.Rows(t, "eval", "diversity.jsonl", func(row map[string]any) error {
		var texts []string
		for _, x := range row["texts"].([]any) {
			texts = append(texts, x.(string))
		}
		for n := 1; n <= 3; n++ {
			d, err := DistinctN(texts, n)
			if err := first(err,
				near("distinct", d.Distinct, row[fmt.Sprintf("distinct_%d", n)].(float64)),
				near("distinct mean", d.DistinctMean, row[fmt.Sprintf("distinct_%d_mean", n)].(float64)),
				near("entropy", d.Entropy, row[fmt.Sprintf("entropy_%d", n)].(float64))); err != nil {
				return err
			}
		}
		s, err1 := SelfBLEU(texts)
		k, err2 := SelfBLEUNLTK(texts)
		return first(err1, err2,
			near("self-BLEU", s, row["self_bleu_sacrebleu_none_exp_eff"].(float64)),
			near("self-BLEU nltk", k, row["self_bleu_nltk_method1"].(float64)))
	})
}

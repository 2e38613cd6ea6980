package eval

import (
	"fmt"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

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

package eval

import (
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenAnswers(t *testing.T) {
	golden.Rows(t, "eval", "qa.jsonl", func(row struct {
		Pred, Gold string
		NormPred   string `json:"norm_pred"`
		NormGold   string `json:"norm_gold"`
		EM         float64
		SQuAD2     float64   `json:"squad_v2_f1"`
		SQuAD1     float64   `json:"squad_v1_f1"`
		Hotpot     []float64 `json:"hotpot_f1_p_r"`
	}) error {
		c, o := &Case{References: []string{row.Gold}}, &Output{Text: row.Pred}
		f1 := func(rule AnswerRule) ([]float64, error) {
			m, err := NewTokenF1(&AnswerOptions{Rule: rule})
			if err != nil {
				return nil, err
			}
			dst := make([]float64, m.Width())
			return dst, m.Stats(t.Context(), c, o, dst)
		}
		em, err := NewExactMatch(nil)
		if err != nil {
			return err
		}
		dst := make([]float64, em.Width())
		err = em.Stats(t.Context(), c, o, dst)
		v2, err2 := f1(AnswerSQuAD2)
		v1, err1 := f1(AnswerSQuAD1)
		h, errH := f1(AnswerHotpotQA)
		return first(err, err2, err1, errH,
			same("norm pred", NormalizeAnswer(row.Pred), row.NormPred),
			same("norm gold", NormalizeAnswer(row.Gold), row.NormGold),
			near("em", dst[0], row.EM),
			near("v2", v2[2], row.SQuAD2), near("v1", v1[2], row.SQuAD1),
			nears("hotpot", []float64{h[2], h[0], h[1]}, row.Hotpot),
		)
	})
}

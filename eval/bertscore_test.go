package eval

import (
	"context"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenBERTScore(t *testing.T) {
	none := func(context.Context, string) (TokenVectors, error) { return TokenVectors{}, nil }
	parts := func(s PRF) []float64 { return []float64{s.Precision, s.Recall, s.F} }
	golden.Rows(t, "eval", "bertscore.jsonl", func(row struct {
		Baseline []float64
		Segments []struct {
			HypTokens []string                                   `json:"hyp_tokens"`
			HypEmb    [][]float64                                `json:"hyp_emb"`
			RefTokens [][]string                                 `json:"ref_tokens"`
			RefEmb    [][][]float64                              `json:"ref_emb"`
			PerRef    []struct{ Plain, IDF, Rescaled []float64 } `json:"per_ref"`
			BestPlain []float64                                  `json:"best_plain"`
			BestIDF   []float64                                  `json:"best_idf"`
		}
	}) error {
		var all [][]string
		for _, s := range row.Segments {
			all = append(all, s.RefTokens...)
		}
		b := row.Baseline
		plain, err := NewBERTScore(none, nil)
		if err != nil {
			return err
		}
		idf, err := NewBERTScore(none, &BERTScoreOptions{IDF: NewIDF(all)})
		if err != nil {
			return err
		}
		rescaled, err := NewBERTScore(none, &BERTScoreOptions{Baseline: PRF{b[0], b[1], b[2]}})
		if err != nil {
			return err
		}
		for _, s := range row.Segments {
			hyp := TokenVectors{s.HypTokens, s.HypEmb}
			var refs []TokenVectors
			for i := range s.RefTokens {
				ref := TokenVectors{s.RefTokens[i], s.RefEmb[i]}
				refs = append(refs, ref)
				p, err1 := plain.Score(hyp, ref)
				w, err2 := idf.Score(hyp, ref)
				r, err3 := rescaled.Score(hyp, ref)
				want := s.PerRef[i]
				if err := first(err1, err2, err3, nears("plain", parts(p), want.Plain), nears("idf", parts(w), want.IDF), nears("rescaled", parts(r), want.Rescaled)); err != nil {
					return err
				}
			}
			p, err1 := plain.Best(hyp, refs)
			w, err2 := idf.Best(hyp, refs)
			if err := first(err1, err2, nears("best plain", parts(p), s.BestPlain), nears("best idf", parts(w), s.BestIDF)); err != nil {
				return err
			}
		}
		return nil
	})
}

package eval

import (
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenTER(t *testing.T) {
	golden.Rows(t, "eval", "ter_sentence.jsonl", func(row struct {
		Hyp     string
		Refs    []string
		Results []struct {
			Norm, Nopunct, Asian, Case bool
			Score, Edits               float64
			RefLen                     float64 `json:"ref_len"`
		}
	}) error {
		for _, want := range row.Results {
			m := must(NewTER(&TEROptions{Normalize: want.Norm, NoPunctuation: want.Nopunct, Asian: want.Asian, CaseSensitive: want.Case}))
			dst := make([]float64, 2)
			err := m.Stats(t.Context(), &Case{References: row.Refs}, &Output{Text: row.Hyp}, dst)
			if err := first(err, near("score", m.Value(dst), want.Score), near("edits", dst[0], want.Edits), near("ref_len", dst[1], want.RefLen)); err != nil {
				return err
			}
		}
		return nil
	})
}

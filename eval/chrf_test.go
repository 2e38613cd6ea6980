package eval

import (
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenChrFSentence(t *testing.T) {
	golden.Rows(t, "eval", "chrf_sentence.jsonl", func(row struct {
		Hyp     string
		Refs    []string
		Results []struct {
			CharOrder   int `json:"char_order"`
			WordOrder   int `json:"word_order"`
			Beta        int
			LC, WS, Eps bool
			Score       float64
			Sig         string
		}
	}) error {
		for _, want := range row.Results {
			m, err := NewChrF(&ChrFOptions{CharOrder: want.CharOrder, WordOrder: want.WordOrder, Beta: want.Beta,
				Lowercase: want.LC, Whitespace: want.WS, EpsSmoothing: want.Eps})
			if err != nil {
				return err
			}
			got, err := m.Score(row.Hyp, row.Refs...)
			if err != nil {
				return err
			}
			sig := m.Signature()
			sig.Refs = len(row.Refs)
			if err := first(near("score", got, want.Score), same("sig", sig.String(), want.Sig)); err != nil {
				return err
			}
		}
		return nil
	})
}

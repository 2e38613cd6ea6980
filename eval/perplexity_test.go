package eval

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

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
			near("ppl", value(PerplexityPerToken), row.PPL), near("nll", math.Log(value(PerplexityPerToken)), row.NLL),
			near("word", value(PerplexityPerWord), row.WordPPL), near("byte", value(PerplexityPerByte), row.BytePPL), near("bits", value(PerplexityBitsPerByte), row.BPB),
		)
	})
}

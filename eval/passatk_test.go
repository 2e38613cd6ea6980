package eval

import (
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

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

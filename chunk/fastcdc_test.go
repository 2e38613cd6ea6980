package chunk_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenFastCDC(t *testing.T) {
	golden.Rows(t, "chunk", "fastcdc.jsonl", func(row struct {
		Start         uint32 `json:"lcg_start"`
		N             int
		SHA256        string
		Min, Avg, Max int
		Chunks        [][2]int
	}) error {
		data := make([]byte, row.N)
		x := row.Start
		for i := range data {
			x = 1664525*x + 1013904223
			data[i] = byte(x >> 24)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != row.SHA256 {
			return fmt.Errorf("the generator makes other bytes")
		}
		f, err := chunk.NewFastCDC(&chunk.FastCDCOptions{MinBytes: row.Min, AvgBytes: row.Avg, MaxBytes: row.Max})
		if err != nil {
			return err
		}
		cuts := f.Cuts(data)
		if len(cuts) != len(row.Chunks) {
			return fmt.Errorf("%d chunks, want %d", len(cuts), len(row.Chunks))
		}
		for i, c := range row.Chunks {
			if cuts[i] != c[0]+c[1] {
				return fmt.Errorf("chunk %d ends at %d, want %d", i, cuts[i], c[0]+c[1])
			}
		}
		return nil
	})
}

//go:build !purego

package vec

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCountingBits: rows of any length, also the longest that are counted 64 bytes at a
// time, give the same with and without that, also when all bits differ.
func TestCountingBits(t *testing.T) {
	if !hasVPOPCNT {
		t.Skip("this processor doesn't count 64 bytes at a time")
	}
	defer func() { hasVPOPCNT = true }()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, dim := range []int{1, 7, 48, 63, 64, 65, 96, 127, 128, 192, 1000, mostBytes - 1, mostBytes, mostBytes + 1} {
		const n = 11
		q, rows := make([]byte, dim), make([]byte, n*dim)
		for i := range rows {
			rows[i] = 0xff
			if i >= 4*dim {
				rows[i] = byte(rng.Uint32())
			}
		}
		for i := range q {
			if i%3 > 0 && dim%2 == 0 {
				q[i] = byte(rng.Uint32())
			}
		}
		var got [2][n]int32
		for i := range got {
			hasVPOPCNT = i == 0
			HammingRows(q, rows, got[i][:])
		}
		require.Equal(t, got[1], got[0], "%d bytes", dim)
		for i, h := range got[0] {
			require.Equal(t, hammingGo(q, rows[i*dim:][:dim]), h)
		}
	}
}

// Package retrieve measures the kernels and indexes of retrieve beside their peers
// on the same vectors:
//
//	cd internal/bench && go test -bench . ./retrieve
package retrieve

import (
	"fmt"
	"testing"

	"github.com/viterin/vek/vek32"

	"github.com/prodailabs/prodai/internal/vec"
)

// BenchmarkDot compares two vectors that stay in the first cache.
func BenchmarkDot(b *testing.B) {
	for _, dim := range []int{16, 100, 384, 1536} {
		x, y := make([]float32, dim), make([]float32, dim)
		var sink float32
		b.Run(fmt.Sprint("prodai/", dim), func(b *testing.B) {
			for b.Loop() {
				sink += vec.Dot(x, y)
			}
		})
		b.Run(fmt.Sprint("vek/", dim), func(b *testing.B) {
			for b.Loop() {
				sink += vek32.Dot(x, y)
			}
		})
	}
}

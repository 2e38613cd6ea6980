// Package chunk measures the chunkers beside langchaingo's text splitters on the
// same text with the same sizes:
//
//	cd internal/bench && go test -bench . ./chunk
//
// Peers in other languages: chunk/testdata/peers.
package chunk

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/bench/chunk/tasks"
)

func BenchmarkChunkers(b *testing.B) {
	text, err := tasks.Speech()
	require.NoError(b, err)
	all, err := tasks.All()
	require.NoError(b, err)
	for _, task := range all {
		b.Run(task.Name+"/"+task.By, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if n, err := task.Cut(text); err != nil || n < 1000 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

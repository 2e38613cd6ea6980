package langchain_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/langchain"
)

// The passages of RecursiveCharacterTextSplitter(chunk_size=30, chunk_overlap=10).
func ExampleNew() {
	c, err := langchain.New(&langchain.Options{Size: 30, Overlap: 10, Unit: chunk.UnitRunes})
	if err != nil {
		panic(err)
	}
	passages, err := c.Chunk(context.Background(), "Keys are rotated every 90 days.\n\nA lost key is revoked at once, and the owner is asked.")
	if err != nil {
		panic(err)
	}
	for _, p := range passages {
		fmt.Printf("%d %q\n", p.Start, p.Text)
	}
	// Output:
	// 0 "Keys are rotated every 90"
	// 17 "every 90 days."
	// 33 "A lost key is revoked at"
	// 55 "at once, and the owner is"
	// 72 "owner is asked."
}

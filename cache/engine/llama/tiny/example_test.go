package tiny_test

import (
	"fmt"
	"log"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// The shapes of the two models, and what one token reads and keeps.
func Example() {
	for _, file := range []*weights.File{tiny.Target(), tiny.Draft()} {
		n, err := llama.Load(file, &llama.LoadOptions{Precision: llama.PrecisionFloat32})
		if err != nil {
			log.Fatal(err)
		}
		c := n.Config()
		fmt.Printf("%d layers of %d, %d tokens; a token reads %d kB of weights and keeps %d bytes\n",
			c.Layers, c.Width, c.Vocabulary, n.Bytes()/1000, c.KVBytes())
	}
	// Output:
	// 4 layers of 128, 2048 tokens; a token reads 3997 kB of weights and keeps 2048 bytes
	// 2 layers of 64, 2048 tokens; a token reads 868 kB of weights and keeps 512 bytes
}

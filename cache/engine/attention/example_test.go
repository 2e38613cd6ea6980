package attention_test

import (
	"fmt"
	"log"

	"github.com/prodailabs/prodai/cache/engine/attention"
)

func Example() {
	shape := attention.Shape{Heads: 1, KVHeads: 1, Queries: 3, Keys: 3, Dim: 1}
	q, k, v := []float32{1, 1, 1}, []float32{0, 0, 9}, []float32{10, 20, 30}
	whole, _, err := attention.Naive(q, k, v, shape)
	if err != nil {
		log.Fatal(err)
	}
	tiled, _, _, err := attention.Tiled(q, k, v, shape, &attention.TileOptions{Queries: 2, Keys: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n%.2f\n", whole, tiled)
	// Output:
	// [10.00 15.00 30.00]
	// [10.00 15.00 30.00]
}

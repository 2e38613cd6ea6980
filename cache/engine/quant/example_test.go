package quant_test

import (
	"fmt"
	"log"

	"github.com/prodailabs/prodai/cache/engine/quant"
)

// One large weight spoils the scale of all that share it.
func Example() {
	weights := []float32{.1, -.2, .3, -.1, .2, -.3, .1, 8, .1, .3, -.2, .1, -.3, .2, .1, -.1}
	for _, o := range []quant.Options{{Bits: 4, Grain: quant.GrainTensor}, {Bits: 4, Grain: quant.GrainGroup, Group: 4}} {
		m, err := quant.Quantize(weights, 1, len(weights), &o)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.1f bits a weight: %.2f\n", m.BitsPerWeight(), m.Dequantize())
	}
	// Output:
	// 5.0 bits a weight: [0.00 0.00 0.00 0.00 0.00 0.00 0.00 8.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00]
	// 8.0 bits a weight: [0.09 -0.21 0.30 -0.09 0.00 0.00 0.00 8.00 0.09 0.30 -0.21 0.09 -0.30 0.21 0.09 -0.09]
}

func ExamplePruneNM() {
	weights := []float32{.1, -.9, .3, -.2, 2, 1, 3, 4}
	keep, err := quant.PruneNM(weights, 8, 2, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quant.Apply(weights, keep))
	// Output: [0 -0.9 0.3 0 0 0 3 4]
}

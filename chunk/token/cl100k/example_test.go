package cl100k_test

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token/cl100k"
)

func ExampleEncoding() {
	e := cl100k.Encoding()
	fmt.Println(e.Count("Why is full jitter better?"), e.Encode("jitter"))
	// Output: 6 [73 3328]
}

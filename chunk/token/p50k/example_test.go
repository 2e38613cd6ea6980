package p50k_test

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token/p50k"
)

func ExampleEncoding() {
	e := p50k.Encoding()
	fmt.Println(e.Count("Why is full jitter better?"), e.Encode("jitter"))
	// Output: 7 [73 1967]
}

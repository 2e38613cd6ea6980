package r50k_test

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token/r50k"
)

func ExampleEncoding() {
	e := r50k.Encoding()
	fmt.Println(e.Count("Why is full jitter better?"), e.Encode("jitter"))
	// Output: 7 [73 1967]
}

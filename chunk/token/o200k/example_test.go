package o200k_test

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func ExampleEncoding() {
	e := o200k.Encoding()
	fmt.Println(e.Count("Why is full jitter better?"), e.Encode("jitter"))
	// Output: 6 [73 4738]
}

package dataset_test

import (
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/eval/dataset"
)

func Example() {
	before, err := dataset.ReadJSONL("trivia", strings.NewReader(`
{"id":"capital","input":"Capital of France?","references":["Lyon"]}
{"id":"bug-17","kind":"regression","input":"2+2?","references":["4"]}
`))
	if err != nil {
		panic(err)
	}
	after, err := dataset.ReadCSV("trivia", strings.NewReader(`id,kind,input,reference
capital,golden,Capital of France?,Paris
bug-17,regression,2+2?,4
empty,edge,,Please ask something.
`))
	if err != nil {
		panic(err)
	}
	fmt.Println(before.Version() == after.Version(), after.Version()[:19])
	fmt.Print(dataset.Diff(before, after))
	// Output:
	// false sha256:991f21b86353
	// 1 added, 0 removed, 1 changed, 1 the same
	// + empty edge ""
	// ~ capital golden: expectation
}

package pii_test

import (
	"fmt"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
)

func ExampleNew() {
	d, err := pii.New(nil)
	if err != nil {
		panic(err)
	}
	text := "Ana, born on 12 March 1985, NHS 943 476 5919, order 9434765919, ana@example.org"
	for _, f := range d.Find(text) {
		fmt.Println(f.Kind, f.Value(text))
	}
	fmt.Println(d.Redact(text, detect.Label))
	// Output:
	// DATE_OF_BIRTH 12 March 1985
	// UK_NHS 943 476 5919
	// EMAIL ana@example.org
	// Ana, born on [DATE_OF_BIRTH], NHS [UK_NHS], order 9434765919, [EMAIL]
}

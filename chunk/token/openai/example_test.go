package openai_test

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token/openai"
)

func ExampleForModel() {
	for _, model := range []string{"gpt-4o-mini", "gpt-4", "gpt-oss-20b", "some-model"} {
		e, err := openai.ForModel(model)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(model, e.Name(), e.Count("Hello, world!"))
	}
	// Output:
	// gpt-4o-mini o200k_base 4
	// gpt-4 cl100k_base 4
	// gpt-oss-20b o200k_harmony 4
	// token: no encoding known for the model "some-model" (table of 2026-11)
}

package synth_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/dataset/synth"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// The model (a script here) writes four cases: one repeats a seed with other
// capital letters, and one isn't a case.
func ExampleGenerate() {
	model := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(`
{"input": "Where is parcel 4711?", "reference": "Out for delivery."}
{"input": "where is my parcel", "reference": "..."}
{"input": "The box arrived crushed, who pays?", "reference": "The sender claims it within 7 days."}
{"question": 1}`)}}
	result, err := synth.Generate(context.Background(), model, &synth.Options{
		N: 2, Kind: eval.KindEdge,
		Task:  "a support assistant for a parcel service",
		Seeds: []eval.Case{{Input: "Where is my parcel?"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range result.Dataset.Cases {
		fmt.Println(c.Kind, c.Tags, c.Input)
	}
	fmt.Printf("%d call, %d duplicate, %d malformed\n", result.Calls, result.Duplicates, result.Malformed)
	// Output:
	// edge map[source:synthetic] Where is parcel 4711?
	// edge map[source:synthetic] The box arrived crushed, who pays?
	// 1 call, 1 duplicate, 1 malformed
}

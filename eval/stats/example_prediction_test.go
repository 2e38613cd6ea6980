package stats_test

import (
	"fmt"

	"github.com/prodailabs/prodai/eval/stats"
)

// ExamplePredictionPowered corrects a judge that passes too many answers.
func ExamplePredictionPowered() {
	people := []float64{1, 0, 1, 0, 0, 1, 1, 0}
	judge := []float64{1, 0, 1, 1, 0, 1, 1, 1} // of the same answers
	rest := make([]float64, 200)               // the judge's scores of answers without a label
	for i := range rest {
		if i%4 != 0 {
			rest[i] = 1
		}
	}
	r, err := stats.PredictionPowered(people, judge, rest, &stats.PredictionOptions{Lambda: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("judge %.2f, corrected %.2f, too kind by %.2f\n", stats.Mean(rest), r.Value, r.Bias.Value)
	// Output: judge 0.75, corrected 0.50, too kind by 0.25
}

package report_test

import (
	"context"
	"fmt"
	"os"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/report"
	"github.com/prodailabs/prodai/eval/suite"
)

// Two answers of three are right; one case has no reference and isn't scored, which
// the report shows.
func Example() {
	exact, err := eval.NewExactMatch(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	cases := []eval.Case{
		{ID: "capital", Input: "Capital of France?", References: []string{"Paris"}},
		{ID: "sum", Input: "2+2?", References: []string{"4"}},
		{ID: "bug-17", Kind: eval.KindRegression, Input: "Capital of Australia?", References: []string{"Canberra"}},
		{ID: "mood", Kind: eval.KindEdge, Input: "How are you?"},
	}
	answers := map[string]string{"capital": "Paris", "sum": "4", "bug-17": "Sydney", "mood": "Fine."}
	r, err := suite.Run(context.Background(), suite.Suite{
		Name:    "trivia",
		Metrics: []eval.Metric{exact},
		Cases: func(yield func(*eval.Case, error) bool) {
			for i := range cases {
				if !yield(&cases[i], nil) {
					return
				}
			}
		},
		System: func(_ context.Context, c *eval.Case) (*eval.Output, error) {
			return &eval.Output{Text: answers[c.ID]}, nil
		},
	}, &suite.Options{Thresholds: []suite.Threshold{{Metric: "exact_match", Value: 0.9}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Elapsed = 0 // only the time differs from run to run
	if err := report.Terminal(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	fmt.Println()
	if err := report.Failures(os.Stdout, r, suite.Threshold{Metric: "exact_match", Value: 1}, 5); err != nil {
		fmt.Println(err)
	}
	// Output:
	// trivia: FAILED: 1 of 2 gates
	// 4 cases, 0 system errors, 0s
	//
	// metric       value   n  skipped  failed  better  signature
	// exact_match  0.6667  3  1        0       higher  norm:squad
	//
	// slice            n  exact_match
	// kind=edge        1  –
	// kind=golden      2  1
	// kind=regression  1  0
	//
	// ok    errors <= 0: the system failed on 0 of 4 cases
	// FAIL  exact_match >= 0.9: 0.6667 over 3 cases
	//
	// bug-17  exact_match 0
	//   asked  Capital of Australia?
	//   got    Sydney
	//   wanted Canberra
}

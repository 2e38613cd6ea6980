package suite_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/suite"
)

// A suite with slices and thresholds: the mean passes and the regression slice
// fails, so the build fails.
func ExampleRun() {
	cases := []eval.Case{
		{ID: "capital", Input: "Capital of France?", References: []string{"Paris"}},
		{ID: "moon", Input: "Year of the moon landing?", References: []string{"1969"}},
		{ID: "bug-17", Kind: eval.KindRegression, Input: "2+2?", References: []string{"4", "four"}},
	}
	answers := map[string]string{"capital": "Paris.", "moon": "1969", "bug-17": "5"}
	report := must(suite.Run(context.Background(), suite.Suite{
		Name:    "trivia",
		Cases:   each(cases),
		Metrics: []eval.Metric{must(eval.NewExactMatch(nil))},
		System: func(_ context.Context, c *eval.Case) (*eval.Output, error) {
			return &eval.Output{Text: answers[c.ID]}, nil
		},
	}, &suite.Options{Thresholds: []suite.Threshold{
		must(suite.ParseThreshold("exact_match >= 0.6")),
		must(suite.ParseThreshold("exact_match >= 1 in kind=regression")),
	}}))
	for _, g := range report.Gates {
		fmt.Printf("%-38s %-5v %s\n", g.Name, g.Passed, g.Detail)
	}
	// Output:
	// errors <= 0                            true  the system failed on 0 of 3 cases
	// exact_match >= 0.6                     true  0.6667 over 3 cases
	// exact_match >= 1 in kind=regression    false 0 over 1 cases
}

// A run that was stopped continues with the same journal.
func ExampleReadJournal() {
	dir := must(os.MkdirTemp("", "eval"))
	defer os.RemoveAll(dir)
	journal := filepath.Join(dir, "run.jsonl")
	cases := []eval.Case{{ID: "a", Input: "1", References: []string{"1"}}, {ID: "b", Input: "2", References: []string{"2"}}}
	calls := 0
	run := func(ctx context.Context, stop func()) {
		_, _ = suite.Run(ctx, suite.Suite{
			Cases: each(cases), Metrics: []eval.Metric{must(eval.NewExactMatch(nil))},
			System: func(_ context.Context, c *eval.Case) (*eval.Output, error) {
				calls++
				return &eval.Output{Text: c.Input}, nil
			},
		}, &suite.Options{Journal: journal, Progress: func(suite.Progress) { stop() }})
	}
	ctx, cancel := context.WithCancel(context.Background())
	run(ctx, cancel)                     // stopped after the first case or the second
	run(context.Background(), func() {}) // the rest
	run(context.Background(), func() {}) // nothing is left
	finished := 0
	for range suite.ReadJournal(journal) {
		finished++
	}
	fmt.Println(calls == finished || calls == finished+1, finished)
	// Output:
	// true 2
}

func each(cases []eval.Case) iter.Seq2[*eval.Case, error] {
	return func(yield func(*eval.Case, error) bool) {
		for i := range cases {
			if !yield(&cases[i], nil) {
				return
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

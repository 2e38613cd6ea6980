package evaltest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/evaltest"
	"github.com/prodailabs/prodai/eval/suite"
)

// A suite as a test. In a _test file it is func TestTrivia(t *testing.T), and
// go test -run 'TestTrivia/bug-17' shows one case.
func ExampleRun() {
	testTrivia := func(t evaltest.TB) {
		evaltest.Run(t, trivia(map[string]string{"capital": "Paris", "bug-17": "5", "open": "Fine."}), &evaltest.Options{
			Run:  suite.Options{Thresholds: []suite.Threshold{{Metric: "exact_match", Value: 0.5}}},
			Each: []suite.Threshold{{Metric: "exact_match", Slice: "kind=regression", Value: 1}},
		})
	}
	t := &recorder{ctx: context.Background()}
	testTrivia(t)
	fmt.Println(strings.Join(t.errors, "\n"))
	// Output:
	// case bug-17: exact_match is 0; want exact_match >= 1 in kind=regression
	//    input: "2+2?"
	//      got: "5"
	//     want: ["4"]
}

// A metric as an assertion on one answer.
func ExampleCheck() {
	chrf, err := eval.NewChrF(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	t := &recorder{ctx: context.Background()}
	score := evaltest.Check(t, chrf, suite.Threshold{Value: 60}, "The cat sat on the mat.", "The cat sat.")
	fmt.Printf("%.1f, failures: %d\n", score, len(t.errors))
	// Output:
	// 75.4, failures: 0
}

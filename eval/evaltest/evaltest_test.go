package evaltest_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/evaltest"
	"github.com/prodailabs/prodai/eval/suite"
)

// recorder is a TB that records its calls.
type recorder struct {
	ctx          context.Context
	logs, errors []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Logf(f string, a ...any)  { r.logs = append(r.logs, fmt.Sprintf(f, a...)) }
func (r *recorder) Errorf(f string, a ...any) {
	r.errors = append(r.errors, fmt.Sprintf(f, a...))
}

func trivia(answers map[string]string) suite.Suite {
	exact, _ := eval.NewExactMatch(nil)
	cases := []eval.Case{
		{ID: "capital", Kind: eval.KindGolden, Input: "Capital of France?", References: []string{"Paris"}},
		{ID: "bug-17", Kind: eval.KindRegression, Input: "2+2?", References: []string{"4"}},
		{ID: "open", Kind: eval.KindEdge, Input: "How are you?"},
	}
	return suite.Suite{
		Name:    "trivia",
		Metrics: []eval.Metric{exact},
		Cases: iter.Seq2[*eval.Case, error](func(yield func(*eval.Case, error) bool) {
			for i := range cases {
				if !yield(&cases[i], nil) {
					return
				}
			}
		}),
		System: func(_ context.Context, c *eval.Case) (*eval.Output, error) {
			if a, ok := answers[c.ID]; ok {
				return &eval.Output{Text: a}, nil
			}
			return nil, fmt.Errorf("no answer for %s", c.ID)
		},
	}
}

func TestRunAsSubtests(t *testing.T) {
	report := evaltest.Run(t, trivia(map[string]string{"capital": "paris", "bug-17": "4", "open": "Fine."}), &evaltest.Options{
		Run:  suite.Options{Thresholds: []suite.Threshold{{Metric: "exact_match", Value: 1}}},
		Each: []suite.Threshold{{Metric: "exact_match", Value: 1}},
	})
	require.True(t, report.Passed())
	require.Equal(t, 1, report.Metrics[0].Skipped)
}

func TestRunNamesWhatFailed(t *testing.T) {
	r := &recorder{ctx: t.Context()}
	report := evaltest.Run(r, trivia(map[string]string{"capital": "Lyon", "bug-17": "5"}), &evaltest.Options{
		Run: suite.Options{Thresholds: []suite.Threshold{{Metric: "exact_match", Value: 0.5}}},
		Each: []suite.Threshold{
			{Metric: "exact_match", Slice: "kind=regression", Value: 1},
			{Metric: "nothing", Slice: "kind=golden", Value: 1},
		},
	})
	require.False(t, report.Passed())
	all := strings.Join(r.errors, "\n")
	require.Contains(t, all, "case bug-17: exact_match is 0; want exact_match >= 1 in kind=regression")
	require.NotContains(t, all, "case capital: exact_match", "it isn't in the slice")
	require.Contains(t, all, "no metric nothing")
	require.Contains(t, all, "case open: the system failed: no answer for open")
	require.Contains(t, all, "gate errors <= 0")
	require.Contains(t, all, "gate exact_match >= 0.5: 0 over 2 cases")

	r = &recorder{ctx: t.Context()}
	s := trivia(nil)
	s.Metrics = nil
	require.Nil(t, evaltest.Run(r, s, nil))
	require.Len(t, r.errors, 1)
}

func TestCheck(t *testing.T) {
	chrf, err := eval.NewChrF(nil)
	require.NoError(t, err)
	evaltest.Check(t, chrf, suite.Threshold{Value: 60}, "The cat sat on the mat.", "A cat sat on the mat.")

	r := &recorder{ctx: t.Context()}
	value := evaltest.Check(r, chrf, suite.Threshold{Value: 60}, "A dog.", "The cat sat.", "Cats sit.")
	require.Less(t, value, 60.0)
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "want chrF2 >= 60")
	evaltest.Check(r, chrf, suite.Threshold{}, "A dog.")
	require.Contains(t, r.errors[1], "no references")
	evaltest.Check(r, nil, suite.Threshold{}, "A dog.")
	require.Contains(t, r.errors[2], "the metric is nil")
}

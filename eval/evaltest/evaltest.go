package evaltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/suite"
)

// TB is what the package needs of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// A SubtestRunner is a [TB] that can run subtests, as a *testing.T can. [Run] then
// makes a subtest of every case, named by its id.
type SubtestRunner interface {
	Run(name string, f func(t *testing.T)) bool
}

// Options sets how a suite is run as a test; nil means the defaults.
type Options struct {
	// Run are the options of the run. Default: those of [suite.Options].
	Run suite.Options
	// Each are the thresholds that every single case has to meet, in addition to
	// those in Run for the whole corpus. A case in the threshold's slice fails its
	// subtest if its own value is out of bounds. A case that the metric was skipped
	// for fails none of them, and is logged. Default: none.
	Each []suite.Threshold
}

// Run runs the suite and reports every gate that fails, and every case that
// fails one of Options.Each, through t. It returns the report, which is nil if
// the suite couldn't be run.
func Run(t TB, s suite.Suite, o *Options) *suite.Report {
	t.Helper()
	var opts Options
	if o != nil {
		opts = *o
	}
	report, err := suite.Run(t.Context(), s, &opts.Run)
	if err != nil {
		t.Errorf("evaltest: %v", err)
		return report
	}
	for _, m := range report.Metrics {
		t.Logf("%s, n = %d, skipped %d, failed %d", m.Score, m.Signature.N, m.Skipped, m.Failed)
	}
	for rec, err := range report.Records() {
		if err != nil {
			t.Errorf("evaltest: %v", err)
			break
		}
		each(t, rec, s.Metrics, &opts)
	}
	for _, g := range report.Gates {
		if !g.Passed {
			t.Errorf("gate %s: %s", g.Name, g.Detail)
		}
	}
	return report
}

// each compares one case with the thresholds for single cases.
func each(t TB, rec *suite.Record, metrics []eval.Metric, o *Options) {
	t.Helper()
	check := func(t TB) {
		t.Helper()
		if rec.Error != "" {
			if o.Run.AllowErrors == 0 {
				t.Errorf("case %s: the system failed: %s", rec.Case.ID, withStack(rec.Error, rec.Stack))
			} else {
				t.Logf("case %s: the system failed: %s", rec.Case.ID, withStack(rec.Error, rec.Stack))
			}
			return
		}
		for _, th := range o.Each {
			if th.Slice != "" && !slices.Contains(rec.Slices, th.Slice) {
				continue
			}
			res, err := pick(rec, metrics, th.Metric)
			switch {
			case err != nil:
				t.Errorf("evaltest: %v", err)
			case res.Skipped != "":
				t.Logf("case %s: %s was skipped: %s", rec.Case.ID, th.Metric, res.Skipped)
			case res.Failed != "":
				t.Errorf("case %s: %s failed: %s", rec.Case.ID, th.Metric, withStack(res.Failed, res.Stack))
			case !th.Met(res.Value):
				t.Errorf("case %s: %s is %.4g; want %s\n   input: %.200q\n     got: %.200q\n    want: %.200q",
					rec.Case.ID, th.Metric, res.Value, th, rec.Case.Input, rec.Output.Text, rec.Case.References)
			}
		}
	}
	if r, ok := t.(SubtestRunner); ok {
		r.Run(rec.Case.ID, func(t *testing.T) { check(t) })
		return
	}
	check(t)
}

func withStack(message, stack string) string {
	if stack == "" {
		return message
	}
	return message + "\n" + stack
}

// pick returns the record's result of the metric with this name.
func pick(rec *suite.Record, metrics []eval.Metric, name string) (*suite.Result, error) {
	var found *suite.Result
	for i, m := range metrics {
		sig := m.Signature()
		if sig.Name() == name {
			return &rec.Results[i], nil
		}
		if sig.Metric == name {
			if found != nil {
				return nil, fmt.Errorf("Options.Each: several metrics are called %s: want a name in full, such as %s", name, sig.Name())
			}
			found = &rec.Results[i]
		}
	}
	if found == nil {
		return nil, fmt.Errorf("Options.Each: the suite has no metric %s", name)
	}
	return found, nil
}

// Check asserts that one output scores within the threshold against its
// references: a metric as a one-line assertion.
//
//	evaltest.Check(t, chrf, suite.Threshold{Value: 60}, answer, "The cat sat.")
//
// The threshold's Metric and Slice are not used. It returns the score.
func Check(t TB, m eval.Metric, bound suite.Threshold, output string, references ...string) float64 {
	t.Helper()
	if m == nil {
		t.Errorf("evaltest: the metric is nil")
		return 0
	}
	sum := make([]float64, m.Width())
	err := m.Stats(t.Context(), &eval.Case{References: references}, &eval.Output{Text: output}, sum)
	if err != nil {
		t.Errorf("%s: %v", m.Signature().Metric, err)
		return 0
	}
	value := m.Value(sum)
	if !bound.Met(value) {
		bound.Metric = m.Signature().Metric
		t.Errorf("got %.4g; want %s\n     got: %.200q\n    want: %s", value, bound, output, strings.Join(references, "\n      or: "))
	}
	return value
}

package suite

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

func recordsOf(t *testing.T, r *Report) map[string]*Record {
	t.Helper()
	out := map[string]*Record{}
	for rec, err := range r.Records() {
		require.NoError(t, err)
		out[rec.Case.ID] = rec
	}
	return out
}

func brokenSystem(ctx context.Context, c *eval.Case) (*eval.Output, error) {
	switch c.ID {
	case "c3":
		var calls map[string]int
		calls[c.ID]++ //nolint:staticcheck // a panic of the Go runtime
	case "c5":
		panic(errors.New("boom"))
	case "c7":
		runtime.Goexit() // as t.FailNow does
	}
	return squarer(ctx, c)
}

// TestAPanickingSystemFailsItsCase: with a journal and without, and when the run is
// resumed.
func TestAPanickingSystemFailsItsCase(t *testing.T) {
	for _, journal := range []string{"", filepath.Join(t.TempDir(), "j")} {
		for _, concurrency := range []int{1, 4} {
			report, err := Run(t.Context(), Suite{Cases: numbered(20), System: brokenSystem, Metrics: testMetrics(t)}, &Options{Journal: journal, Concurrency: concurrency})
			require.NoError(t, err)
			require.Equal(t, 20, report.Cases)
			require.Equal(t, 3, report.Errors)
			require.False(t, report.Passed())
			records := recordsOf(t, report)
			require.Equal(t, "panic: assignment to entry in nil map", trimmed(records["c3"].Error))
			require.Contains(t, records["c3"].Stack, "suite.brokenSystem")
			require.Equal(t, "panic: boom", trimmed(records["c5"].Error))
			require.Contains(t, records["c5"].Stack, "isolate_test.go")
			require.Contains(t, records["c7"].Error, "FailNow")
			require.Empty(t, records["c1"].Error)
			em, _ := report.Metric("exact_match")
			require.Equal(t, 17, em.Signature.N)
		}
	}
}

func trimmed(message string) string { return strings.TrimPrefix(message, "eval: ") }

// failing is a metric that panics, exits or fails on cases.
type failing struct {
	eval.Metric
	end func(id string)
}

func (m failing) Signature() eval.Signature { return eval.Signature{Metric: "failing"} }

func (m failing) Stats(ctx context.Context, c *eval.Case, o *eval.Output, dst []float64) error {
	m.end(c.ID)
	return m.Metric.Stats(ctx, c, o, dst)
}

func TestAPanickingMetricFailsItsCase(t *testing.T) {
	metrics := testMetrics(t)
	broken := failing{metrics[0], func(id string) {
		switch id {
		case "c3":
			panic("boom")
		case "c4":
			runtime.Goexit()
		}
	}}
	report, err := Run(t.Context(), Suite{Cases: numbered(20), System: squarer, Metrics: []eval.Metric{metrics[1], broken, metrics[2]}},
		&Options{Thresholds: []Threshold{{Metric: "failing", Value: 0}, {Metric: "chrF2", Value: 0}}, Concurrency: 2})
	require.NoError(t, err)
	require.Zero(t, report.Errors)
	require.Equal(t, 2, report.Metrics[1].Failed)
	require.Equal(t, 18, report.Metrics[1].Signature.N)
	require.Equal(t, 20, report.Metrics[2].Signature.N, "the metrics after it are measured")
	require.False(t, report.Passed())
	res := recordsOf(t, report)["c3"].Results[1]
	require.Equal(t, "panic: boom", trimmed(res.Failed))
	require.Contains(t, res.Stack, "isolate_test.go")
	require.Contains(t, recordsOf(t, report)["c4"].Results[1].Failed, "FailNow")
}

// badSum panics on the sum of more than one case.
type badSum struct{ eval.Metric }

func (m badSum) Value(sum []float64) float64 {
	if sum[1] > 1 {
		panic("boom")
	}
	return m.Metric.Value(sum)
}

// TestOtherPanicsStopTheRun: the run ends with an error on the caller's goroutine,
// and no goroutine is left.
func TestOtherPanicsStopTheRun(t *testing.T) {
	good := Suite{Cases: numbered(50), System: squarer, Metrics: testMetrics(t)[:1]}
	for name, test := range map[string]struct {
		change func(*Suite)
		o      Options
	}{
		"Suite.Cases": {func(s *Suite) {
			s.Cases = func(yield func(*eval.Case, error) bool) {
				yield(&eval.Case{ID: "a"}, nil)
				panic("boom")
			}
		}, Options{}},
		"Options.Slices":   {nil, Options{Slices: func(*eval.Case) []string { panic("boom") }}},
		"Options.Wait":     {nil, Options{Wait: func(context.Context) error { panic("boom") }}},
		"Options.Progress": {nil, Options{Progress: func(Progress) { panic("boom") }}},
		"Value":            {func(s *Suite) { s.Metrics = []eval.Metric{badSum{s.Metrics[0]}} }, Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
				s := good
				if test.change != nil {
					test.change(&s)
				}
				test.o.Concurrency = 3
				_, err := Run(t.Context(), s, &test.o)
				var p *eval.PanicError
				require.ErrorAs(t, err, &p)
				require.Equal(t, "boom", p.Value)
				require.Contains(t, p.Stack, "isolate_test.go")
				require.ErrorContains(t, err, name)
			})
		})
	}
}

// TestASystemThatNeverReturnsIsAbandoned: one call that hangs must not stop the
// run.
func TestASystemThatNeverReturnsIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var hung atomic.Int64
		system := func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
			switch c.ID {
			case "c5":
				hung.Add(1)
				<-release // ignores its context
			case "c6":
				<-ctx.Done()
				return nil, errors.New("gave up in time")
			}
			return squarer(ctx, c)
		}
		start := time.Now()
		report, err := Run(t.Context(), Suite{Cases: numbered(20), System: system, Metrics: testMetrics(t)}, &Options{Timeout: 10 * time.Second, Concurrency: 2})
		require.NoError(t, err)
		require.Equal(t, 20, report.Cases)
		require.Equal(t, 2, report.Errors)
		require.Less(t, time.Since(start), 25*time.Second)
		records := recordsOf(t, report)
		require.Contains(t, records["c5"].Error, "did not return")
		require.Equal(t, "gave up in time", records["c6"].Error)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start = time.Now()
		_, err = Run(ctx, Suite{Cases: numbered(20), System: system, Metrics: testMetrics(t)}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 2*time.Minute)
		require.EqualValues(t, 2, hung.Load())
		close(release)
	})
}

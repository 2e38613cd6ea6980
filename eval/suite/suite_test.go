package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

// numbered yields n cases that ask for a number's square.
func numbered(n int) iter.Seq2[*eval.Case, error] {
	return func(yield func(*eval.Case, error) bool) {
		for i := range n {
			kind := eval.KindGolden
			if i%5 == 4 {
				kind = eval.KindEdge
			}
			c := &eval.Case{ID: fmt.Sprint("c", i), Kind: kind, Input: fmt.Sprint(i), References: []string{fmt.Sprint(i * i)}, Tags: map[string]string{"parity": []string{"even", "odd"}[i%2]}}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// squarer answers right except for multiples of 3, and fails on multiples of 50.
func squarer(_ context.Context, c *eval.Case) (*eval.Output, error) {
	var i int
	fmt.Sscan(c.Input, &i)
	switch {
	case i%50 == 49:
		return nil, errors.New("overloaded")
	case i%3 == 0:
		return &eval.Output{Text: "it is " + c.References[0] + "?"}, nil
	}
	return &eval.Output{Text: c.References[0]}, nil
}

func testMetrics(t testing.TB) []eval.Metric {
	em, err := eval.NewExactMatch(nil)
	require.NoError(t, err)
	f1, err := eval.NewTokenF1(nil)
	require.NoError(t, err)
	chrf, err := eval.NewChrF(nil)
	require.NoError(t, err)
	bleu, err := eval.NewBLEU(&eval.BLEUOptions{EffectiveOrder: true})
	require.NoError(t, err)
	ndcg, err := eval.NewRetrieval("ndcg@10", nil)
	require.NoError(t, err)
	return []eval.Metric{em, f1, chrf, bleu, ndcg}
}

func TestRunReportsScoresSlicesAndGates(t *testing.T) {
	var calls int
	report, err := Run(t.Context(), Suite{Name: "squares", Cases: numbered(60), System: squarer, Metrics: testMetrics(t)}, &Options{
		AllowErrors: 1,
		Thresholds: []Threshold{
			{Metric: "exact_match", Value: 0.6},
			{Metric: "exact_match", Value: 0.9},
			{Metric: "exact_match", Slice: "kind=edge", Value: 0.5},
			{Metric: "ndcg@10", Value: 0},
			{Metric: "chrF2", Slice: "kind=adversarial", Value: 0},
		},
		Progress: func(Progress) { calls++ },
	})
	require.NoError(t, err)
	require.Equal(t, 60, calls)
	require.Equal(t, 60, report.Cases)
	require.Equal(t, 1, report.Errors)

	em, ok := report.Metric("exact_match")
	require.True(t, ok)
	require.Equal(t, 59, em.Signature.N)
	require.InDelta(t, 39.0/59, em.Value, 1e-12)
	var names []string
	for _, s := range em.Slices {
		names = append(names, s.Slice)
	}
	require.Equal(t, []string{"kind=edge", "kind=golden", "parity=even", "parity=odd"}, names)

	ndcg, _ := report.Metric("ndcg@10")
	require.Equal(t, 59, ndcg.Skipped)
	require.Zero(t, ndcg.Signature.N)

	var passed []bool
	for _, g := range report.Gates {
		passed = append(passed, g.Passed)
	}
	require.Equal(t, []bool{true, true, false, true, false, false}, passed,
		"a skipped metric and an empty slice must not pass: %+v", report.Gates)
	require.False(t, report.Passed())
}

func TestRunDoesNotDependOnConcurrency(t *testing.T) {
	values := func(concurrency int) (out []float64) {
		report, err := Run(t.Context(), Suite{Cases: numbered(300), System: squarer, Metrics: testMetrics(t)}, &Options{Concurrency: concurrency})
		require.NoError(t, err)
		for _, m := range report.Metrics {
			out = append(out, m.Value)
			for _, s := range m.Slices {
				out = append(out, s.Value)
			}
		}
		return out
	}
	want := values(1)
	for _, c := range []int{2, 7, 32} {
		require.Equal(t, want, values(c), "not one bit may differ")
	}
}

// TestConcurrencyBoundsTheSystem: as many calls at once as the option says, and
// never more.
func TestConcurrencyBoundsTheSystem(t *testing.T) {
	for _, concurrency := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			var inside, most atomic.Int64
			system := func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
				n := inside.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(time.Second)
				inside.Add(-1)
				return squarer(ctx, c)
			}
			_, err := Run(t.Context(), Suite{Cases: numbered(12), System: system, Metrics: testMetrics(t)}, &Options{Concurrency: concurrency})
			require.NoError(t, err)
			require.EqualValues(t, max(1, concurrency), most.Load())
		})
	}
}

func TestRunHoldsConstantMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var at1000, at10000 uint64
	report, err := Run(t.Context(), Suite{Cases: numbered(10_000), System: squarer, Metrics: testMetrics(t)}, &Options{
		Journal: filepath.Join(t.TempDir(), "run.jsonl"), Concurrency: 2,
		Progress: func(p Progress) {
			switch p.Done {
			case 1000:
				at1000 = heap()
			case 10_000:
				at10000 = heap()
			}
		},
	})
	require.NoError(t, err)
	require.Equal(t, 10_000, report.Cases)
	t.Logf("heap above the start: %d kB at 1,000 cases, %d kB at 10,000", (int64(at1000)-int64(before))/1024, (int64(at10000)-int64(before))/1024)
	require.Less(t, int64(at10000)-int64(at1000), int64(1<<20), "ten times the cases must not take more memory")
}

func TestRunStopsOnBadCasesAndOptions(t *testing.T) {
	metrics := testMetrics(t)
	_, err := Run(t.Context(), Suite{Cases: numbered(1), System: squarer}, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Run(t.Context(), Suite{Cases: numbered(1), System: squarer, Metrics: []eval.Metric{metrics[0], metrics[0]}}, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Run(t.Context(), Suite{Cases: numbered(1), System: squarer, Metrics: metrics}, &Options{Thresholds: []Threshold{{Metric: "BLUE"}}})
	require.ErrorIs(t, err, ErrOption)

	broken := errors.New("line 3 is broken")
	report, err := Run(t.Context(), Suite{Metrics: metrics, System: squarer, Cases: func(yield func(*eval.Case, error) bool) {
		_ = yield(&eval.Case{ID: "a", References: []string{"x"}}, nil) && yield(nil, broken)
	}}, &Options{Concurrency: 2})
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, report.Cases)

	nan, err := eval.NewMean(eval.Signature{Metric: "nan"}, func(context.Context, *eval.Case, *eval.Output) (float64, error) { return math.NaN(), nil })
	require.NoError(t, err)
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: squarer, Metrics: []eval.Metric{nan}}, &Options{Thresholds: []Threshold{{Metric: "nan", Value: -1}}})
	require.NoError(t, err)
	require.Equal(t, 3, report.Metrics[0].Failed)
	require.False(t, report.Passed())

	// Each value is finite, their sum isn't: no gate may pass on it.
	huge, err := eval.NewMean(eval.Signature{Metric: "huge", LowerIsBetter: true}, func(context.Context, *eval.Case, *eval.Output) (float64, error) { return math.MaxFloat64, nil })
	require.NoError(t, err)
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: squarer, Metrics: []eval.Metric{huge}}, &Options{Thresholds: []Threshold{{Metric: "huge", Value: 1, AtMost: true}}})
	require.NoError(t, err)
	require.Equal(t, 3, report.Metrics[0].Failed)
	require.False(t, report.Passed())

	var records []*Record
	for rec, err := range report.Records() {
		require.NoError(t, err)
		records = append(records, rec)
	}
	compared, err := report.Compare(&Baseline{Records: func(yield func(*Record, error) bool) {
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	}})
	require.NoError(t, err)
	require.Zero(t, compared[0].N)
	require.False(t, compared[0].Significant)

	endless := func(context.Context, *eval.Case) (*eval.Output, error) {
		return &eval.Output{LogProbs: []float64{math.Inf(-1)}}, nil
	}
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: endless, Metrics: metrics}, &Options{Journal: filepath.Join(t.TempDir(), "j")})
	require.NoError(t, err)
	require.Equal(t, 3, report.Errors, "an output that can't be stored is an error of the system, not of the run")

	silent := func(context.Context, *eval.Case) (*eval.Output, error) { return nil, nil }
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: silent, Metrics: metrics}, nil)
	require.NoError(t, err)
	require.Equal(t, 3, report.Errors)
	require.False(t, report.Passed())
}

// TestNilAndBadOptions: what is nil or out of range stops a run before it asks
// the system.
func TestNilAndBadOptions(t *testing.T) {
	good := Suite{Cases: numbered(1), Metrics: testMetrics(t), System: func(context.Context, *eval.Case) (*eval.Output, error) {
		t.Error("the system was asked")
		return nil, errors.New("asked")
	}}
	with := func(change func(*Suite)) Suite { s := good; change(&s); return s }
	nothing := func(func(*Record, error) bool) {}
	for field, test := range map[string]struct {
		s Suite
		o *Options
	}{
		"Suite.Cases":         {with(func(s *Suite) { s.Cases = nil }), nil},
		"Suite.System":        {with(func(s *Suite) { s.System = nil }), nil},
		"Suite.Metrics ":      {with(func(s *Suite) { s.Metrics = nil }), nil},
		"Suite.Metrics[1]":    {with(func(s *Suite) { s.Metrics = []eval.Metric{s.Metrics[0], nil} }), nil},
		"Suite.Metrics has":   {with(func(s *Suite) { s.Metrics = []eval.Metric{s.Metrics[0], s.Metrics[0]} }), nil},
		"Options.Concurrency": {good, &Options{Concurrency: -1}},
		"Options.AllowErrors": {good, &Options{AllowErrors: -1}},
		"Options.Timeout":     {good, &Options{Timeout: -1}},
		"Threshold.Value":     {good, &Options{Thresholds: []Threshold{{Metric: "exact_match", Value: math.NaN()}}}},
		"BLUE":                {good, &Options{Thresholds: []Threshold{{Metric: "BLUE"}}}},
		"Baseline.Records":    {good, &Options{Baseline: &Baseline{}}},
		"Baseline.Alpha":      {good, &Options{Baseline: &Baseline{Records: nothing, Alpha: 2}}},
	} {
		_, err := Run(t.Context(), test.s, test.o)
		require.ErrorIs(t, err, ErrOption, field)
		require.ErrorContains(t, err, field)
	}
	_, err := (&Report{}).Compare(nil)
	require.ErrorIs(t, err, ErrOption)
	require.Empty(t, DefaultSlices(nil))
	ProgressBar(nil, 1)(Progress{Done: 1})

	noCase := func(yield func(*eval.Case, error) bool) { yield(nil, nil) }
	_, err = Run(t.Context(), with(func(s *Suite) { s.Cases = noCase }), nil)
	require.ErrorIs(t, err, eval.ErrCase)
	_, err = (&Report{}).Compare(&Baseline{Records: func(yield func(*Record, error) bool) { yield(&Record{}, nil) }})
	require.ErrorIs(t, err, ErrJournal)
}

// TestNoEvidenceDoesNotPass: a run in which nothing was measured has a failed gate
// with the reason, also without thresholds.
func TestNoEvidenceDoesNotPass(t *testing.T) {
	constant := func(name string, value float64, err error) eval.Metric {
		m, e := eval.NewMean(eval.Signature{Metric: name}, func(context.Context, *eval.Case, *eval.Output) (float64, error) { return value, err })
		require.NoError(t, e)
		return m
	}
	exact := testMetrics(t)[0]
	broken := errors.New("broken")
	down := func(context.Context, *eval.Case) (*eval.Output, error) { return nil, broken }
	for name, test := range map[string]struct {
		cases   int
		system  System
		metrics []eval.Metric
		gates   map[string]string // that failed, with a part of the detail
	}{
		"no cases":                 {0, squarer, []eval.Metric{exact}, map[string]string{"a case is scored": "no cases"}},
		"every case an error":      {3, down, []eval.Metric{exact}, map[string]string{"a case is scored": "any of 3 cases"}},
		"a metric fails":           {3, squarer, []eval.Metric{exact, constant("bad", 0, broken)}, map[string]string{"bad is measured": "0 skipped, 3 failed"}},
		"a metric is NaN":          {3, squarer, []eval.Metric{exact, constant("nan", math.NaN(), nil)}, map[string]string{"nan is measured": "0 skipped, 3 failed"}},
		"the only metric fails":    {3, squarer, []eval.Metric{constant("bad", 0, broken)}, map[string]string{"a case is scored": "any of 3 cases", "bad is measured": "3 failed"}},
		"the only metric skips":    {3, squarer, testMetrics(t)[4:], map[string]string{"a case is scored": "any of 3 cases"}},
		"one skips, one is scored": {3, squarer, testMetrics(t)[3:], nil},
	} {
		report, err := Run(t.Context(), Suite{Cases: numbered(test.cases), System: test.system, Metrics: test.metrics}, &Options{AllowErrors: 3})
		require.NoError(t, err, name)
		require.Equal(t, test.gates == nil, report.Passed(), name)
		failed := map[string]string{}
		for _, g := range report.Gates {
			if !g.Passed {
				failed[g.Name] = g.Detail
			}
		}
		require.Len(t, failed, len(test.gates), "%s: %v", name, failed)
		for gate, detail := range test.gates {
			require.Contains(t, failed[gate], detail, name)
		}
	}
	require.False(t, (&Report{}).Passed(), "a run that wasn't judged")
}

// TestReportsNameWhatTheyLeftOut: JSON uses the same word as the Go field.
func TestReportsNameWhatTheyLeftOut(t *testing.T) {
	text, err := json.Marshal(&Report{SlicesOmitted: 3, Gates: []Gate{{Compared: &Comparison{Omitted: 2}}}})
	require.NoError(t, err)
	require.Contains(t, string(text), `"slices_omitted":3`)
	require.Contains(t, string(text), `"omitted":2`)
}

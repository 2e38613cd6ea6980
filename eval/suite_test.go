package eval

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// numbered yields n cases that ask for a number's square.
func numbered(n int) iter.Seq2[*Case, error] {
	return func(yield func(*Case, error) bool) {
		for i := range n {
			kind := Golden
			if i%5 == 4 {
				kind = Edge
			}
			c := &Case{ID: fmt.Sprint("c", i), Kind: kind, Input: fmt.Sprint(i), References: []string{fmt.Sprint(i * i)}, Tags: map[string]string{"parity": []string{"even", "odd"}[i%2]}}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// squarer answers right but for multiples of 3, and fails on multiples of 50.
func squarer(_ context.Context, c *Case) (*Output, error) {
	var i int
	fmt.Sscan(c.Input, &i)
	switch {
	case i%50 == 49:
		return nil, errors.New("overloaded")
	case i%3 == 0:
		return &Output{Text: "it is " + c.References[0] + "?"}, nil
	}
	return &Output{Text: c.References[0]}, nil
}

func testMetrics(t testing.TB) []Metric {
	em, err := NewExactMatch(nil)
	require.NoError(t, err)
	f1, err := NewTokenF1(nil)
	require.NoError(t, err)
	chrf, err := NewChrF(nil)
	require.NoError(t, err)
	bleu, err := NewBLEU(&BLEUOptions{EffectiveOrder: true})
	require.NoError(t, err)
	ndcg, err := NewRetrieval("ndcg@10", nil)
	require.NoError(t, err)
	return []Metric{em, f1, chrf, bleu, ndcg}
}

func TestRunReportsScoresSlicesAndGates(t *testing.T) {
	var calls int
	report, err := Run(t.Context(), Suite{Name: "squares", Cases: numbered(60), System: squarer, Metrics: testMetrics(t)}, &RunOptions{
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
		report, err := Run(t.Context(), Suite{Cases: numbered(300), System: squarer, Metrics: testMetrics(t)}, &RunOptions{Concurrency: concurrency})
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

func TestRunResumesFromItsJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	suite := Suite{Name: "squares", Version: "v1", Cases: numbered(100), Metrics: testMetrics(t)}
	var ran atomic.Int64
	suite.System = func(ctx context.Context, c *Case) (*Output, error) {
		ran.Add(1)
		return squarer(ctx, c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	partial, err := Run(ctx, suite, &RunOptions{Journal: path, Concurrency: 4, Progress: func(p Progress) {
		if p.Done == 40 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, partial.Cases, 40)
	require.Less(t, partial.Cases, 100)

	ran.Store(0)
	report, err := Run(t.Context(), suite, &RunOptions{Journal: path, Concurrency: 4})
	require.NoError(t, err)
	require.EqualValues(t, 100-partial.Cases, ran.Load())
	fresh, err := Run(t.Context(), suite, nil)
	require.NoError(t, err)
	for i := range fresh.Metrics {
		require.Equal(t, fresh.Metrics[i], report.Metrics[i])
	}

	ran.Store(0)
	report, err = Run(t.Context(), suite, &RunOptions{Journal: path, RetryErrors: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, ran.Load(), "only the two failed cases run again")
	require.Equal(t, 100, report.Cases)

	for name, change := range map[string]func(*Suite){
		"another dataset version": func(s *Suite) { s.Version = "v2" },
		"other metrics":           func(s *Suite) { s.Metrics = s.Metrics[:3] },
		"other cases":             func(s *Suite) { s.Cases = numbered(99) },
		"changed cases": func(s *Suite) {
			s.Cases = func(yield func(*Case, error) bool) {
				for c := range numbered(100) {
					c.Input += "!"
					if !yield(c, nil) {
						return
					}
				}
			}
		},
	} {
		other := suite
		change(&other)
		_, err := Run(t.Context(), other, &RunOptions{Journal: path})
		require.ErrorIs(t, err, ErrJournal, name)
	}
}

func TestJournalSurvivesAnyCut(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.jsonl")
	suite := Suite{Cases: numbered(12), System: squarer, Metrics: testMetrics(t)[:1]}
	want, err := Run(t.Context(), suite, &RunOptions{Journal: path})
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := 0; cut <= len(whole); cut += 7 {
		file := filepath.Join(dir, fmt.Sprint(cut))
		require.NoError(t, os.WriteFile(file, whole[:cut], 0o644))
		finished := max(0, strings.Count(string(whole[:cut]), "\n")-1)
		ran := 0
		s := suite
		s.System = func(ctx context.Context, c *Case) (*Output, error) { ran++; return squarer(ctx, c) }
		got, err := Run(t.Context(), s, &RunOptions{Journal: file})
		require.NoError(t, err, "cut at %d", cut)
		require.Equal(t, 12-finished, ran, "cut at %d", cut)
		require.Equal(t, want.Metrics, got.Metrics)
	}
	damaged := strings.Replace(string(whole), `"index":3`, `"index":x`, 1)
	require.NoError(t, os.WriteFile(path, []byte(damaged), 0o644))
	_, err = Run(t.Context(), suite, &RunOptions{Journal: path})
	require.ErrorIs(t, err, ErrJournal)
}

// TestKilledRunLosesAndRepeatsNothing kills a child process at many points and
// starts it again until the suite is done. The child writes a line for every
// case that the run told it was finished; none of those may run again.
func TestKilledRunLosesAndRepeatsNothing(t *testing.T) {
	const cases = 200
	if log := os.Getenv("EVAL_KILLED_RUN"); log != "" {
		killedRun(t, log, cases)
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	log := filepath.Join(t.TempDir(), "log")
	rng := rand.New(rand.NewPCG(7, 7))
	kills := 0
	for {
		cmd := exec.Command(exe, "-test.run=^TestKilledRunLosesAndRepeatsNothing$")
		cmd.Env = append(os.Environ(), "EVAL_KILLED_RUN="+log)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines, after := bufio.NewScanner(stdout), 1+rng.IntN(25)
		_, err = stdin.Write(make([]byte, after)) // leave for so many cases; the pipe holds them
		require.NoError(t, err)
		done := false
		for after > 0 && lines.Scan() {
			after--
			done = done || lines.Text() == "all done"
		}
		for start, d := time.Now(), time.Duration(rng.IntN(400))*time.Microsecond; time.Since(start) < d; { // into the middle of what comes next
		}
		_ = cmd.Process.Kill() // SIGKILL: no handler runs; it fails if the child is done
		_ = cmd.Wait()
		if done {
			break
		}
		kills++
		require.Less(t, kills, 500)
	}
	require.Greater(t, kills, 5, "the child has to be killed for the test to mean something")

	data, err := os.ReadFile(log + ".calls")
	require.NoError(t, err)
	acknowledged := map[string]bool{}
	calls := 0
	for line := range strings.Lines(string(data)) {
		what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch what {
		case "call":
			calls++
			require.False(t, acknowledged[id], "%s was finished and ran again", id)
		case "done":
			require.False(t, acknowledged[id], "%s finished twice", id)
			acknowledged[id] = true
		}
	}
	seen := map[int]bool{}
	for rec, err := range ReadJournal(log) {
		require.NoError(t, err)
		require.False(t, seen[rec.Index], "case %d is in the journal twice", rec.Index)
		seen[rec.Index] = true
	}
	require.Len(t, seen, cases)
	t.Logf("killed %d times, %d calls for %d cases", kills, calls, cases)
}

func killedRun(t *testing.T, log string, cases int) {
	calls, err := os.OpenFile(log+".calls", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	suite := Suite{Cases: numbered(cases), Metrics: testMetrics(t), System: func(ctx context.Context, c *Case) (*Output, error) {
		fmt.Fprintf(calls, "call %s\n", c.ID)
		return squarer(ctx, c)
	}}
	_, err = Run(t.Context(), suite, &RunOptions{Journal: log, Concurrency: 3, Progress: func(p Progress) {
		fmt.Fprintf(calls, "done %s\n", p.Record.Case.ID)
		fmt.Println("tick")
		_, _ = os.Stdin.Read(make([]byte, 1)) // wait for leave
	}})
	require.NoError(t, err)
	fmt.Println("all done")
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
	report, err := Run(t.Context(), Suite{Cases: numbered(10_000), System: squarer, Metrics: testMetrics(t)}, &RunOptions{
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
	_, err = Run(t.Context(), Suite{Cases: numbered(1), System: squarer, Metrics: []Metric{metrics[0], metrics[0]}}, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Run(t.Context(), Suite{Cases: numbered(1), System: squarer, Metrics: metrics}, &RunOptions{Thresholds: []Threshold{{Metric: "BLUE"}}})
	require.ErrorIs(t, err, ErrOption)

	broken := errors.New("line 3 is broken")
	report, err := Run(t.Context(), Suite{Metrics: metrics, System: squarer, Cases: func(yield func(*Case, error) bool) {
		_ = yield(&Case{ID: "a", References: []string{"x"}}, nil) && yield(nil, broken)
	}}, &RunOptions{Concurrency: 2})
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, report.Cases)

	nan, err := NewMean(Signature{Metric: "nan"}, func(context.Context, *Case, *Output) (float64, error) { return math.NaN(), nil })
	require.NoError(t, err)
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: squarer, Metrics: []Metric{nan}}, &RunOptions{Thresholds: []Threshold{{Metric: "nan", Value: -1}}})
	require.NoError(t, err)
	require.Equal(t, 3, report.Metrics[0].Failed)
	require.False(t, report.Passed())

	endless := func(context.Context, *Case) (*Output, error) { return &Output{LogProbs: []float64{math.Inf(-1)}}, nil }
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: endless, Metrics: metrics}, &RunOptions{Journal: filepath.Join(t.TempDir(), "j")})
	require.NoError(t, err)
	require.Equal(t, 3, report.Errors, "an output that can't be stored is an error of the system, not of the run")

	silent := func(context.Context, *Case) (*Output, error) { return nil, nil }
	report, err = Run(t.Context(), Suite{Cases: numbered(3), System: silent, Metrics: metrics}, nil)
	require.NoError(t, err)
	require.Equal(t, 3, report.Errors)
	require.False(t, report.Passed())
}

func TestBaselineComparison(t *testing.T) {
	run := func(system System, base *Report, n int) *Report {
		o := &RunOptions{AllowErrors: n}
		if base != nil {
			o.Baseline = &Baseline{Records: base.Records()}
		}
		report, err := Run(t.Context(), Suite{Cases: numbered(n), System: system, Metrics: testMetrics(t)[:3]}, o)
		require.NoError(t, err)
		return report
	}
	base := run(squarer, nil, 200)
	require.True(t, base.Passed())
	same := run(squarer, base, 200)
	for rec := range base.Records() {
		require.True(t, rec.Error != "" || rec.Output != nil, "comparing must leave the baseline as it was")
	}
	require.True(t, same.Passed())
	for _, g := range same.Gates[1:] {
		require.Equal(t, 1.0, g.Compared.P)
	}
	worse := run(func(ctx context.Context, c *Case) (*Output, error) {
		out, err := squarer(ctx, c)
		if err == nil && len(c.Input)%2 == 0 && !strings.HasSuffix(c.Input, "7") {
			out.Text = "no idea"
		}
		return out, err
	}, base, 250)
	require.False(t, worse.Passed())
	c := worse.Gates[1].Compared
	require.True(t, c.Worse && c.Significant)
	require.Less(t, c.P, 0.001)
	require.Equal(t, 196, c.N, "4 of the 200 cases that both know failed")
	better := run(func(_ context.Context, c *Case) (*Output, error) { return &Output{Text: c.References[0]}, nil }, base, 200)
	require.True(t, better.Passed(), "%+v", better.Gates)
	require.True(t, better.Gates[1].Compared.Significant)
}

func TestParseThreshold(t *testing.T) {
	for s, want := range map[string]Threshold{
		"BLEU >= 30":                              {Metric: "BLEU", Value: 30},
		"TER<=60.5":                               {Metric: "TER", Most: true, Value: 60.5},
		"exact_match >= 1 in kind=regression":     {Metric: "exact_match", Value: 1, Slice: "kind=regression"},
		"BLEU|case:lc|eff:no|tok:13a >= 1e1 in x": {Metric: "BLEU|case:lc|eff:no|tok:13a", Value: 10, Slice: "x"},
	} {
		got, err := ParseThreshold(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got)
		again, err := ParseThreshold(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, bad := range []string{"", "BLEU", "BLEU > 3", ">= 3", "BLEU >= x", "BLEU >= NaN", "BLEU >= Inf"} {
		_, err := ParseThreshold(bad)
		require.ErrorIs(t, err, ErrOption, bad)
	}
}

func TestSumsAreExactInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	xs := []float64{1e100, 1, -1e100, 1e-30, math.MaxFloat64 / 4, -math.MaxFloat64 / 4}
	for range 500 {
		xs = append(xs, (rng.Float64()-0.5)*math.Pow(10, float64(rng.IntN(40)-20)))
	}
	sum := func() float64 {
		s := make(sums, 1)
		for _, x := range xs {
			s.add([]float64{x})
		}
		return s.totals()[0]
	}
	want := sum()
	for range 50 {
		rng.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		require.Equal(t, want, sum())
	}
	s := make(sums, 1)
	for range 10 {
		s.add([]float64{0.1})
	}
	require.Equal(t, 1.0, s.totals()[0])
	require.True(t, slices.Equal([]float64{0, 0}, make(sums, 2).totals()))
}

func TestProgressBar(t *testing.T) {
	var b strings.Builder
	bar := ProgressBar(&b, 4)
	bar(Progress{Done: 1, Elapsed: time.Second})
	bar(Progress{Done: 2, Elapsed: time.Second + time.Millisecond}) // too soon
	bar(Progress{Done: 3, Errors: 1, Elapsed: 3 * time.Second})
	bar(Progress{Done: 4, Errors: 1, Elapsed: 3 * time.Second})
	lines := strings.Split(b.String(), "\r")
	require.Len(t, lines, 4)
	require.Equal(t, "[======                  ] 1/4, 3s left", strings.TrimSpace(lines[1]))
	require.Equal(t, "[==================      ] 3/4, 1 errors, 1s left", strings.TrimSpace(lines[2]))
	require.Equal(t, "[========================] 4/4, 1 errors", strings.TrimSpace(lines[3]))
	require.True(t, strings.HasSuffix(b.String(), "\n"))
}

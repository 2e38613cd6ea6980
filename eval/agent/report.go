package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/stats"
)

// A Share is a mean over tasks with its 95 % interval. Tasks are the sample: trials of
// one task are no independent evidence about other tasks.
type Share struct {
	Value    float64
	Interval stats.Interval
	Tasks    int // that it was computed from
}

// A Report is what came of [Run].
type Report struct {
	Tasks  []TaskResult
	Trials int // of each task
	// PassAt[k-1] is the chance that at least one of k trials solves a task, and
	// PassHat[k-1] that all k do.
	PassAt, PassHat []Share
	Failed          int // trials that ended in an error of the agent, counted as not solved

	// Trajectory compares the calls with the expected ones, over tasks that have some.
	Trajectory Trajectory

	StepsMean, StepsMax float64
	// ToolErrors is the share of calls that returned an error, Repeats the share that
	// an equal call in the same trial came before, without an error.
	ToolErrors, Repeats float64
	Usage               Usage // of all trials
	// PicoUSDPerSolved is the cost of all trials by the solved ones, -1 if it is
	// unknown or no trial is solved: failed trials are paid for as well.
	PicoUSDPerSolved int64
	P50, P95         time.Duration // of the trials' times
}

// Trajectory are mean scores over trials of the tasks with expected calls; see
// [eval.ToolMatch] for the modes.
type Trajectory struct {
	Tasks                int
	Exact, InOrder       float64 // the share of trials
	Precision, Recall    float64 // of the calls as a bag
	F1, Path, NamesOnlyF float64 // part marks; NamesOnlyF is F1 without arguments
}

func newReport(tasks []TaskResult) (*Report, error) {
	r := &Report{Tasks: tasks, Trials: len(tasks[0].Trials), PicoUSDPerSolved: -1}
	solved := 0
	var times []float64
	steps, failedCalls, repeats := 0, 0, 0
	for _, t := range tasks {
		for _, trial := range t.Trials {
			if trial.Solved {
				solved++
			}
			if trial.Err != "" {
				r.Failed++
			}
			times = append(times, float64(trial.Elapsed))
			steps += len(trial.Steps)
			r.StepsMax = max(r.StepsMax, float64(len(trial.Steps)))
			seen := map[eval.Call]bool{}
			for _, s := range trial.Steps {
				if s.Err != "" {
					failedCalls++
					continue
				}
				if seen[s.Call] {
					repeats++
				}
				seen[s.Call] = true
			}
			r.Usage = sum(r.Usage, trial.Usage)
		}
	}
	r.StepsMean = float64(steps) / float64(len(times))
	if steps > 0 {
		r.ToolErrors, r.Repeats = float64(failedCalls)/float64(steps), float64(repeats)/float64(steps)
	}
	if solved > 0 && r.Usage.CostUnknown == 0 && r.Usage.ModelCalls > 0 {
		r.PicoUSDPerSolved = r.Usage.PicoUSD / int64(solved)
	}
	for _, q := range []struct {
		at  float64
		dst *time.Duration
	}{{0.5, &r.P50}, {0.95, &r.P95}} {
		v, err := stats.Quantile(times, q.at, stats.QuantileLinear)
		if err != nil {
			return nil, fmt.Errorf("agent: %w", err)
		}
		*q.dst = time.Duration(v)
	}
	if err := r.pass(); err != nil {
		return nil, err
	}
	return r, r.trajectory()
}

func sum(a, b Usage) Usage {
	s := Session{usage: a}
	s.Spend(b)
	return s.usage
}

func (r *Report) pass() error {
	for k := 1; k <= r.Trials; k++ {
		var at, hat []float64
		for _, t := range r.Tasks {
			c := 0
			for _, trial := range t.Trials {
				if trial.Solved {
					c++
				}
			}
			a, err := eval.PassAtK(r.Trials, c, k)
			if err != nil {
				return err
			}
			h, err := eval.PassHatK(r.Trials, c, k)
			if err != nil {
				return err
			}
			at, hat = append(at, a), append(hat, h)
		}
		for _, side := range []struct {
			xs  []float64
			dst *[]Share
		}{{at, &r.PassAt}, {hat, &r.PassHat}} {
			s, err := shareOf(side.xs)
			if err != nil {
				return err
			}
			*side.dst = append(*side.dst, s)
		}
	}
	return nil
}

// shareOf returns the mean over tasks; with one task, or equal values, the interval is
// that of a share that could be anything else on the next task.
func shareOf(xs []float64) (Share, error) {
	s := Share{Value: stats.Mean(xs), Interval: stats.Interval{Low: 0, High: 1}, Tasks: len(xs)}
	if slices.Min(xs) == slices.Max(xs) {
		if v := xs[0]; v == 0 || v == 1 { // the interval of a share of n tasks
			in, err := stats.ProportionInterval(int(v)*len(xs), len(xs), 0.95, stats.ProportionWilson)
			s.Interval = in
			return s, err
		}
	}
	in, err := stats.PairedTInterval(xs, make([]float64, len(xs)), 0.95)
	if errors.Is(err, stats.ErrTooFew) {
		return s, nil
	}
	s.Interval = stats.Interval{Low: max(0, in.Low), High: min(1, in.High), Level: in.Level}
	return s, err
}

func (r *Report) trajectory() error {
	type mode struct {
		o   eval.ToolMatchOptions
		dst *float64
	}
	t := &r.Trajectory
	modes := []mode{
		{eval.ToolMatchOptions{Mode: eval.ToolsExact}, &t.Exact},
		{eval.ToolMatchOptions{Mode: eval.ToolsInOrder}, &t.InOrder},
		{eval.ToolMatchOptions{Mode: eval.ToolsF1}, &t.F1},
		{eval.ToolMatchOptions{Mode: eval.ToolsPath}, &t.Path},
		{eval.ToolMatchOptions{Mode: eval.ToolsF1, NamesOnly: true}, &t.NamesOnlyF},
	}
	trials := 0.0
	for _, task := range r.Tasks {
		if task.expected == nil {
			continue
		}
		t.Tasks++
		for _, trial := range task.Trials {
			trials++
			calls := make([]eval.Call, len(trial.Steps))
			for i, s := range trial.Steps {
				calls[i] = s.Call
			}
			for _, m := range modes {
				v, err := match(&m.o, task.expected, calls)
				if err != nil {
					return fmt.Errorf("agent: task %q: %w", task.ID, err)
				}
				*m.dst += v
			}
			hits, err := hitsOf(task.expected, calls)
			if err != nil {
				return err
			}
			t.Precision += portion(hits, len(calls), len(task.expected))
			t.Recall += portion(hits, len(task.expected), len(calls))
		}
	}
	for _, dst := range []*float64{&t.Exact, &t.InOrder, &t.F1, &t.Path, &t.NamesOnlyF, &t.Precision, &t.Recall} {
		if trials > 0 {
			*dst /= trials
		}
	}
	return nil
}

// portion is hits/n; with nothing to divide by it is 1 if the other side is empty
// too, else 0.
func portion(hits float64, n, other int) float64 {
	if n == 0 {
		if other == 0 {
			return 1
		}
		return 0
	}
	return hits / float64(n)
}

func match(o *eval.ToolMatchOptions, want, got []eval.Call) (float64, error) {
	m, err := eval.NewToolMatch(o)
	if err != nil {
		return 0, err
	}
	dst := make([]float64, m.Width())
	c := &eval.Case{Input: "-", Calls: want, Tags: map[string]string{"calls": "none"}}
	if err := m.Stats(context.Background(), c, &eval.Output{Calls: got}, dst); err != nil {
		return 0, err
	}
	return m.Value(dst), nil
}

// hitsOf is how many calls are expected ones, from F1 = 2·hits / (calls + expected).
func hitsOf(want, got []eval.Call) (float64, error) {
	f, err := match(&eval.ToolMatchOptions{Mode: eval.ToolsF1}, want, got)
	return f * float64(len(want)+len(got)) / 2, err
}

// String returns the report as text.
func (r *Report) String() string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%d tasks, %d trials each, %d trials failed\n", len(r.Tasks), r.Trials, r.Failed)
	fmt.Fprintln(t, "k\tpass@k\t95 % interval\tpass^k\t95 % interval")
	for k := range r.PassAt {
		a, h := r.PassAt[k], r.PassHat[k]
		fmt.Fprintf(t, "%d\t%.2f\t%.2f to %.2f\t%.2f\t%.2f to %.2f\n", k+1, a.Value, a.Interval.Low, a.Interval.High, h.Value, h.Interval.Low, h.Interval.High)
	}
	t.Flush()
	if j := r.Trajectory; j.Tasks > 0 {
		fmt.Fprintf(&b, "trajectory over %d tasks: exact %.2f, in order %.2f, precision %.2f, recall %.2f, F1 %.2f\n", j.Tasks, j.Exact, j.InOrder, j.Precision, j.Recall, j.F1)
	}
	fmt.Fprintf(&b, "steps %.1f mean, %.0f max; calls with an error %.0f %%, repeated %.0f %%\n", r.StepsMean, r.StepsMax, 100*r.ToolErrors, 100*r.Repeats)
	cost := "unknown"
	if r.PicoUSDPerSolved >= 0 {
		cost = fmt.Sprintf("$%.6f", float64(r.PicoUSDPerSolved)/1e12)
	}
	fmt.Fprintf(&b, "model calls %d, tokens %d in and %d out, cost a solved task %s, time %v p50 and %v p95\n",
		r.Usage.ModelCalls, r.Usage.InputTokens, r.Usage.OutputTokens, cost, r.P50.Round(time.Millisecond), r.P95.Round(time.Millisecond))
	return b.String()
}

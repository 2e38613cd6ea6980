package suite

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// A Report is what a run found. Package eval/report prints it.
type Report struct {
	Suite   string         `json:"suite"`
	Version string         `json:"version,omitempty"`
	Cases   int            `json:"cases"`  // finished
	Errors  int            `json:"errors"` // of them, those the system failed on
	Elapsed time.Duration  `json:"elapsed"`
	Metrics []MetricReport `json:"metrics"`
	Gates   []Gate         `json:"gates,omitempty"`
	// SlicesOmitted counts the results that are missing from the slices because
	// there were too many of them.
	SlicesOmitted int `json:"slices_omitted,omitempty"`

	metrics []eval.Metric
	records func() iter.Seq2[*Record, error]
}

// A MetricReport is a metric's score over everything and over each slice.
type MetricReport struct {
	eval.Score
	Slices []SliceScore `json:"slices,omitempty"` // by name
}

// A SliceScore is a score over the cases of one slice.
type SliceScore struct {
	Slice string `json:"slice"`
	eval.Score
}

// Records reads the run's records, from the journal or from memory.
func (r *Report) Records() iter.Seq2[*Record, error] {
	if r.records == nil {
		return func(func(*Record, error) bool) {}
	}
	return r.records()
}

// Passed reports whether the run was judged and every gate passed. A run that
// stopped early has no gates and didn't pass.
func (r *Report) Passed() bool {
	if len(r.Gates) == 0 {
		return false
	}
	for _, g := range r.Gates {
		if !g.Passed {
			return false
		}
	}
	return true
}

// Metric returns the report of the metric with this name: Signature.Name, or
// Signature.Metric where only one metric has it.
func (r *Report) Metric(name string) (*MetricReport, bool) {
	i, err := findMetric(name, len(r.Metrics), func(i int) eval.Signature { return r.Metrics[i].Signature })
	if err != nil {
		return nil, false
	}
	return &r.Metrics[i], true
}

func findMetric(name string, n int, sig func(int) eval.Signature) (int, error) {
	found := -1
	for i := range n {
		s := sig(i)
		if s.Name() == name {
			return i, nil
		}
		if s.Metric == name {
			if found >= 0 {
				return 0, fmt.Errorf("%w: %q is the name of several metrics: want one in full, such as %s", ErrOption, name, s.Name())
			}
			found = i
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("%w: the suite has no metric %q", ErrOption, name)
	}
	return found, nil
}

// A scoreboard sums the statistics of a run by metric and slice.
type scoreboard struct {
	metrics []eval.Metric
	names   []string
	all     []*eval.Sum
	slices  []map[string]*eval.Sum
	left    int
}

// maxSlices bounds a run's memory if a tag is an id.
const maxSlices = 1000

func newScoreboard(metrics []eval.Metric) (*scoreboard, error) {
	b := &scoreboard{metrics: metrics}
	for _, m := range metrics {
		sum, err := eval.NewSum(m)
		if err != nil {
			return nil, err
		}
		b.names = append(b.names, m.Signature().Name())
		b.all = append(b.all, sum)
		b.slices = append(b.slices, map[string]*eval.Sum{})
	}
	return b, nil
}

func (b *scoreboard) add(r *Record) error {
	if r.Error != "" {
		return nil
	}
	if len(r.Results) != len(b.metrics) {
		return fmt.Errorf("%w: case %d has %d results for %d metrics", ErrJournal, r.Index, len(r.Results), len(b.metrics))
	}
	for i := range r.Results {
		res := &r.Results[i]
		if res.Metric != b.names[i] {
			return fmt.Errorf("%w: case %d, result %d is of %s", ErrJournal, r.Index, i, res.Metric)
		}
		if err := addResult(b.all[i], res, r); err != nil {
			return err
		}
		for _, g := range r.Slices {
			t := b.slices[i][g]
			if t == nil {
				if len(b.slices[i]) == maxSlices {
					b.left++
					continue
				}
				var err error
				if t, err = eval.NewSum(b.metrics[i]); err != nil {
					return err
				}
				b.slices[i][g] = t
			}
			if err := addResult(t, res, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func addResult(s *eval.Sum, res *Result, r *Record) error {
	switch {
	case res.Skipped != "":
		s.AddSkipped()
	case res.Failed != "":
		s.AddFailed()
	default:
		if err := s.AddStats(res.Stats, len(r.Case.References)); err != nil {
			return fmt.Errorf("%w: case %d: %w", ErrJournal, r.Index, err)
		}
	}
	return nil
}

func (b *scoreboard) report() []MetricReport {
	out := make([]MetricReport, len(b.metrics))
	for i := range b.metrics {
		out[i].Score = scoreOf(b.all[i])
		for _, name := range slices.Sorted(maps.Keys(b.slices[i])) {
			out[i].Slices = append(out[i].Slices, SliceScore{name, scoreOf(b.slices[i][name])})
		}
	}
	return out
}

// scoreOf is the score of a sum that may be empty: the report shows N = 0, and a
// gate over nothing fails. A value that isn't finite doesn't count either: the
// metric failed on the cases together.
func scoreOf(s *eval.Sum) eval.Score {
	score, err := s.Score()
	if errors.Is(err, eval.ErrNotFinite) {
		score.Failed += score.Signature.N
		score.Signature.N = 0
	}
	return score
}

// report sums up the run. The error is the panic of a metric on a sum; the report
// then has no scores.
func (r *run) report() (*Report, error) {
	records := func() iter.Seq2[*Record, error] { return ReadJournal(r.o.Journal) }
	if r.o.Journal == "" {
		held := r.journal.held
		records = func() iter.Seq2[*Record, error] {
			return func(yield func(*Record, error) bool) {
				for _, rec := range held {
					if !yield(rec, nil) {
						return
					}
				}
			}
		}
	}
	var metrics []MetricReport
	err := guard("a metric's Value", func() error {
		metrics = r.scores.report()
		return nil
	})
	return &Report{
		Suite: r.s.Name, Version: r.s.Version,
		Cases: r.done.Done, Errors: r.done.Errors,
		Elapsed: r.o.Now().Sub(r.start),
		Metrics: metrics, SlicesOmitted: r.scores.left,
		metrics: r.s.Metrics, records: records,
	}, err
}

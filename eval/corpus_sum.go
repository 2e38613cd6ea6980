package eval

import (
	"context"
	"errors"
	"fmt"
)

// A Sum measures a stream in constant memory: it keeps the metric's summed
// statistics and no segment. Sums of shards are merged; the result doesn't
// depend on how the stream was cut or in which order its parts came, since
// sums are exact.
//
// A [Table] keeps the rows too, for tests that resample them. A Sum is not safe
// for concurrent use: give each goroutine its own, and merge.
type Sum struct {
	metric          Metric
	sums            sums
	row             []float64
	refs            int
	n               int
	skipped, failed int
}

// NewSum returns the empty sum of m's statistics.
func NewSum(m Metric) (*Sum, error) {
	if m == nil {
		return nil, errNilMetric
	}
	return &Sum{metric: m, sums: make(sums, m.Width()), row: make([]float64, m.Width())}, nil
}

var errNilMetric = fmt.Errorf("%w: the metric is nil", ErrOption)

// Add measures one segment. Of a [SkipError] it keeps count and returns nil;
// any other error is returned, and the segment counted as failed.
func (s *Sum) Add(ctx context.Context, c *Case, o *Output) error {
	err := s.metric.Stats(ctx, c, o, s.row)
	if err == nil {
		s.addRow(s.row, referencesOf(c))
		return nil
	}
	if _, ok := errors.AsType[*SkipError](err); ok {
		s.skipped++
		return nil
	}
	s.failed++
	return err
}

// AddStats adds the statistics of one segment that were measured before, such
// as a row of a journal, and how many references the segment has. It fails with
// [ErrLength] unless there are as many as the metric's Width.
func (s *Sum) AddStats(stats []float64, references int) error {
	if len(stats) != len(s.sums) {
		return fmt.Errorf("%w: %d statistics for %s, which has %d", ErrLength, len(stats), s.metric.Signature().Metric, len(s.sums))
	}
	s.addRow(stats, references)
	return nil
}

// AddSkipped counts a segment that the metric was skipped for.
func (s *Sum) AddSkipped() { s.skipped++ }

// AddFailed counts a segment that the metric failed on.
func (s *Sum) AddFailed() { s.failed++ }

// referencesOf counts the references; a metric of outputs alone allows a nil case.
func referencesOf(c *Case) int {
	if c == nil {
		return 0
	}
	return len(c.References)
}

func (s *Sum) addRow(row []float64, refs int) {
	s.n++
	s.refs = mergeRefs(s.refs, refs)
	s.sums.add(row)
}

// Merge adds what another sum of the same metric has seen, or fails with
// [ErrSignature].
func (s *Sum) Merge(other *Sum) error {
	if other == nil {
		return fmt.Errorf("%w: the other sum is nil", ErrOption)
	}
	if a, b := s.metric.Signature(), other.metric.Signature(); a != b {
		return fmt.Errorf("%w: %s and %s", ErrSignature, a.Name(), b.Name())
	}
	if other.n > 0 {
		s.refs = mergeRefs(s.refs, other.refs)
	}
	s.n += other.n
	s.skipped += other.skipped
	s.failed += other.failed
	for i, partials := range other.sums {
		for _, x := range partials {
			s.sums[i] = addExact(s.sums[i], x)
		}
	}
	return nil
}

// Totals returns the summed statistics, each sum correctly rounded: what
// [Metric.Value] and [BLEU.Details] take.
func (s *Sum) Totals() []float64 { return s.sums.totals() }

// Score returns the value of what was seen. If nothing was scored, the error is
// [ErrEmpty], and the score has only how many segments were skipped and how
// many failed. A value that is NaN or infinite is [ErrNotFinite].
func (s *Sum) Score() (Score, error) {
	if s.n == 0 {
		return s.score(), fmt.Errorf("%w: %s scored none of %d", ErrEmpty, s.metric.Signature().Metric, s.skipped+s.failed)
	}
	return finiteScore(s.score())
}

// finiteScore refuses a value that is NaN or infinite, such as the perplexity of
// texts with a probability of 0.
func finiteScore(s Score) (Score, error) {
	if finite(s.Value) {
		return s, nil
	}
	err := fmt.Errorf("%w: %s is %v", ErrNotFinite, s.Signature.Metric, s.Value)
	s.Value = 0
	return s, err
}

func (s *Sum) score() Score {
	return Score{Signature: dataSignature(s.metric, s.refs, s.n), Value: s.metric.Value(s.sums.totals()), Skipped: s.skipped, Failed: s.failed}
}

// sums adds rows of numbers exactly: the result is the correctly rounded sum,
// so it doesn't depend on the order in which concurrent workers finish.
//
// Each column keeps its running sum as a list of partial sums that don't
// overlap (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic"; the
// algorithm of Python's math.fsum). Counts stay in one partial, so the usual
// cost is one addition and a comparison.
type sums [][]float64

func (s sums) add(row []float64) {
	for i, x := range row {
		s[i] = addExact(s[i], x)
	}
}

func (s sums) totals() []float64 {
	out := make([]float64, len(s))
	for i, partials := range s {
		out[i] = round(partials)
	}
	return out
}

// columnSums adds up flat rows.
func columnSums(rows []float64, width int) []float64 {
	s := make(sums, width)
	for i := 0; i < len(rows); i += width {
		s.add(rows[i : i+width])
	}
	return s.totals()
}

func addExact(partials []float64, x float64) []float64 {
	kept := partials[:0]
	for _, y := range partials {
		if abs(x) < abs(y) {
			x, y = y, x
		}
		hi := x + y
		if lo := y - (hi - x); lo != 0 {
			kept = append(kept, lo)
		}
		x = hi
	}
	return append(kept, x)
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// round adds the partials from the largest down and corrects the one case
// where that rounds a tie the wrong way.
func round(partials []float64) float64 {
	n := len(partials)
	if n == 0 {
		return 0
	}
	n--
	hi, lo := partials[n], 0.0
	for n > 0 {
		x := hi
		n--
		y := partials[n]
		hi = x + y
		lo = y - (hi - x)
		if lo != 0 {
			break
		}
	}
	if n > 0 && (lo < 0 && partials[n-1] < 0 || lo > 0 && partials[n-1] > 0) {
		y := lo * 2
		x := hi + y
		if y == x-hi {
			hi = x
		}
	}
	return hi
}

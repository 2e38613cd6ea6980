package eval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
)

// A Table holds the statistics of a corpus: a row a segment, flat. Rows and
// [Metric.Value] are all that a resampling test needs (eval/stats takes them as
// plain slices and a function), so that every metric has error bars.
type Table struct {
	Width int
	Rows  []float64 // len = Width * segments; a skipped or failed segment's row is all zeros
	Refs  int       // as in Signature
	Used  []bool    // false for a skipped or failed segment

	skipped, failed int
	metric          Metric
}

// NewTable returns an empty table for m's statistics.
func NewTable(m Metric) *Table { return &Table{Width: m.Width(), metric: m} }

// Len is the number of segments.
func (t *Table) Len() int { return len(t.Used) }

// Row returns the statistics of segment i.
func (t *Table) Row(i int) []float64 { return t.Rows[i*t.Width : (i+1)*t.Width] }

// Add measures one segment and appends its row. Of a [SkipError] it keeps
// count and returns nil; any other error is returned with the segment's
// number, and the segment counted as failed.
func (t *Table) Add(ctx context.Context, c *Case, o *Output) error {
	i := t.Len()
	t.Used = append(t.Used, false)
	t.Rows = append(t.Rows, make([]float64, t.Width)...)
	return t.finish(i, len(c.References), t.metric.Stats(ctx, c, o, t.Row(i)))
}

func (t *Table) finish(i, refs int, err error) error {
	if err == nil {
		t.Used[i] = true
		t.Refs = mergeRefs(t.Refs, refs)
		return nil
	}
	clear(t.Row(i))
	if _, ok := errors.AsType[*SkipError](err); ok {
		t.skipped++
		return nil
	}
	t.failed++
	return fmt.Errorf("segment %d: %w", i, err)
}

func mergeRefs(have, n int) int {
	switch have {
	case 0, n:
		return n
	}
	return -1
}

// Score returns the value over all segments, or [ErrEmpty] if no segment was
// scored.
func (t *Table) Score() (Score, error) {
	used := t.Len() - t.skipped - t.failed
	if used == 0 {
		return Score{}, fmt.Errorf("%w: %s scored none of %d", ErrEmpty, t.metric.Signature().Metric, t.Len())
	}
	return Score{
		Signature: dataSignature(t.metric, t.Refs, used),
		Value:     t.metric.Value(columnSums(t.Rows, t.Width)),
		Skipped:   t.skipped,
		Failed:    t.failed,
	}, nil
}

// dataSignature completes a metric's signature with what depends on the data.
func dataSignature(m Metric, refs, n int) Signature {
	sig := m.Signature()
	sig.N = n
	if _, ok := m.(referenceCounter); ok {
		sig.Refs = refs
	}
	return sig
}

// referenceCounter marks the metrics whose value depends on how many
// references a segment has.
type referenceCounter interface{ countsReferences() }

// Texts pairs outputs with their references, for metrics that look at text
// only. It fails with [ErrLength] if there are not equally many.
func Texts(hyps []string, refs [][]string) (iter.Seq2[*Case, *Output], error) {
	if len(hyps) != len(refs) {
		return nil, fmt.Errorf("%w: %d outputs, %d reference lists", ErrLength, len(hyps), len(refs))
	}
	return func(yield func(*Case, *Output) bool) {
		for i, h := range hyps {
			if !yield(&Case{References: refs[i]}, &Output{Text: h}) {
				return
			}
		}
	}, nil
}

// Measure returns the table of m over the segments, and stops at the first one
// that can't be measured.
func Measure(ctx context.Context, m Metric, segments iter.Seq2[*Case, *Output]) (*Table, error) {
	t := NewTable(m)
	for c, o := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := t.Add(ctx, c, o); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ScoreCorpus returns m's value over a corpus of texts: refs[i] are the references
// of hyps[i].
func ScoreCorpus(m Metric, hyps []string, refs [][]string) (Score, error) {
	t, err := MeasureCorpus(m, hyps, refs, 1)
	if err != nil {
		return Score{}, err
	}
	return t.Score()
}

// MeasureCorpus measures a corpus of texts with this many goroutines (0 means
// GOMAXPROCS). Rows lie in the order of the segments, so the result doesn't
// depend on how many there were.
func MeasureCorpus(m Metric, hyps []string, refs [][]string, workers int) (*Table, error) {
	if len(hyps) != len(refs) {
		return nil, fmt.Errorf("%w: %d outputs, %d reference lists", ErrLength, len(hyps), len(refs))
	}
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := NewTable(m)
	t.Rows = make([]float64, len(hyps)*t.Width)
	t.Used = make([]bool, len(hyps))
	errs := make([]error, len(hyps))
	workers = min(workers, max(1, len(hyps)/64)) // a goroutine for a handful of segments costs more than it saves
	var wg sync.WaitGroup
	for w := range workers {
		lo, hi := w*len(hyps)/workers, (w+1)*len(hyps)/workers
		wg.Go(func() {
			var c Case
			var o Output
			for i := lo; i < hi; i++ {
				c.References, o.Text = refs[i], hyps[i]
				errs[i] = m.Stats(context.Background(), &c, &o, t.Row(i))
			}
		})
	}
	wg.Wait()
	for i := range hyps {
		if err := t.finish(i, len(refs[i]), errs[i]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

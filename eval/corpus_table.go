package eval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
)

// A Table has the statistics of a corpus in one slice, a row for each segment. Rows
// and [Metric.Value] are all that a resampling test needs (eval/stats takes them as
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
func NewTable(m Metric) (*Table, error) {
	if m == nil {
		return nil, errNilMetric
	}
	return &Table{Width: m.Width(), metric: m}, nil
}

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
	return t.finish(i, referencesOf(c), t.metric.Stats(ctx, c, o, t.Row(i)))
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

// Score returns the value over all segments. It fails with [ErrEmpty] if no segment
// was scored, and with [ErrNotFinite] if the value is NaN or infinite.
func (t *Table) Score() (Score, error) {
	used := t.Len() - t.skipped - t.failed
	if used == 0 {
		return Score{}, fmt.Errorf("%w: %s scored none of %d", ErrEmpty, t.metric.Signature().Metric, t.Len())
	}
	return finiteScore(Score{
		Signature: dataSignature(t.metric, t.Refs, used),
		Value:     t.metric.Value(columnSums(t.Rows, t.Width)),
		Skipped:   t.skipped,
		Failed:    t.failed,
	})
}

// dataSignature completes a metric's signature with what depends on the data.
func dataSignature(m Metric, refs, n int) Signature {
	sig := m.Signature()
	sig.N = n
	if r, ok := m.(ReferenceCounter); ok && r.CountsReferences() {
		sig.Refs = refs
	}
	return sig
}

// Texts pairs outputs with their references, references[i] with outputs[i], for
// metrics that look at text only. It fails with [ErrLength] if there are not equally many.
func Texts(outputs []string, references [][]string) (iter.Seq2[*Case, *Output], error) {
	if len(outputs) != len(references) {
		return nil, fmt.Errorf("%w: %d outputs, %d reference lists", ErrLength, len(outputs), len(references))
	}
	return func(yield func(*Case, *Output) bool) {
		for i, h := range outputs {
			if !yield(&Case{References: references[i]}, &Output{Text: h}) {
				return
			}
		}
	}, nil
}

// Measure returns the table of m over the segments, and stops at the first one
// that can't be measured.
func Measure(ctx context.Context, m Metric, segments iter.Seq2[*Case, *Output]) (*Table, error) {
	if segments == nil {
		return nil, fmt.Errorf("%w: the segments are nil", ErrOption)
	}
	t, err := NewTable(m)
	if err != nil {
		return nil, err
	}
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

// ScoreCorpus returns m's value over a corpus of texts: references[i] are those of
// outputs[i]. It is [MeasureCorpus] with one goroutine, then [Table.Score].
func ScoreCorpus(ctx context.Context, m Metric, outputs []string, references [][]string) (Score, error) {
	t, err := MeasureCorpus(ctx, m, outputs, references, &MeasureOptions{Workers: 1})
	if err != nil {
		return Score{}, err
	}
	return t.Score()
}

// MeasureOptions sets how [MeasureCorpus] works; nil means the defaults.
type MeasureOptions struct {
	// Workers is the number of goroutines. The result doesn't depend on it: rows
	// are in the order of the segments. Default: GOMAXPROCS.
	Workers int
}

// errExit is for a metric that calls FailNow of package testing.
var errExit = errors.New("eval: the metric ended its goroutine (runtime.Goexit)")

// recovered calls f and returns its panic as an error.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: fmt.Sprint(v), Stack: string(debug.Stack())}
		}
	}()
	return f()
}

// MeasureCorpus returns the table of m over a corpus of texts: references[i] are
// those of outputs[i]. It stops at the first segment that can't be measured,
// also by a panic of the metric, and when ctx is done.
func MeasureCorpus(ctx context.Context, m Metric, outputs []string, references [][]string, o *MeasureOptions) (*Table, error) {
	t, err := NewTable(m)
	if err != nil {
		return nil, err
	}
	if len(outputs) != len(references) {
		return nil, fmt.Errorf("%w: %d outputs, %d reference lists", ErrLength, len(outputs), len(references))
	}
	workers := runtime.GOMAXPROCS(0)
	if o != nil && o.Workers != 0 {
		workers = o.Workers
	}
	if workers < 0 {
		return nil, fmt.Errorf("%w: MeasureOptions.Workers is %d: want 0 or more", ErrOption, workers)
	}
	t.Rows = make([]float64, len(outputs)*t.Width)
	t.Used = make([]bool, len(outputs))
	errs := make([]error, len(outputs))
	workers = min(workers, max(1, len(outputs)/64)) // a goroutine for a few segments costs more than it saves
	var wg sync.WaitGroup
	for w := range workers {
		lo, hi := w*len(outputs)/workers, (w+1)*len(outputs)/workers
		wg.Go(func() {
			var c Case
			var o Output
			for i := lo; i < hi; i++ {
				if errs[i] = ctx.Err(); errs[i] != nil {
					return // finish stops at this segment, before those that have no row
				}
				c.References, o.Text = references[i], outputs[i]
				errs[i] = errExit // until Stats returns
				errs[i] = recovered(func() error { return m.Stats(ctx, &c, &o, t.Row(i)) })
			}
		})
	}
	wg.Wait()
	for i := range outputs {
		if err := t.finish(i, len(references[i]), errs[i]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

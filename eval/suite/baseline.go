package suite

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/prodailabs/prodai/eval"
)

// A Baseline is an earlier run that this one must not be worse than.
type Baseline struct {
	// Records are those of the earlier run: [ReadJournal], or [Report.Records].
	// [Run] reads them before it asks the system, so a file that can't be read
	// stops the run before it costs money. Required.
	Records iter.Seq2[*Record, error]
	// Test returns the p-value of a paired test on two runs' statistics, a row
	// of width numbers a case: rows that add up, and the function from their
	// sum to the score. The tests of eval/stats fit. Default: an approximate
	// randomization test with 2,000 shuffles and a fixed seed.
	Test func(baseline, now []float64, width int, value func(sum []float64) float64) (p float64, err error)
	// Alpha is the significance level. Holm's correction divides it among the
	// metrics. Without it, one of twenty metrics would "drop significantly" by
	// chance. Default: 0.05.
	Alpha float64
}

// A Comparison is a metric on two runs, over the cases that both have
// unchanged.
type Comparison struct {
	Metric      string  `json:"metric"`
	Before      float64 `json:"before"`
	After       float64 `json:"after"`
	N           int     `json:"n"`           // cases compared
	Omitted     int     `json:"omitted"`     // cases of this run left out: new, changed, or not scored by both
	P           float64 `json:"p"`           // two-sided, before the correction
	Significant bool    `json:"significant"` // after it
	Worse       bool    `json:"worse"`       // the new run is worse
}

func (b *Baseline) check() error {
	switch {
	case b == nil:
		return fmt.Errorf("%w: the baseline is nil", ErrOption)
	case b.Records == nil:
		return fmt.Errorf("%w: Baseline.Records is nil", ErrOption)
	case !(b.Alpha >= 0 && b.Alpha < 1):
		return fmt.Errorf("%w: Baseline.Alpha is %v: want a number between 0 and 1", ErrOption, b.Alpha)
	}
	return nil
}

// A caseKey identifies a case in two runs. A changed case has another key.
type caseKey struct {
	id    string
	print uint64
}

// load reads what a comparison needs of the records. Outputs aren't kept.
func (b *Baseline) load() (map[caseKey]*Record, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	before := map[caseKey]*Record{}
	for rec, err := range b.Records {
		if err != nil {
			return nil, fmt.Errorf("suite: the baseline: %w", err)
		}
		if rec == nil || rec.Case == nil {
			return nil, fmt.Errorf("%w: a record of the baseline has no case", ErrJournal)
		}
		before[caseKey{rec.Case.ID, fingerprint(rec.Case)}] = &Record{Results: rec.Results}
	}
	return before, nil
}

// Compare compares the run with an earlier one, case by case. A difference is
// significant if it is larger than the differences after shuffling the answers
// between the two runs. It keeps both runs' statistics in memory.
func (r *Report) Compare(b *Baseline) ([]Comparison, error) {
	before, err := b.load()
	if err != nil {
		return nil, err
	}
	return r.compare(b, before)
}

func (r *Report) compare(b *Baseline, before map[caseKey]*Record) ([]Comparison, error) {
	out := make([]Comparison, len(r.metrics))
	rows := make([][2][]float64, len(r.metrics))
	for i, m := range r.metrics {
		out[i].Metric = m.Signature().Name()
	}
	var records []*Record
	for rec, err := range r.Records() {
		if err != nil {
			return nil, err
		}
		records = append(records, &Record{Index: rec.Index, Case: rec.Case, Results: rec.Results})
	}
	slices.SortFunc(records, func(a, b *Record) int { return cmp.Compare(a.Index, b.Index) })
	for _, rec := range records {
		old := before[caseKey{rec.Case.ID, fingerprint(rec.Case)}]
		for i := range r.metrics {
			a, n := result(old, out[i].Metric), result(rec, out[i].Metric)
			if a == nil || n == nil {
				out[i].Omitted++
				continue
			}
			out[i].N++
			rows[i][0] = append(rows[i][0], a.Stats...)
			rows[i][1] = append(rows[i][1], n.Stats...)
		}
	}
	for i, m := range r.metrics {
		if err := out[i].test(m, rows[i][0], rows[i][1], b.Test); err != nil {
			return nil, err
		}
	}
	holm(out, cmp.Or(b.Alpha, 0.05))
	return out, nil
}

// result is what a record's metric of this name measured, nil if it didn't.
func result(r *Record, metric string) *Result {
	if r == nil {
		return nil
	}
	for i := range r.Results {
		if res := &r.Results[i]; res.Metric == metric && res.Scored() {
			return res
		}
	}
	return nil
}

func (c *Comparison) test(m eval.Metric, before, after []float64, test func(a, b []float64, width int, value func([]float64) float64) (float64, error)) error {
	c.P = 1
	if c.N == 0 {
		return nil
	}
	width := m.Width()
	if len(before) != len(after) || len(before) != c.N*width {
		return fmt.Errorf("%w: %s has rows of another width in the baseline", eval.ErrSignature, c.Metric)
	}
	sumBefore, err := sumRows(m, before)
	if err != nil {
		return err
	}
	sumAfter, err := sumRows(m, after)
	if err != nil {
		return err
	}
	c.Before, c.After = m.Value(sumBefore), m.Value(sumAfter)
	if unsound(c.Before) || unsound(c.After) { // nothing compares with NaN, and a gate over nothing fails
		c.Omitted, c.N, c.Before, c.After = c.Omitted+c.N, 0, 0, 0
		return nil
	}
	c.Worse = c.After < c.Before
	if m.Signature().LowerIsBetter {
		c.Worse = c.After > c.Before
	}
	if test == nil {
		c.P = randomization(before, after, sumBefore, sumAfter, m.Value)
		return nil
	}
	p, err := test(before, after, width, m.Value)
	if err != nil {
		return fmt.Errorf("suite: comparing %s: %w", c.Metric, err)
	}
	c.P = p
	return nil
}

func sumRows(m eval.Metric, rows []float64) ([]float64, error) {
	s, err := eval.NewSum(m)
	if err != nil {
		return nil, err
	}
	width := m.Width()
	for i := 0; i < len(rows); i += width {
		if err := s.AddStats(rows[i:i+width], 0); err != nil {
			return nil, err
		}
	}
	return s.Totals(), nil
}

// holm marks the comparisons that are significant at level alpha when all are
// looked at together (Holm 1979).
func holm(cs []Comparison, alpha float64) {
	order := make([]int, len(cs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(cs[a].P, cs[b].P) })
	for rank, i := range order {
		if cs[i].P > alpha/float64(len(cs)-rank) {
			return
		}
		cs[i].Significant = true
	}
}

// randomization is the approximate randomization test (Noreen 1989; Riezler
// and Maxwell 2005): how often does swapping the two runs' statistics at
// random, case by case, give a difference as large as the one observed?
func randomization(a, b, sumA, sumB []float64, value func([]float64) float64) float64 {
	const shuffles = 2000
	width := len(sumA)
	observed := math.Abs(value(sumA) - value(sumB))
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float64, width), make([]float64, width)
	extreme := 0
	for range shuffles {
		copy(x, sumA)
		copy(y, sumB)
		var coins uint64
		for i := 0; i < len(a); i += width {
			if i/width%64 == 0 {
				coins = rng.Uint64()
			}
			if coins&1 == 1 {
				for k := range width {
					d := a[i+k] - b[i+k]
					x[k] -= d
					y[k] += d
				}
			}
			coins >>= 1
		}
		// a tolerance, since the swaps round: equal runs must not look different
		if math.Abs(value(x)-value(y)) >= observed-1e-9*max(1, observed) {
			extreme++
		}
	}
	return float64(extreme+1) / (shuffles + 1)
}

package stats

import (
	"math"
	"slices"
	"sync"

	"github.com/prodailabs/prodai/internal/dist"
)

// An Interval is a range that a procedure put around an estimate. Level is the
// share of repetitions in which the procedure's range covers the true value.
type Interval struct {
	Low, High, Level float64
}

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// BootstrapOptions sets how [Bootstrap] and [BootstrapMeans] resample; nil means
// the defaults.
type BootstrapOptions struct {
	// Resamples is the number of resamples. Default: 9999 for Bootstrap, which
	// makes the ends of a 95 % interval stable to about 2 % of its width; 1000
	// for BootstrapMeans, as in rouge-score.
	Resamples int
	// Seed starts the default Source. Default: 12345, sacreBLEU's.
	Seed uint64
	// Source draws the resamples' indices. Default: NewGenerator(Seed), the
	// stream of scipy.stats.bootstrap with default_rng(Seed).
	Source IndexSource
	// Workers is the number of goroutines. The result doesn't depend on it.
	// Default: one for each processor.
	Workers int
}

// A BootstrapDistribution is the distribution of a statistic over resamples of the
// data, from which intervals are read.
type BootstrapDistribution struct {
	// Estimate is the statistic of the data themselves.
	Estimate float64
	// Values are the statistics of the resamples, sorted.
	Values []float64

	left *leftOut // nil without a Bootstrap
}

// Bootstrap resamples the data with replacement and applies the statistic to
// each resample (Efron, "Bootstrap Methods: Another Look at the Jackknife",
// 1979). The statistic must not keep or change its argument and must be safe
// for concurrent use.
//
// The bootstrap has limits. With 10 observations it knows 10 values, and its
// intervals are too narrow. One observation has no spread, and is [ErrTooFew]. For
// a maximum or another extreme it is wrong at any size. And it assumes that the
// observations are independent (see [ClusteredEstimate] for when they aren't).
func Bootstrap(xs []float64, statistic func([]float64) float64, o *BootstrapOptions) (*BootstrapDistribution, error) {
	const fn = "Bootstrap"
	if err := checkSample(fn, "sample", xs, 2); err != nil {
		return nil, err
	}
	if err := checkFunc(fn, "statistic", statistic); err != nil {
		return nil, err
	}
	opts := BootstrapOptions{}
	if o != nil {
		opts = *o
	}
	resamples, err := opts.resamples(fn, 9999)
	if err != nil {
		return nil, err
	}
	b := &BootstrapDistribution{Estimate: statistic(slices.Clone(xs)), Values: make([]float64, resamples)}
	source := sourceOr(opts.Source, opts.Seed)
	workers := workersFor(resamples, opts.Workers)
	index := make([][]int64, workers)
	sample := make([][]float64, workers)
	for w := range workers {
		index[w], sample[w] = make([]int64, len(xs)), make([]float64, len(xs))
	}
	inOrder(resamples, workers,
		func(_, w int) { source.Integers(index[w], uint64(len(xs))) },
		func(i, w int) {
			for k, j := range index[w] {
				sample[w][k] = xs[j]
			}
			b.Values[i] = statistic(sample[w])
		})
	if err := checkStatistic(fn, append([]float64{b.Estimate}, b.Values...)); err != nil {
		return nil, err
	}
	slices.Sort(b.Values)
	b.left = &leftOut{xs: slices.Clone(xs), statistic: statistic, workers: opts.Workers}
	return b, nil
}

// checkStatistic refuses an infinite or NaN result of the caller's function on
// finite data.
func checkStatistic(fn string, values []float64) error {
	for i, v := range values {
		if !finite(v) {
			return fail(fn, ErrUndefined, "the function gave %v on resample %d (0 is the data themselves)", v, i)
		}
	}
	return nil
}

// A leftOut has the jackknife values: the statistic of the data without the i-th
// value, for each i. For a statistic of linear time that takes quadratic time, so
// they are computed when BCa asks for them.
type leftOut struct {
	xs        []float64
	statistic func([]float64) float64
	workers   int

	mu     sync.Mutex
	values []float64
}

func (l *leftOut) jackknife() []float64 {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.values != nil {
		return l.values
	}
	values := make([]float64, len(l.xs))
	workers := workersFor(len(l.xs), l.workers)
	rest := make([][]float64, workers)
	for w := range rest {
		rest[w] = make([]float64, len(l.xs)-1)
	}
	inOrder(len(l.xs), workers, func(_, _ int) {}, func(i, w int) {
		copy(rest[w], l.xs[:i])
		copy(rest[w][i:], l.xs[i+1:])
		values[i] = l.statistic(rest[w])
	})
	l.values = values
	return values
}

// resamples checks the numbers of the options.
func (o *BootstrapOptions) resamples(fn string, def int) (int, error) {
	if _, err := countOr(fn, "BootstrapOptions.Workers", o.Workers, 0); err != nil {
		return 0, err
	}
	return countOr(fn, "BootstrapOptions.Resamples", o.Resamples, def)
}

func countOr(fn, name string, n, def int) (int, error) {
	switch {
	case n < 0:
		return 0, fail(fn, ErrOption, "%s is %d: want 0 or more", name, n)
	case n == 0:
		return def, nil
	}
	return n, nil
}

func seedOr(seed uint64) uint64 {
	if seed == 0 {
		return defaultSeed
	}
	return seed
}

func sourceOr(s IndexSource, seed uint64) IndexSource {
	if s == nil {
		return NewGenerator(seedOr(seed))
	}
	return s
}

// SE is the bootstrap standard error: the standard deviation of the values.
func (b *BootstrapDistribution) SE() float64 { return deviation(b.Values) }

// Percentile is the interval between the (1-level)/2 quantiles of the values. It is
// the simplest, stays in the statistic's range, and is inaccurate if the values are
// skewed or their middle isn't the estimate.
func (b *BootstrapDistribution) Percentile(level float64) (Interval, error) {
	if err := b.check("Percentile", level); err != nil {
		return Interval{}, err
	}
	tail := (1 - level) / 2
	return b.between(tail, 1-tail, level), nil
}

// Basic is the percentile interval mirrored at the estimate: it takes the
// distribution of the error, and not that of the statistic, from the resamples. It
// can leave the statistic's range.
func (b *BootstrapDistribution) Basic(level float64) (Interval, error) {
	p, err := b.Percentile(level)
	if err != nil {
		return Interval{}, err
	}
	return Interval{Low: 2*b.Estimate - p.High, High: 2*b.Estimate - p.Low, Level: level}.times("Basic", 0)
}

// BCa is the bias-corrected and accelerated interval (Efron, "Better Bootstrap
// Confidence Intervals", 1987): the percentiles shifted by
//
//	z0 = Φ⁻¹(share of the values below the estimate, half of the equal ones)
//	a  = Σu³ / (6 (Σu²)^(3/2)),  u = mean of the jackknife values - the i-th
//	α' = Φ(z0 + (z0 + z_α) / (1 - a (z0 + z_α)))
//
// Its coverage error shrinks with 1/n where the percentile's shrinks with
// 1/√n. It is undefined ([ErrUndefined]) when the jackknife values are all
// equal, as for constant data, or the estimate is outside the values.
//
// The first call applies the statistic once more for each observation, n times to
// n-1 values.
func (b *BootstrapDistribution) BCa(level float64) (Interval, error) {
	if err := b.check("BCa", level); err != nil {
		return Interval{}, err
	}
	below, _ := slices.BinarySearch(b.Values, b.Estimate)
	equal := 0
	for below+equal < len(b.Values) && b.Values[below+equal] == b.Estimate {
		equal++
	}
	z0 := dist.NormalQuantile((float64(below) + float64(equal)/2) / float64(len(b.Values)))
	left := b.left.jackknife()
	if err := checkStatistic("BCa", left); err != nil {
		return Interval{}, err
	}
	_, scaled := inUnit(left)
	left = scaled[0]
	m := Mean(left)
	var u2, u3 float64
	for _, v := range left {
		u := m - v
		u2 += u * u
		u3 += u * u * u
	}
	a := u3 / (6 * math.Pow(u2, 1.5))
	if math.IsNaN(a) || math.IsInf(z0, 0) {
		return Interval{}, fail("BCa", ErrUndefined,
			"the statistic doesn't change when a value is left out, or no resample is on one side of the estimate")
	}
	shifted := func(z float64) float64 {
		z += z0
		return dist.NormalCDF(z0 + z/(1-a*z))
	}
	z := normalCritical(level)
	return b.between(shifted(-z), shifted(z), level), nil
}

func (b *BootstrapDistribution) check(fn string, level float64) error {
	if len(b.Values) == 0 {
		return fail(fn, ErrTooFew, "no values; Bootstrap makes the distribution")
	}
	return checkOpen(fn, "level", level)
}

func (b *BootstrapDistribution) between(lo, hi, level float64) Interval {
	return Interval{
		Low:   sortedQuantile(b.Values, lo, QuantileLinear),
		High:  sortedQuantile(b.Values, hi, QuantileLinear),
		Level: level,
	}
}

// MeanRange is what [BootstrapMeans] gives for one column: the median and the
// ends of the percentile interval of the resampled means.
type MeanRange struct {
	Low, Mid, High float64
}

// BootstrapMeans resamples rows of scores together and returns the percentile
// interval of each column's mean: rouge-score's BootstrapAggregator, whose rows are
// [precision, recall, F]. For the same numbers as rouge-score, pass its RandomState
// as Source, and the same one for all metrics.
//
// For a single row the interval is that row, as in rouge-score, which says nothing
// about its spread. [Bootstrap] refuses a single value.
func BootstrapMeans(rows [][]float64, level float64, o *BootstrapOptions) ([]MeanRange, error) {
	const fn = "BootstrapMeans"
	if len(rows) == 0 {
		return nil, fail(fn, ErrTooFew, "no rows")
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return nil, err
	}
	width := len(rows[0])
	for i, row := range rows {
		if len(row) != width {
			return nil, fail(fn, ErrLength, "row %d has %d columns, the first has %d", i, len(row), width)
		}
		if err := checkSample(fn, "row", row, 0); err != nil {
			return nil, err
		}
	}
	if o == nil {
		o = &BootstrapOptions{}
	}
	resamples, err := o.resamples(fn, 1000)
	if err != nil {
		return nil, err
	}
	source := sourceOr(o.Source, o.Seed)
	means := make([][]float64, width)
	for c := range means {
		means[c] = make([]float64, resamples)
	}
	workers := workersFor(resamples, o.Workers)
	index := make([][]int64, workers)
	for w := range index {
		index[w] = make([]int64, len(rows))
	}
	inOrder(resamples, workers,
		func(_, w int) { source.Integers(index[w], uint64(len(rows))) },
		func(i, w int) {
			for c := range width {
				means[c][i] = columnMean(rows, index[w], c)
			}
		})
	out := make([]MeanRange, width)
	tail := (1 - level) / 2
	for c := range out {
		slices.Sort(means[c])
		out[c] = MeanRange{
			Low:  sortedQuantile(means[c], tail, QuantileLinear),
			Mid:  sortedQuantile(means[c], 0.5, QuantileLinear),
			High: sortedQuantile(means[c], 1-tail, QuantileLinear),
		}
	}
	return out, nil
}

// columnMean is the mean of a column over the rows that index names.
func columnMean(rows [][]float64, index []int64, column int) float64 {
	total := 0.0
	for _, j := range index {
		total += rows[j][column]
	}
	if finite(total) {
		return total / float64(len(index))
	}
	drawn := make([]float64, len(index)) // the sum overflows, and the mean is finite
	for k, j := range index {
		drawn[k] = rows[j][column]
	}
	return Mean(drawn)
}

package stats

import (
	"math"
	"math/bits"
	"sort"

	"github.com/prodailabs/prodai/internal/dist"
)

// A McNemarVariant is a p-value of [McNemar]. Default: [McNemarMidP].
type McNemarVariant uint8

// The variants of McNemar's test.
const (
	// McNemarMidP subtracts half of the probability of the observed outcome from
	// the exact p-value (Fagerland and others, 2013). It is almost as safe, more
	// powerful, and recommended. Statistic is min(b, c).
	McNemarMidP McNemarVariant = iota
	// McNemarExact doubles the binomial tail; Statistic is min(b, c). Its false
	// positives are never more than the level, and usually fewer. It is the default
	// of statsmodels.
	McNemarExact
	// McNemarChiSquared is (b-c)²/(b+c).
	McNemarChiSquared
	// McNemarCorrected is McNemarChiSquared corrected for continuity:
	// (|b-c|-1)²/(b+c).
	McNemarCorrected
)

// McNemar compares two systems judged right or wrong on the same items (McNemar,
// 1947). Only the items on which they differ count: b that the first got right and
// the second wrong, and c the other way round. With b+c = 0 the systems don't
// differ: P is 1, and the chi-squared variants are undefined.
func McNemar(b, c int, variant McNemarVariant) (TestResult, error) {
	const fn = "McNemar"
	if err := checkCounts(fn, b, c); err != nil {
		return TestResult{}, err
	}
	if err := checkConstant(fn, "McNemarVariant", variant, McNemarCorrected); err != nil {
		return TestResult{}, err
	}
	n, low := b+c, min(b, c)
	res := TestResult{Statistic: float64(low), P: 1}
	switch variant {
	case McNemarExact:
		res.P = math.Min(1, 2*dist.BinomialCDF(low, n, 0.5))
	case McNemarMidP:
		if b != c {
			res.P = math.Min(1, 2*dist.BinomialCDF(low, n, 0.5)-dist.BinomialPMF(low, n, 0.5))
		}
	case McNemarChiSquared, McNemarCorrected:
		if n == 0 {
			return TestResult{}, fail(fn, ErrUndefined, "the systems don't differ on any item")
		}
		d := math.Abs(float64(b - c))
		if variant == McNemarCorrected {
			d--
		}
		res = TestResult{Statistic: d * d / float64(n), DF: 1}
		res.P = dist.ChiSquaredSF(res.Statistic, 1)
	}
	return res, nil
}

// maxCount bounds the sum of counts: a float64 is exact up to there.
const maxCount = 1 << 53

// checkCounts refuses counts that are negative, or whose sum is too large.
func checkCounts(fn string, counts ...int) error {
	total := 0
	for _, n := range counts {
		if n < 0 {
			return fail(fn, ErrRange, "count %d is negative", n)
		}
		if n > maxCount-total {
			return fail(fn, ErrRange, "the counts %d sum to more than 2^53", counts)
		}
		total += n
	}
	return nil
}

// FisherExact tests independence in the table [[a b] [c d]] given its margins
// (Fisher, 1935). Statistic is the odds ratio ad/bc, +Inf where b or c is 0, and
// NaN where an empty margin leaves it undefined (P is then 1). Two-sided, P adds up
// all tables that are at most as probable as the observed one; [AlternativeGreater]
// means an odds ratio above 1.
//
// The time grows with the square root of the counts, because only tables with a
// relevant probability are computed.
func FisherExact(table [2][2]int, alt Alternative) (TestResult, error) {
	const fn = "FisherExact"
	a, b, c, d := table[0][0], table[0][1], table[1][0], table[1][1]
	if err := checkCounts(fn, a, b, c, d); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	t := margins{total: a + b + c + d, marked: a + b, drawn: a + c}
	if t.marked == 0 || t.drawn == 0 || c+d == 0 || b+d == 0 {
		return TestResult{Statistic: math.NaN(), P: 1}, nil
	}
	res := TestResult{Statistic: float64(a) * float64(d) / (float64(b) * float64(c))}
	mode := t.mode()
	switch {
	case alt == AlternativeLess && a <= mode, alt == AlternativeGreater && a >= mode:
		res.P = t.tail(a, alt == AlternativeLess)
	case alt == AlternativeLess:
		res.P = 1 - t.tail(a+1, false)
	case alt == AlternativeGreater:
		res.P = 1 - t.tail(a-1, true)
	default:
		low, high := t.noMoreProbable(a, mode)
		res.P = t.tail(low, true) + t.tail(high, false)
	}
	res.P = math.Max(0, math.Min(1, res.P))
	return res, nil
}

// margins fix a table of two rows and columns except for its first cell: how many
// of the drawn items are marked.
type margins struct{ total, marked, drawn int }

func (t margins) lowest() int  { return max(0, t.drawn+t.marked-t.total) }
func (t margins) highest() int { return min(t.drawn, t.marked) }

func (t margins) probability(k int) float64 {
	return dist.HypergeometricPMF(k, t.total, t.marked, t.drawn)
}

// mode is the most probable first cell; the probability falls to both sides.
func (t margins) mode() int {
	hi, lo := bits.Mul64(uint64(t.marked+1), uint64(t.drawn+1))
	mode, _ := bits.Div64(hi, lo, uint64(t.total+2))
	return min(max(int(mode), t.lowest()), t.highest())
}

// tail is the probability of k and of all cells below it (or above), away from the
// mode. Each probability is computed from that of the cell beside it. The sum ends
// where the rest is too small to change it.
func (t margins) tail(k int, below bool) float64 {
	if k < t.lowest() || k > t.highest() {
		return 0
	}
	p := t.probability(k)
	total := p
	for p > 1e-18*total {
		if !below {
			p *= t.step(k)
			k++
		} else if k--; k >= t.lowest() {
			p /= t.step(k)
		} else {
			break
		}
		total += p
	}
	return total
}

// step is the probability of k+1 over that of k, 0 beyond the highest.
func (t margins) step(k int) float64 {
	return float64(t.marked-k) / float64(k+1) * (float64(t.drawn-k) / float64(t.total-t.marked-t.drawn+k+1))
}

// noMoreProbable returns the cells nearest to the mode, below and above it, that
// are at most as probable as a. If the mode itself is one of them, every cell is.
func (t margins) noMoreProbable(a, mode int) (low, high int) {
	limit := t.probability(a) * (1 + 1e-7) // equal except for rounding
	if t.probability(mode) <= limit {
		return mode, mode + 1
	}
	low = mode - 1 - sort.Search(mode-t.lowest(), func(i int) bool { return t.probability(mode-1-i) <= limit })
	high = mode + 1 + sort.Search(t.highest()-mode, func(i int) bool { return t.probability(mode+1+i) <= limit })
	return low, high
}

// ChiSquaredOptions sets the variant of [ChiSquaredTable]; nil means the
// defaults.
type ChiSquaredOptions struct {
	// Yates moves each cell of a 2x2 table half a unit (or its whole distance, if
	// less) toward its expectation. Larger tables aren't corrected. Default: no
	// correction.
	Yates bool
}

// ChiSquaredTable tests independence in a table of counts, rows by columns.
// Undefined if a row or column is empty; below an expectation of five a cell,
// use [FisherExact].
func ChiSquaredTable(table [][]int, o *ChiSquaredOptions) (TestResult, error) {
	const fn = "ChiSquaredTable"
	yates := o != nil && o.Yates
	if len(table) < 2 || len(table[0]) < 2 {
		return TestResult{}, fail(fn, ErrTooFew, "a table has at least two rows and two columns")
	}
	columns := len(table[0])
	rowSum, colSum, total := make([]float64, len(table)), make([]float64, columns), 0.0
	for i, row := range table {
		if len(row) != columns {
			return TestResult{}, fail(fn, ErrLength, "row %d has %d columns, the first has %d", i, len(row), columns)
		}
		for j, n := range row {
			if n < 0 {
				return TestResult{}, fail(fn, ErrRange, "count %d in row %d", n, i)
			}
			rowSum[i] += float64(n)
			colSum[j] += float64(n)
			total += float64(n)
		}
	}
	df := (len(table) - 1) * (columns - 1)
	res := TestResult{DF: float64(df)}
	for i, row := range table {
		for j, n := range row {
			expected := rowSum[i] * colSum[j] / total
			if !(expected > 0) {
				return TestResult{}, fail(fn, ErrUndefined, "row %d or column %d is empty", i, j)
			}
			d := math.Abs(float64(n) - expected)
			if yates && df == 1 {
				d -= math.Min(0.5, d)
			}
			res.Statistic += d * d / expected
		}
	}
	res.P = dist.ChiSquaredSF(res.Statistic, res.DF)
	return res, nil
}

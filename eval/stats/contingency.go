package stats

import (
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// A McNemarVariant is a p-value of [McNemar]. Default: [McNemarExact].
type McNemarVariant uint8

// The variants of McNemar's test.
const (
	// McNemarExact doubles the binomial tail; Statistic is min(b, c). It never
	// errs too often, and so errs too rarely.
	McNemarExact McNemarVariant = iota
	// McNemarMidP takes half of the observed outcome's own probability off (Fagerland
	// and others, 2013): nearly as safe, more powerful; the recommended one.
	McNemarMidP
	// McNemarChiSquared is (b-c)²/(b+c).
	McNemarChiSquared
	// McNemarCorrected is McNemarChiSquared corrected for continuity:
	// (|b-c|-1)²/(b+c).
	McNemarCorrected
)

// McNemar compares two systems judged right or wrong on the same items
// (McNemar, 1947). Only the items on which they differ count: b that the first
// got right and the second wrong, and c the other way round. With b+c = 0
// there is nothing to tell them apart: P is 1, and the chi-squared variants
// are undefined.
func McNemar(b, c int, variant McNemarVariant) (TestResult, error) {
	const fn = "McNemar"
	if b < 0 || c < 0 {
		return TestResult{}, fail(fn, ErrRange, "counts %d and %d must not be negative", b, c)
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
			return TestResult{}, fail(fn, ErrUndefined, "no item tells the systems apart")
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

// FisherExact tests independence in the table [[a b] [c d]] given its margins
// (Fisher, 1935). Statistic is the odds ratio ad/bc, NaN when an empty margin
// leaves it undefined (P is then 1). Two-sided, P adds up all tables that are
// no more probable than the one observed; [AlternativeGreater] means an odds
// ratio above 1.
func FisherExact(table [2][2]int, alt Alternative) (TestResult, error) {
	const fn = "FisherExact"
	a, b, c, d := table[0][0], table[0][1], table[1][0], table[1][1]
	if min(a, b, c, d) < 0 {
		return TestResult{}, fail(fn, ErrRange, "counts must not be negative")
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	total, marked, drawn := a+b+c+d, a+b, a+c
	if marked == 0 || drawn == 0 || c+d == 0 || b+d == 0 {
		return TestResult{Statistic: math.NaN(), P: 1}, nil
	}
	res := TestResult{Statistic: float64(a) * float64(d) / (float64(b) * float64(c))}
	pmf := func(k int) float64 { return dist.HypergeometricPMF(k, total, marked, drawn) }
	observed := pmf(a)
	for k := max(0, drawn+marked-total); k <= min(drawn, marked); k++ {
		p := pmf(k)
		switch {
		case alt == AlternativeTwoSided && p <= observed*(1+1e-7), // equal but for rounding
			alt == AlternativeGreater && k >= a, alt == AlternativeLess && k <= a:
			res.P += p
		}
	}
	res.P = math.Min(1, res.P)
	return res, nil
}

// ChiSquaredOptions sets the variant of [ChiSquaredTable]; nil means the
// defaults.
type ChiSquaredOptions struct {
	// Yates moves each cell of a 2x2 table half a unit (or its whole distance, if
	// less) toward its expectation. Larger tables are left alone. Default: no
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

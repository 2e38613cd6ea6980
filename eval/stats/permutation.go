package stats

import (
	"math"
	"slices"
	"sort"

	"github.com/prodailabs/prodai/internal/dist"
)

// SignTest counts which of each pair is larger and compares with a fair coin; equal
// pairs are left out. Statistic is the number of pairs with a > b, P is 1 if no
// pair differs. It only needs values that can be ordered, so it is the test for
// pairwise preferences of a judge.
func SignTest(a, b []float64, alt Alternative) (TestResult, error) {
	const fn = "SignTest"
	if err := checkPairs(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	wins, losses := 0, 0
	for i := range a {
		switch {
		case a[i] > b[i]:
			wins++
		case a[i] < b[i]:
			losses++
		}
	}
	return TestResult{Statistic: float64(wins), P: coinP(wins, wins+losses, alt)}, nil
}

// coinP is the p-value of k heads in n tosses of a fair coin.
func coinP(k, n int, alt Alternative) float64 {
	less, greater := dist.BinomialCDF(k, n, 0.5), dist.BinomialSF(k-1, n, 0.5)
	switch alt {
	case AlternativeGreater:
		return greater
	case AlternativeLess:
		return less
	}
	return math.Min(1, 2*math.Min(less, greater))
}

// exactPairs is how many pairs that differ [PairedPermutation] still treats
// exactly: two sorted lists of 2^(n/2) sums.
const exactPairs = 36

// PermutationOptions sets the variant of [PairedPermutation]; nil means the
// defaults.
type PermutationOptions struct {
	// Alternative is what is tested. Default: [AlternativeTwoSided].
	Alternative Alternative
	// Resamples is the number of random sign vectors when there are more than 36
	// pairs that differ. Default: 9999.
	Resamples int
	// Seed starts NumPy's default_rng. Default: 12345, sacreBLEU's.
	Seed uint64
}

// PairedPermutation tests the mean of the differences a[i]-b[i] against all the
// means that swapping a and b within pairs could have given (Fisher, "The Design of
// Experiments", 1935). It assumes nothing about the distribution of the scores;
// under the null hypothesis the systems are interchangeable. Statistic is the mean
// difference.
//
// Up to 36 pairs that differ the p-value is exact: the 2^n sums are those of
// two halves, which are sorted and matched (Horowitz and Sahni, 1974). Beyond
// that random sign vectors are drawn and p = (1 + as extreme)/(1 + Resamples).
func PairedPermutation(a, b []float64, o *PermutationOptions) (TestResult, error) {
	const fn = "PairedPermutation"
	if err := checkPairs(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if o == nil {
		o = &PermutationOptions{}
	}
	if err := o.Alternative.check(fn); err != nil {
		return TestResult{}, err
	}
	samples, err := countOr(fn, "PermutationOptions.Resamples", o.Resamples, 9999)
	if err != nil {
		return TestResult{}, err
	}
	all, unit := differences(a, b)
	var d []float64
	size := 0.0
	for _, v := range all {
		if v != 0 {
			d = append(d, v)
			size += math.Abs(v)
		}
	}
	observed := sum(d)
	// Sums that are equal in exact arithmetic differ by rounding; they count as
	// equal.
	slack := 1e-12 * size
	res := TestResult{Statistic: math.Ldexp(observed/float64(len(all)), unit)}
	if err := checkResult(fn, res.Statistic); err != nil {
		return TestResult{}, err
	}
	atLeast := exactTail(d, slack)
	if len(d) > exactPairs {
		atLeast = sampledTail(randomSignedSums(d, samples, NewGenerator(seedOr(o.Seed))), slack)
	}
	// By symmetry P(sum <= -x) = P(sum >= x).
	switch o.Alternative {
	case AlternativeGreater:
		res.P = atLeast(observed)
	case AlternativeLess:
		res.P = atLeast(-observed)
	default:
		res.P = math.Min(1, 2*atLeast(math.Abs(observed)))
		if math.Abs(observed) <= slack {
			res.P = 1
		}
	}
	return res, nil
}

// exactTail returns the share of sign vectors whose sum is at least x, or nil if
// there are too many pairs.
func exactTail(d []float64, slack float64) func(x float64) float64 {
	if len(d) > exactPairs {
		return nil
	}
	left, right := signedSums(d[:len(d)/2]), signedSums(d[len(d)/2:])
	return func(x float64) float64 {
		count, j := 0, len(right)
		for _, l := range left { // the sums rise, so the needed partner falls
			for j > 0 && l+right[j-1] >= x-slack {
				j--
			}
			count += len(right) - j
		}
		return float64(count) / (float64(len(left)) * float64(len(right)))
	}
}

// sampledTail estimates the same share from the sorted sums of random vectors.
func sampledTail(sums []float64, slack float64) func(x float64) float64 {
	return func(x float64) float64 {
		count := len(sums) - sort.SearchFloat64s(sums, x-slack)
		return float64(count+1) / float64(len(sums)+1)
	}
}

// signedSums returns ±d[0]±d[1]... for all choices of signs, sorted.
func signedSums(d []float64) []float64 {
	sums := []float64{0}
	for _, v := range d {
		next := make([]float64, 0, 2*len(sums))
		for _, s := range sums {
			next = append(next, s+v, s-v)
		}
		sums = next
	}
	slices.Sort(sums)
	return sums
}

// randomSignedSums returns the sums of random sign vectors, sorted.
func randomSignedSums(d []float64, samples int, g *Generator) []float64 {
	sums := make([]float64, samples)
	flips := make([]bool, len(d))
	for i := range sums {
		g.Bools(flips)
		for k, flip := range flips {
			if flip {
				sums[i] += d[k]
			} else {
				sums[i] -= d[k]
			}
		}
	}
	slices.Sort(sums)
	return sums
}

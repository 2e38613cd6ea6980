package stats

import (
	"cmp"
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
)

// Ranks gives each value its rank from 1; equal values share the mean of the
// ranks they take up (mid-ranks).
func Ranks(xs []float64) []float64 {
	ranks, _ := ranksAndTies(xs)
	return ranks
}

// ranksAndTies also returns the sizes of the groups of equal values.
func ranksAndTies(xs []float64) (ranks []float64, groups []int) {
	order := make([]int, len(xs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(xs[i], xs[j]) })
	ranks = make([]float64, len(xs))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && xs[order[hi]] == xs[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			ranks[i] = float64(lo+hi+1) / 2
		}
		groups = append(groups, hi-lo)
		lo = hi
	}
	return ranks, groups
}

// tieTerm is Σ t³-t over the groups of ties, which normal approximations
// subtract from the variance of a rank sum.
func tieTerm(groups []int) float64 {
	total := 0.0
	for _, t := range groups {
		f := float64(t)
		total += f*f*f - f
	}
	return total
}

// A RankMethod is how a rank test gets its p-value. Default: [RankMethodAuto].
type RankMethod uint8

// The methods.
const (
	RankMethodAuto        RankMethod = iota // SciPy's choice by the size of the samples, see the options
	RankMethodExact                         // the tables' distribution, of ranks without ties; conservative with them
	RankMethodNormal                        // the normal approximation, corrected for ties
	RankMethodPermutation                   // exact for the ranks as they are, ties included
)

// Zeros is what [Wilcoxon] does with pairs that don't differ. Default:
// [ZerosDrop].
type Zeros uint8

// The treatments of zero differences.
const (
	ZerosDrop  Zeros = iota // leave them out (Wilcoxon)
	ZerosRank               // rank them, then leave their ranks out (Pratt)
	ZerosSplit              // rank them, half of the ranks to each side
)

// WilcoxonOptions sets the variant of [Wilcoxon]; nil means the defaults.
type WilcoxonOptions struct {
	// Alternative is what is tested. Default: [AlternativeTwoSided].
	Alternative Alternative
	// Zeros is the treatment of pairs that don't differ. Default: [ZerosDrop].
	Zeros Zeros
	// Method of the p-value. Default: [RankMethodAuto], which is RankMethodExact
	// for up to 50 pairs without ties or zeros, RankMethodPermutation for up to 13
	// with them, and RankMethodNormal otherwise.
	Method RankMethod
	// Continuity moves the normal approximation's statistic half a unit toward
	// its mean. Default: no correction, as in SciPy.
	Continuity bool
}

// Wilcoxon is the signed-rank test (Wilcoxon, "Individual Comparisons by
// Ranking Methods", 1945): whether the differences a[i]-b[i] lie symmetrically
// around zero. The statistic is the rank sum of the positive differences, the
// smaller of both rank sums if two-sided, as in scipy.stats.wilcoxon.
//
// It needs no normal law but does need symmetric differences and a scale on
// which differences can be ordered. Judge scores of 1 to 5 have many ties and
// zeros: then the treatment of zeros decides, so name it in the report.
func Wilcoxon(a, b []float64, o *WilcoxonOptions) (TestResult, error) {
	const fn = "Wilcoxon"
	if err := checkPairs(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if o == nil {
		o = &WilcoxonOptions{}
	}
	if err := o.Alternative.check(fn); err != nil {
		return TestResult{}, err
	}
	if err := checkConstant(fn, "WilcoxonOptions.Zeros", o.Zeros, ZerosSplit); err != nil {
		return TestResult{}, err
	}
	if err := checkConstant(fn, "WilcoxonOptions.Method", o.Method, RankMethodPermutation); err != nil {
		return TestResult{}, err
	}
	var d []float64
	zeros := 0
	for _, v := range differences(a, b) {
		if v == 0 {
			zeros++
			if o.Zeros == ZerosDrop {
				continue
			}
		}
		d = append(d, v)
	}
	magnitude := make([]float64, len(d))
	for i, v := range d {
		magnitude[i] = math.Abs(v)
	}
	ranks, groups := ranksAndTies(magnitude)
	var plus, minus, fixed float64
	var free []float64 // the ranks whose sign is open under the null hypothesis
	for i, v := range d {
		switch {
		case v > 0:
			plus += ranks[i]
		case v < 0:
			minus += ranks[i]
		case o.Zeros == ZerosSplit:
			fixed += ranks[i] / 2
		}
		if v != 0 {
			free = append(free, ranks[i])
		}
	}
	plus, minus = plus+fixed, minus+fixed
	res := TestResult{Statistic: plus}
	if o.Alternative == AlternativeTwoSided {
		res.Statistic = math.Min(plus, minus)
	}

	method := o.Method
	tied := zeros > 0 || len(groups) < len(d)
	if method == RankMethodAuto {
		method = RankMethodNormal
		switch {
		case len(a) <= 50 && !tied:
			method = RankMethodExact
		case len(a) <= 13:
			method = RankMethodPermutation
		}
	}
	if method != RankMethodNormal && len(d) > 500 {
		return TestResult{}, fail(fn, ErrOption, "WilcoxonOptions.Method asks for an exact law of %d pairs: want 500 or fewer, or RankMethodNormal", len(d))
	}
	switch method {
	case RankMethodExact:
		res.P = discreteP(signedRankLaw(untied(len(d))), 2*plus, 2, o.Alternative)
		return res, nil
	case RankMethodPermutation:
		res.P = discreteP(signedRankLaw(free), 2*(plus-fixed), 1, o.Alternative)
		return res, nil
	}

	n := float64(len(d))
	mean := n * (n + 1) / 4
	variance := n * (n + 1) * (2*n + 1)
	if o.Zeros == ZerosRank {
		z := float64(zeros)
		mean -= z * (z + 1) / 4
		variance -= z * (z + 1) * (2*z + 1)
		if zeros > 0 {
			groups = groups[1:] // the smallest magnitude: the zeros
		}
	}
	se := math.Sqrt((variance - tieTerm(groups)/2) / 24)
	if se == 0 {
		return TestResult{}, fail(fn, ErrUndefined, "no pair differs")
	}
	z := (plus - mean) / se
	if o.Continuity {
		switch {
		case o.Alternative == AlternativeGreater, o.Alternative == AlternativeTwoSided && z > 0:
			z -= 0.5 / se
		case o.Alternative == AlternativeLess, o.Alternative == AlternativeTwoSided && z < 0:
			z += 0.5 / se
		}
	}
	res.P = pOf(z, o.Alternative, dist.NormalSF)
	return res, nil
}

// signedRankLaw is the law of a sum of ranks that each count or not with
// probability one half: element s is the probability of s/2. Mid-ranks are
// halves at worst, so doubled sums are whole numbers and the law is a
// convolution, O(n³).
func signedRankLaw(ranks []float64) []float64 {
	total := 0
	for _, r := range ranks {
		total += int(2 * r)
	}
	p := make([]float64, total+1)
	p[0] = 1
	top := 0
	for _, r := range ranks {
		step := int(2 * r)
		top += step
		for s := top; s >= 0; s-- {
			p[s] /= 2
			if s >= step {
				p[s] += p[s-step] / 2
			}
		}
	}
	return p
}

func untied(n int) []float64 {
	ranks := make([]float64, n)
	for i := range ranks {
		ranks[i] = float64(i + 1)
	}
	return ranks
}

// discreteP is the p-value of an observation from the probabilities of 0, 1,
// 2...; two-sided it is twice the smaller tail. Only multiples of unit are
// possible: an observation between two of them is moved outwards for the tail
// in question, which errs on the safe side.
func discreteP(p []float64, observed float64, unit int, alt Alternative) float64 {
	u := float64(unit)
	low, high := int(u*math.Floor(observed/u)), int(u*math.Ceil(observed/u))
	var less, greater float64
	for s, v := range p {
		if s <= high {
			less += v
		}
		if s >= low {
			greater += v
		}
	}
	switch alt {
	case AlternativeGreater:
		return math.Min(1, greater)
	case AlternativeLess:
		return math.Min(1, less)
	}
	return math.Min(1, 2*math.Min(less, greater))
}

// MannWhitneyOptions sets the variant of [MannWhitney]; nil means the defaults.
type MannWhitneyOptions struct {
	// Alternative is what is tested. Default: [AlternativeTwoSided].
	Alternative Alternative
	// Method of the p-value. Default: [RankMethodAuto], which is RankMethodExact
	// without ties when one sample has at most 8 values and both together at most
	// 200, and RankMethodNormal otherwise.
	Method RankMethod
	// NoContinuity leaves out the correction of the normal approximation.
	// Default: corrected, as in SciPy.
	NoContinuity bool
}

// MannWhitney is the U test, or Wilcoxon's rank-sum test: whether the values
// of one of two independent samples tend to be larger. Statistic is U of a,
// the number of pairs in which a's value is larger, ties counting one half
// (Mann and Whitney, 1947). It tests P(a > b) = 1/2; it is a test of medians
// only if the two laws have the same shape.
func MannWhitney(a, b []float64, o *MannWhitneyOptions) (TestResult, error) {
	const fn = "MannWhitney"
	if err := checkTwo(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if o == nil {
		o = &MannWhitneyOptions{}
	}
	if err := o.Alternative.check(fn); err != nil {
		return TestResult{}, err
	}
	if err := checkConstant(fn, "MannWhitneyOptions.Method", o.Method, RankMethodPermutation); err != nil {
		return TestResult{}, err
	}
	ranks, groups := ranksAndTies(slices.Concat(a, b))
	n, m := float64(len(a)), float64(len(b))
	u := sum(ranks[:len(a)]) - n*(n+1)/2
	res := TestResult{Statistic: u}

	method := o.Method
	tied := len(groups) < len(ranks)
	if method == RankMethodAuto {
		method = RankMethodNormal
		if min(len(a), len(b)) <= 8 && len(ranks) <= 200 && !tied {
			method = RankMethodExact
		}
	}
	if method != RankMethodNormal && len(ranks) > 200 {
		return TestResult{}, fail(fn, ErrOption, "MannWhitneyOptions.Method asks for an exact law of %d values: want 200 or fewer, or RankMethodNormal", len(ranks))
	}
	switch method {
	case RankMethodExact:
		res.P = discreteP(rankSumLaw(untied(len(ranks)), len(a)), 2*u+n*(n+1), 2, o.Alternative)
		return res, nil
	case RankMethodPermutation:
		res.P = discreteP(rankSumLaw(ranks, len(a)), 2*u+n*(n+1), 1, o.Alternative)
		return res, nil
	}
	variance := n * m / 12 * (n + m + 1 - tieTerm(groups)/((n+m)*(n+m-1)))
	if !(variance > 0) {
		if !o.NoContinuity {
			res.P = 1 // all equal: the corrected statistic lies beyond its own mean
			return res, nil
		}
		return TestResult{}, fail(fn, ErrUndefined, "all values are equal")
	}
	z := u - n*m/2
	switch o.Alternative {
	case AlternativeLess:
		z = -z
	case AlternativeTwoSided:
		z = math.Abs(z)
	}
	if !o.NoContinuity {
		z -= 0.5
	}
	res.P = dist.NormalSF(z / math.Sqrt(variance))
	if o.Alternative == AlternativeTwoSided {
		res.P = math.Min(1, 2*res.P)
	}
	return res, nil
}

func mannWhitneyU(a, b []float64) float64 {
	ranks := Ranks(slices.Concat(a, b))
	n := float64(len(a))
	return sum(ranks[:len(a)]) - n*(n+1)/2
}

// rankSumLaw is the law of the sum of k ranks drawn without replacement:
// element s is the probability of s/2. It counts subsets by size and doubled
// sum, one rank at a time, O(N·k·N²); the tests that use it are for small
// samples.
func rankSumLaw(ranks []float64, k int) []float64 {
	total := 0
	for _, r := range ranks {
		total += int(2 * r)
	}
	// p[j][s]: the probability that the ranks seen so far have j chosen ones of
	// doubled sum s, each of the subsets of size k being equally likely.
	p := make([][]float64, k+1)
	for j := range p {
		p[j] = make([]float64, total+1)
	}
	p[0][0] = 1
	for i, r := range ranks {
		left := float64(len(ranks) - i)
		step := int(2 * r)
		for j := min(i, k); j >= 0; j-- {
			choose := float64(k-j) / left
			for s, v := range p[j] {
				if v == 0 {
					continue
				}
				p[j][s] = v * (1 - choose)
				if choose > 0 {
					p[j+1][s+step] += v * choose
				}
			}
		}
	}
	return p[k]
}

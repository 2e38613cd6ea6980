package stats

import (
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
)

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

// MannWhitney is the U test, or Wilcoxon's rank-sum test: whether the values of one
// of two independent samples tend to be larger. Statistic is U of a, the number of
// pairs in which a's value is larger, ties counting one half (Mann and Whitney,
// 1947). It tests P(a > b) = 1/2; it is a test of medians only if the two
// distributions have the same shape.
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
		return TestResult{}, fail(fn, ErrOption, "MannWhitneyOptions.Method asks for the exact distribution of %d values: want 200 or fewer, or RankMethodNormal", len(ranks))
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
	if variance > 0 {
		res.P = o.normalP(u, n, m, variance)
		return res, nil
	}
	if o.NoContinuity {
		return TestResult{}, fail(fn, ErrUndefined, "all values are equal")
	}
	res.P = 1 // all equal: the corrected statistic is beyond its own mean
	return res, nil
}

// normalP is the p-value of U by the normal approximation.
func (o *MannWhitneyOptions) normalP(u, n, m, variance float64) float64 {
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
	p := dist.NormalSF(z / math.Sqrt(variance))
	if o.Alternative == AlternativeTwoSided {
		return math.Min(1, 2*p)
	}
	return p
}

func mannWhitneyU(a, b []float64) float64 {
	ranks := Ranks(slices.Concat(a, b))
	n := float64(len(a))
	return sum(ranks[:len(a)]) - n*(n+1)/2
}

// rankSumLaw is the distribution of the sum of k ranks drawn without replacement:
// element s is the probability of s/2. It counts subsets by size and doubled sum,
// one rank at a time, O(N·k·N²) for k up to N/2; the tests that use it are for
// small samples.
func rankSumLaw(ranks []float64, k int) []float64 {
	if rest := len(ranks) - k; rest < k { // the ranks that are not drawn have the rest of the sum
		law := rankSumLaw(ranks, rest)
		slices.Reverse(law)
		return law
	}
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

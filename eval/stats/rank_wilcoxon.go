package stats

import (
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// Zeros says what [Wilcoxon] does with pairs that don't differ. Default:
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
// It doesn't need a normal distribution, but it needs symmetric differences and a
// scale on which differences can be ordered. Judge scores of 1 to 5 have many ties
// and zeros. Then the treatment of zeros decides, so name it in the report.
func Wilcoxon(a, b []float64, o *WilcoxonOptions) (TestResult, error) {
	const fn = "Wilcoxon"
	if err := checkPairs(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if o == nil {
		o = &WilcoxonOptions{}
	}
	if err := o.check(fn); err != nil {
		return TestResult{}, err
	}
	s := signedRanksOf(a, b, o.Zeros)
	res := TestResult{Statistic: s.plus}
	if o.Alternative == AlternativeTwoSided {
		res.Statistic = math.Min(s.plus, s.minus)
	}
	method := o.Method
	if method == RankMethodAuto {
		method = RankMethodNormal
		switch {
		case len(a) <= 50 && !s.tied():
			method = RankMethodExact
		case len(a) <= 13:
			method = RankMethodPermutation
		}
	}
	if method != RankMethodNormal && s.n > 500 {
		return TestResult{}, fail(fn, ErrOption, "WilcoxonOptions.Method asks for the exact distribution of %d pairs: want 500 or fewer, or RankMethodNormal", s.n)
	}
	switch method {
	case RankMethodExact:
		res.P = discreteP(signedRankLaw(untied(s.n)), 2*s.plus, 2, o.Alternative)
		return res, nil
	case RankMethodPermutation:
		res.P = discreteP(signedRankLaw(s.free), 2*(s.plus-s.fixed), 1, o.Alternative)
		return res, nil
	}
	mean, se := s.moments(o.Zeros)
	if se == 0 {
		return TestResult{}, fail(fn, ErrUndefined, "no pair differs")
	}
	z := (s.plus - mean) / se
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

func (o *WilcoxonOptions) check(fn string) error {
	if err := o.Alternative.check(fn); err != nil {
		return err
	}
	if err := checkConstant(fn, "WilcoxonOptions.Zeros", o.Zeros, ZerosSplit); err != nil {
		return err
	}
	return checkConstant(fn, "WilcoxonOptions.Method", o.Method, RankMethodPermutation)
}

// signedRanks are the rank sums of the positive and negative differences.
type signedRanks struct {
	n, zeros           int       // ranked differences, and those that are zero
	groups             []int     // sizes of the groups of equal magnitude
	plus, minus, fixed float64   // fixed is the part of both that splitting zeros adds
	free               []float64 // the ranks whose sign is open under the null hypothesis
}

func signedRanksOf(a, b []float64, zeros Zeros) *signedRanks {
	s := &signedRanks{}
	var d, magnitude []float64
	all, _ := differences(a, b)
	for _, v := range all {
		if v == 0 {
			s.zeros++
			if zeros == ZerosDrop {
				continue
			}
		}
		d, magnitude = append(d, v), append(magnitude, math.Abs(v))
	}
	s.n = len(d)
	ranks, groups := ranksAndTies(magnitude)
	s.groups = groups
	for i, v := range d {
		switch {
		case v > 0:
			s.plus += ranks[i]
		case v < 0:
			s.minus += ranks[i]
		case zeros == ZerosSplit:
			s.fixed += ranks[i] / 2
		}
		if v != 0 {
			s.free = append(s.free, ranks[i])
		}
	}
	s.plus, s.minus = s.plus+s.fixed, s.minus+s.fixed
	return s
}

func (s *signedRanks) tied() bool { return s.zeros > 0 || len(s.groups) < s.n }

// moments are the mean and standard error of plus in the normal approximation.
func (s *signedRanks) moments(zeros Zeros) (mean, se float64) {
	n, groups := float64(s.n), s.groups
	mean = n * (n + 1) / 4
	variance := n * (n + 1) * (2*n + 1)
	if zeros == ZerosRank {
		z := float64(s.zeros)
		mean -= z * (z + 1) / 4
		variance -= z * (z + 1) * (2*z + 1)
		if s.zeros > 0 {
			groups = groups[1:] // the smallest magnitude: the zeros
		}
	}
	return mean, math.Sqrt((variance - tieTerm(groups)/2) / 24)
}

// signedRankLaw is the distribution of a sum of ranks that each count or not with
// probability one half: element s is the probability of s/2. Mid-ranks are
// multiples of one half, so doubled sums are whole numbers and the distribution is
// a convolution, O(n³).
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

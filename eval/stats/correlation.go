package stats

import (
	"cmp"
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
)

// Pearson is the linear correlation r of pairs, as Statistic, and the two-sided
// p-value of no correlation for normally distributed values, by the exact
// distribution of r (t with n-2 degrees of freedom). Undefined if either side is
// constant.
func Pearson(x, y []float64) (TestResult, error) {
	const fn = "Pearson"
	if err := checkPairs(fn, x, y, 2); err != nil {
		return TestResult{}, err
	}
	r, ok := pearson(x, y)
	if !ok {
		return TestResult{}, fail(fn, ErrUndefined, "one side is constant")
	}
	return rTest(r, len(x)), nil
}

func pearson(x, y []float64) (r float64, ok bool) {
	_, xs := inUnit(x)
	_, ys := inUnit(y)
	x, y = xs[0], ys[0]
	vx, vy := Variance(x), Variance(y)
	if constant(x) || constant(y) || vx == 0 || vy == 0 {
		return math.NaN(), false
	}
	r = Covariance(x, y) / math.Sqrt(vx) / math.Sqrt(vy)
	return math.Max(-1, math.Min(1, r)), true
}

func constant(x []float64) bool {
	return slices.Min(x) == slices.Max(x)
}

func rTest(r float64, n int) TestResult {
	df := float64(n - 2)
	res := TestResult{Statistic: r, DF: df, P: 1}
	if n > 2 {
		res.P = math.Min(1, 2*dist.StudentSF(math.Abs(r)*math.Sqrt(df/((1-r)*(1+r))), df))
	}
	return res
}

// PearsonInterval is the confidence interval of a correlation by Fisher's z:
// tanh(atanh r ± z/√(n-3)) (1915). It needs four pairs.
func PearsonInterval(x, y []float64, level float64) (Interval, error) {
	const fn = "PearsonInterval"
	if err := checkPairs(fn, x, y, 4); err != nil {
		return Interval{}, err
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return Interval{}, err
	}
	r, ok := pearson(x, y)
	if !ok {
		return Interval{}, fail(fn, ErrUndefined, "one side is constant")
	}
	half := normalCritical(level) / math.Sqrt(float64(len(x)-3))
	z := math.Atanh(r)
	return Interval{Low: math.Tanh(z - half), High: math.Tanh(z + half), Level: level}, nil
}

// Spearman is the correlation of the ranks (Spearman, 1904), as Statistic. It is 1
// for any rising relation. P is by the t approximation, as in SciPy; of two pairs,
// where it has no degree of freedom, it is NaN. Undefined if either side is
// constant.
func Spearman(x, y []float64) (TestResult, error) {
	const fn = "Spearman"
	if err := checkPairs(fn, x, y, 2); err != nil {
		return TestResult{}, err
	}
	r, ok := pearson(Ranks(x), Ranks(y))
	if !ok {
		return TestResult{}, fail(fn, ErrUndefined, "one side is constant")
	}
	if len(x) == 2 {
		return TestResult{Statistic: r, P: math.NaN()}, nil
	}
	return rTest(r, len(x)), nil
}

// KendallOptions sets the variant of [Kendall]; nil means the defaults.
type KendallOptions struct {
	// TauC selects Stuart's tau-c, for tables that aren't square. Default: tau-b.
	TauC bool
	// Method of the p-value; [RankMethodPermutation] isn't offered. Default:
	// [RankMethodAuto], which is RankMethodExact without ties for up to 33 pairs or
	// near-perfect order, and RankMethodNormal otherwise.
	Method RankMethod
}

// Kendall is Kendall's rank correlation (1938), as Statistic: concordant minus
// discordant pairs, divided by the number of pairs corrected for ties (tau-b).
// It is the agreement of two rankings that is easiest to explain: two random
// items are in the same order with probability (1+τ)/2. Time O(n log n) by
// Knight's merge count (1966). Undefined if either side is constant.
func Kendall(x, y []float64, o *KendallOptions) (TestResult, error) {
	const fn = "Kendall"
	if err := checkPairs(fn, x, y, 2); err != nil {
		return TestResult{}, err
	}
	if o == nil {
		o = &KendallOptions{}
	}
	n := len(x)
	rx, gx := ranksAndTies(x)
	ry, gy := ranksAndTies(y)
	pairs := n * (n - 1) / 2
	xTies, yTies := tiedPairs(gx), tiedPairs(gy)
	if xTies == pairs || yTies == pairs {
		return TestResult{}, fail(fn, ErrUndefined, "one side is constant")
	}
	discordant, bothTies := countDiscordant(rx, ry)
	score := float64(pairs - xTies - yTies + bothTies - 2*discordant)
	var tau float64
	if o.TauC {
		k := float64(min(len(gx), len(gy)))
		tau = 2 * score / (float64(n) * float64(n) * (k - 1) / k)
	} else {
		tau = score / math.Sqrt(float64(pairs-xTies)) / math.Sqrt(float64(pairs-yTies))
	}
	res := TestResult{Statistic: math.Max(-1, math.Min(1, tau))}

	tied := xTies > 0 || yTies > 0
	fewest := min(discordant, pairs-discordant)
	method := o.Method
	if method == RankMethodAuto {
		method = RankMethodNormal
		if !tied && (n <= 33 || fewest <= 1) {
			method = RankMethodExact
		}
	}
	switch {
	case method == RankMethodExact && tied:
		return TestResult{}, fail(fn, ErrUndefined, "the exact distribution is for samples without ties; use RankMethodNormal")
	case method == RankMethodExact:
		res.P = inversionsP(n, fewest)
	case method == RankMethodNormal:
		res.P = kendallNormalP(score, n, gx, gy)
	default:
		return TestResult{}, fail(fn, ErrOption, "KendallOptions.Method is %d: want RankMethodAuto, RankMethodExact or RankMethodNormal", method)
	}
	return res, nil
}

func tiedPairs(groups []int) int {
	total := 0
	for _, t := range groups {
		total += t * (t - 1) / 2
	}
	return total
}

// countDiscordant counts the pairs that x and y order differently, and those
// tied in both, by a merge sort of y in the order of x.
func countDiscordant(x, y []float64) (discordant, bothTied int) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j]))
	})
	seq := make([]float64, len(x))
	run := 1
	for k, i := range order {
		seq[k] = y[i]
		if k > 0 && x[i] == x[order[k-1]] && y[i] == y[order[k-1]] {
			bothTied += run
			run++
		} else {
			run = 1
		}
	}
	return mergeCount(seq, make([]float64, len(seq))), bothTied
}

// mergeCount sorts the values and returns the number of inversions.
func mergeCount(v, buf []float64) int {
	if len(v) < 2 {
		return 0
	}
	mid := len(v) / 2
	count := mergeCount(v[:mid], buf) + mergeCount(v[mid:], buf)
	i, j := 0, mid
	for k := range v {
		if j == len(v) || i < mid && v[i] <= v[j] {
			buf[k] = v[i]
			i++
		} else {
			buf[k] = v[j]
			j++
			count += mid - i
		}
	}
	copy(v, buf[:len(v)])
	return count
}

// inversionsP is twice the probability that a random permutation of n has at
// most c inversions, c on the smaller side: the coefficients of
// Π (1+z+...+z^(j-1))/j.
func inversionsP(n, c int) float64 {
	p := make([]float64, c+1)
	p[0] = 1
	for j := 2; j <= n; j++ {
		// Multiply by 1+z+...+z^(j-1): running sums of j terms.
		prefix := make([]float64, c+2)
		for s, v := range p {
			prefix[s+1] = prefix[s] + v
		}
		for s := range p {
			p[s] = (prefix[s+1] - prefix[max(0, s+1-j)]) / float64(j)
		}
	}
	return math.Min(1, 2*sum(p))
}

func kendallNormalP(score float64, n int, gx, gy []int) float64 {
	terms := func(groups []int) (pairs, triples, variance float64) {
		for _, g := range groups {
			t := float64(g)
			pairs += t * (t - 1) / 2
			triples += t * (t - 1) * (t - 2)
			variance += t * (t - 1) * (2*t + 5)
		}
		return pairs, triples, variance
	}
	px, tx, vx := terms(gx)
	py, ty, vy := terms(gy)
	nf := float64(n)
	m := nf * (nf - 1)
	variance := (m*(2*nf+5)-vx-vy)/18 + 2*px*py/m
	if tx > 0 && ty > 0 {
		variance += tx * ty / (9 * m * (nf - 2))
	}
	return math.Min(1, 2*dist.NormalSF(math.Abs(score)/math.Sqrt(variance)))
}

// WeightedKendall is Vigna's hyperbolic weighted tau ("A Weighted Correlation
// Index for Rankings with Ties", 2015): like [Kendall], but an exchange of two
// items of (descending) ranks r and s from 0 weighs 1/(r+1) + 1/(s+1), so that
// the top of a ranking counts most. It is the mean of the values with the
// ranks taken from x (ties broken by y) and from y, as scipy.stats.weightedtau.
// Time O(n log n), as for [Kendall].
func WeightedKendall(x, y []float64) (float64, error) {
	const fn = "WeightedKendall"
	if err := checkPairs(fn, x, y, 2); err != nil {
		return math.NaN(), err
	}
	if constant(x) || constant(y) {
		return math.NaN(), fail(fn, ErrUndefined, "one side is constant")
	}
	return (weightedTau(x, y) + weightedTau(y, x)) / 2, nil
}

func weightedTau(x, y []float64) float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	// Descending by x, then y; equal pairs in reverse, as the reference's
	// reversal of a stable sort leaves them.
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(x[j], x[i]), cmp.Compare(y[j], y[i]), cmp.Compare(j, i))
	})
	weight := make([]float64, len(x))
	for r, i := range order {
		weight[i] = 1 / float64(r+1)
	}
	// The weight of all pairs, less that of the tied ones.
	all := float64(len(x)-1) * sum(weight)
	slices.Reverse(order) // now rising by x, then y
	xx := all - tiedWeight(order, weight, func(i, j int) bool { return x[i] == x[j] })
	bothTied := tiedWeight(order, weight, func(i, j int) bool { return x[i] == x[j] && y[i] == y[j] })
	discordant := weightedInversions(slices.Clone(order), make([]int, len(order)), y, weight)
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(y[i], y[j]) })
	yy := all - tiedWeight(order, weight, func(i, j int) bool { return y[i] == y[j] })
	score := xx + yy - all + bothTied - 2*discordant
	return math.Max(-1, math.Min(1, score/math.Sqrt(xx)/math.Sqrt(yy)))
}

// tiedWeight is the weight of the tied pairs; the weight of a pair is the sum of
// its two weights. Ties are adjacent in the order.
func tiedWeight(order []int, weight []float64, tied func(i, j int) bool) float64 {
	total := 0.0
	for lo := 0; lo < len(order); {
		hi, group := lo, 0.0
		for hi < len(order) && tied(order[lo], order[hi]) {
			group += weight[order[hi]]
			hi++
		}
		total += float64(hi-lo-1) * group
		lo = hi
	}
	return total
}

// weightedInversions sorts the items by y and returns the weight of the pairs that
// were out of order.
func weightedInversions(order, buf []int, y, weight []float64) float64 {
	if len(order) < 2 {
		return 0
	}
	mid := len(order) / 2
	total := weightedInversions(order[:mid], buf, y, weight) + weightedInversions(order[mid:], buf, y, weight)
	left := 0.0 // the weight of the items that are left in the first half
	for _, i := range order[:mid] {
		left += weight[i]
	}
	i, j := 0, mid
	for k := range order {
		if j == len(order) || i < mid && y[order[i]] <= y[order[j]] {
			buf[k] = order[i]
			left -= weight[order[i]]
			i++
		} else {
			buf[k] = order[j]
			total += left + float64(mid-i)*weight[order[j]]
			j++
		}
	}
	copy(order, buf[:len(order)])
	return total
}

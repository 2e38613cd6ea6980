package stats

import (
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
	"github.com/prodailabs/prodai/internal/drift"
)

// A KSMethod is a way to compute the p-value of [KolmogorovSmirnov]. Default:
// [KSSciPy].
type KSMethod uint8

// The p-values of the two-sample Kolmogorov-Smirnov test. For small samples one can
// be half as large again as another.
const (
	// KSSciPy is scipy.stats.ks_2samp's method "asymp": the exact one-sample
	// distribution for the size round(mn/(m+n)).
	KSSciPy KSMethod = iota
	// KSExact counts lattice paths; exact without ties, O(mn).
	KSExact
	// KSLimit is the limit distribution of D √(mn/(m+n)) of textbooks.
	KSLimit
)

// KolmogorovSmirnov tests whether two samples have the same distribution. Statistic
// is D, the largest distance of their empirical distribution functions. Between the
// scores of a day and those of a reference period it finds any change of shape.
// With thousands of scores it finds changes that don't matter, so look at D too.
func KolmogorovSmirnov(a, b []float64, method KSMethod) (TestResult, error) {
	const fn = "KolmogorovSmirnov"
	if err := checkTwo(fn, a, b, 1); err != nil {
		return TestResult{}, err
	}
	if err := checkConstant(fn, "KSMethod", method, KSLimit); err != nil {
		return TestResult{}, err
	}
	d := drift.KS(a, b)
	res := TestResult{Statistic: d}
	switch method {
	case KSSciPy:
		res.P = drift.KSLikeSciPy(len(a), len(b), d)
	case KSExact:
		res.P = dist.KSTwoSampleSF(len(a), len(b), d)
	case KSLimit:
		m, n := float64(len(a)), float64(len(b))
		res.P = dist.KolmogorovSF(d * math.Sqrt(m*n/(m+n)))
	}
	return res, nil
}

// Wasserstein is the earth mover's distance of two samples, the area between their
// distribution functions: how far the scores have moved, in the unit of the scores.
func Wasserstein(a, b []float64) (float64, error) {
	if err := checkTwo("Wasserstein", a, b, 1); err != nil {
		return math.NaN(), err
	}
	unit, scaled := inUnit(a, b)
	a, b = scaled[0], scaled[1]
	sa, sb := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	area, i, j := 0.0, 0, 0
	for k := range len(all) - 1 {
		for i < len(sa) && sa[i] <= all[k] {
			i++
		}
		for j < len(sb) && sb[j] <= all[k] {
			j++
		}
		area += (all[k+1] - all[k]) * math.Abs(float64(i)/float64(len(sa))-float64(j)/float64(len(sb)))
	}
	return number("Wasserstein", math.Ldexp(area, unit))
}

// AndersonDarling is the k-sample statistic of Scholz and Stephens (1987), with
// mid-ranks for ties, standardized as in scipy.stats.anderson_ksamp. It gives the
// tails more weight than the Kolmogorov-Smirnov test does. For two samples, values
// above 1.961 are significant at 5 %, above 3.752 at 1 %. Undefined if all values
// are equal.
func AndersonDarling(samples ...[]float64) (float64, error) {
	const fn = "AndersonDarling"
	if len(samples) < 2 {
		return math.NaN(), fail(fn, ErrTooFew, "%d samples, needs two", len(samples))
	}
	var all []float64
	for _, s := range samples {
		if err := checkSample(fn, "sample", s, 1); err != nil {
			return math.NaN(), err
		}
		all = append(all, s...)
	}
	slices.Sort(all)
	total := len(all)
	if total < 4 {
		return math.NaN(), fail(fn, ErrTooFew, "%d values, needs four", total)
	}
	if all[0] == all[total-1] {
		return math.NaN(), fail(fn, ErrUndefined, "all values are equal")
	}
	N, k := float64(total), float64(len(samples))
	statistic, inverse := 0.0, 0.0
	for _, s := range samples {
		sorted := slices.Sorted(slices.Values(s))
		n := float64(len(s))
		inverse += 1 / n
		part := 0.0
		below, at := 0, 0 // of this sample: values under x, values equal to x
		for lo := 0; lo < total; {
			hi := lo
			for hi < total && all[hi] == all[lo] {
				hi++
			}
			for below+at < len(sorted) && sorted[below+at] == all[lo] {
				at++
			}
			ties := float64(hi - lo)
			rank := float64(lo) + ties/2
			mid := float64(below) + float64(at)/2
			part += ties / N * math.Pow(N*mid-rank*n, 2) / (rank*(N-rank) - N*ties/4)
			below, at, lo = below+at, 0, hi
		}
		statistic += part / n
	}
	statistic *= (N - 1) / N
	variance := andersonVariance(total, k, inverse)
	if !(variance > 0) {
		return math.NaN(), fail(fn, ErrUndefined, "the statistic of %d samples of these sizes doesn't vary", len(samples))
	}
	return (statistic - (k - 1)) / math.Sqrt(variance), nil
}

// andersonVariance is the variance of the statistic of k samples under the null
// hypothesis, equation (4) of the paper; inverse is the sum of the inverse sizes.
func andersonVariance(total int, k, inverse float64) float64 {
	N := float64(total)
	h, g := 0.0, 0.0
	for i := 1; i < total; i++ {
		h += 1 / float64(i)
	}
	tail := 0.0 // Σ 1/j for j from i+1
	for i := total - 2; i >= 1; i-- {
		tail += 1 / float64(i+1)
		g += tail / float64(total-i)
	}
	a := (4*g-6)*(k-1) + (10-6*g)*inverse
	b := (2*g-4)*k*k + 8*h*k + (2*g-14*h-4)*inverse - 8*h + 4*g - 6
	c := (6*h+2*g-2)*k*k + (4*h-4*g+6)*k + (2*h-6)*inverse + 4*h
	d := (2*h+6)*k*k - 4*h*k
	return (a*N*N*N + b*N*N + c*N + d) / ((N - 1) * (N - 2) * (N - 3))
}

// QuantileEdges cuts a reference sample into bins of equal share and returns
// the bins-1 inner edges. The bins of [BinShares] reach to infinity at both
// ends, so that a new value always falls into one.
func QuantileEdges(reference []float64, bins int) ([]float64, error) {
	const fn = "QuantileEdges"
	if err := checkSample(fn, "reference", reference, 1); err != nil {
		return nil, err
	}
	if bins < 2 {
		return nil, fail(fn, ErrOption, "the number of bins is %d: want 2 or more", bins)
	}
	sorted := slices.Sorted(slices.Values(reference))
	edges := make([]float64, bins-1)
	for i := range edges {
		edges[i] = sortedQuantile(sorted, float64(i+1)/float64(bins), QuantileLinear)
	}
	return edges, nil
}

// BinShares returns the share of the values in each bin; a value equal to an
// edge belongs to the bin above it.
func BinShares(xs, edges []float64) ([]float64, error) {
	const fn = "BinShares"
	if err := checkSample(fn, "sample", xs, 1); err != nil {
		return nil, err
	}
	if !slices.IsSorted(edges) || slices.ContainsFunc(edges, math.IsNaN) {
		return nil, fail(fn, ErrOption, "the edges %v fall: want rising ones", edges)
	}
	return drift.BinShares(xs, edges), nil
}

// floorShares raises shares to a floor, so that an empty bin doesn't make a
// divergence infinite.
func floorShares(fn string, p, q []float64, floor float64) (a, b []float64, err error) {
	if len(p) != len(q) {
		return nil, nil, fail(fn, ErrLength, "%d and %d bins", len(p), len(q))
	}
	if len(p) == 0 {
		return nil, nil, fail(fn, ErrTooFew, "no bins")
	}
	if !(floor >= 0 && floor < 1) {
		return nil, nil, fail(fn, ErrOption, "floor is %v: want a number from 0 up to, not including, 1", floor)
	}
	a, b = slices.Clone(p), slices.Clone(q)
	for _, shares := range [][]float64{a, b} {
		for i, v := range shares {
			if !(v >= 0) || math.IsInf(v, 1) {
				return nil, nil, fail(fn, ErrRange, "share %d is %v", i, v)
			}
			shares[i] = max(v, floor)
		}
	}
	return a, b, nil
}

// PSI is the population stability index of new shares against reference ones, Σ
// (new-ref) ln(new/ref), shares below the floor raised to it (1e-4 is usual; with 0
// it is +Inf where only one share is 0). In credit scoring, less than 0.1 is called
// stable and more than 0.25 shifted. With small samples noise alone exceeds that,
// since E[PSI] is about (bins-1)(1/n+1/m).
func PSI(reference, now []float64, floor float64) (float64, error) {
	a, b, err := floorShares("PSI", reference, now, floor)
	if err != nil {
		return math.NaN(), err
	}
	total := drift.PSI(a, b)
	if math.IsInf(total, 1) && (slices.Contains(a, 0) || slices.Contains(b, 0)) {
		return total, nil
	}
	return number("PSI", total)
}

// KLDivergence is Σ p ln(p/q) in nats of shares made to sum to 1 after raising
// those below the floor to it. With the floor 0 it is +Inf where q lacks what p
// has. Undefined if all shares of a side are 0.
func KLDivergence(p, q []float64, floor float64) (float64, error) {
	a, b, err := laws("KLDivergence", p, q, floor)
	if err != nil {
		return math.NaN(), err
	}
	total := 0.0
	for i := range a {
		if a[i] > 0 {
			total += a[i] * drift.LogRatio(a[i], b[i])
		}
	}
	return total, nil
}

// JensenShannon is the divergence of two distributions from their mean, in nats:
// the mean of KL(p||m) and KL(q||m), symmetric, at most ln 2, and finite without a
// floor. Its square root is a distance.
func JensenShannon(p, q []float64, floor float64) (float64, error) {
	a, b, err := laws("JensenShannon", p, q, floor)
	if err != nil {
		return math.NaN(), err
	}
	return drift.JensenShannon(a, b), nil
}

// laws raises shares to the floor and makes those of each side sum to 1.
func laws(fn string, p, q []float64, floor float64) (a, b []float64, err error) {
	if a, b, err = floorShares(fn, p, q, floor); err != nil {
		return nil, nil, err
	}
	for _, shares := range [][]float64{a, b} {
		rescale(shares, exponentOf(shares))
		total := sum(shares)
		if total == 0 {
			return nil, nil, fail(fn, ErrUndefined, "all shares of one side are 0")
		}
		for i := range shares {
			shares[i] /= total
		}
	}
	return a, b, nil
}

// Hellinger is the distance √(1 - Σ√(pq)) of two distributions, in [0, 1].
// Undefined if all shares of a side are 0.
func Hellinger(p, q []float64) (float64, error) {
	a, b, err := laws("Hellinger", p, q, 0)
	if err != nil {
		return math.NaN(), err
	}
	total := 0.0
	for i := range a {
		d := math.Sqrt(a[i]) - math.Sqrt(b[i])
		total += d * d
	}
	return math.Sqrt(total / 2), nil
}

// TotalVariation is half of Σ|p-q|, in [0, 1]: the largest difference between the
// probabilities that two distributions give the same event.
func TotalVariation(p, q []float64) (float64, error) {
	a, b, err := laws("TotalVariation", p, q, 0)
	if err != nil {
		return math.NaN(), err
	}
	total := 0.0
	for i := range a {
		total += math.Abs(a[i] - b[i])
	}
	return total / 2, nil
}

// A CUSUM adds up what exceeds a slack on either side of zero (Page, "Continuous
// Inspection Schemes", 1954): it finds small, lasting shifts that no single value
// shows. Feed it standardized values, z = (x-μ)/σ with μ and σ of the reference.
type CUSUM struct {
	// High and Low are the sums after the last value, each at least 0.
	High, Low float64

	slack float64
}

// NewCUSUM returns a detector with both sums at 0. The slack (K in the literature)
// is half the shift that you look for, usually 0.5. An alarm at a sum of 5 is then
// false about once in 930 values on one side.
func NewCUSUM(slack float64) (*CUSUM, error) {
	if !(slack >= 0) || math.IsInf(slack, 1) {
		return nil, fail("NewCUSUM", ErrOption, "slack is %v: want a finite number of at least 0", slack)
	}
	return &CUSUM{slack: slack}, nil
}

// Add takes the next standardized value and returns both sums. A value that is
// not finite, or makes a sum too large, is an error and leaves the sums as they
// were.
func (c *CUSUM) Add(z float64) (high, low float64, err error) {
	if math.IsNaN(z) || math.IsInf(z, 0) {
		return c.High, c.Low, fail("CUSUM.Add", ErrNotFinite, "value %v", z)
	}
	next := drift.Sums{High: c.High, Low: c.Low}.Next(z, c.slack)
	high, low = next.High, next.Low
	if err := checkResult("CUSUM.Add", high, low); err != nil {
		return c.High, c.Low, err
	}
	c.High, c.Low = high, low
	return high, low, nil
}

// An EWMA is the exponentially weighted moving average λx + (1-λ)·before
// (Roberts, 1959). Of standardized values it has in the long run the standard
// deviation √(λ/(2-λ)); an alarm at three of those is usual.
type EWMA struct {
	// Value is the average after the last value, 0 before the first.
	Value float64

	lambda float64
}

// NewEWMA returns the average that gives the newest value the weight lambda,
// above 0 to 1.
func NewEWMA(lambda float64) (*EWMA, error) {
	if !(lambda > 0 && lambda <= 1) {
		return nil, fail("NewEWMA", ErrOption, "lambda is %v: want a number above 0, at most 1", lambda)
	}
	return &EWMA{lambda: lambda}, nil
}

// Add takes the next value and returns the average. A value that is not finite
// is an error and leaves the average as it was.
func (e *EWMA) Add(x float64) (float64, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return e.Value, fail("EWMA.Add", ErrNotFinite, "value %v", x)
	}
	e.Value = drift.EWMA(e.Value, x, e.lambda)
	return e.Value, nil
}

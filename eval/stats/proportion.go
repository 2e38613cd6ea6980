package stats

import (
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// A ProportionMethod is a way to put an interval around a proportion. Default:
// [ProportionWilson].
type ProportionMethod uint8

// The methods of [ProportionInterval].
const (
	// ProportionWilson inverts the score test (Wilson, 1927): the default choice.
	// Good coverage from about five trials on, never outside [0, 1].
	ProportionWilson ProportionMethod = iota
	// ProportionClopperPearson inverts the exact binomial test (1934): never covers less
	// than its level, usually more.
	ProportionClopperPearson
	// ProportionWald is p ± z√(p(1-p)/n), the formula of most textbooks. Don't use
	// it: at 20 of 20 right it gives 100 % ± 0.
	ProportionWald
	// ProportionAgrestiCoull is ProportionWald around the center of ProportionWilson (1998).
	ProportionAgrestiCoull
	// ProportionJeffreys is the central interval of the beta posterior under the prior
	// Beta(1/2, 1/2).
	ProportionJeffreys
)

// ProportionInterval is the confidence interval of the proportion of which k
// successes in n trials are a sample.
func ProportionInterval(k, n int, level float64, method ProportionMethod) (Interval, error) {
	const fn = "ProportionInterval"
	if err := checkCount(fn, k, n); err != nil {
		return Interval{}, err
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return Interval{}, err
	}
	if err := checkConstant(fn, "ProportionMethod", method, ProportionJeffreys); err != nil {
		return Interval{}, err
	}
	low, high := proportionInterval(float64(k), float64(n), level, method)
	return Interval{Low: low, High: high, Level: level}, nil
}

func checkCount(fn string, k, n int) error {
	if n < 1 {
		return fail(fn, ErrTooFew, "%d trials", n)
	}
	if k < 0 || k > n {
		return fail(fn, ErrRange, "%d successes in %d trials", k, n)
	}
	return nil
}

func proportionInterval(k, n, level float64, method ProportionMethod) (low, high float64) {
	z := normalCritical(level)
	p := k / n
	switch method {
	case ProportionWilson:
		center := (p + z*z/(2*n)) / (1 + z*z/n)
		half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
		low, high = center-half, center+half
	case ProportionClopperPearson:
		low, high = 0, 1
		if k > 0 {
			low = dist.BetaQuantile((1-level)/2, k, n-k+1)
		}
		if k < n {
			high = dist.BetaQuantile((1+level)/2, k+1, n-k)
		}
	case ProportionWald:
		half := z * math.Sqrt(p*(1-p)/n)
		low, high = p-half, p+half
	case ProportionAgrestiCoull:
		n2 := n + z*z
		p2 := (k + z*z/2) / n2
		half := z * math.Sqrt(p2*(1-p2)/n2)
		low, high = p2-half, p2+half
	case ProportionJeffreys:
		low, high = dist.BetaQuantile((1-level)/2, k+0.5, n-k+0.5), dist.BetaQuantile((1+level)/2, k+0.5, n-k+0.5)
	}
	return math.Max(0, low), math.Min(1, high)
}

// TwoProportionZ tests whether two proportions are equal, by the normal
// approximation with the pooled variance; Statistic is z of k1/n1 - k2/n2.
// Undefined when no trial succeeds or every one does. Below five expected successes
// or failures an arm use [FisherExact].
func TwoProportionZ(k1, n1, k2, n2 int, alt Alternative) (TestResult, error) {
	const fn = "TwoProportionZ"
	if err := checkCount(fn, k1, n1); err != nil {
		return TestResult{}, err
	}
	if err := checkCount(fn, k2, n2); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	p1, p2 := float64(k1)/float64(n1), float64(k2)/float64(n2)
	p := (float64(k1) + float64(k2)) / (float64(n1) + float64(n2))
	se := math.Sqrt(p * (1 - p) * (1/float64(n1) + 1/float64(n2)))
	if se == 0 {
		return TestResult{}, fail(fn, ErrUndefined, "both proportions are %v", p)
	}
	z := (p1 - p2) / se
	return TestResult{Statistic: z, P: pOf(z, alt, dist.NormalSF)}, nil
}

// NewcombeInterval is the confidence interval of the difference k1/n1 - k2/n2
// of independent proportions, made of both Wilson intervals (Newcombe,
// "Interval Estimation for the Difference Between Independent Proportions",
// 1998, method 10).
func NewcombeInterval(k1, n1, k2, n2 int, level float64) (Interval, error) {
	const fn = "NewcombeInterval"
	if err := checkCount(fn, k1, n1); err != nil {
		return Interval{}, err
	}
	if err := checkCount(fn, k2, n2); err != nil {
		return Interval{}, err
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return Interval{}, err
	}
	p1, p2 := float64(k1)/float64(n1), float64(k2)/float64(n2)
	l1, u1 := proportionInterval(float64(k1), float64(n1), level, ProportionWilson)
	l2, u2 := proportionInterval(float64(k2), float64(n2), level, ProportionWilson)
	return Interval{
		Low:   p1 - p2 - math.Hypot(p1-l1, u2-p2),
		High:  p1 - p2 + math.Hypot(u1-p1, p2-l2),
		Level: level,
	}, nil
}

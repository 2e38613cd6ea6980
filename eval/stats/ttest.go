package stats

import (
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// An Alternative is the hypothesis that a test accepts where it rejects the null
// hypothesis. Choose it before seeing the data: a one-sided test that is chosen
// afterwards doubles its false positives. Default: [AlternativeTwoSided].
type Alternative uint8

// The alternatives: how the first sample (or proportion) compares with the
// second.
const (
	AlternativeTwoSided Alternative = iota // it differs
	AlternativeGreater                     // it is greater
	AlternativeLess                        // it is less
)

func (a Alternative) check(fn string) error {
	return checkConstant(fn, "Alternative", a, AlternativeLess)
}

// A TestResult is the result of a test. P is the probability, if the null
// hypothesis is true, of a statistic at least as far from it. It is not the
// probability that the null hypothesis is true, and doesn't measure the size of an
// effect.
type TestResult struct {
	Statistic float64
	P         float64
	DF        float64 // degrees of freedom, where the statistic has some
}

// pOf turns a symmetric statistic's survival function into a p-value.
func pOf(statistic float64, alt Alternative, sf func(float64) float64) float64 {
	switch alt {
	case AlternativeGreater:
		return sf(statistic)
	case AlternativeLess:
		return sf(-statistic)
	}
	return math.Min(1, 2*sf(math.Abs(statistic)))
}

func tResult(fn string, estimate, se, df float64, alt Alternative) (TestResult, error) {
	if se == 0 && estimate == 0 {
		return TestResult{}, fail(fn, ErrUndefined, "no variance and no difference: t is 0/0")
	}
	t := estimate / se
	return TestResult{Statistic: t, DF: df, P: pOf(t, alt, func(x float64) float64 { return dist.StudentSF(x, df) })}, nil
}

// PairedT is Student's t test on the differences a[i]-b[i]: the test for two
// systems scored on the same questions. t = mean(d) / (sd(d)/√n), n-1 degrees
// of freedom (Student, "The Probable Error of a Mean", 1908). Differences that
// are all equal but not zero give an infinite t and p = 0, as do samples without
// variance in the other t tests.
func PairedT(a, b []float64, alt Alternative) (TestResult, error) {
	const fn = "PairedT"
	if err := checkPairs(fn, a, b, 2); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	d, _ := differences(a, b)
	n := float64(len(d))
	return tResult(fn, Mean(d), math.Sqrt(Variance(d)/n), n-1, alt)
}

// PairedTInterval is the confidence interval of the mean difference a[i]-b[i]:
// mean(d) ± t·sd(d)/√n. Report it: it shows how large the effect may be.
func PairedTInterval(a, b []float64, level float64) (Interval, error) {
	const fn = "PairedTInterval"
	if err := checkPairs(fn, a, b, 2); err != nil {
		return Interval{}, err
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return Interval{}, err
	}
	d, unit := differences(a, b)
	n := float64(len(d))
	return meanInterval(Mean(d), math.Sqrt(Variance(d)/n), n-1, level).times(fn, unit)
}

func meanInterval(estimate, se, df, level float64) Interval {
	half := -dist.StudentQuantile((1-level)/2, df) * se
	return Interval{Low: estimate - half, High: estimate + half, Level: level}
}

// WelchT compares the means of two independent samples without assuming equal
// variances (Welch, "The Generalization of 'Student's' Problem", 1947), with
// Satterthwaite's degrees of freedom. Use it instead of [StudentT] always: if the
// variances are equal, it loses almost nothing.
func WelchT(a, b []float64, alt Alternative) (TestResult, error) {
	const fn = "WelchT"
	if err := checkTwo(fn, a, b, 2); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	_, scaled := inUnit(a, b)
	a, b = scaled[0], scaled[1]
	se, df := welchError(a, b)
	return tResult(fn, Mean(a)-Mean(b), se, df, alt)
}

// WelchInterval is the confidence interval of the difference of two
// independent samples' means, a's minus b's.
func WelchInterval(a, b []float64, level float64) (Interval, error) {
	const fn = "WelchInterval"
	if err := checkTwo(fn, a, b, 2); err != nil {
		return Interval{}, err
	}
	if err := checkOpen(fn, "level", level); err != nil {
		return Interval{}, err
	}
	unit, scaled := inUnit(a, b)
	a, b = scaled[0], scaled[1]
	se, df := welchError(a, b)
	return meanInterval(Mean(a)-Mean(b), se, df, level).times(fn, unit)
}

func welchError(a, b []float64) (se, df float64) {
	va, vb := Variance(a)/float64(len(a)), Variance(b)/float64(len(b))
	se = math.Sqrt(va + vb)
	if se == 0 {
		return 0, float64(len(a) + len(b) - 2) // 0/0
	}
	df = (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	return se, df
}

// StudentT compares the means of two independent samples under the assumption of
// equal variances, with the pooled variance and n+m-2 degrees of freedom.
func StudentT(a, b []float64, alt Alternative) (TestResult, error) {
	const fn = "StudentT"
	if err := checkTwo(fn, a, b, 2); err != nil {
		return TestResult{}, err
	}
	if err := alt.check(fn); err != nil {
		return TestResult{}, err
	}
	_, scaled := inUnit(a, b)
	a, b = scaled[0], scaled[1]
	n, m := float64(len(a)), float64(len(b))
	return tResult(fn, Mean(a)-Mean(b), math.Sqrt(pooledVariance(a, b)*(1/n+1/m)), n+m-2, alt)
}

func pooledVariance(a, b []float64) float64 {
	n, m := float64(len(a)), float64(len(b))
	return ((n-1)*Variance(a) + (m-1)*Variance(b)) / (n + m - 2)
}

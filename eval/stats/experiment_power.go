package stats

import (
	"cmp"
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// A Design has the error rates that an experiment should keep. Its methods answer
// the question that comes before the experiment: how many questions does the
// evaluation need to find the difference that matters? The tests are two-sided.
// Sizes are real numbers, to be rounded up.
type Design struct {
	// Alpha is the false-positive rate. Default: 0.05.
	Alpha float64
	// Power is the chance to detect the effect if it is there. The methods that
	// compute a power don't read it. Default: 0.8.
	Power float64
	// Ratio is the second group's size over the first's. Default: 1.
	Ratio float64
}

func (d Design) filled(fn string) (Design, error) {
	if d.Alpha == 0 {
		d.Alpha = 0.05
	}
	if d.Power == 0 {
		d.Power = 0.8
	}
	if d.Ratio == 0 {
		d.Ratio = 1
	}
	if err := checkOpen(fn, "Design.Alpha", d.Alpha); err != nil {
		return d, err
	}
	if err := checkOpen(fn, "Design.Power", d.Power); err != nil {
		return d, err
	}
	if d.Power <= d.Alpha {
		return d, fail(fn, ErrOption, "Design.Power is %v: want more than Design.Alpha, %v; less needs no data", d.Power, d.Alpha)
	}
	return d, checkPositive(fn, "Design.Ratio", d.Ratio)
}

func checkNumber(fn, name string, v float64) error {
	if !finite(v) {
		return fail(fn, ErrOption, "%s is %v: want a finite number", name, v)
	}
	return nil
}

func checkEffect(fn string, effect float64) error {
	if effect == 0 || math.IsNaN(effect) || math.IsInf(effect, 0) {
		return fail(fn, ErrOption, "the effect is %v: want a finite number other than 0", effect)
	}
	return nil
}

// PowerT is the power of the two-sample t test for a standardized difference
// of means ([CohenD]) with n units in the first group.
func (d Design) PowerT(effect, n float64) (float64, error) {
	const fn = "Design.PowerT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if err := cmp.Or(checkPositive(fn, "n", n), checkNumber(fn, "the effect", effect)); err != nil {
		return math.NaN(), err
	}
	if n*(1+d.Ratio) <= 2 {
		return math.NaN(), fail(fn, ErrTooFew, "%v and %v units leave no degree of freedom", n, n*d.Ratio)
	}
	return d.twoSample(effect, n), nil
}

func (d Design) twoSample(effect, n float64) float64 {
	return tPower(effect*math.Sqrt(n*d.Ratio/(1+d.Ratio)), n*(1+d.Ratio)-2, d.Alpha)
}

// PowerPairedT is the power of the paired t test for a mean difference in
// units of the differences' standard deviation ([CohenDz]) with n pairs.
func (d Design) PowerPairedT(effect, n float64) (float64, error) {
	const fn = "Design.PowerPairedT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if err := cmp.Or(checkPositive(fn, "n", n), checkNumber(fn, "the effect", effect)); err != nil {
		return math.NaN(), err
	}
	if !(n > 1) {
		return math.NaN(), fail(fn, ErrTooFew, "%v pairs leave no degree of freedom", n)
	}
	return tPower(effect*math.Sqrt(n), n-1, d.Alpha), nil
}

// tPower is the chance that a t statistic of noncentrality nc leaves the central
// 1-alpha of its distribution under the null hypothesis, on either side.
func tPower(nc, df, alpha float64) float64 {
	critical := -dist.StudentQuantile(alpha/2, df)
	return dist.NoncentralStudentSF(critical, df, nc) + dist.NoncentralStudentSF(critical, df, -nc)
}

// SampleSizeT is the size of the first group that the two-sample t test needs.
func (d Design) SampleSizeT(effect float64) (float64, error) {
	const fn = "Design.SampleSizeT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if err := checkEffect(fn, effect); err != nil {
		return math.NaN(), err
	}
	return d.solve(fn, 2/(1+d.Ratio), func(n float64) float64 { return d.twoSample(effect, n) })
}

// SampleSizePairedT is the number of pairs that the paired t test needs.
func (d Design) SampleSizePairedT(effect float64) (float64, error) {
	const fn = "Design.SampleSizePairedT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if err := checkEffect(fn, effect); err != nil {
		return math.NaN(), err
	}
	return d.solve(fn, 1, func(n float64) float64 { return tPower(effect*math.Sqrt(n), n-1, d.Alpha) })
}

// SampleSizeH is the size of the first group that the normal test of two
// proportions needs for a difference h on the arcsine scale ([CohenH]).
func (d Design) SampleSizeH(h float64) (float64, error) {
	const fn = "Design.SampleSizeH"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if err := checkEffect(fn, h); err != nil {
		return math.NaN(), err
	}
	critical := -dist.NormalQuantile(d.Alpha / 2)
	return d.solve(fn, 0, func(n float64) float64 {
		shift := math.Abs(h) * math.Sqrt(n*d.Ratio/(1+d.Ratio))
		return dist.NormalSF(critical-shift) + dist.NormalCDF(-critical-shift)
	})
}

// SampleSizeProportions is the size of each of two equal groups by the textbook
// formula, pooled variance under the null hypothesis and separate ones under
// the alternative (Fleiss, "Statistical Methods for Rates and Proportions");
// Ratio isn't read.
func (d Design) SampleSizeProportions(p1, p2 float64) (float64, error) {
	const fn = "Design.SampleSizeProportions"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	for _, p := range []float64{p1, p2} {
		if !(p >= 0 && p <= 1) {
			return math.NaN(), fail(fn, ErrOption, "a proportion is %v: want a number from 0 to 1", p)
		}
	}
	if err := checkEffect(fn, p1-p2); err != nil {
		return math.NaN(), err
	}
	mean := (p1 + p2) / 2
	z := -dist.NormalQuantile(d.Alpha/2)*math.Sqrt(2*mean*(1-mean)) +
		dist.NormalQuantile(d.Power)*math.Sqrt(p1*(1-p1)+p2*(1-p2))
	return number(fn, z*z/((p1-p2)*(p1-p2)))
}

// DetectableT is the smallest standardized difference that the two-sample t test
// detects with n units in the first group: the minimum detectable effect. An A/B
// result of "no difference" only means "none of this size".
func (d Design) DetectableT(n float64) (float64, error) {
	const fn = "Design.DetectableT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if !(n*(1+d.Ratio) > 2) {
		return math.NaN(), fail(fn, ErrTooFew, "%v and %v units leave no degree of freedom", n, n*d.Ratio)
	}
	return d.solve(fn, 0, func(effect float64) float64 { return d.twoSample(effect, n) })
}

// DetectablePairedT is the smallest mean difference, in units of the
// differences' standard deviation, that the paired t test detects with n pairs.
func (d Design) DetectablePairedT(n float64) (float64, error) {
	const fn = "Design.DetectablePairedT"
	d, err := d.filled(fn)
	if err != nil {
		return math.NaN(), err
	}
	if !(n > 1) {
		return math.NaN(), fail(fn, ErrTooFew, "%v pairs leave no degree of freedom", n)
	}
	return d.solve(fn, 0, func(effect float64) float64 { return tPower(effect*math.Sqrt(n), n-1, d.Alpha) })
}

// solve finds the x > low at which a rising power reaches the design's, by
// bisection of the logarithm of x-low.
func (d Design) solve(fn string, low float64, power func(x float64) float64) (float64, error) {
	a, b := 1e-9, 1.0
	for power(low+b) < d.Power {
		if a, b = b, 4*b; b > 1e300 {
			return math.NaN(), fail(fn, ErrOverflow, "no number below 1e300 is large enough")
		}
	}
	for b/a > 1+1e-12 {
		mid := math.Sqrt(a) * math.Sqrt(b)
		if power(low+mid) < d.Power {
			a = mid
		} else {
			b = mid
		}
	}
	return low + b, nil
}

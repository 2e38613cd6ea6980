package stats

import "math"

// A CUPEDResult is an A/B comparison with part of the noise removed.
type CUPEDResult struct {
	// Theta is the slope of the metric on the covariate over both arms.
	Theta float64
	// Treated and Control are the arms' adjusted means.
	Treated, Control float64
	// Effect is Treated minus Control with its standard error.
	Effect Estimate
	// Test is Welch's t test of the adjusted metric.
	Test TestResult
	// VarianceReduction is the share of the metric's variance that the covariate
	// explains: the experiment is as precise as one with 1/(1-share) times the
	// units.
	VarianceReduction float64
}

// CUPED compares treated units with the others on metric y after subtracting what a
// covariate x predicts (Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of
// Online Controlled Experiments by Utilizing Pre-Experiment Data", 2013):
//
//	y' = y - θ (x - mean x),  θ = cov(x, y) / var(x)
//
// x must be known before the experiment starts, such as a user's satisfaction last
// week or a question's score under the last release: a covariate that the treatment
// can change would remove the effect together with the noise.
func CUPED(x, y []float64, treated []bool) (*CUPEDResult, error) {
	const fn = "CUPED"
	if err := checkPairs(fn, x, y, 4); err != nil {
		return nil, err
	}
	if len(treated) != len(x) {
		return nil, fail(fn, ErrLength, "%d units, %d assignments", len(x), len(treated))
	}
	if constant(x) || constant(y) {
		return nil, fail(fn, ErrUndefined, "the covariate or the metric is constant")
	}
	xUnit, xs := inUnit(x)
	yUnit, ys := inUnit(y)
	x, y = xs[0], ys[0]
	theta := Covariance(x, y) / Variance(x)
	res := &CUPEDResult{Theta: math.Ldexp(theta, yUnit-xUnit)}
	mx := Mean(x)
	adjusted := make([]float64, len(y))
	var t, c []float64
	for i := range y {
		adjusted[i] = y[i] - theta*(x[i]-mx)
		if treated[i] {
			t = append(t, adjusted[i])
		} else {
			c = append(c, adjusted[i])
		}
	}
	var err error
	if res.Test, err = WelchT(t, c, AlternativeTwoSided); err != nil {
		return nil, err
	}
	se, _ := welchError(t, c)
	treatedMean, controlMean := Mean(t), Mean(c)
	res.Treated, res.Control = math.Ldexp(treatedMean, yUnit), math.Ldexp(controlMean, yUnit)
	if res.Effect, err = (Estimate{Value: treatedMean - controlMean, SE: se}).times(fn, yUnit); err != nil {
		return nil, err
	}
	if err := checkResult(fn, res.Theta, res.Treated, res.Control); err != nil {
		return nil, err
	}
	res.VarianceReduction = math.Max(0, 1-Variance(adjusted)/Variance(y))
	return res, nil
}

package stats

import (
	"math"
)

// PredictionOptions sets how [PredictionPowered] weights the predictions; nil means
// the defaults.
type PredictionOptions struct {
	// Lambda is the weight of the predictions: 1 as in the first paper, near 0 for
	// predictions without information. Default: 0, the weight with the smallest
	// variance is estimated (PPI++), and is never outside of 0 to 1.
	Lambda float64
}

// A PredictionResult is the mean of [PredictionPowered].
type PredictionResult struct {
	Estimate
	Lambda float64
	// LabelsOnly is the estimate without predictions.
	LabelsOnly Estimate
	// Bias is the mean of prediction less label, and its standard error: how much
	// the plain mean of predictions is wrong.
	Bias Estimate
	// Worth is how many labels without predictions would give the same standard
	// error: Var(labels) / SE².
	Worth float64
}

// PredictionPowered corrects the mean of many predictions, such as a judge's scores,
// with a few labels, such as people's scores (prediction-powered inference):
//
//	mean = λ · mean(rest) + mean(labels - λ · predicted)
//	SE²  = λ² · Var(rest) / N + Var(labels - λ · predicted) / n
//
// predicted[i] is the prediction for the item of labels[i], rest are predictions for
// items without a label. The labeled items must be a random sample of all items.
// The mean is right however wrong the predictions are: bad ones only give back the
// interval of the labels alone. It needs 2 labels, and about 50 for the interval.
//
// Source: Angelopoulos et al., "Prediction-powered inference", Science 382, 2023;
// λ from "PPI++: Efficient Prediction-Powered Inference", arXiv:2311.01453, section 6.
func PredictionPowered(labels, predicted, rest []float64, o *PredictionOptions) (PredictionResult, error) {
	const fn = "PredictionPowered"
	var opts PredictionOptions
	if o != nil {
		opts = *o
	}
	if !(opts.Lambda >= 0 && opts.Lambda <= 1) {
		return PredictionResult{}, fail(fn, ErrOption, "PredictionOptions.Lambda is %v, must be 0 to 1", opts.Lambda)
	}
	if err := checkPairs(fn, labels, predicted, 2); err != nil {
		return PredictionResult{}, err
	}
	if err := checkSample(fn, "rest", rest, 2); err != nil {
		return PredictionResult{}, err
	}
	unit, scaled := inUnit(labels, predicted, rest)
	y, f, g := scaled[0], scaled[1], scaled[2]
	n, many := float64(len(y)), float64(len(g))
	lambda := opts.Lambda
	if lambda == 0 {
		// Var(f) of all predictions is known better than that of the labeled ones.
		all := append(append([]float64(nil), f...), g...)
		if v := (1 + n/many) * Variance(all); v > 0 {
			lambda = min(1, max(0, Covariance(y, f)/v))
		}
	}
	rectified, bias := make([]float64, len(y)), make([]float64, len(y))
	for i := range y {
		rectified[i], bias[i] = y[i]-lambda*f[i], f[i]-y[i]
	}
	r := PredictionResult{Lambda: lambda}
	fixed := meanEstimate(rectified)
	e := Estimate{Value: lambda*Mean(g) + fixed.Value, SE: math.Hypot(lambda*math.Sqrt(Variance(g)/many), fixed.SE)}
	if e.SE > 0 {
		r.Worth = Variance(y) / e.SE / e.SE
	} else {
		r.Worth = math.Inf(1)
	}
	var err error
	if r.Estimate, err = e.times(fn, unit); err != nil {
		return PredictionResult{}, err
	}
	if r.LabelsOnly, err = meanEstimate(y).times(fn, unit); err != nil {
		return PredictionResult{}, err
	}
	if r.Bias, err = meanEstimate(bias).times(fn, unit); err != nil {
		return PredictionResult{}, err
	}
	return r, nil
}

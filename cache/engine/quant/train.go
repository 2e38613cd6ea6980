package quant

import (
	"fmt"
	"math"
)

// FakeQuantize returns the numbers that codes of a matrix would stand for, for training
// with quantization in the loop: the forward pass uses them, so the model learns to live
// with the error. pass says where the gradient goes through unchanged, as if there were no
// rounding: everywhere but at numbers that were clipped. That is the straight-through
// estimator (Bengio et al., 2013). Errors are those of [Quantize].
func FakeQuantize(x []float32, rows, columns int, o *Options) (y []float32, pass []bool, err error) {
	m, err := Quantize(x, rows, columns, o)
	if err != nil {
		return nil, nil, err
	}
	y, pass = m.Dequantize(), make([]bool, len(x))
	for i, v := range x {
		// Rounding moves a number by half a step, and the zero point by another half.
		pass[i] = math.Abs(float64(v)-float64(y[i])) <= 1.01*float64(m.Scales[i/m.run]) || m.Clip == 1
	}
	return y, pass, nil
}

// A Distillation is the loss of a student that learns from a teacher's outputs.
type Distillation struct {
	Loss float64 // alpha × KD + (1 - alpha) × CE
	KD   float64 // T² × the mean of KL(teacher, student), both softened by the temperature T
	CE   float64 // the mean of -log of the student's probability of the label

	// Gradient is that of Loss with respect to the student's logits, row by row.
	Gradient []float64
}

// DistillOptions are the settings of [Distill].
type DistillOptions struct {
	// Temperature softens both distributions. Default: 2.
	Temperature float64

	// Alpha is the weight of the teacher, from 0 to 1; labels have the rest. Default: nil
	// labels mean 1, labels mean 0.5. Set NoTeacher for a weight of 0.
	Alpha float64

	// NoTeacher trains by the labels only, for comparison. Default: false.
	NoTeacher bool
}

// Distill computes the loss of knowledge distillation (Hinton et al., 2015) for rows of
// logits over the same classes. labels has the right class of each row, or is nil. Errors
// wrap [ErrOption].
func Distill(teacher, student []float64, classes int, labels []int, o *DistillOptions) (*Distillation, error) {
	p := DistillOptions{}
	if o != nil {
		p = *o
	}
	if p.Temperature == 0 {
		p.Temperature = 2
	}
	switch {
	case p.NoTeacher:
		p.Alpha = 0
	case p.Alpha == 0 && labels == nil:
		p.Alpha = 1
	case p.Alpha == 0:
		p.Alpha = 0.5
	}
	if !(p.Temperature > 0) || math.IsInf(p.Temperature, 0) || !(p.Alpha >= 0 && p.Alpha <= 1) {
		return nil, fmt.Errorf("%w: DistillOptions are %+v: want a temperature above 0 and an alpha from 0 to 1", ErrOption, p)
	}
	if classes < 2 || len(student) == 0 || len(student)%classes != 0 || len(teacher) != len(student) {
		return nil, fmt.Errorf("%w: %d and %d logits of %d classes: want equal numbers of whole rows", ErrOption, len(teacher), len(student), classes)
	}
	rows := len(student) / classes
	if labels != nil && len(labels) != rows || labels == nil && p.Alpha < 1 {
		return nil, fmt.Errorf("%w: %d labels for %d rows: want one for each, or none and alpha 1", ErrOption, len(labels), rows)
	}
	for _, list := range [][]float64{teacher, student} {
		for i, v := range list {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("%w: logit %d is %v: want finite numbers", ErrOption, i, v)
			}
		}
	}
	return distill(teacher, student, classes, labels, p)
}

func distill(teacher, student []float64, classes int, labels []int, p DistillOptions) (*Distillation, error) {
	rows := len(student) / classes
	d := &Distillation{Gradient: make([]float64, len(student))}
	t, n := p.Temperature, float64(rows)
	for r := range rows {
		ts, ss, g := teacher[r*classes:(r+1)*classes], student[r*classes:(r+1)*classes], d.Gradient[r*classes:(r+1)*classes]
		want, have := logSoftmax(ts, t), logSoftmax(ss, t)
		for i := range want {
			q := math.Exp(want[i])
			d.KD += t * t * q * (want[i] - have[i]) / n
			g[i] += p.Alpha * t * (math.Exp(have[i]) - q) / n
		}
		if labels == nil {
			continue
		}
		if labels[r] < 0 || labels[r] >= classes {
			return nil, fmt.Errorf("%w: label %d is %d: want 0 to %d", ErrOption, r, labels[r], classes-1)
		}
		plain := logSoftmax(ss, 1)
		d.CE -= plain[labels[r]] / n
		for i := range plain {
			g[i] += (1 - p.Alpha) * math.Exp(plain[i]) / n
		}
		g[labels[r]] -= (1 - p.Alpha) / n
	}
	d.Loss = p.Alpha*d.KD + (1-p.Alpha)*d.CE
	return d, nil
}

// logSoftmax returns the logarithms of the probabilities of logits over a temperature.
func logSoftmax(logits []float64, t float64) []float64 {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	sum := 0.0
	out := make([]float64, len(logits))
	for i, v := range logits {
		out[i] = (v - top) / t
		sum += math.Exp(out[i])
	}
	log := math.Log(sum)
	for i := range out {
		out[i] -= log
	}
	return out
}

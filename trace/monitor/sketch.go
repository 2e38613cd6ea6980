package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// SketchOptions are the settings of a [Sketch].
type SketchOptions struct {
	// Accuracy is the largest relative error of a quantile. Default: 0.01.
	Accuracy float64
}

// A Sketch estimates quantiles of numbers such as latencies within a relative error
// (DDSketch; Masson, Rim and Lee, 2019). A number x is counted in bin ⌈log_γ x⌉, where
// γ = (1+a)/(1-a). Sketches merge without loss, in any order: percentiles of ten
// servers cannot be averaged, their sketches can be merged. It is not safe for
// concurrent use.
type Sketch struct {
	accuracy, gamma, perLog float64
	above, below            map[int]int64
	zero, n                 int64
	sum                     float64
}

// NewSketch fails with [ErrOption].
func NewSketch(o *SketchOptions) (*Sketch, error) {
	var set SketchOptions
	if o != nil {
		set = *o
	}
	a := cmp.Or(set.Accuracy, 0.01)
	if !(a >= 1e-4 && a < 1) {
		return nil, optionError("SketchOptions.Accuracy is %v: want 0.0001 up to, not including, 1", a)
	}
	m := 2 * a / (1 - a)
	return &Sketch{accuracy: a, gamma: 1 + m, perLog: 1 / math.Log1p(m), above: map[int]int64{}, below: map[int]int64{}}, nil
}

// Add counts a number. It fails with [ErrValue].
func (s *Sketch) Add(x float64) error {
	if err := checkValue(x); err != nil {
		return err
	}
	switch {
	case x > 0:
		s.above[s.bin(x)]++
	case x < 0:
		s.below[s.bin(-x)]++
	default:
		s.zero++
	}
	s.n++
	s.sum += x
	return nil
}

func (s *Sketch) bin(x float64) int { return int(math.Ceil(math.Log(x) * s.perLog)) }

// value is the middle of a bin: no number of the bin is further than the accuracy.
func (s *Sketch) value(bin int) float64 {
	return min(math.Exp(float64(bin)/s.perLog+math.Log(2/(1+s.gamma))), math.MaxFloat64)
}

// Count is how many numbers were added.
func (s *Sketch) Count() int64 { return s.n }

// Mean is the mean, or NaN without numbers.
func (s *Sketch) Mean() float64 { return s.sum / float64(s.n) }

// Quantile estimates the number of rank ⌊q (n-1)⌋ in order, q from 0 to 1. It fails
// with [ErrNoData] and [ErrValue].
func (s *Sketch) Quantile(q float64) (float64, error) {
	if !(q >= 0 && q <= 1) {
		return math.NaN(), fmt.Errorf("%w: quantile %v: want 0 to 1", ErrValue, q)
	}
	if s.n == 0 {
		return math.NaN(), fmt.Errorf("%w: the sketch is empty", ErrNoData)
	}
	rank := int64(q * float64(s.n-1))
	seen := int64(0)
	for _, bin := range slices.Backward(slices.Sorted(maps.Keys(s.below))) {
		if seen += s.below[bin]; seen > rank {
			return -s.value(bin), nil
		}
	}
	if seen += s.zero; seen > rank {
		return 0, nil
	}
	bins := slices.Sorted(maps.Keys(s.above))
	for _, bin := range bins {
		if seen += s.above[bin]; seen > rank {
			return s.value(bin), nil
		}
	}
	return s.value(bins[len(bins)-1]), nil
}

// Merge adds all numbers of another sketch of the same accuracy. It fails with
// [ErrOption].
func (s *Sketch) Merge(other *Sketch) error {
	if other == nil || other.accuracy != s.accuracy {
		return optionError("the other sketch is nil or has another accuracy than %v", s.accuracy)
	}
	above, below := maps.Clone(other.above), maps.Clone(other.below) // it may be s itself
	for bin, n := range above {
		s.above[bin] += n
	}
	for bin, n := range below {
		s.below[bin] += n
	}
	zero, n, sum := other.zero, other.n, other.sum
	s.zero, s.n, s.sum = s.zero+zero, s.n+n, s.sum+sum
	return nil
}

package vec

import (
	"errors"
	"fmt"
)

// A Metric is how the nearness of two vectors is measured. Each has a score that
// is larger the nearer the vectors are.
type Metric uint8

// The metrics and their scores.
const (
	MetricCosine Metric = iota // the cosine of the angle, -1 to 1
	MetricDot                  // the inner product
	MetricL2                   // minus the squared Euclidean distance
)

// String returns the metric's name.
func (m Metric) String() string {
	switch m {
	case MetricCosine:
		return "cosine"
	case MetricDot:
		return "dot"
	case MetricL2:
		return "l2"
	}
	return fmt.Sprintf("Metric(%d)", uint8(m))
}

// Valid reports whether m is one of the metrics.
func (m Metric) Valid() bool { return m <= MetricL2 }

// Errors of [Check].
var (
	ErrDimension = errors.New("a vector of the wrong dimension")
	ErrNotFinite = errors.New("a vector with an element that is not finite")
	ErrZero      = errors.New("a zero vector has no direction")
)

// Check returns nil if v has dim elements, all finite, and is not zero where the
// metric is the cosine. Otherwise it returns an error that wraps [ErrDimension],
// [ErrNotFinite] or [ErrZero].
func Check(v []float32, dim int, m Metric) error {
	if len(v) != dim || dim == 0 {
		return fmt.Errorf("%w: %d, want %d", ErrDimension, len(v), dim)
	}
	zero := true
	for i, x := range v {
		if x-x != 0 { // NaN, or an infinity
			return fmt.Errorf("%w: element %d is %v", ErrNotFinite, i, x)
		}
		zero = zero && x == 0
	}
	if zero && m == MetricCosine {
		return ErrZero
	}
	return nil
}

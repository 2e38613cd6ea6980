package vecquant

import (
	"errors"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// A Metric is the measure of how near two vectors are.
type Metric = vec.Metric

// The metrics and their scores: the larger, the nearer.
const (
	MetricCosine = vec.MetricCosine // the cosine of the angle, -1 to 1
	MetricDot    = vec.MetricDot    // the inner product
	MetricL2     = vec.MetricL2     // minus the squared Euclidean distance
)

// Errors of the package.
var (
	// ErrOption is wrapped by errors for arguments of constructors that cannot
	// work, and by errors of Query for a metric that the code cannot answer.
	ErrOption = errors.New("vecquant: invalid option")
	// ErrDimension is wrapped by errors for a vector of the wrong length.
	ErrDimension = vec.ErrDimension
	// ErrNotFinite is wrapped by errors for a vector with NaN or an infinity, and
	// for an element that the code cannot represent.
	ErrNotFinite = vec.ErrNotFinite
	// ErrZero is wrapped by errors for a zero vector where a direction is needed.
	ErrZero = vec.ErrZero
	// ErrCode is wrapped by errors for bytes that are not a code of the quantizer.
	ErrCode = errors.New("vecquant: not a code of this quantizer")
)

// A Quantizer makes short codes of vectors. All implementations are safe for
// concurrent use.
type Quantizer interface {
	// Dim returns the number of elements of a vector.
	Dim() int
	// CodeSize returns the number of bytes of a code.
	CodeSize() int
	// Encode appends the code of v to dst. It fails with ErrDimension or
	// ErrNotFinite, and then returns dst unchanged.
	Encode(dst []byte, v []float32) ([]byte, error)
	// Decode appends the vector that a code represents to dst. It fails with
	// ErrCode, and then returns dst unchanged.
	Decode(dst []float32, code []byte) ([]float32, error)
	// Query prepares a query for comparison with codes. The query itself is not
	// quantized, except by Binary: that is the asymmetric distance, which has only
	// the codes' half of the error. It fails with ErrDimension, ErrNotFinite,
	// ErrZero (cosine of a zero query) or ErrOption.
	//
	// For MetricCosine the vectors must have had length 1 when they were coded: see
	// Normalize.
	Query(q []float32, m Metric) (Scorer, error)
}

// A Scorer compares one query with codes. It is for one goroutine at a time.
type Scorer interface {
	// Scores sets out[i] to the score of the code at codes[i·CodeSize]. It fails
	// with ErrCode if codes doesn't have len(out) codes or contains a code that the
	// quantizer can't have made; then out is undefined.
	Scores(codes []byte, out []float32) error
}

// Normalize returns v scaled to length 1. It fails with [ErrNotFinite], or with
// [ErrZero] if v is zero.
func Normalize(v []float32) ([]float32, error) {
	if err := vec.Check(v, len(v), MetricCosine); err != nil {
		return nil, fmt.Errorf("vecquant: %w", err)
	}
	out := make([]float32, len(v))
	vec.Unit(out, v)
	return out, nil
}

// query checks a query; for the cosine it returns it scaled to length 1.
func query(q []float32, dim int, m Metric) ([]float32, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("%w: the metric is %v: want MetricCosine, MetricDot or MetricL2", ErrOption, m)
	}
	if err := vec.Check(q, dim, m); err != nil {
		return nil, fmt.Errorf("vecquant: query: %w", err)
	}
	out := make([]float32, dim)
	if m == MetricCosine {
		vec.Unit(out, q)
	} else {
		copy(out, q)
	}
	return out, nil
}

func checkVector(v []float32, dim int) error {
	if err := vec.Check(v, dim, MetricDot); err != nil {
		return fmt.Errorf("vecquant: encode: %w", err)
	}
	return nil
}

func checkDim(dim int) error {
	if dim < 1 {
		return fmt.Errorf("%w: dim is %d: want 1 or more", ErrOption, dim)
	}
	return nil
}

func checkCode(code []byte, size int) error {
	if len(code) != size {
		return fmt.Errorf("%w: %d bytes, want %d", ErrCode, len(code), size)
	}
	return nil
}

func checkCodes(codes []byte, size, n int) error {
	if len(codes) != size*n {
		return fmt.Errorf("%w: %d bytes for %d codes, want %d each", ErrCode, len(codes), n, size)
	}
	return nil
}

// finite reports whether x is neither NaN nor an infinity.
func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

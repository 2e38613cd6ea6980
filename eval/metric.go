package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A Metric compares what a system produced with what was expected, by sufficient
// statistics: numbers per segment that add up. The value of a corpus is a function
// of their sum, so that a loop, a stream, shards that are merged, a bootstrap that
// resamples segments and a permutation test that swaps them are all the same code:
//
//	value = m.Value(Σ stats of the segments)
//
// BLEU's statistics are lengths and n-gram counts; those of a metric that is a mean
// of per-segment scores are the score and the number 1. Corpus BLEU is not the mean
// of sentence BLEUs. That is why the interface has two methods and not one method
// Score.
//
// An implementation is safe for concurrent use.
type Metric interface {
	// Signature names the metric and every choice that changes its value.
	Signature() Signature
	// Width is the number of statistics of a segment, at least 1.
	Width() int
	// Stats writes the statistics of one segment to dst, which has length
	// Width. A [SkipError] means that the metric doesn't apply to the
	// case, which then neither passes nor fails.
	Stats(ctx context.Context, c *Case, o *Output, dst []float64) error
	// Value turns a sum of statistics into the metric's value. The sum of no
	// segment is all zeros; its value is defined, never NaN, unless the
	// metric's comment states otherwise.
	Value(sum []float64) float64
}

// A ReferenceCounter is a [Metric] that may depend on how many references a
// segment has. If CountsReferences returns true, the signatures of its scores
// carry that number: a score with four references and one with a single one
// can't be compared.
type ReferenceCounter interface {
	CountsReferences() bool
}

// Errors that callers branch on. They come wrapped with what was wrong and
// where.
var (
	ErrOption       = errors.New("eval: invalid option") // a bad option or parameter, or a required argument that is nil
	ErrNoReferences = errors.New("eval: no references")
	ErrLength       = errors.New("eval: lengths differ")
	ErrEmpty        = errors.New("eval: no segments")
	ErrInvalidUTF8  = errors.New("eval: text is not valid UTF-8")
	ErrNotFinite    = errors.New("eval: number is NaN or infinite")
	ErrRange        = errors.New("eval: number out of range") // a probability of 1.5, a negative cost
	ErrSignature    = errors.New("eval: signatures differ")
	ErrCase         = errors.New("eval: invalid case")
	ErrDuplicate    = errors.New("eval: duplicate")
)

// A SkipError means that a metric doesn't apply to a case: no references, no
// ranking, no confidence. A [Sum], a [Table] and the runner count it apart from
// scores, because a check that didn't run must never look like one that passed.
type SkipError struct {
	Reason string
	Err    error // one of the package's errors, or nil
}

func (e *SkipError) Error() string { return "eval: skipped: " + e.Reason }
func (e *SkipError) Unwrap() error { return e.Err }

// A PanicError is a panic in a function of the caller, such as the caller's own
// metric, that ran on a goroutine of this library, where the caller could not
// recover.
type PanicError struct {
	// Value is the argument of panic, as fmt prints it.
	Value string
	// Stack is the stack of the goroutine that panicked.
	Stack string
}

func (e *PanicError) Error() string { return "eval: panic: " + e.Value }

func skip(reason string) error { return &SkipError{Reason: reason} }

var errNoReferences = &SkipError{Reason: "the case has no references", Err: ErrNoReferences}

var (
	errNilCase   = fmt.Errorf("%w: the case is nil", ErrCase)
	errNilOutput = fmt.Errorf("%w: the output is nil", ErrCase)
)

func checkGiven(c *Case, o *Output) error {
	if c == nil {
		return errNilCase
	}
	if o == nil {
		return errNilOutput
	}
	return nil
}

func checkSegment(c *Case, o *Output) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	return checkTexts(o.Text, c.References)
}

// checkTexts refuses text that is not valid UTF-8, which no reference
// implementation defines. (Python's strings can't contain it.)
func checkTexts(hyp string, refs []string) error {
	if !utf8.ValidString(hyp) {
		return fmt.Errorf("%w: the output %.20q", ErrInvalidUTF8, hyp)
	}
	if len(refs) == 0 {
		return errNoReferences
	}
	for i, r := range refs {
		if !utf8.ValidString(r) {
			return fmt.Errorf("%w: reference %d, %.20q", ErrInvalidUTF8, i, r)
		}
	}
	return nil
}

// checkName refuses what a signature, which is key:value|key:value, can't contain.
func checkName(option, name string) error {
	if strings.Contains(name, "|") {
		return fmt.Errorf("%w: %s is %q: want a name without |", ErrOption, option, name)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// A mean is a metric whose corpus value is the mean of its segments' values.
type mean struct {
	sig   Signature
	value func(ctx context.Context, c *Case, o *Output) (float64, error)
}

// NewMean returns the metric whose value is the mean of f over the segments: the
// shortest way to write your own metric. f returns [Skip] where it doesn't apply.
func NewMean(sig Signature, f func(ctx context.Context, c *Case, o *Output) (float64, error)) (Metric, error) {
	if sig.Metric == "" {
		return nil, fmt.Errorf("%w: Signature.Metric is empty: want the metric's name", ErrOption)
	}
	if err := cmp.Or(checkName("Signature.Metric", sig.Metric), checkName("Signature.Version", sig.Version)); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("%w: the metric's function is nil", ErrOption)
	}
	return &mean{sig, f}, nil
}

// Skip returns the [SkipError] with this reason.
func Skip(reason string) error { return skip(reason) }

func (m *mean) Signature() Signature { return m.sig }
func (m *mean) Width() int           { return 2 }

func (m *mean) Stats(ctx context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	v, err := m.value(ctx, c, o)
	if err != nil {
		return err
	}
	if !finite(v) {
		return fmt.Errorf("%w: %s gave %v", ErrNotFinite, m.sig.Metric, v)
	}
	dst[0], dst[1] = v, 1
	return nil
}

func (m *mean) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

// ratio is a/b, and 0 for an empty denominator: the convention of every
// reference implementation here.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

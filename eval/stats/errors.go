package stats

import (
	"errors"
	"fmt"
	"math"
)

// The faults of an input. Every error of this package is an [*InputError] that
// wraps one of these; branch on them with [errors.Is].
var (
	// ErrOption: a parameter or option outside its domain, such as a level of 1.5,
	// or a required function that is nil.
	ErrOption = errors.New("stats: invalid option")
	// ErrLength: samples, rows or ratings that belong together differ in length.
	ErrLength = errors.New("stats: lengths differ")
	// ErrTooFew: not enough observations for the statistic, none included.
	ErrTooFew = errors.New("stats: too few observations")
	// ErrNotFinite: a NaN or an infinity among the observations.
	ErrNotFinite = errors.New("stats: not a finite number")
	// ErrRange: an observation outside its domain, such as a negative count or a
	// p-value of 1.5.
	ErrRange = errors.New("stats: out of range")
	// ErrOverflow: the inputs are valid, and a number of the result is too large
	// for a float64.
	ErrOverflow = errors.New("stats: too large for a float64")
	// ErrUndefined: the inputs are valid and the statistic is 0/0 on them, such as
	// a correlation with a constant. No number is returned instead.
	ErrUndefined = errors.New("stats: undefined for these data")
)

// An InputError names the function that refused an input, and why.
type InputError struct {
	// Func is the function that was called, such as "PairedT".
	Func string
	// Detail is what was wrong and what would be right.
	Detail string
	// Err is one of the package's sentinel errors.
	Err error
}

func (e *InputError) Error() string {
	return fmt.Sprintf("%v: %s: %s", e.Err, e.Func, e.Detail)
}

func (e *InputError) Unwrap() error { return e.Err }

func fail(fn string, err error, format string, args ...any) error {
	return &InputError{Func: fn, Err: err, Detail: fmt.Sprintf(format, args...)}
}

// checkSample refuses a sample shorter than least or with a value that isn't finite.
func checkSample(fn, name string, xs []float64, least int) error {
	if len(xs) < least {
		return fail(fn, ErrTooFew, "%s has %d, needs at least %d", name, len(xs), least)
	}
	for i, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fail(fn, ErrNotFinite, "%s[%d] is %v", name, i, x)
		}
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// checkResult refuses numbers of a result that overflowed.
func checkResult(fn string, values ...float64) error {
	for _, v := range values {
		if !finite(v) {
			return fail(fn, ErrOverflow, "the result is %v", values)
		}
	}
	return nil
}

// number is a result of one number, NaN with an error where it overflowed.
func number(fn string, v float64) (float64, error) {
	if err := checkResult(fn, v); err != nil {
		return math.NaN(), err
	}
	return v, nil
}

// checkPairs is checkSample for two samples whose i-th values belong together.
func checkPairs(fn string, a, b []float64, least int) error {
	if len(a) != len(b) {
		return fail(fn, ErrLength, "%d and %d values; pairs need one of each", len(a), len(b))
	}
	if err := checkSample(fn, "first sample", a, least); err != nil {
		return err
	}
	return checkSample(fn, "second sample", b, least)
}

// checkTwo is checkSample for two independent samples.
func checkTwo(fn string, a, b []float64, least int) error {
	if err := checkSample(fn, "first sample", a, least); err != nil {
		return err
	}
	return checkSample(fn, "second sample", b, least)
}

// checkOpen refuses a value that isn't strictly between 0 and 1: a level of
// significance or confidence, a power.
func checkOpen(fn, name string, v float64) error {
	if !(v > 0 && v < 1) {
		return fail(fn, ErrOption, "%s is %v: want a number strictly between 0 and 1", name, v)
	}
	return nil
}

// checkPositive refuses a value that isn't positive and finite.
func checkPositive(fn, name string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return fail(fn, ErrOption, "%s is %v: want a positive, finite number", name, v)
	}
	return nil
}

// checkConstant refuses a value of an enum that is after its last constant.
func checkConstant[T ~uint8](fn, name string, v, last T) error {
	if v > last {
		return fail(fn, ErrOption, "%s is %d: want one of the %T constants, 0 to %d", name, v, v, last)
	}
	return nil
}

// checkFunc refuses a nil function.
func checkFunc(fn, name string, f func([]float64) float64) error {
	if f == nil {
		return fail(fn, ErrOption, "the %s function is nil", name)
	}
	return nil
}

package eval

import (
	"fmt"
	"math"
	"strings"
)

// near fails where got differs from want by more than 1e-9, relative above 1.
func near(what string, got, want float64) error {
	if math.Abs(got-want) <= 1e-9*max(1, math.Abs(want)) {
		return nil
	}
	return fmt.Errorf("%s: got %.12g, want %.12g", what, got, want)
}

func nears(what string, got, want []float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s: got %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if err := near(fmt.Sprintf("%s[%d]", what, i), got[i], want[i]); err != nil {
			return err
		}
	}
	return nil
}

func same[T comparable](what string, got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s: got %v, want %v", what, got, want)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func joined(tokens []string) string { return strings.Join(tokens, " ") }

// must is for values that the test makes from fixed, valid options.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

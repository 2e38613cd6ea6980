package suite

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prodailabs/prodai/eval"
)

// A Threshold is a bound on a score, over everything or over a slice.
type Threshold struct {
	Metric string // Signature.Metric or Signature.Name
	Slice  string // such as kind=regression; empty means everything
	AtMost bool   // Value is an upper bound; it is a lower one otherwise
	Value  float64
}

// ParseThreshold reads a threshold such as "BLEU >= 30", "TER <= 60" or
// "exact_match >= 1 in kind=regression".
func ParseThreshold(s string) (Threshold, error) {
	rest, slice, _ := strings.Cut(s, " in ")
	t := Threshold{Slice: strings.TrimSpace(slice)}
	name, value, ok := strings.Cut(rest, ">=")
	if !ok {
		t.AtMost = true
		name, value, ok = strings.Cut(rest, "<=")
	}
	var err error
	t.Metric = strings.TrimSpace(name)
	t.Value, err = strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !ok || err != nil || t.Metric == "" || unsound(t.Value) {
		return t, fmt.Errorf("%w: the threshold is %q: want METRIC >= NUMBER or METRIC <= NUMBER, and optionally: in SLICE", ErrOption, s)
	}
	return t, nil
}

// String is the form that [ParseThreshold] reads.
func (t Threshold) String() string {
	op := ">="
	if t.AtMost {
		op = "<="
	}
	s := fmt.Sprintf("%s %s %v", t.Metric, op, t.Value)
	if t.Slice != "" {
		s += " in " + t.Slice
	}
	return s
}

// Met reports whether a value keeps to the threshold.
func (t Threshold) Met(value float64) bool {
	if t.AtMost {
		return value <= t.Value
	}
	return value >= t.Value
}

func (t Threshold) check(metrics []eval.Metric) error {
	if unsound(t.Value) {
		return fmt.Errorf("%w: Threshold.Value of %s is %v: want a finite number", ErrOption, t.Metric, t.Value)
	}
	_, err := findMetric(t.Metric, len(metrics), func(i int) eval.Signature { return metrics[i].Signature() })
	return err
}

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
	for i := 0; i+2 <= len(s); i++ {
		op := s[i : i+2]
		if op != ">=" && op != "<=" {
			continue
		}
		// A name may contain what looks like an operator. After a real operator
		// come a number, and a slice or nothing.
		number, slice, _ := strings.Cut(s[i+2:], " in ")
		value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if name := strings.TrimSpace(s[:i]); err == nil && name != "" && !unsound(value) {
			return Threshold{Metric: name, Slice: strings.TrimSpace(slice), AtMost: op == "<=", Value: value}, nil
		}
	}
	return Threshold{}, fmt.Errorf("%w: the threshold is %q: want METRIC >= NUMBER or METRIC <= NUMBER, and optionally: in SLICE", ErrOption, s)
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

// Met reports whether a value satisfies the threshold.
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

package monitor

import (
	"errors"
	"fmt"
	"math"
)

// ErrOption is wrapped by the errors of options that cannot work and of required
// arguments that are nil.
var ErrOption = errors.New("monitor: invalid option")

// ErrValue is wrapped by the error of a value that is not finite or is outside of
// its range. The detector stays as it was.
var ErrValue = errors.New("monitor: invalid value")

// ErrNoData is wrapped by the error of a statistic without enough data. No data is
// neither good nor bad news.
var ErrNoData = errors.New("monitor: no data")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrOption}, args...)...)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func checkValue(x float64) error {
	if !finite(x) {
		return fmt.Errorf("%w: %v: want a finite number", ErrValue, x)
	}
	return nil
}

// A State is a detector's judgment after a value.
type State uint8

// The states of detectors and alerts.
const (
	StateLearning State = iota // too few values for a judgment
	StateStable
	StateWarning
	StateAlarm
)

// String is the state in lower case.
func (s State) String() string {
	if names := [...]string{"learning", "stable", "warning", "alarm"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// A Side is the direction of a change.
type Side uint8

// The sides of an alarm. SideBoth is an alarm on both sides at one value.
const (
	SideNone Side = iota
	SideUp
	SideDown
	SideBoth
)

// String is "", "up", "down" or "both".
func (s Side) String() string {
	if names := [...]string{"", "up", "down", "both"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("Side(%d)", uint8(s))
}

// A Signal is what a detector reports after a value.
type Signal struct {
	State State
	Side  Side

	// Statistic is what the detector compares with its limit, before a restart.
	Statistic float64
}

// A Detector watches a stream of numbers in memory that does not grow (ADWIN's grows
// with the logarithm of its window). [CUSUM], [EWMA], [PageHinkley], [ADWIN] and
// [Standardized] are detectors. None is safe for concurrent use. Add fails with
// [ErrValue].
type Detector interface {
	Add(x float64) (Signal, error)
}

// An Outcome is a success or a failure. It is a type of its own because detectors of
// other libraries disagree on whether 1 is good: here it cannot be confused.
type Outcome uint8

// The outcomes. The zero value is neither, and is refused.
const (
	OutcomeGood Outcome = iota + 1
	OutcomeBad
)

// bad returns 1 for a failure and 0 for a success.
func (o Outcome) bad() (float64, error) {
	switch o {
	case OutcomeGood:
		return 0, nil
	case OutcomeBad:
		return 1, nil
	}
	return 0, fmt.Errorf("%w: outcome %d: want OutcomeGood or OutcomeBad", ErrValue, o)
}

// An OutcomeDetector watches a stream of outcomes for more failures. [DDM], [EDDM],
// [HDDM] and [SPRT] are outcome detectors. Add fails with [ErrValue].
type OutcomeDetector interface {
	Add(o Outcome) (Signal, error)
}

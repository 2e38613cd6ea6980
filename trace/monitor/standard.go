package monitor

import (
	"cmp"
	"math"
)

// StandardizedOptions are the settings of [NewStandardized].
type StandardizedOptions struct {
	// Learn is how many values the baseline is learned from, at the start and after
	// each alarm. Default: 500: with 200 values the
	// baseline is so uncertain that stable streams alarm several times as often.
	Learn int
}

// Standardized is a detector that learns its baseline itself: from the first values,
// and again after an alarm, so that one change raises one alarm. It gives the wrapped
// detector (x-mean)/SD. Values that are all equal while learning are a baseline that
// any other value breaks.
type Standardized struct {
	learn    int
	fresh    func() (Detector, error)
	detector Detector
	n        int
	mean, m2 float64
}

// NewStandardized returns a detector around one that fresh makes for the mean 0 and
// the standard deviation 1, at the start and after each alarm. It fails with
// [ErrOption] and with the error of fresh.
func NewStandardized(fresh func() (Detector, error), o *StandardizedOptions) (*Standardized, error) {
	if fresh == nil {
		return nil, optionError("the function fresh is nil")
	}
	s := &Standardized{fresh: fresh}
	if o != nil {
		s.learn = o.Learn
	}
	if s.learn = cmp.Or(s.learn, 500); s.learn < 2 {
		return nil, optionError("StandardizedOptions.Learn is %d: want 2 or more", s.learn)
	}
	d, err := fresh()
	if err == nil && d == nil {
		err = optionError("fresh returned nil")
	}
	s.detector = d
	return s, err
}

// Baseline is what was learned so far.
func (s *Standardized) Baseline() Baseline {
	if s.n < 2 {
		return Baseline{Mean: s.mean}
	}
	return Baseline{Mean: s.mean, SD: math.Sqrt(s.m2 / float64(s.n-1))}
}

// Add implements [Detector].
func (s *Standardized) Add(x float64) (Signal, error) {
	if s.n < s.learn {
		d := x - s.mean
		mean := s.mean + d/float64(s.n+1)
		m2 := s.m2 + d*(x-mean)
		if err := checkValue(m2); err != nil {
			return Signal{}, err
		}
		s.n, s.mean, s.m2 = s.n+1, mean, m2
		return Signal{State: StateLearning}, nil
	}
	if err := checkValue(x); err != nil {
		return Signal{}, err
	}
	base := s.Baseline()
	// A constant's tiny deviation still lets a change show, and divides by no zero.
	sd := max(base.SD, math.Abs(base.Mean)*1e-9, 1e-12)
	signal, err := s.detector.Add((x - base.Mean) / sd)
	if err != nil || signal.State != StateAlarm {
		return signal, err
	}
	fresh, err := s.fresh()
	if err != nil {
		return signal, err
	}
	s.detector, s.n, s.mean, s.m2 = fresh, 0, 0, 0
	return signal, nil
}

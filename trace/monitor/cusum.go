package monitor

import (
	"cmp"
	"math"

	"github.com/prodailabs/prodai/internal/drift"
)

// A Baseline is the mean and standard deviation of good times.
type Baseline struct{ Mean, SD float64 }

func (b Baseline) check() error {
	if !finite(b.Mean) || !(b.SD > 0) || math.IsInf(b.SD, 1) {
		return optionError("the baseline is %v: want a finite Mean and a positive, finite SD", b)
	}
	return nil
}

// CUSUMOptions are the settings of a [CUSUM].
type CUSUMOptions struct {
	// Slack is half of the shift to find, in standard deviations. Default: 0.5.
	Slack float64

	// Limit is the sum that alarms, in standard deviations. Default: 9, with which at
	// most 5 % of stable streams of 1,000 values raise an alarm. The 5 of textbooks
	// does so in 88 % of them.
	Limit float64
}

// A CUSUM adds up what exceeds the slack on each side (Page, 1954). It finds small,
// lasting shifts. After an alarm the sum of that side starts again at 0.
type CUSUM struct {
	base Baseline
	o    CUSUMOptions
	sums drift.Sums
}

// NewCUSUM returns a detector of shifts from a baseline. It fails with [ErrOption].
func NewCUSUM(base Baseline, o *CUSUMOptions) (*CUSUM, error) {
	c := &CUSUM{base: base}
	if o != nil {
		c.o = *o
	}
	c.o.Slack, c.o.Limit = cmp.Or(c.o.Slack, 0.5), cmp.Or(c.o.Limit, 9)
	if !(c.o.Slack > 0 && c.o.Limit > 0) || !finite(c.o.Slack) || !finite(c.o.Limit) {
		return nil, optionError("CUSUMOptions %v: want positive, finite numbers", c.o)
	}
	if err := base.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// Add implements [Detector]. Statistic is the larger sum.
func (c *CUSUM) Add(x float64) (Signal, error) {
	next := c.sums.Next((x-c.base.Mean)/c.base.SD, c.o.Slack)
	if err := checkValue(next.High + next.Low); err != nil {
		return Signal{}, err
	}
	s := Signal{State: StateStable, Statistic: max(next.High, next.Low)}
	if next.High > c.o.Limit {
		s.State, s.Side, next.High = StateAlarm, SideUp, 0
	}
	if next.Low > c.o.Limit {
		s.State, s.Side, next.Low = StateAlarm, SideDown, 0
	}
	c.sums = next
	return s, nil
}

// EWMAOptions are the settings of an [EWMA].
type EWMAOptions struct {
	// Weight is the weight of the newest value. Default: 0.2.
	Weight float64

	// Limit is the distance that alarms, in standard deviations of the average.
	// Default: 4.1, with which at most 5 % of stable streams of 1,000 values raise an
	// alarm.
	Limit float64
}

// An EWMA is a control chart of the exponentially weighted moving average (Roberts,
// 1959), with the exact limits of its first values. It stays in alarm as long as the
// average is outside.
type EWMA struct {
	base    Baseline
	o       EWMAOptions
	average float64
	unseen  float64 // (1-Weight)^(2n)
}

// NewEWMA returns a chart around a baseline. It fails with [ErrOption].
func NewEWMA(base Baseline, o *EWMAOptions) (*EWMA, error) {
	e := &EWMA{base: base, average: base.Mean, unseen: 1}
	if o != nil {
		e.o = *o
	}
	e.o.Weight, e.o.Limit = cmp.Or(e.o.Weight, 0.2), cmp.Or(e.o.Limit, 4.1)
	if !(e.o.Weight > 0 && e.o.Weight <= 1 && e.o.Limit > 0) || !finite(e.o.Limit) {
		return nil, optionError("EWMAOptions %v: want a Weight above 0, at most 1, and a positive Limit", e.o)
	}
	if err := base.check(); err != nil {
		return nil, err
	}
	return e, nil
}

// Add implements [Detector]. Statistic is the average.
func (e *EWMA) Add(x float64) (Signal, error) {
	next := drift.EWMA(e.average, x, e.o.Weight)
	if err := checkValue(next); err != nil {
		return Signal{}, err
	}
	e.average = next
	e.unseen *= (1 - e.o.Weight) * (1 - e.o.Weight)
	limit := e.o.Limit * e.base.SD * math.Sqrt(e.o.Weight/(2-e.o.Weight)*(1-e.unseen))
	s := Signal{State: StateStable, Statistic: next}
	if math.Abs(next-e.base.Mean) > limit {
		s.State, s.Side = StateAlarm, SideUp
		if next < e.base.Mean {
			s.Side = SideDown
		}
	}
	return s, nil
}

// PageHinkleyOptions are the settings of a [PageHinkley].
type PageHinkleyOptions struct {
	// MinValues is how many values come before the first judgment. Default: 30.
	MinValues int
	// Delta is the change to ignore, in the unit of the values. Default: 0.005.
	Delta float64
	// Threshold is the sum that alarms. Default: 50.
	Threshold float64
	// Forget multiplies the sums at each value, below 1 to forget old ones. Default:
	// 0.9999.
	Forget float64
}

// A PageHinkley is the Page-Hinkley test on both sides, as in river 0.23: it adds up
// the distances from the mean so far, needs no baseline, and begins anew after an
// alarm.
type PageHinkley struct {
	o                         PageHinkleyOptions
	n                         int
	mean, up, down, low, high float64
	alarmed                   bool
}

// NewPageHinkley fails with [ErrOption].
func NewPageHinkley(o *PageHinkleyOptions) (*PageHinkley, error) {
	p := &PageHinkley{}
	if o != nil {
		p.o = *o
	}
	p.o.MinValues, p.o.Delta = cmp.Or(p.o.MinValues, 30), cmp.Or(p.o.Delta, 0.005)
	p.o.Threshold, p.o.Forget = cmp.Or(p.o.Threshold, 50), cmp.Or(p.o.Forget, 0.9999)
	if p.o.MinValues < 0 || !(p.o.Delta > 0 && p.o.Threshold > 0 && p.o.Forget > 0 && p.o.Forget <= 1) || !finite(p.o.Delta) || !finite(p.o.Threshold) {
		return nil, optionError("PageHinkleyOptions %v: want positive numbers, and Forget at most 1", p.o)
	}
	return p, nil
}

// Add implements [Detector]. Statistic is the larger rise of a sum above its extreme.
func (p *PageHinkley) Add(x float64) (Signal, error) {
	next := *p
	if next.alarmed {
		next = PageHinkley{o: p.o}
	}
	next.n++
	next.mean += (x - next.mean) / float64(next.n)
	d := x - next.mean
	next.up = p.o.Forget*next.up + d - p.o.Delta
	next.down = p.o.Forget*next.down + d + p.o.Delta
	next.low, next.high = min(next.low, next.up), max(next.high, next.down)
	rise, fall := next.up-next.low, next.high-next.down
	if err := checkValue(rise + fall); err != nil {
		return Signal{}, err
	}
	s := Signal{State: StateLearning, Statistic: max(rise, fall)}
	if next.n >= p.o.MinValues {
		s.State = StateStable
		if rise > p.o.Threshold {
			s.State, s.Side = StateAlarm, SideUp
		}
		if fall > p.o.Threshold {
			s.State, s.Side = StateAlarm, s.Side|SideDown
		}
	}
	next.alarmed = s.State == StateAlarm
	*p = next
	return s, nil
}

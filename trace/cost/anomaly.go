package cost

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A Point is what was spent in one interval of a series.
type Point struct {
	Start   time.Time
	PicoUSD int64
}

// AnomalyOptions configure [Anomalies]. The zero value works for days.
type AnomalyOptions struct {
	// Period is after how many points the series repeats: 24 for hours of a day, 7
	// for days of a week, 168 for hours of a week. A point is compared with earlier
	// ones of its place in the period. Default: 1, which compares with all earlier
	// ones.
	Period int

	// History is how many earlier points of the same place are compared with, at
	// most. Default: 14.
	History int

	// MinHistory is how many are needed. Without them a point is not judged.
	// Default: 5.
	MinHistory int

	// Threshold is how many standard deviations, estimated robustly, a point may be
	// above the median. Default: 5.
	Threshold float64

	// MinRatio is how many times the median an anomaly is at least, since very
	// steady series have small deviations. Default: 1.5.
	MinRatio float64

	// MinPicoUSD is the smallest excess over the median that matters. Default:
	// 1,000,000,000,000, a dollar.
	MinPicoUSD int64
}

// An Anomaly is a point that cost far more than its history.
type Anomaly struct {
	Point
	ExpectedPicoUSD int64   // the median of its history
	Deviations      float64 // above it, in robust standard deviations
}

// Anomalies returns the points of a series, in the order of time, that cost far more
// than those before: by the median m of the history and its median absolute
// deviation,
//
//	cost > m + Threshold × max(1.4826 × MAD, 5 % of m)  and  cost > MinRatio × m  and  cost - m >= MinPicoUSD
//
// Median and MAD are not moved by earlier anomalies as a mean and a standard
// deviation are. 1.4826 makes the MAD an estimate of the standard deviation for
// normal noise; the floor of 5 % stands for noise that a short history did not show.
// Only expensive points are reported: a fall to zero is an outage, which other
// monitors find. The error wraps [ErrOption].
func Anomalies(points []Point, o *AnomalyOptions) ([]Anomaly, error) {
	p := AnomalyOptions{}
	if o != nil {
		p = *o
	}
	if p.Period < 0 || p.History < 0 || p.MinHistory < 0 || !(p.Threshold >= 0) || !(p.MinRatio >= 0) || p.MinPicoUSD < 0 {
		return nil, fmt.Errorf("%w: AnomalyOptions %+v: want no negative number", ErrOption, p)
	}
	p.defaults()
	if p.MinHistory > p.History {
		return nil, fmt.Errorf("%w: AnomalyOptions.MinHistory is %d and History %d: want no more than History", ErrOption, p.MinHistory, p.History)
	}
	for i := 1; i < len(points); i++ {
		if !points[i].Start.After(points[i-1].Start) {
			return nil, fmt.Errorf("%w: point %d does not begin after the one before it", ErrOption, i)
		}
	}
	var out []Anomaly
	for i, point := range points {
		var before []float64
		for j := i - p.Period; j >= 0 && len(before) < p.History; j -= p.Period {
			before = append(before, float64(points[j].PicoUSD))
		}
		if len(before) < p.MinHistory {
			continue
		}
		m := median(before)
		for k := range before {
			before[k] = math.Abs(before[k] - m)
		}
		deviation := max(1.4826*median(before), 0.05*math.Abs(m), 1)
		excess := float64(point.PicoUSD) - m
		if excess > p.Threshold*deviation && float64(point.PicoUSD) > p.MinRatio*m && excess >= float64(p.MinPicoUSD) {
			out = append(out, Anomaly{point, int64(m), excess / deviation})
		}
	}
	return out, nil
}

func (p *AnomalyOptions) defaults() {
	if p.Period == 0 {
		p.Period = 1
	}
	if p.History == 0 {
		p.History = 14
	}
	if p.MinHistory == 0 {
		p.MinHistory = min(5, p.History)
	}
	if p.Threshold == 0 {
		p.Threshold = 5
	}
	if p.MinRatio == 0 {
		p.MinRatio = 1.5
	}
	if p.MinPicoUSD == 0 {
		p.MinPicoUSD = 1e12
	}
}

// median sorts list; it is not empty.
func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return list[n/2]
	}
	return list[n/2-1]/2 + list[n/2]/2
}

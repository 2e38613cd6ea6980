package monitor

import (
	"cmp"
	"math"
)

// ADWINOptions are the settings of an [ADWIN].
type ADWINOptions struct {
	// Delta is the confidence of a cut. Default: 0.002.
	Delta float64
	// Clock is how many values come between two looks for a change. Default: 32.
	Clock int
	// MaxBuckets is the number of buckets of each size. Default: 5.
	MaxBuckets int
	// MinWindow is the smallest part of the window that is compared. Default: 5.
	MinWindow int
	// Grace is the number of values before the first look. Default: 10.
	Grace int
}

// An ADWIN keeps a window of values whose mean has not changed (Bifet and Gavaldà,
// 2007), as in river 0.23. It compares all cuts of the window, as an exponential
// histogram of O(log n) buckets. After an alarm it begins anew.
type ADWIN struct {
	o       ADWINOptions
	rows    [][]bucket // row i has buckets of 2^i values, the oldest first
	width   float64
	total   float64
	spread  float64 // sum of squared distances from the mean
	tick    int
	alarmed bool
}

type bucket struct{ total, spread float64 }

// NewADWIN fails with [ErrOption].
func NewADWIN(o *ADWINOptions) (*ADWIN, error) {
	a := &ADWIN{rows: [][]bucket{nil}}
	if o != nil {
		a.o = *o
	}
	a.o.Delta, a.o.Clock = cmp.Or(a.o.Delta, 0.002), cmp.Or(a.o.Clock, 32)
	a.o.MaxBuckets, a.o.MinWindow, a.o.Grace = cmp.Or(a.o.MaxBuckets, 5), cmp.Or(a.o.MinWindow, 5), cmp.Or(a.o.Grace, 10)
	if !(a.o.Delta > 0 && a.o.Delta < 1) || a.o.Clock < 1 || a.o.MaxBuckets < 2 || a.o.MinWindow < 1 || a.o.Grace < 1 {
		return nil, optionError("ADWINOptions %v: want a Delta between 0 and 1, MaxBuckets of at least 2, and positive counts", a.o)
	}
	return a, nil
}

// Width is the number of values in the window.
func (a *ADWIN) Width() int { return int(a.width) }

// Mean is the mean of the window, 0 without values.
func (a *ADWIN) Mean() float64 {
	if a.width == 0 {
		return 0
	}
	return a.total / a.width
}

// Add implements [Detector]. Statistic is the window's mean. A value so large that
// its square overflows fails with [ErrValue].
func (a *ADWIN) Add(x float64) (Signal, error) {
	const most = 1e150
	if !(math.Abs(x) <= most) {
		return Signal{}, checkValue(math.Inf(1))
	}
	if a.alarmed {
		*a = ADWIN{o: a.o, rows: [][]bucket{nil}}
	}
	a.rows[0] = append(a.rows[0], bucket{total: x})
	a.width++
	if a.width > 1 {
		d := x - a.total/(a.width-1)
		a.spread += (a.width - 1) * d * d / a.width
	}
	a.total += x
	a.compress()
	before := a.Mean()
	s := Signal{State: StateStable}
	if a.tick++; a.width <= float64(a.o.Grace) {
		s.State = StateLearning
	} else if a.tick%a.o.Clock == 0 {
		for a.cut() {
			s.State = StateAlarm
		}
	}
	s.Statistic = a.Mean()
	if a.alarmed = s.State == StateAlarm; a.alarmed {
		s.Side = SideUp
		if s.Statistic < before {
			s.Side = SideDown
		}
	}
	return s, nil
}

// compress merges the two oldest buckets of each row that has too many.
func (a *ADWIN) compress() {
	for i := 0; i < len(a.rows) && len(a.rows[i]) > a.o.MaxBuckets; i++ {
		if i+1 == len(a.rows) {
			a.rows = append(a.rows, nil)
		}
		one, two := a.rows[i][0], a.rows[i][1]
		n := math.Ldexp(1, i)
		d := one.total/n - two.total/n
		a.rows[i+1] = append(a.rows[i+1], bucket{one.total + two.total, one.spread + two.spread + n*n*d*d/(n+n)})
		a.rows[i] = append(a.rows[i][:0], a.rows[i][2:]...)
	}
}

// cut removes the oldest bucket if some cut of the window has two means that differ.
func (a *ADWIN) cut() bool {
	n0, u0, n1, u1 := 0.0, 0.0, a.width, a.total
	for i := len(a.rows) - 1; i >= 0; i-- {
		for k := range a.rows[i] {
			n := math.Ldexp(1, i)
			u := a.rows[i][k].total
			n0, n1, u0, u1 = n0+n, n1-n, u0+u, u1-u
			if n0 < float64(a.o.MinWindow) || n1 < float64(a.o.MinWindow) {
				continue
			}
			if math.Abs(u0/n0-u1/n1) > a.epsilon(n0, n1) {
				a.drop()
				return true
			}
		}
	}
	return false
}

func (a *ADWIN) epsilon(n0, n1 float64) float64 {
	log := math.Log(2 * math.Log(a.width) / a.o.Delta)
	least := float64(a.o.MinWindow)
	m := 1/(n0-least+1) + 1/(n1-least+1)
	return math.Sqrt(2*m*a.spread/a.width*log) + 2.0/3*log*m
}

// drop removes the oldest bucket.
func (a *ADWIN) drop() {
	last := len(a.rows) - 1
	n, b := math.Ldexp(1, last), a.rows[last][0]
	a.rows[last] = a.rows[last][1:]
	a.width -= n
	a.total -= b.total
	d := b.total/n - a.total/a.width
	a.spread -= b.spread + n*a.width*d*d/(n+a.width)
	if len(a.rows[last]) == 0 && last > 0 {
		a.rows = a.rows[:last]
	}
}

package monitor

import (
	"cmp"
	"math"

	"github.com/prodailabs/prodai/internal/drift"
)

// DDMOptions are the settings of a [DDM].
type DDMOptions struct {
	// WarmStart is how many outcomes come before the first judgment. Default: 30.
	WarmStart int
	// Warning and Drift are distances from the best time, in standard deviations.
	// Default: 2 and 3.
	Warning, Drift float64
}

// A DDM watches the share of failures (Gama et al., 2004), as in river 0.23: it
// remembers the time at which share and standard error were lowest, and alarms when
// they are far above. It begins anew after an alarm. With rare failures its first
// minutes are unreliable: 30 successes make the best share 0, and the next failure an
// alarm.
type DDM struct {
	o             DDMOptions
	n, p          float64
	best, bestP   float64
	bestS         float64
	alarmed, warm bool
}

// NewDDM fails with [ErrOption].
func NewDDM(o *DDMOptions) (*DDM, error) {
	d := &DDM{}
	if o != nil {
		d.o = *o
	}
	d.o.WarmStart, d.o.Warning, d.o.Drift = cmp.Or(d.o.WarmStart, 30), cmp.Or(d.o.Warning, 2), cmp.Or(d.o.Drift, 3)
	if d.o.WarmStart < 0 || !(d.o.Warning > 0 && d.o.Drift >= d.o.Warning) || !finite(d.o.Drift) {
		return nil, optionError("DDMOptions %v: want 0 < Warning <= Drift", d.o)
	}
	return d, nil
}

// Add implements [OutcomeDetector]. Statistic is the share of failures plus its
// standard error.
func (d *DDM) Add(o Outcome) (Signal, error) {
	x, err := o.bad()
	if err != nil {
		return Signal{}, err
	}
	if d.alarmed {
		*d = DDM{o: d.o}
	}
	d.n++
	d.p += (x - d.p) / d.n
	sd := math.Sqrt(max(d.p*(1-d.p), 0) / d.n)
	s := Signal{State: StateLearning, Statistic: d.p + sd}
	if d.n <= float64(d.o.WarmStart) {
		return s, nil
	}
	s.State = StateStable
	if !d.warm || s.Statistic <= d.best {
		d.warm, d.best, d.bestP, d.bestS = true, s.Statistic, d.p, sd
	}
	switch {
	case s.Statistic > d.bestP+d.o.Drift*d.bestS:
		s.State, s.Side, d.alarmed = StateAlarm, SideUp, true
	case s.Statistic > d.bestP+d.o.Warning*d.bestS:
		s.State, s.Side = StateWarning, SideUp
	}
	return s, nil
}

// EDDMOptions are the settings of an [EDDM].
type EDDMOptions struct {
	// WarmStart is how many failures come before the first judgment. Default: 30.
	WarmStart int
	// Warning and Drift are shares of the best distance. Default: 0.95 and 0.9.
	Warning, Drift float64
}

// An EDDM watches the distances between failures (Baena-García et al., 2006), as in
// river 0.23: it alarms when their mean plus two standard deviations is less than a
// share of its best value. It begins anew after an alarm.
type EDDM struct {
	o                   EDDMOptions
	n, last, errors     float64
	mean, squares, best float64
	warning, alarmed    bool
}

// NewEDDM fails with [ErrOption].
func NewEDDM(o *EDDMOptions) (*EDDM, error) {
	e := &EDDM{}
	if o != nil {
		e.o = *o
	}
	e.o.WarmStart, e.o.Warning, e.o.Drift = cmp.Or(e.o.WarmStart, 30), cmp.Or(e.o.Warning, 0.95), cmp.Or(e.o.Drift, 0.9)
	if e.o.WarmStart < 0 || !(e.o.Drift > 0 && e.o.Drift <= e.o.Warning && e.o.Warning <= 1) {
		return nil, optionError("EDDMOptions %v: want 0 < Drift <= Warning <= 1", e.o)
	}
	return e, nil
}

// Add implements [OutcomeDetector]. Statistic is the mean distance plus two standard
// deviations as a share of the best one, 0 before that.
func (e *EDDM) Add(o Outcome) (Signal, error) {
	x, err := o.bad()
	if err != nil {
		return Signal{}, err
	}
	if e.alarmed {
		*e = EDDM{o: e.o}
	}
	e.n++
	s := Signal{State: StateStable}
	if x == 1 {
		s.Statistic = e.failure()
	}
	switch {
	case e.alarmed:
		s.State, s.Side = StateAlarm, SideUp
	case e.warning:
		s.State, s.Side = StateWarning, SideUp
	case e.errors <= float64(e.o.WarmStart):
		s.State = StateLearning
	}
	return s, nil
}

func (e *EDDM) failure() float64 {
	e.warning = false
	e.errors++
	distance := e.n - e.last
	e.last = e.n
	old := e.mean
	e.mean += (distance - e.mean) / e.errors
	e.squares += (distance - e.mean) * (distance - old)
	reach := e.mean + 2*math.Sqrt(e.squares/e.errors)
	if e.n < float64(e.o.WarmStart) {
		return 0
	}
	if reach > e.best {
		e.best = reach
		return 1
	}
	share := reach / e.best
	if e.errors > float64(e.o.WarmStart) {
		e.alarmed = share < e.o.Drift
		e.warning = !e.alarmed && share < e.o.Warning
	}
	return share
}

// HDDMOptions are the settings of an [HDDM].
type HDDMOptions struct {
	// Warning and Drift are chances of a false signal at one cut. Default: 0.005 and
	// 0.001.
	Warning, Drift float64
}

// An HDDM compares the share of failures before and after the best cut, with
// Hoeffding's bound (Frías-Blanco et al., 2015; HDDM-A, one-sided), as in river
// 0.23. It assumes nothing of the distribution, and is slow for rare failures.
type HDDM struct {
	o                HDDMOptions
	n, c, minN, minC float64
}

// NewHDDM fails with [ErrOption].
func NewHDDM(o *HDDMOptions) (*HDDM, error) {
	h := &HDDM{}
	if o != nil {
		h.o = *o
	}
	h.o.Warning, h.o.Drift = cmp.Or(h.o.Warning, 0.005), cmp.Or(h.o.Drift, 0.001)
	if !(h.o.Drift > 0 && h.o.Drift <= h.o.Warning && h.o.Warning < 1) {
		return nil, optionError("HDDMOptions %v: want 0 < Drift <= Warning < 1", h.o)
	}
	return h, nil
}

// Add implements [OutcomeDetector]. Statistic is the rise of the share of failures
// since the best cut.
func (h *HDDM) Add(o Outcome) (Signal, error) {
	x, err := o.bad()
	if err != nil {
		return Signal{}, err
	}
	h.n++
	h.c += x
	if h.minN == 0 {
		h.minN, h.minC = h.n, h.c
	}
	bound := func(n float64) float64 { return math.Sqrt(1 / (2 * n) * math.Log(1/h.o.Drift)) }
	if h.minC/h.minN+bound(h.minN) >= h.c/h.n+bound(h.n) {
		h.minN, h.minC = h.n, h.c
	}
	s := Signal{State: StateStable, Statistic: h.c/h.n - h.minC/h.minN}
	rises := func(confidence float64) bool {
		if h.minN == h.n {
			return false
		}
		m := (h.n - h.minN) / h.minN * (1 / h.n)
		return s.Statistic >= math.Sqrt(m/2*math.Log(2/confidence))
	}
	switch {
	case rises(h.o.Drift):
		s.State, s.Side = StateAlarm, SideUp
		*h = HDDM{o: h.o}
	case rises(h.o.Warning):
		s.State, s.Side = StateWarning, SideUp
	}
	return s, nil
}

// SPRTOptions are the settings of an [SPRT].
type SPRTOptions struct {
	// Alpha is the chance of an alarm where the share is still the allowed one.
	// Default: 0.05.
	Alpha float64
	// Beta is the chance to clear where the share is the alarming one. Default: 0.1.
	Beta float64
}

// An SPRT is Wald's sequential probability ratio test (1945) of an allowed share of
// failures against an alarming one, for a canary: it may be read after each outcome.
// It decides once; later outcomes change nothing.
type SPRT struct {
	ratio   drift.Ratio
	llr     float64
	decided State
}

// NewSPRT returns a test of the share allowed against the share alarming, both
// between 0 and 1. It fails with [ErrOption].
func NewSPRT(allowed, alarming float64, o *SPRTOptions) (*SPRT, error) {
	var set SPRTOptions
	if o != nil {
		set = *o
	}
	set.Alpha, set.Beta = cmp.Or(set.Alpha, 0.05), cmp.Or(set.Beta, 0.1)
	if !(allowed > 0 && alarming < 1 && allowed < alarming) {
		return nil, optionError("allowed is %v and alarming %v: want 0 < allowed < alarming < 1", allowed, alarming)
	}
	if !(set.Alpha > 0 && set.Beta > 0 && set.Alpha+set.Beta < 1) {
		return nil, optionError("SPRTOptions %v: want positive chances that sum to less than 1", set)
	}
	return &SPRT{ratio: drift.NewRatio(allowed, alarming, set.Alpha, set.Beta)}, nil
}

// Add implements [OutcomeDetector]. StateLearning is undecided, StateStable accepts
// the allowed share, StateAlarm the alarming one. Statistic is the log-likelihood
// ratio at the decision, or so far.
func (t *SPRT) Add(o Outcome) (Signal, error) {
	x, err := o.bad()
	if err != nil {
		return Signal{}, err
	}
	if t.decided == StateLearning {
		t.llr = t.ratio.Next(t.llr, x == 1)
		switch {
		case t.llr >= t.ratio.Upper:
			t.decided = StateAlarm
		case t.llr <= t.ratio.Lower:
			t.decided = StateStable
		}
	}
	s := Signal{State: t.decided, Statistic: t.llr}
	if s.State == StateAlarm {
		s.Side = SideUp
	}
	return s, nil
}

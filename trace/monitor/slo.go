package monitor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// A Severity says what an alert does.
type Severity uint8

// The severities.
const (
	SeverityPage   Severity = iota + 1 // wakes a person now
	SeverityTicket                     // is work for the next day
)

// String is "page" or "ticket".
func (s Severity) String() string {
	if names := [...]string{"", "page", "ticket"}; int(s) < len(names) && s > 0 {
		return names[s]
	}
	return fmt.Sprintf("Severity(%d)", uint8(s))
}

// A BurnWindow alerts when the error budget burns so fast that Budget of it would be
// spent in Long, and still does so in Short.
type BurnWindow struct {
	Long     time.Duration
	Short    time.Duration // Default: Long / 12.
	Budget   float64       // share of the budget
	Severity Severity
}

// Rate is the burn rate at which the window alerts, in an SLO over a period: 1 spends
// the whole budget in exactly the period.
func (w BurnWindow) Rate(period time.Duration) float64 {
	return w.Budget * float64(period) / float64(w.Long)
}

// An SLO is a service level objective: the share of events that must be good over a
// period.
type SLO struct {
	Name string

	// Objective is a share between 0 and 1, such as 0.99. Required.
	Objective float64

	// Period is what the objective is for. Default: 30 days.
	Period time.Duration

	// Windows alert. Default: 2 % of the budget in 1 h and 5 % in 6 h page, 10 % in 3 d
	// is a ticket (Google's SRE Workbook, chapter 5).
	Windows []BurnWindow

	// MinEvents is the smallest number of events in a long window for an alert: the
	// share of three requests says little. Default: 10.
	MinEvents int64
}

const day = 24 * time.Hour

// full returns the SLO with defaults, or an error. A window that no share of errors
// reaches is refused: an alert that cannot fire looks like one that has no reason to.
func (s SLO) full() (SLO, error) {
	if !(s.Objective > 0 && s.Objective < 1) {
		return s, optionError("SLO.Objective is %v: want a share between 0 and 1, without 1: it leaves no budget", s.Objective)
	}
	s.Period, s.MinEvents = cmp.Or(s.Period, 30*day), cmp.Or(s.MinEvents, 10)
	if s.Period < time.Minute || s.MinEvents < 1 {
		return s, optionError("SLO.Period is %v and MinEvents %d: want a minute, and 1, or more", s.Period, s.MinEvents)
	}
	s.Windows = slices.Clone(s.Windows)
	if len(s.Windows) == 0 {
		s.Windows = []BurnWindow{
			{Long: time.Hour, Budget: 0.02, Severity: SeverityPage},
			{Long: 6 * time.Hour, Budget: 0.05, Severity: SeverityPage},
			{Long: 3 * day, Budget: 0.1, Severity: SeverityTicket},
		}
	}
	for i := range s.Windows {
		w := &s.Windows[i]
		w.Short = cmp.Or(w.Short, w.Long/12)
		if w.Long > s.Period || w.Short < time.Minute || w.Short >= w.Long || !(w.Budget > 0 && w.Budget <= 1) || w.Severity < SeverityPage || w.Severity > SeverityTicket {
			return s, optionError("SLO.Windows[%d] is %v: want a minute <= Short < Long <= Period, a Budget above 0, at most 1, and a Severity", i, *w)
		}
		if rate := w.Rate(s.Period) * (1 - s.Objective); rate >= 1 {
			return s, optionError("SLO.Windows[%d] can never fire: it needs %.3g of all events to fail", i, rate)
		}
	}
	return s, nil
}

// Counts are good and bad events. Their sum is the total, so no share is above 1.
type Counts struct{ Good, Bad int64 }

// Rate is the share of bad events. It fails with [ErrNoData] without events, and with
// [ErrValue] if a count is negative.
func (c Counts) Rate() (float64, error) {
	switch {
	case c.Good < 0 || c.Bad < 0:
		return math.NaN(), fmt.Errorf("%w: counts %v: want no negative ones", ErrValue, c)
	case c.Good == 0 && c.Bad == 0:
		return math.NaN(), fmt.Errorf("%w: no events", ErrNoData)
	}
	return float64(c.Bad) / (float64(c.Good) + float64(c.Bad)), nil
}

// Burn is the burn rate of counts: the share of bad events over the allowed share.
// Its errors are those of [Counts.Rate] and [ErrOption].
func (s SLO) Burn(c Counts) (float64, error) {
	set, err := s.full()
	if err != nil {
		return math.NaN(), err
	}
	rate, err := c.Rate()
	return rate / (1 - set.Objective), err
}

// Fires reports for each window whether these shares of bad events, in its long and
// in its short part, are both above its threshold. It fails with [ErrOption].
func (s SLO) Fires(long, short float64) ([]bool, error) {
	set, err := s.full()
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(set.Windows))
	for i, w := range set.Windows {
		out[i] = set.above(w, long) && set.above(w, short)
	}
	return out, nil
}

func (s SLO) above(w BurnWindow, share float64) bool {
	return share > w.Rate(s.Period)*(1-s.Objective)
}

// A Tracker counts the events of an SLO by minute and knows its burn rates. It is
// safe for concurrent use.
type Tracker struct {
	slo SLO

	mu     sync.Mutex
	counts []Counts // a ring: minute m is at m % len
	last   int64    // the newest minute
	sum    Counts   // of all minutes of the ring
	any    bool
}

// NewTracker fails with [ErrOption].
func NewTracker(s SLO) (*Tracker, error) {
	set, err := s.full()
	if err != nil {
		return nil, err
	}
	return &Tracker{slo: set, counts: make([]Counts, int(set.Period/time.Minute))}, nil
}

// Observe counts an event at its time. One that is older than the period is ignored.
// It fails with [ErrValue].
func (t *Tracker) Observe(at time.Time, o Outcome) error {
	bad, err := o.bad()
	if err != nil {
		return err
	}
	minute := at.Unix() / 60
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(minute)
	if t.last-minute >= int64(len(t.counts)) || minute < 0 {
		return nil
	}
	c := &t.counts[minute%int64(len(t.counts))]
	c.Bad += int64(bad)
	c.Good += 1 - int64(bad)
	t.sum.Bad += int64(bad)
	t.sum.Good += 1 - int64(bad)
	return nil
}

// advance empties the minutes between the newest one and minute.
func (t *Tracker) advance(minute int64) {
	if !t.any {
		t.any, t.last = true, minute
	}
	for m := max(t.last+1, minute-int64(len(t.counts))+1); m <= minute; m++ {
		if m >= 0 {
			c := &t.counts[m%int64(len(t.counts))]
			t.sum.Good, t.sum.Bad = t.sum.Good-c.Good, t.sum.Bad-c.Bad
			*c = Counts{}
		}
	}
	t.last = max(t.last, minute)
}

// since adds up the minutes of a window that ends at minute.
func (t *Tracker) since(minute int64, window time.Duration) Counts {
	if minute == t.last && window == t.slo.Period {
		return t.sum
	}
	var sum Counts
	for m := max(minute-int64(window/time.Minute)+1, t.last-int64(len(t.counts))+1, 0); m <= min(minute, t.last); m++ {
		c := t.counts[m%int64(len(t.counts))]
		sum.Good, sum.Bad = sum.Good+c.Good, sum.Bad+c.Bad
	}
	return sum
}

// A Burn is the state of one window.
type Burn struct {
	BurnWindow
	LongRate, ShortRate float64 // burn rates; NaN without events
	Condition           Condition
}

// A Budget is the state of an SLO.
type Budget struct {
	Counts
	// Left is the share of the error budget that is left, negative when it is
	// overspent. It is NaN without events.
	Left  float64
	Burns []Burn
}

// Budget returns the state at a time, usually now: events that are older than the
// period before it are forgotten.
func (t *Tracker) Budget(at time.Time) Budget {
	minute := at.Unix() / 60
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.any {
		t.advance(minute)
	}
	b := Budget{Counts: t.since(minute, t.slo.Period)}
	allowed := 1 - t.slo.Objective
	rate, _ := b.Rate() // NaN without events
	b.Left = 1 - rate/allowed
	for _, w := range t.slo.Windows {
		long, short := t.since(minute, w.Long), t.since(minute, w.Short)
		l, _ := long.Rate()
		s, _ := short.Rate()
		burn := Burn{BurnWindow: w, LongRate: l / allowed, ShortRate: s / allowed, Condition: ConditionFalse}
		switch {
		case long.Good+long.Bad < t.slo.MinEvents || short.Good+short.Bad == 0:
			burn.Condition = ConditionNoData
		case t.slo.above(w, l) && t.slo.above(w, s):
			burn.Condition = ConditionTrue
		}
		b.Burns = append(b.Burns, burn)
	}
	return b
}

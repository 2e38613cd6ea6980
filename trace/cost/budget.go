package cost

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// A Window is the time that a budget is for, by the calendar of its place.
type Window uint8

// The windows.
const (
	WindowMonth Window = iota
	WindowDay
	WindowHour
)

// BudgetOptions configure a [Budget]. The zero value works.
type BudgetOptions struct {
	// Window is the time after which the budget begins anew. Default: WindowMonth.
	Window Window

	// Location is the place whose calendar counts. Default: time.UTC.
	Location *time.Location

	// Alerts are the shares of the budget at which an alert is due. Default: 0.5,
	// 0.8 and 1.
	Alerts []float64
}

// An Alert says that a share of a budget was spent. Each comes once in a window.
type Alert struct {
	Share        float64
	SpentPicoUSD int64
	LimitPicoUSD int64
	Start, End   time.Time // of the window

	// Exceeded is when the budget will be exceeded if money is spent on at the
	// window's mean speed: the zero time if not before the window's end.
	Exceeded time.Time
}

// A Budget is a soft budget: it warns, and refuses nothing. Package retry/limit
// refuses calls before they cost anything. It is safe for concurrent use.
type Budget struct {
	limit  int64
	o      BudgetOptions
	mu     sync.Mutex
	start  time.Time
	end    time.Time
	spent  int64
	warned int // of o.Alerts
}

// NewBudget returns a Budget of limitPicoUSD for each window. Its error wraps
// [ErrOption].
func NewBudget(limitPicoUSD int64, o *BudgetOptions) (*Budget, error) {
	b := &Budget{limit: limitPicoUSD}
	if o != nil {
		b.o = *o
	}
	if limitPicoUSD <= 0 {
		return nil, fmt.Errorf("%w: the budget is %d pico-USD: want more than 0", ErrOption, limitPicoUSD)
	}
	if b.o.Window > WindowHour {
		return nil, fmt.Errorf("%w: BudgetOptions.Window is %d: want WindowMonth (0, the default), WindowDay (1) or WindowHour (2)", ErrOption, b.o.Window)
	}
	if b.o.Location == nil {
		b.o.Location = time.UTC
	}
	if b.o.Alerts == nil {
		b.o.Alerts = []float64{0.5, 0.8, 1}
	}
	b.o.Alerts = slices.Clone(b.o.Alerts)
	slices.Sort(b.o.Alerts)
	for _, share := range b.o.Alerts {
		if !(share > 0 && share <= 100) {
			return nil, fmt.Errorf("%w: BudgetOptions.Alerts has %v: want shares of the budget, more than 0 and at most 100", ErrOption, share)
		}
	}
	return b, nil
}

// Spend books an amount at a time, negative for a correction, and returns the alerts
// that are due now. An amount of an earlier window is not part of this one.
func (b *Budget) Spend(at time.Time, picoUSD int64) []Alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at.Before(b.start) {
		return nil
	}
	b.roll(at)
	if picoUSD > 0 && b.spent > math.MaxInt64-picoUSD {
		b.spent = math.MaxInt64
	} else {
		b.spent = max(b.spent+picoUSD, 0)
	}
	var out []Alert
	for b.warned < len(b.o.Alerts) && float64(b.spent) >= b.o.Alerts[b.warned]*float64(b.limit) {
		out = append(out, Alert{Share: b.o.Alerts[b.warned], SpentPicoUSD: b.spent, LimitPicoUSD: b.limit, Start: b.start, End: b.end, Exceeded: b.forecast(at)})
		b.warned++
	}
	return out
}

// roll begins the window that at is in.
func (b *Budget) roll(at time.Time) {
	if !b.end.IsZero() && at.Before(b.end) {
		return
	}
	t := at.In(b.o.Location)
	switch b.o.Window {
	case WindowDay:
		b.start = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, b.o.Location)
		b.end = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, b.o.Location) // 23 or 25 hours when clocks change
	case WindowHour:
		b.start = at.Truncate(time.Hour).In(b.o.Location)
		b.end = b.start.Add(time.Hour)
	default:
		b.start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, b.o.Location)
		b.end = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, b.o.Location)
	}
	b.spent, b.warned = 0, 0
}

// Spent returns what was spent in the window that at is in.
func (b *Budget) Spent(at time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at.Before(b.start) || !at.Before(b.end) {
		return 0
	}
	return b.spent
}

// Forecast returns when the budget will be exceeded if money is spent on at the mean
// speed of this window so far, and false if that is not before the window's end. A
// budget that is spent already was exceeded by now.
func (b *Budget) Forecast(at time.Time) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at.Before(b.start) || !at.Before(b.end) {
		return time.Time{}, false
	}
	t := b.forecast(at)
	return t, !t.IsZero()
}

func (b *Budget) forecast(at time.Time) time.Time {
	if b.spent >= b.limit {
		return at
	}
	elapsed := at.Sub(b.start)
	if b.spent <= 0 || elapsed <= 0 {
		return time.Time{}
	}
	left := float64(b.limit-b.spent) / float64(b.spent) * float64(elapsed)
	if left >= float64(b.end.Sub(at)) {
		return time.Time{}
	}
	return at.Add(time.Duration(left))
}

package monitor

import (
	"fmt"
	"time"
)

// A Condition is what a look at an alert's expression found.
type Condition uint8

// The conditions. NoData is neither true nor false: only a value may end an alert.
const (
	ConditionNoData Condition = iota
	ConditionFalse
	ConditionTrue
)

// String is "no data", "false" or "true".
func (c Condition) String() string {
	if names := [...]string{"no data", "false", "true"}; int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("Condition(%d)", uint8(c))
}

// A Change is what an alert does after a look.
type Change uint8

// The changes.
const (
	ChangeNone Change = iota
	ChangeFired
	ChangeResolved
	ChangeBlind // there has been no data for AlertOptions.Blind
)

// String returns "none", "fired", "resolved" or "blind".
func (c Change) String() string {
	if names := [...]string{"none", "fired", "resolved", "blind"}; int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("Change(%d)", uint8(c))
}

// AlertOptions are the settings of an [Alert].
type AlertOptions struct {
	// For is how long the condition must be true before the alert fires. Default: 0,
	// at once.
	For time.Duration
	// Keep is how long the condition must be false before the alert resolves, so that a
	// value around its limit does not send a storm. Default: 10 minutes.
	Keep time.Duration
	// Blind is after how long without data a ChangeBlind is reported, once. Default:
	// 15 minutes.
	Blind time.Duration
}

// An Alert turns conditions into few messages. It is not safe for concurrent use.
type Alert struct {
	o                         AlertOptions
	firing, blind             bool
	trueSince, since, noSince time.Time
}

// NewAlert fails with [ErrOption].
func NewAlert(o *AlertOptions) (*Alert, error) {
	a := &Alert{}
	if o != nil {
		a.o = *o
	}
	if a.o.Keep == 0 {
		a.o.Keep = 10 * time.Minute
	}
	if a.o.Blind == 0 {
		a.o.Blind = 15 * time.Minute
	}
	if a.o.For < 0 || a.o.Keep < 0 || a.o.Blind < 0 {
		return nil, optionError("AlertOptions %v: want no negative durations", a.o)
	}
	return a, nil
}

// Firing reports whether the alert fires.
func (a *Alert) Firing() bool { return a.firing }

// Look takes the condition at a time, and returns what changed. Without data the
// alert stays as it is: a failed query sends no all-clear.
func (a *Alert) Look(at time.Time, c Condition) Change {
	if c == ConditionNoData {
		a.trueSince = time.Time{}
		if a.noSince.IsZero() {
			a.noSince = at
		}
		if !a.blind && at.Sub(a.noSince) >= a.o.Blind {
			a.blind = true
			return ChangeBlind
		}
		return ChangeNone
	}
	a.noSince, a.blind = time.Time{}, false
	if c == ConditionTrue {
		a.since = time.Time{}
		if a.trueSince.IsZero() {
			a.trueSince = at
		}
		if !a.firing && at.Sub(a.trueSince) >= a.o.For {
			a.firing = true
			return ChangeFired
		}
		return ChangeNone
	}
	a.trueSince = time.Time{}
	if a.since.IsZero() {
		a.since = at
	}
	if a.firing && at.Sub(a.since) >= a.o.Keep {
		a.firing = false
		return ChangeResolved
	}
	return ChangeNone
}

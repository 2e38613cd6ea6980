package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A When is a rule for instants, the slots. Next returns the first slot after t, or
// the zero time if there is none.
type When interface{ Next(t time.Time) time.Time }

// Every returns slots that are d apart, counted from the Unix epoch: every program
// has the same ones, whenever it starts. d below a second is a second.
func Every(d time.Duration) When { return every(max(d, time.Second)) }

type every time.Duration

func (e every) Next(t time.Time) time.Time {
	d := int64(e)
	n := t.UnixNano() / d
	if t.UnixNano() < 0 && t.UnixNano()%d != 0 {
		n--
	}
	return time.Unix(0, (n+1)*d)
}

// A CatchUp is what becomes of slots that passed while no worker ran.
type CatchUp uint8

// The rules for missed slots.
const (
	CatchUpOnce CatchUp = iota // one job for all of them: the zero value
	CatchUpSkip                // none: only slots of the last minute make a job
	CatchUpAll                 // one job each, for the last 100
)

// A Schedule makes a job at each slot of a rule. Make one with [Kind.Schedule].
type Schedule struct {
	name string
	when When
	late CatchUp
	job  func(q *Queue, slot time.Time) (*Job, error)
}

// ScheduleOptions are the settings of [Kind.Schedule].
type ScheduleOptions struct {
	// CatchUp is what becomes of missed slots. Default: CatchUpOnce.
	CatchUp CatchUp

	// Queue is the queue's name. Default: the kind's.
	Queue string
}

// Schedule makes a job with the payload in at each slot of when. The store has the
// last slot of each name, so a restart forgets none, and of several workers one makes
// the job. The header "slot" is the slot's time in RFC 3339. It fails with
// [ErrOption].
func (k *Kind[In, Out]) Schedule(name string, when When, in In, o *ScheduleOptions) (Schedule, error) {
	var so ScheduleOptions
	if o != nil {
		so = *o
	}
	if name == "" || when == nil || so.CatchUp > CatchUpAll {
		return Schedule{}, optionError("the schedule %q has no name, no rule or the catch-up %d", name, so.CatchUp)
	}
	return Schedule{name: name, when: when, late: so.CatchUp, job: func(q *Queue, slot time.Time) (*Job, error) {
		return k.Job(q, in, &JobOptions{
			ID: fmt.Sprintf("%s@%d", name, slot.Unix()), Queue: so.Queue,
			Headers: map[string]string{"slot": slot.UTC().Format(time.RFC3339)},
		})
	}}, nil
}

// A clockwork makes the jobs of schedules.
type clockwork struct {
	q         *Queue
	schedules []Schedule
	last      map[string]time.Time
}

func newClockwork(q *Queue, schedules []Schedule) *clockwork {
	return &clockwork{q: q, schedules: schedules, last: map[string]time.Time{}}
}

// turn makes the jobs that are due, and returns when the next one is.
func (c *clockwork) turn(ctx context.Context, now time.Time) (next time.Time, err error) {
	for _, s := range c.schedules {
		at, serr := c.one(ctx, now, s)
		err = errors.Join(err, serr)
		if serr == nil && !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, err
}

func (c *clockwork) one(ctx context.Context, now time.Time, s Schedule) (time.Time, error) {
	last, known := c.last[s.name]
	if known {
		if next := s.when.Next(last); next.IsZero() || next.After(now) {
			return next, nil
		}
	}
	last, err := c.q.store.LastSlot(ctx, s.name)
	if err != nil {
		return time.Time{}, err
	}
	if last.IsZero() { // a new schedule begins now
		if _, err := c.q.store.AddSlot(ctx, now, s.name, now, Batch{}); err != nil {
			return time.Time{}, err
		}
		last = now
	}
	for _, slot := range s.due(last, now) {
		j, err := s.job(c.q, slot)
		if err != nil {
			return time.Time{}, err
		}
		_, err = c.q.store.AddSlot(ctx, now, s.name, slot, Batch{Jobs: []*Job{j}})
		var duplicate *DuplicateError
		if errors.As(err, &duplicate) { // its job is there, only the slot was not noted
			_, err = c.q.store.AddSlot(ctx, now, s.name, slot, Batch{})
		}
		if err != nil {
			return time.Time{}, err
		}
		last = slot
	}
	if next := s.when.Next(last); !next.IsZero() && !next.After(now) { // all were skipped
		last = now
	}
	c.last[s.name] = last
	return s.when.Next(last), nil
}

// due returns the slots after last, up to now, that make a job.
func (s Schedule) due(last, now time.Time) []time.Time {
	const most = 100
	var slots []time.Time
	for t := s.when.Next(last); !t.IsZero() && !t.After(now); t = s.when.Next(t) {
		slots = append(slots, t)
		if len(slots) > most {
			slots = slots[1:]
		}
	}
	switch {
	case len(slots) == 0 || s.late == CatchUpAll:
		return slots[max(0, len(slots)-most):]
	case s.late == CatchUpSkip && now.Sub(slots[len(slots)-1]) > time.Minute:
		return nil
	}
	return slots[len(slots)-1:]
}

// Cron reads a rule of five fields: minute, hour, day of the month, month, day of the
// week (0 and 7 are Sunday). A field is *, numbers, ranges and steps: "*/15",
// "1-5,7". As in Vixie's cron, if both days are restricted, one of them is enough.
// Slots are in loc; nil is UTC. An hour that a clock change skips has no slot, and
// one that comes twice has its slots once. It fails with [ErrOption].
func Cron(spec string, loc *time.Location) (When, error) {
	if loc == nil {
		loc = time.UTC
	}
	fields := strings.Fields(spec)
	if len(fields) != 5 {
		return nil, optionError("the rule %q has %d fields: want five, minute hour day month weekday", spec, len(fields))
	}
	c := &cron{loc: loc}
	for i, f := range []struct {
		into     *uint64
		low, top int
	}{{&c.minutes, 0, 59}, {&c.hours, 0, 23}, {&c.days, 1, 31}, {&c.months, 1, 12}, {&c.weekdays, 0, 7}} {
		set, err := cronField(fields[i], f.low, f.top)
		if err != nil {
			return nil, optionError("the rule %q, field %d: %v", spec, i+1, err)
		}
		*f.into = set
	}
	if c.weekdays&(1<<7) != 0 {
		c.weekdays |= 1
	}
	c.anyDay = fields[2][0] == '*' || fields[4][0] == '*'
	return c, nil
}

type cron struct {
	minutes, hours, days, months, weekdays uint64
	anyDay                                 bool // both day fields must fit
	loc                                    *time.Location
}

func cronField(text string, low, top int) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			if by, err = strconv.Atoi(step); err != nil || by < 1 {
				return 0, fmt.Errorf("%q is not a step", step)
			}
		}
		from, to := low, top
		if span != "*" {
			a, b, ranged := strings.Cut(span, "-")
			if from, err = strconv.Atoi(a); err != nil {
				return 0, fmt.Errorf("%q is not a number", a)
			}
			to = from
			if ranged {
				if to, err = strconv.Atoi(b); err != nil {
					return 0, fmt.Errorf("%q is not a number", b)
				}
			} else if stepped {
				to = top
			}
		}
		if from < low || to > top || from > to {
			return 0, fmt.Errorf("%q is not in %d to %d", part, low, top)
		}
		for n := from; n <= to; n += by {
			set |= 1 << n
		}
	}
	return set, nil
}

// Next looks at days, then hours, then minutes, for at most eight years: 29 February
// may be that far away.
func (c *cron) Next(t time.Time) time.Time {
	t = t.In(c.loc)
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.loc)
	for d := range 8*366 + 1 {
		day := time.Date(start.Year(), start.Month(), start.Day()+d, 12, 0, 0, 0, c.loc)
		if !c.fits(day) {
			continue
		}
		for h := range 24 {
			if c.hours&(1<<h) == 0 {
				continue
			}
			for m := range 60 {
				if c.minutes&(1<<m) == 0 {
					continue
				}
				slot := time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, c.loc)
				if slot.Hour() == h && slot.Minute() == m && slot.After(t) {
					return slot
				}
			}
		}
	}
	return time.Time{}
}

func (c *cron) fits(day time.Time) bool {
	if c.months&(1<<int(day.Month())) == 0 {
		return false
	}
	date, weekday := c.days&(1<<day.Day()) != 0, c.weekdays&(1<<int(day.Weekday())) != 0
	if c.anyDay {
		return date && weekday
	}
	return date || weekday
}

package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prodailabs/prodai/internal/event"
)

// Run checks the targets, reads their loads and exchanges the canary's results with
// its store, at each Interval until ctx is done. It returns ctx.Err(). A program
// that has Checks, Loads or a Canary starts it in a goroutine; without it the
// targets count as up, and their loads are the calls of this process.
func (m *Model) Run(ctx context.Context) error {
	if m.p == nil {
		return optionError("the zero Model is not usable: make one with New")
	}
	return m.p.Run(ctx)
}

// Run is [Model.Run] for a pool alone.
func (p *Pool) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	// A target that is slow to answer must not delay the news of the others.
	for _, m := range p.members {
		if m.t.Check != nil || m.t.Load != nil {
			all.Go(func() { p.watch(ctx, m) })
		}
	}
	if c := p.o.Canary; c != nil {
		all.Go(func() {
			each(ctx, p.o.Interval, func() {
				if err := p.bounded(ctx, c.Sync); err != nil && ctx.Err() == nil {
					p.log.LogAttrs(ctx, slog.LevelWarn, event.RouteCanary, slog.String(event.State, "store"), slog.String(event.Reason, err.Error()))
				}
			})
		})
	}
	<-ctx.Done()
	return ctx.Err()
}

// each calls f now and at each interval until ctx is done.
func each(ctx context.Context, interval time.Duration, f func()) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for ctx.Err() == nil {
		f()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

// bounded calls f with CheckTimeout. A panic in it is its error: the checks of one
// target must not end the program.
func (p *Pool) bounded(ctx context.Context, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.CheckTimeout)
	defer cancel()
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("route: a panic: %v", x)
		}
	}()
	return f(ctx)
}

func (p *Pool) watch(ctx context.Context, m *member) {
	failures := 0
	each(ctx, p.o.Interval, func() {
		if m.t.Check != nil {
			err := p.bounded(ctx, m.t.Check)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				failures = 0
			} else {
				failures++
			}
			if down := failures >= p.o.CheckFailures; err == nil || down {
				before := down
				if m.set(func() { before, m.down = m.down, down }); before != down {
					p.changed(ctx, m, down, err)
				}
			}
		}
		if m.t.Load != nil {
			p.readLoad(ctx, m)
		}
	})
}

func (p *Pool) changed(ctx context.Context, m *member, down bool, err error) {
	state, reason := "up", "the check succeeds again"
	if down {
		state, reason = "down", err.Error()
	}
	p.log.LogAttrs(ctx, slog.LevelWarn, event.RouteTarget, slog.String(event.Target, m.t.Name), slog.String(event.State, state), slog.String(event.Reason, reason))
}

// readLoad keeps what a target reports. If it can't be read, the last report grows
// old, and then isn't used.
func (p *Pool) readLoad(ctx context.Context, m *member) {
	before := m.inFlight.Load()
	var load Load
	err := p.bounded(ctx, func(ctx context.Context) (err error) {
		load, err = m.t.Load(ctx)
		return err
	})
	if err == nil && (load.Waiting < 0 || load.Running < 0 || !(load.CacheUsage >= 0)) {
		err = errors.New("route: a number is negative")
	}
	if err != nil {
		if ctx.Err() == nil && m.report.Load() != nil {
			p.log.LogAttrs(ctx, slog.LevelWarn, event.RouteTarget, slog.String(event.Target, m.t.Name), slog.String(event.State, "load unknown"), slog.String(event.Reason, err.Error()))
		}
		return
	}
	m.report.Store(&report{Load: load, at: p.since(time.Now()), inFlight: before})
}

// Drain takes a target out: calls in progress end, and no new ones come. Undrain
// brings it back. They fail with [ErrOption] for a name that no target has.
func (p *Pool) Drain(name string) error { return p.setDrained(name, true) }

// Undrain brings back a target that was drained.
func (p *Pool) Undrain(name string) error { return p.setDrained(name, false) }

func (p *Pool) setDrained(name string, drained bool) error {
	for _, m := range p.members {
		if m.t.Name == name {
			before := drained
			if m.set(func() { before, m.drained = m.drained, drained }); before != drained {
				state := "drained"
				if !drained {
					state = "undrained"
				}
				p.log.LogAttrs(context.Background(), slog.LevelWarn, event.RouteTarget, slog.String(event.Target, name), slog.String(event.State, state), slog.String(event.Reason, "by a person"))
			}
			return nil
		}
	}
	return optionError("there is no target %q", name)
}

// A Status is a target as it is.
type Status struct {
	Name     string        `json:"name"`
	Tier     int           `json:"tier"`
	Canary   bool          `json:"canary,omitempty"`
	State    string        `json:"state"`       // up, full, spilling, paused, open, down, drained
	Wait     time.Duration `json:"wait"`        // until a paused or open target gets calls again
	InFlight int           `json:"in_flight"`   // calls of this process
	Queue    int           `json:"queue"`       // see Target.SpillAt
	Load     *Load         `json:"load"`        // as it was reported; nil if never or too long ago
	First    time.Duration `json:"first_token"` // latency; 0 if it wasn't measured
	Whole    time.Duration `json:"whole"`
	// Picks counts the calls; the others those that have shown something.
	Picks     int64 `json:"picks"`
	Healthy   int64 `json:"healthy"`
	Unhealthy int64 `json:"unhealthy"`
	Throttled int64 `json:"throttled"`
}

// Status returns all targets as they are at now, in their order.
func (p *Pool) Status(now time.Time) []Status {
	at := p.since(now)
	out := make([]Status, 0, len(p.members))
	for _, m := range p.members {
		seconds := func(l *peak) time.Duration { return time.Duration(l.seconds(at, p.o.Decay) * float64(time.Second)) }
		s := Status{
			Name: m.t.Name, Tier: m.t.Tier, Canary: m.t.Canary, InFlight: int(m.inFlight.Load()), Queue: int(m.queue(at, 3*p.o.Interval)),
			First: seconds(&m.first), Whole: seconds(&m.whole),
			Picks: m.picks.Load(), Healthy: m.healthy.Load(), Unhealthy: m.unhealthy.Load(), Throttled: m.throttled.Load(),
		}
		if r := m.report.Load(); r != nil && at-r.at <= 3*p.o.Interval {
			load := r.Load
			s.Load = &load
		}
		s.State, s.Wait = m.state(at)
		switch {
		case s.State != "": // it gets no calls
		case m.t.MaxInFlight > 0 && s.InFlight >= m.t.MaxInFlight:
			s.State = "full"
		case m.t.SpillAt > 0 && s.Queue >= m.t.SpillAt:
			s.State = "spilling"
		default:
			s.State = "up"
		}
		out = append(out, s)
	}
	return out
}

// state returns the state of a target that gets no calls, and how long that lasts at
// least; "" for another target.
func (m *member) state(at time.Duration) (string, time.Duration) {
	m.mu.Lock()
	open, paused, drained, down := m.openUntil-at, m.pausedUntil-at, m.drained, m.down
	m.mu.Unlock()
	wait := max(open, paused, 0)
	switch {
	case drained:
		return "drained", wait
	case down:
		return "down", wait
	case open > 0:
		return "open", wait
	case paused > 0:
		return "paused", wait
	}
	return "", 0
}

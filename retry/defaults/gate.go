package defaults

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// A Gate makes attempts wait for a place among the calls in progress and for room
// in the provider's account. Of the calls to one model, one at a time asks for
// them, the most urgent first. [New] makes it the only one of retry.Options.Gates.
type Gate struct {
	shedder  *retry.Shedder
	adaptive *retry.Adaptive
	account  *limit.Account
	log      *slog.Logger
	model    string

	mu     sync.Mutex
	queues map[string]*queue // by model, while a call of it asks
}

var _ admission.Gate = (*Gate)(nil)

// A queue is the calls that wait while another asks.
type queue struct {
	lines    [3][]chan struct{} // PriorityHigh, PriorityNormal, PriorityLow; closed when it is their turn
	admitted int                // the calls that had their turn,
	since    time.Time          // and when the first had
}

// A queue measures how fast it moves over this time, and with this many calls at
// least. A queue that hasn't moved may wait for a quota that is about to refill.
const (
	memory = 30 * time.Second
	moves  = 8
)

// wait returns how long a call with so many calls before it will wait. It is 0 if
// that isn't known.
func (q *queue) wait(now time.Time, ahead int) time.Duration {
	if elapsed := now.Sub(q.since); elapsed > memory {
		q.since, q.admitted = now.Add(-elapsed/2), q.admitted/2
	}
	if q.admitted < moves {
		return 0
	}
	return time.Duration(float64(now.Sub(q.since)) / float64(q.admitted) * float64(ahead))
}

// ahead returns how many calls come before one at the end of a line, or before the
// one that waits for turn, with the one that asks.
func (q *queue) ahead(line int, turn chan struct{}) int {
	n := 1
	for _, more := range q.lines[:line] {
		n += len(more)
	}
	if i := slices.Index(q.lines[line], turn); i >= 0 {
		return n + i
	}
	return n + len(q.lines[line])
}

// A modelContext has the name of the model that a call is to.
type modelContext struct {
	context.Context
	model string
}

type modelKey struct{}

// Value implements context.Context.
func (c *modelContext) Value(key any) any {
	if key == (modelKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func modelOf(ctx context.Context) string {
	if c, ok := ctx.Value(modelKey{}).(*modelContext); ok {
		return c.model
	}
	return ""
}

// held is the permits of one attempt, as the owner of the gate's.
type held struct{ place, room admission.Permit }

// FirstToken implements admission.FirstTokenOwner.
func (h *held) FirstToken(now time.Time, _ admission.Held) {
	h.room.FirstToken(now)
	h.place.FirstToken(now)
}

// Done implements admission.Owner.
func (h *held) Done(now time.Time, _ admission.Held, o admission.Outcome) {
	h.room.Done(now, o)
	h.place.Done(now, o)
}

// Cancel implements admission.Owner.
func (h *held) Cancel(now time.Time, _ admission.Held) {
	h.room.Cancel(now)
	h.place.Cancel(now)
}

// Adaptive returns the limit of the calls in progress.
func (g *Gate) Adaptive() *retry.Adaptive { return g.adaptive }

// Acquire waits for a place and for room. It returns an error if ctx is done
// before, or as soon as it is known that the call can't end in the time left. That
// is at once if too many calls wait before it.
func (g *Gate) Acquire(ctx context.Context) (permit admission.Permit, err error) {
	arrived, priority, model := time.Now(), retry.PriorityOf(ctx), modelOf(ctx)
	if err := g.enter(ctx, model, priority); err != nil {
		return admission.Permit{}, err
	}
	defer func() { g.leave(model, err == nil) }()
	place, err := g.adaptive.Acquire(ctx)
	if err != nil {
		return admission.Permit{}, err
	}
	h := &held{place: place}
	placed := time.Since(arrived) // half the cost of time.Now
	err = g.late(ctx, arrived, priority)
	if err == nil {
		h.room, err = g.account.Acquire(ctx)
	}
	if err != nil {
		h.place.Cancel(time.Now())
		return admission.Permit{}, err
	}
	if waited := time.Since(arrived); waited > time.Millisecond {
		dimension := "concurrency"
		if 2*(waited-placed) > waited {
			dimension = "requests"
		}
		h.place.Begin(time.Now())
		g.log.LogAttrs(ctx, slog.LevelInfo, event.LimitWait, slog.String(event.Dimension, dimension), slog.Duration(event.Delay, waited), slog.String(event.Model, cmp.Or(model, g.model)))
	}
	return admission.NewPermit(h, 0), nil
}

// late refuses a call that has waited for half of its time and can't end in the
// other half.
func (g *Gate) late(ctx context.Context, arrived time.Time, p retry.Priority) error {
	deadline, ok := ctx.Deadline()
	if now := time.Now(); ok && deadline.Sub(now) < now.Sub(arrived) {
		_, err := g.shedder.TryAcquire(now, retry.ShedRequest{Deadline: deadline, Wait: retry.NoWait, Priority: p})
		return err // the policy's permit alone may teach the shedder
	}
	return nil
}

// enter waits for the turn of a call.
func (g *Gate) enter(ctx context.Context, model string, p retry.Priority) error {
	g.mu.Lock()
	q := g.queues[model]
	if q == nil {
		g.queues[model] = &queue{}
		g.mu.Unlock()
		return nil
	}
	i := max(0, min(int(retry.PriorityHigh)-int(p), 2))
	if err := g.hopeless(ctx, q.wait(time.Now(), q.ahead(i, nil)), p); err != nil {
		g.mu.Unlock()
		return err
	}
	turn := make(chan struct{})
	q.lines[i] = append(q.lines[i], turn)
	g.mu.Unlock()
	again, stop := lookAgain(ctx)
	defer func() { stop() }()
	for {
		select {
		case <-turn:
			return nil
		case <-again:
			g.mu.Lock()
			err := g.hopeless(ctx, q.wait(time.Now(), q.ahead(i, turn)), p)
			g.mu.Unlock()
			if err != nil {
				return g.quit(model, q, i, turn, err)
			}
			stop()
			again, stop = lookAgain(ctx)
		case <-ctx.Done():
			return g.quit(model, q, i, turn, ctx.Err())
		}
	}
}

// lookAgain returns a channel that is ready when half of ctx's remaining time is
// over. Then a waiting call checks whether it can still end in time. Without a
// deadline the channel is never ready.
func lookAgain(ctx context.Context) (again <-chan time.Time, stop func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, func() {}
	}
	timer := time.NewTimer(max(time.Until(deadline)/2, time.Second))
	return timer.C, func() { timer.Stop() }
}

// hopeless refuses a call that can't end in time after such a wait. Its error has
// the time after which the queue is short enough.
func (g *Gate) hopeless(ctx context.Context, wait time.Duration, p retry.Priority) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	now := time.Now()
	_, err := g.shedder.TryAcquire(now, retry.ShedRequest{Deadline: deadline, Wait: max(wait, 1), Priority: p})
	var e *fault.Error
	if errors.As(err, &e) {
		e.Delay, e.HasDelay = max(wait-deadline.Sub(now)/2, time.Second), true
	}
	return err
}

// quit leaves a line for a reason. If the turn came meanwhile, it is passed on.
func (g *Gate) quit(model string, q *queue, line int, turn chan struct{}, reason error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(q.lines[line], turn); i >= 0 {
		q.lines[line] = slices.Delete(q.lines[line], i, i+1)
	} else {
		g.next(model)
	}
	return reason
}

// leave ends the turn of a call, with a place or without.
func (g *Gate) leave(model string, admitted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if q := g.queues[model]; admitted {
		if q.admitted == 0 { // the time before, in which nothing moved, doesn't count
			q.since = time.Now()
		}
		q.admitted++
	}
	g.next(model)
}

func (g *Gate) next(model string) {
	q := g.queues[model]
	for i, line := range q.lines {
		if len(line) > 0 {
			close(line[0])
			q.lines[i] = line[1:]
			return
		}
	}
	delete(g.queues, model)
}

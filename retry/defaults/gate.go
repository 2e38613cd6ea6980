package defaults

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/limit"
)

// A Gate is where attempts wait for a place among the calls in progress and for
// room in the provider's account. Of the calls to one model one at a time asks for
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
type queue [3][]chan struct{} // PriorityHigh, PriorityNormal, PriorityLow; closed when it is their turn

// A modelContext tells which model a call is to.
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
// before, or if the call could not end in the time that is left.
func (g *Gate) Acquire(ctx context.Context) (admission.Permit, error) {
	arrived, priority, model := time.Now(), retry.PriorityOf(ctx), modelOf(ctx)
	if err := g.enter(ctx, model, priority); err != nil {
		return admission.Permit{}, err
	}
	defer g.leave(model)
	place, err := g.adaptive.Acquire(ctx)
	if err != nil {
		return admission.Permit{}, err
	}
	h := &held{place: place}
	placed := time.Since(arrived) // half the price of time.Now
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
		return err // of its permits only one, the policy's, is to be learned from
	}
	return nil
}

func (g *Gate) enter(ctx context.Context, model string, p retry.Priority) error {
	g.mu.Lock()
	q := g.queues[model]
	if q == nil {
		g.queues[model] = &queue{}
		g.mu.Unlock()
		return nil
	}
	line := &q[max(0, min(int(retry.PriorityHigh)-int(p), 2))]
	turn := make(chan struct{})
	*line = append(*line, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(*line, turn); i >= 0 {
		*line = slices.Delete(*line, i, i+1)
	} else {
		g.next(model) // the turn came as the caller left: pass it on
	}
	return ctx.Err()
}

func (g *Gate) leave(model string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next(model)
}

func (g *Gate) next(model string) {
	q := g.queues[model]
	for i, line := range q {
		if len(line) > 0 {
			close(line[0])
			q[i] = line[1:]
			return
		}
	}
	delete(g.queues, model)
}

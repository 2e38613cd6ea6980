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
	"github.com/prodailabs/prodai/retry/limit"
)

// A gate is what attempts wait for, as the Limiter of retry.Options: a place
// among the calls in progress and room in the provider's account. Of the calls to
// one model one at a time asks for them, the most urgent first.
type gate struct {
	shedder  *retry.Shedder
	adaptive *retry.Adaptive
	account  *limit.Account
	log      *slog.Logger
	model    string

	mu     sync.Mutex
	queues map[string]*queue // by model; nobody is at those that are not there
}

// A queue is those who wait while another asks.
type queue [3][]chan struct{} // High, Normal, Low; closed when it is their turn

type modelKey struct{}

// Wait returns nil with a place kept for the retry.Adaptive.Acquire, or the
// Forgo, that follows.
func (g *gate) Wait(ctx context.Context) error {
	arrived, priority := time.Now(), retry.PriorityOf(ctx)
	model, _ := ctx.Value(modelKey{}).(string)
	if err := g.enter(ctx, model, priority); err != nil {
		return err
	}
	defer g.leave(model)
	if err := g.adaptive.Wait(ctx); err != nil {
		return err
	}
	placed := time.Now()
	err := g.late(ctx, arrived, priority)
	if err == nil {
		err = g.account.Wait(ctx)
	}
	if err != nil {
		g.Forgo(time.Now())
		return err
	}
	if waited := time.Since(arrived); waited > time.Millisecond {
		dimension := "concurrency"
		if 2*time.Since(placed) > waited {
			dimension = "requests"
		}
		g.log.LogAttrs(ctx, slog.LevelInfo, event.LimitWait, slog.String(event.Dimension, dimension), slog.Duration(event.Delay, waited), slog.String(event.Model, cmp.Or(model, g.model)))
	}
	return nil
}

// Forgo gives back the place that a Wait has kept.
func (g *gate) Forgo(now time.Time) { g.adaptive.Forgo(now) }

// late refuses a call that has waited for half of its time and can't end in the
// other half.
func (g *gate) late(ctx context.Context, arrived time.Time, p retry.Priority) error {
	deadline, ok := ctx.Deadline()
	if now := time.Now(); ok && deadline.Sub(now) < now.Sub(arrived) {
		return g.shedder.Admit(now, deadline, 0, p)
	}
	return nil
}

func (g *gate) enter(ctx context.Context, model string, p retry.Priority) error {
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

func (g *gate) leave(model string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next(model)
}

func (g *gate) next(model string) {
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

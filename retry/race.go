package retry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// errOutrun is the outcome of an attempt that was canceled because the other one
// answered. It shows nothing of the target.
var errOutrun = fault.New(fault.ClassCanceled, errors.New("retry: another attempt answered first"))

// A race is a call's first attempt and the hedge beside it. The first runs on the
// caller's goroutine, and the hedge on the goroutine of a timer. The race is over
// when both have ended.
type race struct {
	r       *run
	stream  bool
	delay   time.Duration
	timer   *time.Timer // nil: no hedge can start
	attempt func(*lane) // makes the hedge's attempt

	mu     sync.Mutex
	winner *lane
	over   bool // no hedge starts any more

	first, hedge lane
	done         chan struct{} // closed when the hedge has ended
	panicked     any           // the hedge's panic
}

// A lane is one of the attempts of a race. A nil lane is that of an attempt
// that runs alone.
type lane struct {
	race   *race
	hedge  bool
	ctx    context.Context
	cancel context.CancelCauseFunc
	began  time.Time // when the attempt was admitted, if it was
}

// hedges reports whether the next attempt may be hedged.
func (r *run) hedges() bool { return r.p.o.Hedger != nil && r.waits == 0 && r.limit > 1 }

// hedged makes an attempt and, if it is slow, a second one beside it.
func hedged[T any](r *run, stream bool, attempt func(*lane) (T, *fault.Error)) (v T, e *fault.Error) {
	c := &race{r: r, stream: stream, done: make(chan struct{})}
	c.delay, _ = r.p.o.Hedger.delay(stream)
	c.first = lane{race: c}
	c.first.ctx, c.first.cancel = context.WithCancelCause(r.ctx)
	var second struct {
		v T
		e *fault.Error
	}
	second.e = errPanicked
	c.attempt = func(l *lane) { second.v, second.e = attempt(l) }
	if b := r.p.hedgeBudget; b != nil {
		b.Request(r.start)
	}
	func() {
		e = errPanicked
		defer func() { c.join(e) }()
		v, e = attempt(&c.first)
	}()
	switch {
	case c.winner == &c.hedge:
		return second.v, second.e
	case c.winner == nil && !c.hedge.began.IsZero() && second.e.Delay > e.Delay:
		r.note(e)
		return v, second.e // both failed: the longer of the waits that the target asked for counts
	case e != nil && !c.hedge.began.IsZero():
		r.note(second.e)
	}
	return v, e
}

// join ends the race after the first attempt has returned e.
func (c *race) join(e *fault.Error) {
	c.mu.Lock()
	c.over = true
	if c.winner == nil && !e.Retryable { // e can't be nil: an attempt that succeeds has claimed
		c.winner = &c.first
		if c.hedge.cancel != nil {
			c.hedge.cancel(errOutrun)
		}
	}
	c.mu.Unlock()
	if c.timer != nil && !c.timer.Stop() {
		<-c.done
	}
	c.first.cancel(errOutrun)
	if !c.hedge.began.IsZero() {
		c.r.attempts++
	}
	if c.panicked != nil {
		panic(c.panicked) // only the caller can recover it
	}
}

// launch makes the hedge, if it still has a reason and the gates have room.
func (c *race) launch() {
	defer close(c.done)
	defer func() { // a panic on this goroutine would end the program
		if c.panicked = recover(); c.panicked != nil {
			c.first.cancel(errOutrun)
		}
	}()
	if c.mayLaunch() {
		defer c.hedge.cancel(errOutrun)
		c.attempt(&c.hedge)
	}
}

// mayLaunch reports whether there is a hedge, and makes its lane.
func (c *race) mayLaunch() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.winner != nil || !c.r.p.o.Hedger.o.Budget.Retry(c.r.now()) {
		return false
	}
	c.hedge = lane{race: c, hedge: true}
	c.hedge.ctx, c.hedge.cancel = context.WithCancelCause(c.r.ctx)
	return true
}

// context returns the attempt's parent.
func (l *lane) context(r *run) context.Context {
	if l == nil {
		return r.ctx
	}
	return l.ctx
}

// begin notes that the attempt has been admitted. The hedge's delay runs from here.
func (l *lane) begin(now time.Time) {
	if l == nil {
		return
	}
	l.began = now
	c := l.race
	switch {
	case l.hedge:
		o := &c.r.p.o
		c.r.p.log.LogAttrs(l.ctx, slog.LevelInfo, event.RetryHedge, slog.Int(event.Attempt, c.r.attempts+1),
			slog.Duration(event.Delay, c.delay), slog.String(event.Model, o.Model), slog.String(event.Target, o.Target))
	case c.delay > 0:
		c.timer = time.AfterFunc(c.delay, c.launch)
	}
}

// claim makes the attempt the one whose answer the caller gets, ends the other
// attempt, and reports true. It reports false if the other attempt has claimed
// before.
func (l *lane) claim() bool {
	if l == nil {
		return true
	}
	c := l.race
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.winner != nil {
		return c.winner == l
	}
	c.winner = l
	loser := &c.hedge
	if l.hedge {
		loser = &c.first
	}
	if loser.cancel != nil {
		loser.cancel(errOutrun)
	}
	if l == &c.first || !c.over { // else the first had failed, and its latency is none
		c.r.p.o.Hedger.observe(c.stream, c.r.now().Sub(c.first.began))
	}
	return true
}

// result returns e, an attempt's error, or errOutrun if the other attempt answered
// first.
func (l *lane) result(e *fault.Error) *fault.Error {
	if l != nil && e != nil && errors.Is(context.Cause(l.ctx), errOutrun) {
		return errOutrun
	}
	return e
}

package sched

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
)

// A Policy decides when requests join those that run.
type Policy uint8

// The policies.
const (
	PolicyContinuous Policy = iota // whenever a place is free, between any two steps
	PolicyStatic                   // when a whole batch waits and nothing runs
	PolicyDynamic                  // the same, but no request waits longer than Delay for others
)

// A Reserve decides how many blocks a request needs to start.
type Reserve uint8

// The ways to reserve.
const (
	ReserveAll    Reserve = iota // those of the longest answer: nothing is ever preempted because blocks are short
	ReserveNeeded                // those of its prompt: more run at once, and some are preempted
)

// Options are the settings of [New].
type Options struct {
	// Policy decides when requests join. Default: PolicyContinuous.
	Policy Policy

	// Slots is how many requests run at once: the size of a batch. Default: 64.
	Slots int

	// StepTokens is how many tokens are computed in one step of PolicyContinuous.
	// Default: 2048.
	StepTokens int

	// NoChunks computes prompts whole, in steps of their own, in which no answer grows.
	// Default: false, a prompt is computed in chunks beside the answers that grow.
	NoChunks bool

	// PrefillSteps is how many steps in succession may compute prompts only, with
	// NoChunks, while answers wait. Default: 1.
	PrefillSteps int

	// Reserve decides how many blocks a request needs to start. Default: ReserveAll.
	Reserve Reserve

	// Delay is how long PolicyDynamic waits for a batch to fill. Default: 50 ms.
	Delay time.Duration

	// Waiting is how many requests may wait; more are refused. Default: 1024.
	Waiting int

	// SkipAhead is how many later requests may pass one that does not fit yet.
	// Default: 16.
	SkipAhead int
}

func (o *Options) complete() (Options, error) {
	p := Options{}
	if o != nil {
		p = *o
	}
	for _, f := range []struct {
		name   string
		value  *int
		preset int
	}{{"Slots", &p.Slots, 64}, {"StepTokens", &p.StepTokens, 2048}, {"PrefillSteps", &p.PrefillSteps, 1}, {"Waiting", &p.Waiting, 1024}, {"SkipAhead", &p.SkipAhead, 16}} {
		if *f.value < 0 {
			return p, fmt.Errorf("%w: Options.%s is %d: want 0 (the default, %d) or more", ErrOption, f.name, *f.value, f.preset)
		}
		*f.value = cmp.Or(*f.value, f.preset)
	}
	if p.Delay < 0 {
		return p, fmt.Errorf("%w: Options.Delay is %v: want 0 (the default, 50 ms) or more", ErrOption, p.Delay)
	}
	p.Delay = cmp.Or(p.Delay, 50*time.Millisecond)
	if p.Policy > PolicyDynamic || p.Reserve > ReserveNeeded {
		return p, fmt.Errorf("%w: Options.Policy is %d and Reserve is %d: want a value of this package", ErrOption, p.Policy, p.Reserve)
	}
	if p.StepTokens < p.Slots && p.Policy == PolicyContinuous {
		return p, fmt.Errorf("%w: Options.StepTokens is %d with %d Slots: want a token for each at least", ErrOption, p.StepTokens, p.Slots)
	}
	return p, nil
}

// A Scheduler decides what an engine computes in each step. It has no clock, and runs no
// model: [Simulate] and [Run] do. It is not safe for concurrent use.
type Scheduler struct {
	o       Options
	pool    *kv.Pool
	waiting []*Job // by priority and arrival
	running []*Job // in the order of admission
	order   int

	reserved int // blocks that running jobs may still need
	prefills int // steps in succession that computed prompts only
	flush    bool
	ends     int // jobs that ended
	stats    Stats
}

// Stats is what a scheduler did.
type Stats struct {
	Steps       int
	Preemptions int
	Refused     int // by Add
	Slots       int // that were there in steps that produced tokens
	Useful      int // of these, how many produced one
}

// Share is the share of slots that produced a token.
func (s Stats) Share() float64 {
	if s.Slots == 0 {
		return 0
	}
	return float64(s.Useful) / float64(s.Slots)
}

// New makes a scheduler over a pool of blocks. Its errors wrap [ErrOption].
func New(pool *kv.Pool, o *Options) (*Scheduler, error) {
	if pool == nil {
		return nil, fmt.Errorf("%w: the pool of New is nil", ErrOption)
	}
	p, err := o.complete()
	if err != nil {
		return nil, err
	}
	return &Scheduler{o: p, pool: pool}, nil
}

// Add lets a request wait. The error is [ErrBusy] if too many wait, a *kv.TooLongError if
// its prompt and answer would not fit in an empty pool, or wraps [ErrOption].
func (s *Scheduler) Add(r Request) (*Job, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if n := r.prompt() + r.Output; !s.pool.Fits(n) {
		s.stats.Refused++
		return nil, &kv.TooLongError{Need: s.pool.Need(n), Blocks: s.pool.Blocks()}
	}
	if len(s.waiting) >= s.o.Waiting {
		s.stats.Refused++
		return nil, ErrBusy
	}
	s.order++
	j := &Job{Request: r, order: s.order, Admitted: -1, First: -1, End: -1, target: r.prompt()}
	s.wait(j)
	return j, nil
}

// wait puts a job among those that wait. A preempted job keeps its place by arrival, so it
// comes before all that arrived later.
func (s *Scheduler) wait(j *Job) {
	i, _ := slices.BinarySearchFunc(s.waiting, j, func(a, b *Job) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.order, b.order))
	})
	s.waiting = slices.Insert(s.waiting, i, j)
}

// Cancel ends a job at any time, and gives back what it holds. Canceling twice does
// nothing.
func (s *Scheduler) Cancel(j *Job, now time.Duration) {
	if j == nil || j.ended {
		return
	}
	if i := slices.Index(s.waiting, j); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	s.end(j, now)
}

// end is the one place in which a job gives back its blocks and leaves for good.
func (s *Scheduler) end(j *Job, now time.Duration) {
	j.ended, j.End = true, now
	s.ends++
	s.leave(j)
}

func (s *Scheduler) leave(j *Job) {
	i := slices.Index(s.running, j)
	if i < 0 {
		return
	}
	s.running = slices.Delete(s.running, i, i+1)
	s.reserved -= j.reserved
	j.reserved = 0
	j.Seq.Free()
	j.Seq = nil
}

// Flush says that no more requests come, so PolicyStatic starts a batch that is not full.
func (s *Scheduler) Flush() { s.flush = true }

// Waiting is how many requests wait, and Running how many run.
func (s *Scheduler) Waiting() int { return len(s.waiting) }

// Running is how many requests run.
func (s *Scheduler) Running() int { return len(s.running) }

// Stats returns what the scheduler did so far.
func (s *Scheduler) Stats() Stats { return s.stats }

// Next returns when a step can be due although nothing happens before: when the first
// request of an incomplete batch has waited long enough. ok is false if there is no such
// time.
func (s *Scheduler) Next() (at time.Duration, ok bool) {
	if s.o.Policy != PolicyDynamic || len(s.waiting) == 0 {
		return 0, false
	}
	at = s.waiting[0].Arrival
	for _, j := range s.waiting {
		at = min(at, j.Arrival)
	}
	return at + s.o.Delay, true
}

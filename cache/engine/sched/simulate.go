package sched

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/size"
)

// A Cost returns how long a step takes.
type Cost func(size.Step) time.Duration

// Roofline returns the cost of steps on the hardware of a plan: see size.Report. Each step
// takes fixed longer, for the launch of its programs and for the scheduler; 5 ms is a fair
// guess for one GPU.
func Roofline(r *size.Report, fixed time.Duration) Cost {
	return func(s size.Step) time.Duration {
		return fixed + time.Duration(r.StepTime(s)*float64(time.Second))
	}
}

// load is the work of a plan.
func (p *Plan) load() (s size.Step) {
	for _, c := range p.Prefill {
		s.Prefill += c.To - c.From
		s.Context += c.To
		s.Pairs += (c.To*(c.To+1) - c.From*(c.From+1)) / 2
	}
	s.Decode = len(p.Decode)
	for _, j := range p.Decode {
		s.Context += j.Seq.Len()
		s.Pairs += j.Seq.Len()
	}
	return s
}

// A Span is what happened to a job for some time, for a timeline.
type Span struct {
	Job      *Job
	Kind     SpanKind
	From, To time.Duration
}

// A SpanKind is what a [Span] shows.
type SpanKind uint8

// The kinds of spans.
const (
	SpanPrefill SpanKind = iota // its prompt is computed
	SpanDecode                  // its answer grows by a token
)

// A Result is what a simulation or a run gave.
type Result struct {
	Jobs     []*Job // in the order of the requests; those that were refused have no times
	Refused  int
	Stats    Stats
	Reuse    kv.Stats
	Makespan time.Duration // until the last job ended
	Busy     time.Duration // of it, in steps
	Timeline []Span        // of the first TimelineJobs jobs
}

// TimelineJobs is how many jobs a timeline shows.
const TimelineJobs = 64

const mostSteps = 50_000_000

// Simulate runs a scheduler over requests in virtual time. The requests must be in the
// order of their arrival. Answers have exactly Request.Output tokens.
func Simulate(requests []Request, pool *kv.Pool, cost Cost, o *Options) (*Result, error) {
	if cost == nil {
		return nil, fmt.Errorf("%w: the cost of Simulate is nil", ErrOption)
	}
	if !slices.IsSortedFunc(requests, func(a, b Request) int { return int(min(1, max(-1, a.Arrival-b.Arrival))) }) {
		return nil, fmt.Errorf("%w: the requests of Simulate are not in the order of their arrival", ErrOption)
	}
	clock := &virtual{}
	return run(context.Background(), requests, pool, o, clock, func(_ context.Context, p *Plan) ([]Token, error) {
		d := cost(p.load())
		if d < 0 || d > math.MaxInt64/4 {
			return nil, fmt.Errorf("%w: the cost of a step is %v: want 0 or more", ErrOption, d)
		}
		clock.now += max(d, 1)
		return make([]Token, len(p.Outputs())), nil
	})
}

// An Engine computes plans with a model: it copies blocks, computes the tokens of each
// chunk and of Decode, and returns one token for each of Plan.Outputs.
type Engine func(ctx context.Context, p *Plan) ([]Token, error)

// Run answers requests with a model, in real time: a request whose Arrival has not come
// waits for it. It returns when all ended, or with the error of ctx or of the engine.
func Run(ctx context.Context, requests []Request, pool *kv.Pool, engine Engine, o *Options) (*Result, error) {
	if engine == nil {
		return nil, fmt.Errorf("%w: the engine of Run is nil", ErrOption)
	}
	return run(ctx, requests, pool, o, &wall{start: time.Now()}, engine)
}

// A clock has the time since the start, and waits.
type clock interface {
	Now() time.Duration
	Wait(ctx context.Context, until time.Duration) error
}

type virtual struct{ now time.Duration }

func (v *virtual) Now() time.Duration { return v.now }

func (v *virtual) Wait(_ context.Context, until time.Duration) error {
	v.now = max(v.now, until)
	return nil
}

type wall struct{ start time.Time }

func (r *wall) Now() time.Duration { return time.Since(r.start) }

func (r *wall) Wait(ctx context.Context, until time.Duration) error {
	t := time.NewTimer(until - r.Now())
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func run(ctx context.Context, requests []Request, pool *kv.Pool, o *Options, c clock, engine Engine) (*Result, error) {
	s, err := New(pool, o)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	next, ended := 0, 0
	for steps := 0; ; steps++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if steps > mostSteps {
			return nil, fmt.Errorf("sched: %d steps and no end", steps)
		}
		for ; next < len(requests) && requests[next].Arrival <= c.Now(); next++ {
			if err := r.add(s, requests[next]); err != nil {
				return nil, err
			}
		}
		if ended+r.Refused == len(requests) {
			break
		}
		if next == len(requests) {
			s.Flush()
		}
		before := c.Now()
		p := s.Step(before)
		if p.Tokens() == 0 {
			if err := idle(ctx, c, s, requests[next:]); err != nil {
				return nil, err
			}
			continue
		}
		tokens, err := engine(ctx, p)
		if err != nil {
			return nil, err
		}
		now := c.Now()
		r.Busy += now - before
		r.Makespan = now
		r.note(p, before, now)
		ended += len(s.Complete(p, now, tokens))
	}
	r.Stats, r.Reuse = s.Stats(), pool.Stats()
	return r, nil
}

func (r *Result) add(s *Scheduler, q Request) error {
	j, err := s.Add(q)
	var long *kv.TooLongError
	switch {
	case errors.Is(err, ErrBusy) || errors.As(err, &long):
		r.Refused++
		j = &Job{Request: q, Admitted: -1, First: -1, End: -1}
	case err != nil:
		return err
	}
	r.Jobs = append(r.Jobs, j)
	return nil
}

// idle waits for the next request, or until a batch is due.
func idle(ctx context.Context, c clock, s *Scheduler, rest []Request) error {
	at, ok := s.Next()
	if len(rest) > 0 && (!ok || rest[0].Arrival < at) {
		at, ok = rest[0].Arrival, true
	}
	if !ok || at <= c.Now() && len(rest) == 0 {
		return errors.New("sched: nothing can run and nothing is to come")
	}
	return c.Wait(ctx, at)
}

// note adds a step to the timeline.
func (r *Result) note(p *Plan, from, to time.Duration) {
	for _, c := range p.Prefill {
		if c.Job.order <= TimelineJobs {
			r.Timeline = append(r.Timeline, Span{c.Job, SpanPrefill, from, to})
		}
	}
	for _, j := range p.Decode {
		if j.order <= TimelineJobs {
			r.Timeline = append(r.Timeline, Span{j, SpanDecode, from, to})
		}
	}
}

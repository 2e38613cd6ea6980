package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/prodailabs/prodai/retry"
)

// KindOptions are the settings of all jobs of a kind.
type KindOptions struct {
	// Queue is the queue's name. Default: "default".
	Queue string

	// MaxAttempts is how often a job may fail before it is a dead letter. Default: 5.
	MaxAttempts int

	// MaxLosses is how often a job's worker may be lost before the job is a dead
	// letter. It is counted apart, because a lost worker is mostly not the job's
	// fault. The last run before is alone in its worker. Default: 3.
	MaxLosses int

	// Timeout is the longest time of one run. Default: 10 min. Negative: none.
	Timeout time.Duration

	// Keep is how long a result is kept. Default: 1 h. Negative: not at all.
	Keep time.Duration

	// Backoff is the wait after a failure. Default: 2 s that double, up to 10 min, of
	// which half is random. A wait that the server asked for comes first.
	Backoff retry.Backoff
}

// A Kind is a kind of job: a name, the type In of its payload and the type Out of its
// result, both in JSON. Programs that enqueue and programs that work share it.
type Kind[In, Out any] struct {
	name string
	o    KindOptions
}

// NewKind returns a kind. It fails with [ErrOption].
func NewKind[In, Out any](name string, o *KindOptions) (*Kind[In, Out], error) {
	k := &Kind[In, Out]{name: name}
	if o != nil {
		k.o = *o
	}
	if name == "" {
		return nil, optionError("the name of NewKind is empty")
	}
	if k.o.MaxAttempts < 0 || k.o.MaxLosses < 0 {
		return nil, optionError("KindOptions.MaxAttempts is %d and MaxLosses %d: want 0 (the defaults, 5 and 3) or more", k.o.MaxAttempts, k.o.MaxLosses)
	}
	k.o = k.o.withDefaults()
	return k, nil
}

func (o KindOptions) withDefaults() KindOptions {
	if o.Queue == "" {
		o.Queue = "default"
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 5
	}
	if o.MaxLosses == 0 {
		o.MaxLosses = 3
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	o.Timeout = max(o.Timeout, 0)
	if o.Keep == 0 {
		o.Keep = time.Hour
	}
	o.Keep = max(o.Keep, 0)
	if o.Backoff == nil {
		o.Backoff = retry.Exponential{Base: 2 * time.Second, Cap: 10 * time.Minute, Jitter: retry.JitterEqual}
	}
	return o
}

// Name returns the kind's name.
func (k *Kind[In, Out]) Name() string { return k.name }

// Job makes a job without storing it, for [Queue.Add] and [Group].
func (k *Kind[In, Out]) Job(q *Queue, in In, o *JobOptions) (*Job, error) {
	if q == nil {
		return nil, optionError("the queue is nil")
	}
	var jo JobOptions
	if o != nil {
		jo = *o
	}
	payload, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("queue: the payload of %s: %w", k.name, err)
	}
	if jo.Delay < 0 || jo.Delay > 0 && !jo.RunAt.IsZero() {
		return nil, optionError("JobOptions.Delay is %v and RunAt %v: want one of them, and not a negative one", jo.Delay, jo.RunAt)
	}
	now := q.o.Now()
	j := k.step(payload).job(jo.ID, k.o.Queue, nil)
	j.Unique, j.Headers, j.Enqueued, j.RunAt = jo.Unique, jo.Headers, now, now.Add(jo.Delay)
	if !jo.RunAt.IsZero() {
		j.RunAt = jo.RunAt
	}
	if jo.Queue != "" {
		j.Queue = jo.Queue
	}
	if j.ID == "" {
		j.ID = q.o.NewID()
	}
	return j, nil
}

func (k *Kind[In, Out]) step(payload json.RawMessage) Step {
	return Step{
		Kind: k.name, Queue: k.o.Queue, Payload: payload,
		MaxAttempts: k.o.MaxAttempts, MaxLosses: k.o.MaxLosses, Timeout: k.o.Timeout, Keep: k.o.Keep,
	}
}

// Enqueue stores a job and returns its id. When it returns without an error, the job
// is stored as the store promises: a [Journal] has it on the disk.
func (k *Kind[In, Out]) Enqueue(ctx context.Context, q *Queue, in In, o *JobOptions) (id string, err error) {
	j, err := k.Job(q, in, o)
	if err != nil {
		return "", err
	}
	if err := q.Add(ctx, Batch{Jobs: []*Job{j}}); err != nil {
		return "", err
	}
	return j.ID, nil
}

// Result waits for a job to end and returns its result, or a [*DeadError]. See
// [Queue.Await].
func (k *Kind[In, Out]) Result(ctx context.Context, q *Queue, id string) (Out, error) {
	j, err := q.Await(ctx, id)
	if err != nil {
		var zero Out
		return zero, err
	}
	return resultOf[Out](j)
}

// A Handler does the jobs of one kind. Make one with [Kind.Handler].
type Handler struct {
	kind    string
	backoff retry.Backoff
	run     func(ctx context.Context, payload json.RawMessage) (result json.RawMessage, err error)
}

// Handler makes f the handler of the kind's jobs. f must be idempotent: a job runs
// again if its worker dies before the end is stored. ctx ends when the timeout is
// over, the lease is lost, or the worker stops. An error is retried unless it is
// [Permanent], or of a class of package retry/fault that no retry can help.
func (k *Kind[In, Out]) Handler(f func(ctx context.Context, in In) (Out, error)) Handler {
	h := Handler{kind: k.name, backoff: k.o.Backoff}
	if f == nil {
		return h
	}
	h.run = func(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, &malformedError{fmt.Errorf("queue: the payload of %s: %w", k.name, err)}
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		result, err := json.Marshal(out)
		if err != nil {
			return nil, Permanent(fmt.Errorf("queue: the result of %s: %w", k.name, err))
		}
		return result, nil
	}
	return h
}

// A malformedError is a payload that the handler's type can't take.
type malformedError struct{ err error }

func (e *malformedError) Error() string { return e.err.Error() }
func (e *malformedError) Unwrap() error { return e.err }

package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prodailabs/prodai/internal/event"
)

// Options are the settings of [New].
type Options struct {
	// MaxPayload is the most bytes of a payload, a result or a progress report.
	// Default: 1 MiB. Store documents elsewhere and enqueue their addresses.
	MaxPayload int

	// Logger gets the events. Default: none.
	Logger *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time

	// NewID makes the id of a job. Default: 128 random bits in hex.
	NewID func() string
}

// A Queue puts jobs into a store and looks at them. It is safe for concurrent use.
type Queue struct {
	store Store
	o     Options
}

// New returns a queue on a store. It fails with [ErrOption].
func New(store Store, o *Options) (*Queue, error) {
	if store == nil {
		return nil, optionError("the store of New is nil")
	}
	q := &Queue{store: store}
	if o != nil {
		q.o = *o
	}
	if q.o.MaxPayload < 0 {
		return nil, optionError("Options.MaxPayload is %d: want 0 (the default, 1 MiB) or more", q.o.MaxPayload)
	}
	if q.o.MaxPayload == 0 {
		q.o.MaxPayload = 1 << 20
	}
	q.o.Logger = event.Logger(q.o.Logger)
	if q.o.Now == nil {
		q.o.Now = time.Now
	}
	if q.o.NewID == nil {
		q.o.NewID = newID
	}
	return q, nil
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// JobOptions are the settings of one job.
type JobOptions struct {
	// ID is the job's id. Default: Options.NewID's. An id of the caller's own makes
	// adding idempotent: the second time is a [*DuplicateError].
	ID string

	// Queue is the queue's name. Default: the kind's.
	Queue string

	// Delay is the time before the job may run. Default: none.
	Delay time.Duration

	// RunAt is when the job may run, instead of Delay. Default: at once.
	RunAt time.Time

	// Unique is a key that no other job may have while this one waits or runs.
	// Default: none.
	Unique string

	// Headers are the caller's own, such as a tenant or a trace. Default: none.
	Headers map[string]string
}

// Add puts jobs and groups into the store, all or none of them. Most callers use
// [Kind.Enqueue].
func (q *Queue) Add(ctx context.Context, b Batch) error {
	for _, j := range b.Jobs {
		if j == nil {
			return optionError("a job is nil")
		}
		if len(j.Payload) > q.o.MaxPayload {
			return &SizeError{What: "payload", Size: len(j.Payload), Most: q.o.MaxPayload}
		}
		if j.MaxAttempts < 1 || j.MaxLosses < 1 {
			return optionError("job %s has MaxAttempts %d and MaxLosses %d: want 1 or more", j.ID, j.MaxAttempts, j.MaxLosses)
		}
	}
	return q.store.Add(ctx, q.o.Now(), b)
}

// Get returns a job, or [ErrNotFound].
func (q *Queue) Get(ctx context.Context, id string) (*Job, error) { return q.store.Get(ctx, id) }

// List returns jobs of a queue in a state, oldest first.
func (q *Queue) List(ctx context.Context, l Listing) ([]*Job, error) { return q.store.List(ctx, l) }

// Stats returns the numbers of each queue.
func (q *Queue) Stats(ctx context.Context) ([]Stats, error) { return q.store.Stats(ctx, q.o.Now()) }

// Redrive gives a dead letter a new life: pending, with its counts at 0.
func (q *Queue) Redrive(ctx context.Context, id string) error {
	err := q.store.Redrive(ctx, q.o.Now(), id)
	if err == nil {
		q.o.Logger.LogAttrs(ctx, slog.LevelInfo, event.QueueRedrive, slog.String(event.ID, id))
	}
	return err
}

// RedriveAll redrives the dead letters of a queue, or of all for "". It returns how
// many. Those whose unique key another job has meanwhile stay where they are.
func (q *Queue) RedriveAll(ctx context.Context, queue string) (n int, err error) {
	names := []string{queue}
	if queue == "" {
		stats, err := q.Stats(ctx)
		if err != nil {
			return 0, err
		}
		names = names[:0]
		for _, s := range stats {
			names = append(names, s.Queue)
		}
	}
	for _, name := range names {
		some, err := q.redriveAll(ctx, name)
		n += some
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (q *Queue) redriveAll(ctx context.Context, queue string) (n int, err error) {
	skip := 0
	for {
		dead, err := q.List(ctx, Listing{Queue: queue, State: StateDead, Skip: skip})
		if err != nil || len(dead) == 0 {
			return n, err
		}
		for _, j := range dead {
			var duplicate *DuplicateError
			switch err := q.Redrive(ctx, j.ID); {
			case err == nil:
				n++
			case errors.As(err, &duplicate):
				skip++
			case errors.Is(err, ErrNotFound): // another redrive was faster
			default:
				return n, err
			}
		}
	}
}

// Delete removes a job that is not running, or fails with [ErrNotFound].
func (q *Queue) Delete(ctx context.Context, id string) error { return q.store.Delete(ctx, id) }

// Await returns the job when it is done or dead. It asks the store again every
// 10 ms, then less often, once a second at least. For a person's browser, return the
// id and let it ask.
func (q *Queue) Await(ctx context.Context, id string) (*Job, error) {
	pause := 10 * time.Millisecond
	for {
		j, err := q.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if j.State == StateDone || j.State == StateDead {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(pause*3/2, time.Second)
	}
}

// A DeadError is the result of a job that is a dead letter.
type DeadError struct {
	ID     string
	Reason Reason
	Class  string // a fault.Class's name
	Words  string // the last run's error
}

func (e *DeadError) Error() string {
	return fmt.Sprintf("queue: job %s is a dead letter (%v): %s", e.ID, e.Reason, e.Words)
}

// resultOf decodes the result of a finished job.
func resultOf[Out any](j *Job) (out Out, err error) {
	if j.State == StateDead {
		return out, &DeadError{ID: j.ID, Reason: j.Reason, Class: j.Class, Words: j.Error}
	}
	if len(j.Result) > 0 {
		if err = json.Unmarshal(j.Result, &out); err != nil {
			err = fmt.Errorf("queue: the result of job %s: %w", j.ID, err)
		}
	}
	return out, err
}

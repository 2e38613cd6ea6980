package queue

import (
	"context"
	"encoding/json"
	"time"
)

// A Store keeps jobs. [Journal] keeps them in files, [Memory] in memory, and package
// retry/queue/redis in Redis. Each method is one atomic step: after a crash it has
// happened or it has not. Package retry/queue/storetest checks a Store.
//
// now is the caller's time. A store that several machines share has a clock of its
// own for leases, and ignores now.
type Store interface {
	// Add stores new jobs and groups, all or none of them. A job whose ID, or whose
	// Unique key at a live job, is taken is a [*DuplicateError].
	Add(ctx context.Context, now time.Time, b Batch) error

	// Claim gives the oldest ready jobs of the first queue that has one to the worker,
	// for the time of the lease, and then those of the next queue, up to Claim.Most. It
	// may give fewer. It gives none if no queue has one.
	Claim(ctx context.Context, now time.Time, c Claim) ([]*Job, error)

	// Renew prolongs leases to now + lease, and returns those that are lost.
	Renew(ctx context.Context, now time.Time, lease time.Duration, held []Lease) (lost []Lease, err error)

	// Finish ends a run. It fails with [ErrLeaseLost] if the lease isn't the job's any
	// more. Doing it twice is harmless: the second fails with ErrLeaseLost.
	Finish(ctx context.Context, now time.Time, l Lease, f Finish) error

	// Report stores the progress of a run. It fails with [ErrLeaseLost].
	Report(ctx context.Context, now time.Time, l Lease, progress json.RawMessage) error

	// Recover gives back the running jobs whose lease has ended: to their queue, or to
	// the dead letters if their worker was lost too often. It also deletes results that
	// are older than Job.Keep. It returns how many jobs were given back.
	Recover(ctx context.Context, now time.Time) (int, error)

	// Wait returns when a job of one of the queues may be ready, at until at the
	// latest, or with ctx's error.
	Wait(ctx context.Context, now, until time.Time, queues []string) error

	Get(ctx context.Context, id string) (*Job, error) // or [ErrNotFound]

	// List returns jobs of a queue in a state, oldest first, after the first Skip.
	List(ctx context.Context, q Listing) ([]*Job, error)

	// Stats returns a row for each queue, sorted by name.
	Stats(ctx context.Context, now time.Time) ([]Stats, error)

	// Redrive makes dead letters pending again, with their counts at 0. It fails with
	// [ErrNotFound] for a job that is not dead, and with a [*DuplicateError].
	Redrive(ctx context.Context, now time.Time, id string) error

	// Delete removes a job that is not running.
	Delete(ctx context.Context, id string) error

	// LastSlot returns the last slot of a schedule, or the zero time.
	LastSlot(ctx context.Context, schedule string) (time.Time, error)

	// AddSlot is Add, if slot is after the schedule's last one, and makes it the last
	// one. It returns whether it was. A nil batch only sets the slot.
	AddSlot(ctx context.Context, now time.Time, schedule string, slot time.Time, b Batch) (bool, error)
}

// A Batch is what is added in one step.
type Batch struct {
	Jobs   []*Job
	Groups []Group
}

// A Claim asks for jobs.
type Claim struct {
	Most   int      // jobs; 0 is 1
	Queues []string // in the order in which they are looked at
	Worker string
	Lease  time.Duration
}

// A Lease is a worker's right to a job until a time. Each claim of a job has a larger
// number, so a worker that comes too late can't end the run of another.
type Lease struct {
	Job    string
	Number uint64
}

// A Finish is how a run ended.
type Finish struct {
	State  State // StateDone, StateDead, or StatePending to run again
	RunAt  time.Time
	Failed bool // counts in Job.Failures
	Error  string
	Class  string
	Reason Reason
	Result json.RawMessage
	Then   *Job // the next job of the chain, added in the same step
}

// A Listing selects jobs.
type Listing struct {
	Queue string // "": all
	State State
	Skip  int
	Limit int // 0: 100
}

// Stats are the numbers of one queue.
type Stats struct {
	Queue     string        `json:"queue"`
	Ready     int           `json:"ready"`     // pending and due
	Scheduled int           `json:"scheduled"` // pending and not due
	Running   int           `json:"running"`
	Done      int           `json:"done"` // with results that are still kept
	Dead      int           `json:"dead"`
	Oldest    time.Duration `json:"oldest"` // how long the first ready job has been due

	// Counters since the store was opened, for rates.
	Added    uint64 `json:"added"`
	Finished uint64 `json:"finished"`
	Failed   uint64 `json:"failed"` // runs that failed or whose worker was lost
}

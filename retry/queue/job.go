package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A State is where a job is in its life. See the package comment's picture.
type State uint8

// The states. The zero State is not set.
const (
	StatePending State = iota + 1 // waits for a worker, or for its RunAt
	StateRunning                  // a worker has it, until its lease ends
	StateDone                     // the handler succeeded; the result is kept for Job.Keep
	StateDead                     // a dead letter: failed for good, or too often
)

var stateNames = [...]string{"", "pending", "running", "done", "dead"}

// String returns "pending", "running", "done" or "dead"; "unknown" for another value.
func (s State) String() string {
	if s >= StatePending && s <= StateDead {
		return stateNames[s]
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if i > 0 && name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("queue: the state %q is unknown: want pending, running, done or dead", text)
}

// A Reason is why a job is a dead letter.
type Reason uint8

// The reasons. The zero Reason is for a job that is not dead.
const (
	ReasonPermanent Reason = iota + 1 // the handler's error can't pass by itself
	ReasonAttempts                    // it failed Job.MaxAttempts times
	ReasonLosses                      // its worker was lost Job.MaxLosses times: a poison pill
	ReasonMalformed                   // its payload can't be read
	ReasonTooLarge                    // its result is larger than the limit
)

var reasonNames = [...]string{"", "permanent", "attempts", "losses", "malformed", "too_large"}

// String returns "permanent", "attempts", "losses", "malformed" or "too_large"; ""
// for the zero Reason and "unknown" for another value.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Reason) UnmarshalText(text []byte) error {
	for i, name := range reasonNames {
		if name == string(text) {
			*r = Reason(i)
			return nil
		}
	}
	return fmt.Errorf("queue: the reason %q is unknown", text)
}

// A Step is a job that does not exist yet: the next one of a chain, or the last one
// of a group.
type Step struct {
	Kind        string          `json:"kind"`
	Queue       string          `json:"queue,omitempty"`   // "" is the queue of the job before
	Payload     json.RawMessage `json:"payload,omitempty"` // nil: the result of the job before
	MaxAttempts int             `json:"max_attempts,omitempty"`
	MaxLosses   int             `json:"max_losses,omitempty"`
	Timeout     time.Duration   `json:"timeout,omitempty"`
	Keep        time.Duration   `json:"keep,omitempty"`
}

// A Job is one piece of work and what is known of it.
type Job struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`  // which handler
	Queue   string          `json:"queue"` // of which priority
	Payload json.RawMessage `json:"payload,omitempty"`
	State   State           `json:"state"`

	RunAt       time.Time         `json:"run_at"`                // not before
	MaxAttempts int               `json:"max_attempts"`          // failures until it is dead
	MaxLosses   int               `json:"max_losses"`            // lost workers until it is dead
	Timeout     time.Duration     `json:"timeout,omitempty"`     // of one run; 0: none
	Keep        time.Duration     `json:"keep,omitempty"`        // how long the result is kept; 0: not at all
	Unique      string            `json:"unique,omitempty"`      // no two live jobs have the same
	Headers     map[string]string `json:"headers,omitempty"`     // the caller's own
	Then        []Step            `json:"then,omitempty"`        // the rest of its chain
	Group       string            `json:"group,omitempty"`       // the group it is in
	GroupIndex  int               `json:"group_index,omitempty"` // its place in the group

	Failures int             `json:"failures"`           // runs that failed
	Losses   int             `json:"losses"`             // runs whose worker was lost
	Error    string          `json:"error,omitempty"`    // of the last run
	Class    string          `json:"class,omitempty"`    // of that error: a fault.Class's name
	Reason   Reason          `json:"reason,omitempty"`   // if it is dead
	Progress json.RawMessage `json:"progress,omitempty"` // what the handler reported last
	Result   json.RawMessage `json:"result,omitempty"`

	Worker   string    `json:"worker,omitempty"` // that runs it
	Lease    uint64    `json:"-"`                // the number of its claim: see [Lease]
	LeaseEnd time.Time `json:"lease_end,omitzero"`
	Enqueued time.Time `json:"enqueued"`
	Finished time.Time `json:"finished,omitzero"` // when it was done or dead
}

// Attempt returns the number of the current or the next run, from 1.
func (j *Job) Attempt() int { return j.Failures + j.Losses + 1 }

// A Group is a row of jobs and the step that runs when all are done.
type Group struct {
	ID    string
	Total int  // jobs in it
	Then  Step // gets the list of their results, in the order of GroupIndex, unless it has a payload
}

// Errors that callers branch on.
var (
	ErrOption    = errors.New("queue: invalid option")
	ErrNotFound  = errors.New("queue: no such job")
	ErrLeaseLost = errors.New("queue: the lease is lost: another worker may have the job")
	ErrDraining  = errors.New("queue: the worker stops")
	ErrClosed    = errors.New("queue: the store is closed")
	ErrPermanent = errors.New("queue: permanent failure") // see [Permanent]
)

// A DuplicateError refuses a job whose id or unique key another job has.
type DuplicateError struct {
	Key string // the unique key, or "" if the id is taken
	ID  string // of the job that is there
}

func (e *DuplicateError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("queue: there is a job %q already", e.ID)
	}
	return fmt.Sprintf("queue: the unique key %q belongs to the job %q, which is not finished", e.Key, e.ID)
}

// A SizeError refuses a payload, a progress report or a result that is too large.
type SizeError struct {
	What       string // "payload", "progress" or "result"
	Size, Most int    // bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("queue: the %s has %d bytes: want at most %d; store large data elsewhere and enqueue its address", e.What, e.Size, e.Most)
}

// Permanent marks err as one that no further attempt can change. The job becomes a
// dead letter at once. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrPermanent, err)
}

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOption, fmt.Sprintf(format, args...))
}

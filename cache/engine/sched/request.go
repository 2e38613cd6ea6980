package sched

import (
	"errors"
	"fmt"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
)

// ErrOption is wrapped by every error about an invalid option or request.
var ErrOption = errors.New("sched: invalid option")

// ErrBusy is the error of [Scheduler.Add] when too many requests wait. A gateway answers
// it with the status 503 or 429.
var ErrBusy = errors.New("sched: too many requests are waiting")

// A Request asks for an answer. Times count from the start of the engine.
type Request struct {
	ID      string
	Arrival time.Duration

	// Tokens is the prompt. In a simulation only its length counts, so Prompt may be set
	// instead.
	Tokens []int
	Prompt int

	// Output is how many tokens the answer has at most. A simulation generates as many.
	Output int

	// Priority decides who goes first, the larger the earlier. Default: 0.
	Priority int

	// Extra is what else changes the content of the cache: see kv.Request.
	Extra []string
}

func (r *Request) prompt() int {
	if r.Tokens != nil {
		return len(r.Tokens)
	}
	return r.Prompt
}

// A Job is a request in the scheduler.
type Job struct {
	Request

	// Seq has the blocks of the job while it runs, and nil before and after.
	Seq *kv.Sequence

	// Generated is the answer so far. A simulation generates zeros.
	Generated []int

	// Computed is how many tokens are in the cache. Cached is how many of these were
	// found there when the job was admitted first.
	Computed, Cached int

	// The times of a job, -1 before they come. First is the time of the first token:
	// a preemption does not change it.
	Admitted, First, End time.Duration

	// Preemptions is how often the job had to give up its blocks, and MaxGap the longest
	// time between two tokens of its answer.
	Preemptions int
	MaxGap      time.Duration

	order    int // of arrival
	passed   int // how often a later job was admitted before this one
	reserved int // blocks that it may still need
	last     time.Duration
	target   int // tokens to compute before the next one can be generated
	tried    int // the number of ends plus one when others were last preempted for it
	ended    bool
}

// prefilling reports whether tokens of the prompt are still to be computed. After a
// preemption the generated tokens are computed like a prompt.
func (j *Job) prefilling() bool { return j.Computed < j.target }

// all returns the tokens that are known.
func (j *Job) all() []int {
	tokens := make([]int, 0, j.prompt()+len(j.Generated))
	if j.Tokens != nil {
		tokens = append(tokens, j.Tokens...)
	} else {
		tokens = tokens[:j.Prompt]
	}
	return append(tokens, j.Generated...)
}

const mostTokens = 1 << 26

func (r *Request) check() error {
	switch {
	case r.prompt() < 1 || r.prompt() > mostTokens:
		return fmt.Errorf("%w: request %q has a prompt of %d tokens: want 1 to %d", ErrOption, r.ID, r.prompt(), mostTokens)
	case r.Output < 1 || r.Output > mostTokens:
		return fmt.Errorf("%w: Request.Output of %q is %d: want 1 to %d", ErrOption, r.ID, r.Output, mostTokens)
	case r.Arrival < 0:
		return fmt.Errorf("%w: Request.Arrival of %q is %v: want 0 or more", ErrOption, r.ID, r.Arrival)
	}
	return nil
}

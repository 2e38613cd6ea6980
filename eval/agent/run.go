package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// A Task is a request, a world for it, and a check of what the agent left there.
type Task struct {
	ID      string
	Request string
	// New returns a new world for a trial.
	New func() (World, error)
	// Solved looks at the world after the trial, and at the answer.
	Solved func(w World, answer string) bool
	// Expected are calls that solve the task, one way of several. Without them a task
	// has no trajectory metrics. An empty list that isn't nil expects no call.
	Expected []eval.Call
}

// Options are the settings of [Run]; nil means the defaults.
type Options struct {
	// Trials is how often each task is tried; pass^k needs k or more. Default: 4.
	Trials int
	// MaxSteps is how many tool calls a trial may make. Default: 20.
	MaxSteps int
	// Timeout ends a trial by its context. An agent that ignores its context is not
	// ended. Default: none.
	Timeout time.Duration
	// Concurrency is how many trials run at a time. Default: 1.
	Concurrency int
	// Now is the clock of the trials' times. Default: [time.Now].
	Now func() time.Time
}

func (o *Options) filled() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	for _, f := range []struct {
		name  string
		value *int
		unset int
	}{{"Trials", &out.Trials, 4}, {"MaxSteps", &out.MaxSteps, 20}, {"Concurrency", &out.Concurrency, 1}} {
		if *f.value == 0 {
			*f.value = f.unset
		}
		if *f.value < 1 {
			return out, fmt.Errorf("%w: Options.%s is %d: want a positive number", ErrOption, f.name, *f.value)
		}
	}
	if out.Timeout < 0 {
		return out, fmt.Errorf("%w: Options.Timeout is %v: want 0 for none, or a positive time", ErrOption, out.Timeout)
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	return out, nil
}

// A Trial is one run of an agent on a task.
type Trial struct {
	Solved  bool          `json:"solved"`
	Answer  string        `json:"answer"`
	Err     string        `json:"err,omitempty"` // of the agent: the trial is not solved
	Steps   []Step        `json:"steps"`
	Usage   Usage         `json:"usage"`
	Elapsed time.Duration `json:"elapsed"`
}

// A TaskResult is what came of a task's trials, in order.
type TaskResult struct {
	ID     string  `json:"id"`
	Trials []Trial `json:"trials"`

	expected []eval.Call
}

// Run tries each task several times, each time in a new world. An error or a panic of
// the agent is a trial that is not solved. Only a done context, a world that can't be
// made, and tasks or options that can't work end the run.
func Run(ctx context.Context, a Agent, tasks []Task, o *Options) (*Report, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	if a == nil || len(tasks) == 0 {
		return nil, fmt.Errorf("%w: no agent or no tasks", ErrOption)
	}
	seen := map[string]bool{}
	results := make([]TaskResult, len(tasks))
	for i, t := range tasks {
		if t.ID == "" || seen[t.ID] || t.New == nil || t.Solved == nil {
			return nil, fmt.Errorf("%w: task %d (%q): want an id of its own, New and Solved", ErrOption, i, t.ID)
		}
		seen[t.ID] = true
		results[i] = TaskResult{ID: t.ID, Trials: make([]Trial, opts.Trials), expected: t.Expected}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, opts.Concurrency)
	var wait sync.WaitGroup
	for i := range tasks {
		for k := range opts.Trials {
			slots <- struct{}{}
			if ctx.Err() != nil {
				<-slots
				continue
			}
			wait.Go(func() {
				defer func() { <-slots }()
				trial, err := opts.trial(ctx, a, &tasks[i])
				if err != nil {
					cancel(fmt.Errorf("agent: task %q: %w", tasks[i].ID, err))
				}
				results[i].Trials[k] = trial
			})
		}
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return newReport(results)
}

func (o *Options) trial(ctx context.Context, a Agent, t *Task) (Trial, error) {
	world, err := t.New()
	if err == nil && world == nil {
		err = errors.New("the world is nil")
	}
	if err != nil {
		return Trial{}, fmt.Errorf("make the world: %w", err)
	}
	s := &Session{world: world, limit: o.MaxSteps}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if o.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, o.Timeout)
	}
	defer cancel()
	began := o.Now()
	answer, err := guarded(limited, a, t.Request, s)
	trial := Trial{Answer: answer, Elapsed: o.Now().Sub(began)}
	if ctx.Err() != nil {
		return trial, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	trial.Steps, trial.Usage = append([]Step{}, s.steps...), s.usage
	if err != nil {
		trial.Err = err.Error()
		return trial, nil
	}
	trial.Solved = t.Solved(world, answer)
	return trial, nil
}

func guarded(ctx context.Context, a Agent, request string, s *Session) (answer string, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = "", fmt.Errorf("agent: panic: %v\n%s", v, debug.Stack())
		}
	}()
	return a(ctx, request, s)
}

package suite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// maxStack bounds a stack in a record; an endless recursion has a long one.
const maxStack = 16 << 10

func newPanic(v any) *eval.PanicError {
	stack := debug.Stack()
	return &eval.PanicError{Value: fmt.Sprint(v), Stack: string(stack[:min(len(stack), maxStack)])}
}

// stackOf is the stack of a panic, "" for other errors.
func stackOf(err error) string {
	if p, ok := errors.AsType[*eval.PanicError](err); ok {
		return p.Stack
	}
	return ""
}

// guard calls f and returns its panic as an error that names the function.
func guard(name string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("suite: %s: %w", name, newPanic(v))
		}
	}()
	return f()
}

// errExit is for a function that runs code of a test: t.FailNow ends the
// goroutine that it is called in.
var errExit = errors.New("the function ended its goroutine (runtime.Goexit; FailNow of package testing does so)")

// abandonAfter is how long the system may take to return after its context is done,
// before the run continues without it.
const abandonAfter = time.Second

// ask calls the system in a goroutine of its own. A panic, an exit of the
// goroutine, and a call that doesn't end after its context is done are errors.
func (r *run) ask(ctx context.Context, c *eval.Case) (*eval.Output, error) {
	if r.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
	}
	type reply struct {
		out *eval.Output
		err error
	}
	replies := make(chan reply, 1) // room for the reply of a call that was abandoned
	go func() {
		answer := reply{err: errExit}
		defer func() {
			if v := recover(); v != nil {
				answer = reply{err: newPanic(v)}
			}
			replies <- answer
		}()
		out, err := r.s.System(ctx, c)
		answer = reply{out, err}
	}()
	select {
	case a := <-replies:
		return a.out, a.err
	case <-ctx.Done():
	}
	late := time.NewTimer(abandonAfter)
	defer late.Stop()
	select {
	case a := <-replies:
		return a.out, a.err
	case <-late.C:
		return nil, fmt.Errorf("the system did not return within %v after its context was done: %w", abandonAfter, context.Cause(ctx))
	}
}

// measure applies the metrics to an output, in a goroutine of their own.
func (r *run) measure(ctx context.Context, c *eval.Case, out *eval.Output) []Result {
	results := make([]Result, 0, len(r.s.Metrics))
	for len(results) < len(r.s.Metrics) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for len(results) < len(r.s.Metrics) {
				i := len(results)
				results = append(results, apply(ctx, r.s.Metrics[i], r.scores.names[i], c, out))
			}
		}()
		<-done
		if i := len(results); i < len(r.s.Metrics) {
			results = append(results, Result{Metric: r.scores.names[i], Failed: errExit.Error()})
		}
	}
	return results
}

// apply measures one output with one metric.
func apply(ctx context.Context, m eval.Metric, name string, c *eval.Case, out *eval.Output) Result {
	res := Result{Metric: name}
	stats := make([]float64, m.Width())
	err := statistics(ctx, m, c, out, stats, &res.Value)
	if s, ok := errors.AsType[*eval.SkipError](err); ok {
		res.Skipped = s.Reason
		return res
	}
	if err != nil {
		res.Value, res.Failed, res.Stack = 0, err.Error(), stackOf(err)
		return res
	}
	res.Stats = stats
	return res
}

func statistics(ctx context.Context, m eval.Metric, c *eval.Case, out *eval.Output, stats []float64, value *float64) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanic(v)
		}
	}()
	if err := m.Stats(ctx, c, out, stats); err != nil {
		return err
	}
	for _, x := range stats {
		if unsound(x) {
			return fmt.Errorf("%w: the statistics are %v", eval.ErrNotFinite, stats)
		}
	}
	*value = m.Value(stats)
	if unsound(*value) {
		return fmt.Errorf("%w: the value is %v", eval.ErrNotFinite, *value)
	}
	return nil
}

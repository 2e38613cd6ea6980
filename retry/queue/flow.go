package queue

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Flow is a row of jobs: each gets the result of the one before as its payload. Make
// one with [Chain], and add to it with [Then].
type Flow[Out any] struct {
	first *Job
	err   error
	queue *Queue
}

// Chain begins a flow with a job.
func Chain[In, Out any](q *Queue, k *Kind[In, Out], in In, o *JobOptions) Flow[Out] {
	if k == nil {
		return Flow[Out]{err: optionError("the kind of Chain is nil")}
	}
	j, err := k.Job(q, in, o)
	return Flow[Out]{first: j, err: err, queue: q}
}

// Then adds a step whose payload is the result of the one before. The compiler checks
// that the types fit.
func Then[In, Out any](f Flow[In], k *Kind[In, Out]) Flow[Out] {
	next := Flow[Out](f)
	switch {
	case f.err != nil:
	case k == nil || f.first == nil:
		next.err = optionError("the flow or the kind of Then is nil")
	default:
		j := *f.first
		j.Then = append(append([]Step(nil), j.Then...), k.step(nil))
		next.first = &j
	}
	return next
}

// Enqueue stores the flow and returns the id of its first job. Each next job is stored
// in the same step that ends the one before, so no crash loses the rest of a chain.
// The id of the n-th job, from 1, is [StepID](id, n).
func (f Flow[Out]) Enqueue(ctx context.Context) (id string, err error) {
	if f.err != nil {
		return "", f.err
	}
	if f.first == nil {
		return "", optionError("the flow is empty: want Chain")
	}
	if err := f.queue.Add(ctx, Batch{Jobs: []*Job{f.first}}); err != nil {
		return "", err
	}
	return f.first.ID, nil
}

// StepID returns the id of the n-th job, from 1, of the chain whose first job is id.
func StepID(id string, n int) string {
	if n <= 1 {
		return id
	}
	return fmt.Sprintf("%s.%d", id, n)
}

// nextID returns the id of the job after this one of a chain.
func nextID(id string) string {
	n := 0
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == '.' && i < len(id)-1 {
			if _, err := fmt.Sscanf(id[i+1:], "%d", &n); err == nil && n > 1 && fmt.Sprint(n) == id[i+1:] {
				return StepID(id[:i], n+1)
			}
			break
		}
		if id[i] < '0' || id[i] > '9' {
			break
		}
	}
	return StepID(id, 2)
}

// next makes the job after j of its chain, or nil.
func (j *Job) next(result json.RawMessage) *Job {
	if len(j.Then) == 0 {
		return nil
	}
	next := j.Then[0].job(nextID(j.ID), j.Queue, result)
	next.Then, next.Headers, next.Group, next.GroupIndex = j.Then[1:], j.Headers, j.Group, j.GroupIndex
	return next
}

// EnqueueGroup stores a row of jobs, one for each payload, and a last step that gets
// the list of their results when all are done. It returns the group's id, which is
// also the last job's, and the ids of the jobs. A member that is a dead letter holds
// the group until it is redriven; deleting it ends the group.
func EnqueueGroup[In, Mid, Out any](ctx context.Context, q *Queue, k *Kind[In, Mid], in []In, last *Kind[[]Mid, Out], o *JobOptions) (id string, members []string, err error) {
	if k == nil || last == nil || len(in) == 0 {
		return "", nil, optionError("a group needs two kinds and at least one payload")
	}
	var jo JobOptions
	if o != nil {
		jo = *o
	}
	if jo.Unique != "" {
		return "", nil, optionError("JobOptions.Unique is %q: the jobs of a group can't share a key", jo.Unique)
	}
	id = jo.ID
	jo.ID = ""
	var b Batch
	for i, x := range in {
		j, err := k.Job(q, x, &jo)
		if err != nil {
			return "", nil, err
		}
		if id == "" {
			id = q.o.NewID()
		}
		j.Group, j.GroupIndex = id, i
		b.Jobs = append(b.Jobs, j)
		members = append(members, j.ID)
	}
	b.Groups = []Group{{ID: id, Total: len(in), Then: last.step(nil)}}
	if err := q.Add(ctx, b); err != nil {
		return "", nil, err
	}
	return id, members, nil
}

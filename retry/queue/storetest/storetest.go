package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prodailabs/prodai/retry/queue"
)

// A Subject is a store that is tested and its clock.
type Subject struct {
	Store queue.Store
	Now   func() time.Time
	Pass  func(time.Duration) // lets time pass, for the store too
}

const lease = 200 * time.Millisecond

// Run runs the checks as subtests. open returns an empty store for each.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	checks := []struct {
		name  string
		check func(t *testing.T, c *checker)
	}{
		{"order", order}, {"lanes", lanes}, {"delay", delay}, {"all or none", allOrNone}, {"unique", unique},
		{"finish once", finishOnce}, {"retry", again}, {"dead and redrive", deadAndRedrive}, {"lease ends", leaseEnds},
		{"poison", poison}, {"renew", renew}, {"progress", progress}, {"chain", chain}, {"group", group},
		{"keep", keep}, {"slots", slots}, {"delete", remove}, {"wait", wait}, {"many claim", manyClaim}, {"whole job", whole},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.check(t, &checker{T: t, Subject: open(t), ctx: t.Context()}) })
	}
}

type checker struct {
	*testing.T
	Subject
	ctx context.Context
}

func (c *checker) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *checker) equal(want, got any) {
	c.Helper()
	if !reflect.DeepEqual(want, got) {
		c.Fatalf("want %v, got %v", want, got)
	}
}

func (c *checker) fails(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("want the error %v, got %v", want, err)
	}
}

func (c *checker) duplicate(err error, id string) {
	c.Helper()
	var d *queue.DuplicateError
	if !errors.As(err, &d) || d.ID != id {
		c.Fatalf("want a DuplicateError of the job %s, got %v", id, err)
	}
}

func job(id string) *queue.Job {
	return &queue.Job{ID: id, Kind: "kind", Queue: "q", Payload: json.RawMessage(`"` + id + `"`), MaxAttempts: 3, MaxLosses: 2, Keep: time.Hour}
}

func (c *checker) add(jobs ...*queue.Job) {
	c.Helper()
	c.must(c.Store.Add(c.ctx, c.Now(), queue.Batch{Jobs: jobs}))
}

func (c *checker) claim(queues ...string) *queue.Job {
	c.Helper()
	if len(queues) == 0 {
		queues = []string{"q"}
	}
	jobs, err := c.Store.Claim(c.ctx, c.Now(), queue.Claim{Queues: queues, Worker: "w", Lease: lease})
	c.must(err)
	if len(jobs) == 0 {
		return nil
	}
	c.equal(1, len(jobs))
	return jobs[0]
}

func (c *checker) claimed(id string) queue.Lease {
	c.Helper()
	j := c.claim()
	if j == nil {
		c.Fatalf("want the job %s, got none", id)
	}
	c.equal(id, j.ID)
	c.equal(queue.StateRunning, j.State)
	return queue.Lease{Job: j.ID, Number: j.Lease}
}

func (c *checker) none() {
	c.Helper()
	if j := c.claim(); j != nil {
		c.Fatalf("want no job, got %s", j.ID)
	}
}

func (c *checker) finish(l queue.Lease, f queue.Finish) {
	c.Helper()
	c.must(c.Store.Finish(c.ctx, c.Now(), l, f))
}

func (c *checker) get(id string) *queue.Job {
	c.Helper()
	j, err := c.Store.Get(c.ctx, id)
	c.must(err)
	return j
}

func (c *checker) stats() queue.Stats {
	c.Helper()
	all, err := c.Store.Stats(c.ctx, c.Now())
	c.must(err)
	for _, s := range all {
		if s.Queue == "q" {
			return s
		}
	}
	return queue.Stats{}
}

func (c *checker) list(s queue.State) (ids []string) {
	c.Helper()
	jobs, err := c.Store.List(c.ctx, queue.Listing{Queue: "q", State: s})
	c.must(err)
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func order(_ *testing.T, c *checker) {
	c.none()
	c.add(job("a"), job("b"))
	c.add(job("c"))
	c.equal([]string{"a", "b", "c"}, c.list(queue.StatePending))
	for _, id := range []string{"a", "b", "c"} {
		c.claimed(id)
	}
	c.none()
	c.equal(3, c.stats().Running)
}

func lanes(_ *testing.T, c *checker) {
	low := job("low")
	low.Queue = "low"
	c.add(low, job("a"))
	c.equal("a", c.claim("q", "low").ID)
	c.equal("low", c.claim("q", "low").ID)
	low2 := job("low2")
	low2.Queue = "low"
	c.add(low2, job("b"), job("c"), job("d"))
	for _, want := range [][]string{{"b", "c"}, {"d", "low2"}, nil} {
		jobs, err := c.Store.Claim(c.ctx, c.Now(), queue.Claim{Most: 2, Queues: []string{"q", "low"}, Worker: "w", Lease: lease})
		c.must(err)
		var got []string
		for _, j := range jobs {
			got = append(got, j.ID)
		}
		c.equal(want, got)
	}
}

func delay(_ *testing.T, c *checker) {
	late := job("late")
	late.RunAt = c.Now().Add(300 * time.Millisecond)
	c.add(late, job("a"))
	s := c.stats()
	c.equal([]int{1, 1}, []int{s.Ready, s.Scheduled})
	c.claimed("a")
	c.none()
	c.Pass(350 * time.Millisecond)
	c.claimed("late")
}

func allOrNone(_ *testing.T, c *checker) {
	c.add(job("a"))
	c.duplicate(c.Store.Add(c.ctx, c.Now(), queue.Batch{Jobs: []*queue.Job{job("b"), job("a")}}), "a")
	_, err := c.Store.Get(c.ctx, "b")
	c.fails(err, queue.ErrNotFound)
	c.duplicate(c.Store.Add(c.ctx, c.Now(), queue.Batch{Jobs: []*queue.Job{job("b"), job("b")}}), "b")
	c.claimed("a")
	c.none()
}

func unique(_ *testing.T, c *checker) {
	named := func(id string) *queue.Job {
		j := job(id)
		j.Unique = "key"
		return j
	}
	add := func(id string) error {
		return c.Store.Add(c.ctx, c.Now(), queue.Batch{Jobs: []*queue.Job{named(id)}})
	}
	c.must(add("a"))
	c.duplicate(add("b"), "a")
	l := c.claimed("a")
	c.duplicate(add("b"), "a")
	c.finish(l, queue.Finish{State: queue.StatePending, Failed: true}) // it does not collide with itself
	l = c.claimed("a")
	c.finish(l, queue.Finish{State: queue.StateDead, Reason: queue.ReasonAttempts})
	c.must(add("b")) // a dead letter blocks nothing
	c.duplicate(c.Store.Redrive(c.ctx, c.Now(), "a"), "b")
	c.finish(c.claimed("b"), queue.Finish{State: queue.StateDone})
	c.must(c.Store.Redrive(c.ctx, c.Now(), "a"))
	c.duplicate(add("c"), "a")
	c.must(c.Store.Delete(c.ctx, "a"))
	c.must(add("c"))
}

func finishOnce(_ *testing.T, c *checker) {
	c.add(job("a"))
	l := c.claimed("a")
	done := queue.Finish{State: queue.StateDone, Result: json.RawMessage(`{"n":1}`)}
	c.fails(c.Store.Finish(c.ctx, c.Now(), queue.Lease{Job: "a", Number: l.Number + 1}, done), queue.ErrLeaseLost)
	c.finish(l, done)
	c.fails(c.Store.Finish(c.ctx, c.Now(), l, done), queue.ErrLeaseLost)
	j := c.get("a")
	c.equal(queue.StateDone, j.State)
	c.equal(`{"n":1}`, string(j.Result))
	c.equal(uint64(1), c.stats().Finished)
	c.equal([]string{"a"}, c.list(queue.StateDone))
}

func again(_ *testing.T, c *checker) {
	c.add(job("a"), job("b"))
	l := c.claimed("a")
	c.finish(l, queue.Finish{State: queue.StatePending, RunAt: c.Now().Add(300 * time.Millisecond), Failed: true, Error: "words", Class: "timeout"})
	j := c.get("a")
	c.equal([]any{queue.StatePending, 1, "words", "timeout"}, []any{j.State, j.Failures, j.Error, j.Class})
	c.claimed("b")
	c.none()
	c.Pass(350 * time.Millisecond)
	l2 := c.claimed("a")
	if l2.Number <= l.Number {
		c.Fatalf("the second lease has the number %d, and the first %d", l2.Number, l.Number)
	}
	c.finish(l2, queue.Finish{State: queue.StatePending}) // released: not a failure
	c.equal(1, c.get("a").Failures)
}

func deadAndRedrive(_ *testing.T, c *checker) {
	c.add(job("a"), job("b"))
	c.finish(c.claimed("a"), queue.Finish{State: queue.StateDead, Failed: true, Error: "no money", Class: "quota", Reason: queue.ReasonPermanent})
	j := c.get("a")
	c.equal([]any{queue.StateDead, queue.ReasonPermanent, "no money", "quota", 1}, []any{j.State, j.Reason, j.Error, j.Class, j.Failures})
	c.equal([]string{"a"}, c.list(queue.StateDead))
	c.fails(c.Store.Redrive(c.ctx, c.Now(), "b"), queue.ErrNotFound)
	c.fails(c.Store.Redrive(c.ctx, c.Now(), "zz"), queue.ErrNotFound)
	c.must(c.Store.Redrive(c.ctx, c.Now(), "a"))
	j = c.get("a")
	c.equal([]any{queue.StatePending, queue.Reason(0), 0, 0}, []any{j.State, j.Reason, j.Failures, j.Losses})
	c.claimed("b")
	c.claimed("a")
}

func leaseEnds(_ *testing.T, c *checker) {
	c.add(job("a"))
	old := c.claimed("a")
	n, err := c.Store.Recover(c.ctx, c.Now())
	c.must(err)
	c.equal(0, n)
	c.Pass(lease + 50*time.Millisecond)
	n, err = c.Store.Recover(c.ctx, c.Now())
	c.must(err)
	c.equal(1, n)
	j := c.get("a")
	c.equal([]any{queue.StatePending, 1, 0}, []any{j.State, j.Losses, j.Failures})
	l := c.claimed("a")
	c.fails(c.Store.Finish(c.ctx, c.Now(), old, queue.Finish{State: queue.StateDone}), queue.ErrLeaseLost)
	c.finish(l, queue.Finish{State: queue.StateDone})
}

func poison(_ *testing.T, c *checker) {
	c.add(job("a"), job("b")) // MaxLosses is 2
	for range 2 {
		c.claimed("a")
		c.must(c.Store.Delete(c.ctx, "b"))
		c.Pass(lease + 50*time.Millisecond)
		_, err := c.Store.Recover(c.ctx, c.Now())
		c.must(err)
		c.add(job("b"))
	}
	j := c.get("a")
	c.equal([]any{queue.StateDead, queue.ReasonLosses, 2}, []any{j.State, j.Reason, j.Losses})
	c.claimed("b")
}

func renew(_ *testing.T, c *checker) {
	c.add(job("a"))
	l := c.claimed("a")
	for range 3 {
		c.Pass(lease / 2)
		lost, err := c.Store.Renew(c.ctx, c.Now(), lease, []queue.Lease{l, {Job: "zz", Number: 1}})
		c.must(err)
		c.equal([]queue.Lease{{Job: "zz", Number: 1}}, lost)
		n, err := c.Store.Recover(c.ctx, c.Now())
		c.must(err)
		c.equal(0, n)
	}
	c.finish(l, queue.Finish{State: queue.StateDone})
}

func progress(_ *testing.T, c *checker) {
	c.add(job("a"))
	l := c.claimed("a")
	c.must(c.Store.Report(c.ctx, c.Now(), l, json.RawMessage(`0.5`)))
	c.equal("0.5", string(c.get("a").Progress))
	c.fails(c.Store.Report(c.ctx, c.Now(), queue.Lease{Job: "a", Number: l.Number + 1}, json.RawMessage(`1`)), queue.ErrLeaseLost)
	c.finish(l, queue.Finish{State: queue.StatePending})
	c.equal("0.5", string(c.claim().Progress)) // the next attempt can go on there
}

func chain(_ *testing.T, c *checker) {
	first := job("a")
	first.Then = []queue.Step{{Kind: "next", MaxAttempts: 1, MaxLosses: 1}}
	c.add(first)
	l := c.claimed("a")
	next := job("b")
	next.Kind = "next"
	c.finish(l, queue.Finish{State: queue.StateDone, Then: next})
	c.fails(c.Store.Finish(c.ctx, c.Now(), l, queue.Finish{State: queue.StateDone, Then: job("c")}), queue.ErrLeaseLost)
	c.claimed("b")
	c.none()
}

func group(_ *testing.T, c *checker) {
	var b queue.Batch
	for i := range 3 {
		j := job(fmt.Sprint("m", i))
		j.Group, j.GroupIndex = "g", i
		b.Jobs = append(b.Jobs, j)
	}
	b.Groups = []queue.Group{{ID: "g", Total: 3, Then: queue.Step{Kind: "sum", Queue: "q", MaxAttempts: 7, MaxLosses: 1, Keep: time.Hour}}}
	c.must(c.Store.Add(c.ctx, c.Now(), b))
	var leases []queue.Lease
	for i := range 3 {
		leases = append(leases, c.claimed(fmt.Sprint("m", i)))
	}
	for _, i := range []int{2, 0} {
		c.finish(leases[i], queue.Finish{State: queue.StateDone, Result: json.RawMessage(fmt.Sprint(i * 10))})
		c.none()
	}
	c.finish(leases[1], queue.Finish{State: queue.StateDead, Reason: queue.ReasonPermanent})
	c.none()
	c.must(c.Store.Redrive(c.ctx, c.Now(), "m1"))
	c.finish(c.claimed("m1"), queue.Finish{State: queue.StateDone, Result: json.RawMessage("10")})
	last := c.claim()
	c.equal([]any{"g", "sum", "[0,10,20]", 7}, []any{last.ID, last.Kind, string(last.Payload), last.MaxAttempts})
	c.none()
}

func keep(_ *testing.T, c *checker) {
	a, b := job("a"), job("b")
	a.Keep, b.Keep = 0, 300*time.Millisecond
	c.add(a, b)
	for _, id := range []string{"a", "b"} {
		c.finish(c.claimed(id), queue.Finish{State: queue.StateDone, Result: json.RawMessage("1")})
	}
	_, err := c.Store.Get(c.ctx, "a")
	c.fails(err, queue.ErrNotFound)
	c.get("b")
	c.Pass(350 * time.Millisecond)
	_, err = c.Store.Recover(c.ctx, c.Now())
	c.must(err)
	_, err = c.Store.Get(c.ctx, "b")
	c.fails(err, queue.ErrNotFound)
	c.equal(0, c.stats().Done)
}

func slots(_ *testing.T, c *checker) {
	last, err := c.Store.LastSlot(c.ctx, "nightly")
	c.must(err)
	c.equal(true, last.IsZero())
	slot := time.Date(2030, 1, 2, 3, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 8 { // of several machines, one makes the job
		wg.Go(func() {
			ok, err := c.Store.AddSlot(c.ctx, c.Now(), "nightly", slot, queue.Batch{Jobs: []*queue.Job{job(fmt.Sprint("n", i))}})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				c.Error(err)
			}
			if ok {
				made++
			}
		})
	}
	wg.Wait()
	c.equal(1, made)
	c.equal(1, len(c.list(queue.StatePending)))
	last, err = c.Store.LastSlot(c.ctx, "nightly")
	c.must(err)
	c.equal(true, slot.Equal(last))
	ok, err := c.Store.AddSlot(c.ctx, c.Now(), "nightly", slot.Add(-time.Hour), queue.Batch{Jobs: []*queue.Job{job("old")}})
	c.must(err)
	c.equal(false, ok)
}

func remove(_ *testing.T, c *checker) {
	c.add(job("a"), job("b"))
	l := c.claimed("a")
	c.fails(c.Store.Delete(c.ctx, "a"), queue.ErrNotFound)
	c.must(c.Store.Delete(c.ctx, "b"))
	c.none()
	c.finish(l, queue.Finish{State: queue.StateDone})
	c.must(c.Store.Delete(c.ctx, "a"))
	c.fails(c.Store.Delete(c.ctx, "a"), queue.ErrNotFound)
	s := c.stats()
	c.equal([]int{0, 0, 0, 0}, []int{s.Ready, s.Running, s.Done, s.Dead})
}

func wait(_ *testing.T, c *checker) {
	done := make(chan error, 1)
	go func() { done <- c.Store.Wait(c.ctx, c.Now(), c.Now().Add(time.Minute), []string{"q"}) }()
	time.Sleep(20 * time.Millisecond)
	c.add(job("a"))
	c.must(<-done)
	c.must(c.Store.Wait(c.ctx, c.Now(), c.Now().Add(time.Minute), []string{"q"})) // it is there already
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	c.fails(c.Store.Wait(ctx, c.Now(), c.Now().Add(time.Minute), []string{"other"}), context.Canceled)
}

func manyClaim(_ *testing.T, c *checker) {
	const n = 200
	var jobs []*queue.Job
	for i := range n {
		jobs = append(jobs, job(fmt.Sprintf("%03d", i)))
	}
	c.add(jobs...)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []string
	for range 8 {
		wg.Go(func() {
			for {
				jobs, err := c.Store.Claim(c.ctx, c.Now(), queue.Claim{Most: 3, Queues: []string{"q"}, Worker: "w", Lease: time.Minute})
				if err != nil {
					c.Error(err)
				}
				if len(jobs) == 0 {
					return
				}
				mu.Lock()
				for _, j := range jobs {
					got = append(got, j.ID)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	c.equal(n, len(got))
	c.equal(n, len(slices.Compact(got)))
}

func whole(_ *testing.T, c *checker) {
	j := job("a")
	j.Payload = json.RawMessage(`{"text":"héllo 🌍 \u0000 \"q\"","n":12345678901234567890}`)
	j.Headers = map[string]string{"tenant": "acme ü", "n": "1"}
	j.Unique, j.Timeout = "k", 90*time.Second
	j.Then = []queue.Step{{Kind: "x", Payload: json.RawMessage(`[1]`), MaxAttempts: 2, MaxLosses: 3, Timeout: time.Second, Keep: time.Minute}}
	j.RunAt = c.Now().Add(-time.Second)
	j.Enqueued = j.RunAt
	c.add(j)
	got := c.get("a")
	c.equal(true, j.RunAt.Sub(got.RunAt).Abs() < time.Millisecond && j.Enqueued.Sub(got.Enqueued).Abs() < time.Millisecond)
	got.RunAt, got.Enqueued = j.RunAt, j.Enqueued
	want := *j
	want.State = queue.StatePending
	c.equal(want, *got)
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prodailabs/prodai/internal/event"
)

// A Lane is a queue that a worker takes jobs from.
type Lane struct {
	Queue    string
	Weight   int // of the picks, among the lanes that have a job. 0 is 1
	Reserved int // slots that no other lane may use
}

// WorkerOptions are the settings of [NewWorker].
type WorkerOptions struct {
	// Lanes are the queues, the most urgent first. Default: the queue "default".
	Lanes []Lane

	// Strict empties the first lane before it looks at the next. So a lane may starve.
	// Default: lanes are picked by weight.
	Strict bool

	// Concurrency is how many jobs run at once. Default: 10.
	Concurrency int

	// Lease is for how long a job is this worker's without a heartbeat. A heartbeat
	// comes three times in that. Default: 30 s.
	Lease time.Duration

	// Drain is how long the jobs that run may go on after Run's context is done. Then
	// their contexts end too. Default: 30 s.
	Drain time.Duration

	// Grace is how long a handler may take to return after its own context is done.
	// Then its slot is freed, and the handler counts in Worker.Hanging. Default: 5 s.
	Grace time.Duration

	// GiveUp is after how long a store that fails ends Run with its error, so that a
	// supervisor can start the program again. Default: 5 min.
	GiveUp time.Duration

	// Schedules are the periodic jobs. Several workers may have the same: each slot
	// makes one job. Default: none.
	Schedules []Schedule

	// Name is the worker's name, for people. Default: a random one.
	Name string

	// Uniform draws from [0, 1) for waits. Default: math/rand/v2.
	Uniform func() float64
}

// A Worker takes jobs from a queue and runs their handlers.
type Worker struct {
	q        *Queue
	o        WorkerOptions
	handlers map[string]Handler
	pick     picker

	mu      sync.Mutex
	running map[Lease]*active
	perLane map[string]int
	freed   chan struct{}
	hanging atomic.Int64
	started atomic.Bool
}

// An active is a run in progress.
type active struct {
	job    *Job
	lease  Lease
	ctx    context.Context // of the handler
	cancel context.CancelCauseFunc
	end    time.Time // of the lease
}

// NewWorker returns a worker. It fails with [ErrOption].
func NewWorker(q *Queue, handlers []Handler, o *WorkerOptions) (*Worker, error) {
	if q == nil || len(handlers) == 0 {
		return nil, optionError("the queue of NewWorker is nil or there are no handlers")
	}
	w := &Worker{q: q, handlers: map[string]Handler{}, running: map[Lease]*active{}, perLane: map[string]int{}, freed: make(chan struct{}, 1)}
	if o != nil {
		w.o = *o
	}
	if err := w.o.complete(); err != nil {
		return nil, err
	}
	for _, h := range handlers {
		if h.run == nil {
			return nil, optionError("the handler of the kind %q is nil: want Kind.Handler", h.kind)
		}
		if _, twice := w.handlers[h.kind]; twice {
			return nil, optionError("the kind %q has two handlers", h.kind)
		}
		w.handlers[h.kind] = h
	}
	w.pick = newPicker(w.o.Lanes, w.o.Strict)
	return w, nil
}

func (o *WorkerOptions) complete() error {
	o.Lanes = slices.Clone(o.Lanes)
	if len(o.Lanes) == 0 {
		o.Lanes = []Lane{{Queue: "default"}}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.Concurrency < 1 {
		return optionError("WorkerOptions.Concurrency is %d: want 0 (the default, 10) or more", o.Concurrency)
	}
	reserved := 0
	seen := map[string]bool{}
	for i := range o.Lanes {
		l := &o.Lanes[i]
		if l.Queue == "" || seen[l.Queue] || l.Weight < 0 || l.Reserved < 0 {
			return optionError("WorkerOptions.Lanes[%d] is %+v: want the name of another queue, and no negative number", i, *l)
		}
		seen[l.Queue] = true
		l.Weight = max(l.Weight, 1)
		reserved += l.Reserved
	}
	if reserved > o.Concurrency || reserved == o.Concurrency && slices.ContainsFunc(o.Lanes, func(l Lane) bool { return l.Reserved == 0 }) {
		return optionError("WorkerOptions.Lanes reserve %d of %d slots: want fewer, so that each lane has one", reserved, o.Concurrency)
	}
	for _, d := range []struct {
		name  string
		d     *time.Duration
		value time.Duration
	}{{"Lease", &o.Lease, 30 * time.Second}, {"Drain", &o.Drain, 30 * time.Second}, {"Grace", &o.Grace, 5 * time.Second}, {"GiveUp", &o.GiveUp, 5 * time.Minute}} {
		if *d.d < 0 {
			return optionError("WorkerOptions.%s is %v: want 0 (the default, %v) or more", d.name, *d.d, d.value)
		}
		if *d.d == 0 {
			*d.d = d.value
		}
	}
	if o.Lease < 10*time.Millisecond {
		return optionError("WorkerOptions.Lease is %v: want 10 ms or more", o.Lease)
	}
	if o.Name == "" {
		o.Name = "worker-" + newID()[:8]
	}
	if o.Uniform == nil {
		o.Uniform = rand.Float64
	}
	names := map[string]bool{}
	for _, s := range o.Schedules {
		if s.name == "" || names[s.name] {
			return optionError("WorkerOptions.Schedules has the name %q twice or empty: want Kind.Schedule", s.name)
		}
		names[s.name] = true
	}
	return nil
}

// Hanging returns how many handlers have not returned although their context ended
// and their slot was given away.
func (w *Worker) Hanging() int { return int(w.hanging.Load()) }

// Running returns how many jobs run.
func (w *Worker) Running() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.running)
}

// Run does jobs until ctx is done. Then it takes no more, waits for those that run
// (WorkerOptions.Drain), and returns nil. It returns an error if the store fails for
// longer than WorkerOptions.GiveUp. A worker runs once.
func (w *Worker) Run(ctx context.Context) error {
	if w.started.Swap(true) {
		return optionError("the worker has run before: want a new one")
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	loops.Go(func() { w.heartbeats(background) })
	loops.Go(func() { w.maintain(background) })
	var jobs sync.WaitGroup
	err := w.take(ctx, background, &jobs)
	w.drain(&jobs)
	stop()
	loops.Wait()
	return err
}

// take claims jobs while there are slots.
func (w *Worker) take(ctx, background context.Context, jobs *sync.WaitGroup) error {
	var failing time.Time
	pause := 50 * time.Millisecond
	for ctx.Err() == nil {
		open, most := w.open()
		if len(open) == 0 {
			select {
			case <-ctx.Done():
			case <-w.freed:
			}
			continue
		}
		now := w.q.o.Now()
		claimed, err := w.q.store.Claim(ctx, now, Claim{Most: most, Queues: open, Worker: w.o.Name, Lease: w.o.Lease})
		if err == nil && len(claimed) == 0 {
			until := now.Add(time.Second)
			if len(open) < len(w.o.Lanes) { // a lane opens when a slot is freed
				until = now.Add(50 * time.Millisecond)
			}
			err = w.q.store.Wait(ctx, now, until, open)
		}
		switch {
		case err != nil && ctx.Err() != nil:
		case err != nil:
			w.log(slog.LevelWarn, event.QueueStore, slog.String(event.Reason, err.Error()))
			if failing.IsZero() {
				failing = now
			}
			if now.Sub(failing) >= w.o.GiveUp || errors.Is(err, ErrClosed) {
				return fmt.Errorf("queue: the worker ends, because its store fails: %w", err)
			}
			sleep(ctx, pause)
			pause = min(2*pause, 5*time.Second)
		default:
			failing, pause = time.Time{}, 50*time.Millisecond
			w.startAll(ctx, background, claimed, jobs)
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// open returns the lanes that have a slot for one more job, in the order of this
// pick, and how many jobs may be claimed at once: several only where no weight and no
// reserved slot depends on which lane the first comes from.
func (w *Worker) open() (names []string, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	free := w.o.Concurrency - len(w.running)
	if free <= 0 {
		return nil, 0
	}
	kept := 0
	for _, l := range w.o.Lanes {
		kept += max(0, l.Reserved-w.perLane[l.Queue])
	}
	order := w.pick.order()
	names = order[:0]
	for _, l := range order {
		i := slices.IndexFunc(w.o.Lanes, func(x Lane) bool { return x.Queue == l })
		own := max(0, w.o.Lanes[i].Reserved-w.perLane[l])
		if free > kept-own {
			names = append(names, l)
		}
	}
	most = 1
	reserved := slices.ContainsFunc(w.o.Lanes, func(l Lane) bool { return l.Reserved > 0 })
	if (w.o.Strict || len(w.o.Lanes) == 1) && !reserved {
		most = free
	}
	return names, most
}

// startAll starts what was claimed. If one job has to run alone, those after it go back.
func (w *Worker) startAll(ctx, background context.Context, claimed []*Job, jobs *sync.WaitGroup) {
	for i, j := range claimed {
		w.pick.took(j.Queue)
		if !lastChance(j) {
			w.start(w.hold(background, j), jobs)
			continue
		}
		for _, rest := range claimed[i+1:] {
			w.giveBack(rest)
		}
		w.alone(ctx, background, j, jobs)
		return
	}
}

// lastChance reports whether a job is one lost worker away from the dead letters.
func lastChance(j *Job) bool { return j.Losses > 0 && j.Losses == j.MaxLosses-1 }

// giveBack ends a claim without a run.
func (w *Worker) giveBack(j *Job) {
	w.end(Lease{Job: j.ID, Number: j.Lease}, j, Finish{State: StatePending, RunAt: w.q.o.Now(), Error: j.Error})
}

// alone runs a job while no other runs. It may be a poison pill, or only have run
// beside one. Alone, it ends no other job's run, and no other job ends its.
func (w *Worker) alone(ctx, background context.Context, j *Job, jobs *sync.WaitGroup) {
	a := w.hold(background, j)
	if !w.others(ctx, jobs) {
		w.giveBack(j)
		w.release(a)
		return
	}
	select {
	case <-w.start(a, jobs):
	case <-ctx.Done():
	}
}

// start runs a job in a goroutine of its own, and returns what is closed at its end.
func (w *Worker) start(a *active, jobs *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	jobs.Go(func() {
		defer close(done)
		defer w.release(a)
		w.do(a.ctx, a.lease, a.job)
	})
	return done
}

// others waits until no other job runs, and returns false if ctx ends before.
func (w *Worker) others(ctx context.Context, jobs *sync.WaitGroup) bool {
	idle := make(chan struct{})
	go func() {
		jobs.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}

// hold notes a job as this worker's, so that its lease is renewed.
func (w *Worker) hold(background context.Context, j *Job) *active {
	ctx, cancel := context.WithCancelCause(background)
	a := &active{job: j, lease: Lease{Job: j.ID, Number: j.Lease}, ctx: ctx, cancel: cancel, end: w.q.o.Now().Add(w.o.Lease)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[a.lease] = a
	w.perLane[j.Queue]++
	return a
}

// release frees a job's slot.
func (w *Worker) release(a *active) {
	a.cancel(nil)
	w.mu.Lock()
	delete(w.running, a.lease)
	w.perLane[a.job.Queue]--
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

// drain waits for the jobs that run, and ends them when the time is over.
func (w *Worker) drain(jobs *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		jobs.Wait()
		close(done)
	}()
	timer := time.NewTimer(w.o.Drain)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	}
	w.mu.Lock()
	for _, a := range w.running {
		a.cancel(ErrDraining)
	}
	w.mu.Unlock()
	<-done // each ends after its Grace
}

// heartbeats renews the leases of the jobs that run. It has a goroutine of its own,
// so that nothing that waits can stop it.
func (w *Worker) heartbeats(ctx context.Context) {
	pause := w.o.Lease / 3
	for {
		sleep(ctx, pause)
		if ctx.Err() != nil {
			return
		}
		pause = w.o.Lease / 3
		if err := w.renew(ctx); err != nil {
			w.log(slog.LevelWarn, event.QueueStore, slog.String(event.Reason, err.Error()))
			pause = max(w.o.Lease/10, time.Millisecond)
		}
	}
}

func (w *Worker) renew(ctx context.Context) error {
	w.mu.Lock()
	held := make([]Lease, 0, len(w.running))
	for l := range w.running {
		held = append(held, l)
	}
	w.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	now := w.q.o.Now()
	lost, err := w.q.store.Renew(ctx, now, w.o.Lease, held)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		for _, a := range w.running {
			if !now.Before(a.end) {
				a.cancel(ErrLeaseLost)
			}
		}
		return err
	}
	for _, l := range held {
		if a := w.running[l]; a != nil {
			a.end = now.Add(w.o.Lease)
		}
	}
	for _, l := range lost {
		if a := w.running[l]; a != nil {
			a.cancel(ErrLeaseLost)
		}
	}
	return nil
}

// maintain gives back the jobs of lost workers and makes the periodic jobs.
func (w *Worker) maintain(ctx context.Context) {
	slots := newClockwork(w.q, w.o.Schedules)
	for {
		now := w.q.o.Now()
		n, err := w.q.store.Recover(ctx, now)
		if err == nil && n > 0 {
			w.log(slog.LevelWarn, event.QueueRecover, slog.Int(event.Count, n))
		}
		next := now.Add(min(time.Second, max(w.o.Lease/3, 10*time.Millisecond)))
		due, serr := slots.turn(ctx, now)
		if err = errors.Join(err, serr); err != nil && ctx.Err() == nil {
			w.log(slog.LevelWarn, event.QueueStore, slog.String(event.Reason, err.Error()))
		}
		if serr == nil && !due.IsZero() && due.Before(next) {
			next = due
		}
		sleep(ctx, max(next.Sub(w.q.o.Now()), time.Millisecond))
		if ctx.Err() != nil {
			return
		}
	}
}

func (w *Worker) log(level slog.Level, name string, attrs ...slog.Attr) {
	w.q.o.Logger.LogAttrs(context.Background(), level, name, attrs...)
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/queue"
)

// A rig is a queue in memory, in a bubble of virtual time.
type rig struct {
	*testing.T
	q     *queue.Queue
	store queue.Store
}

func newRig(t *testing.T, store queue.Store) *rig {
	t.Helper()
	q, err := queue.New(store, &queue.Options{Logger: slog.New(&event.Checker{Report: t.Errorf})})
	require.NoError(t, err)
	return &rig{T: t, q: q, store: store}
}

func kind[In, Out any](t *testing.T, name string, o *queue.KindOptions) *queue.Kind[In, Out] {
	t.Helper()
	k, err := queue.NewKind[In, Out](name, o)
	require.NoError(t, err)
	return k
}

// work starts a worker; stop ends it and waits.
func (r *rig) work(o *queue.WorkerOptions, handlers ...queue.Handler) (w *queue.Worker, stop func() error) {
	r.Helper()
	w, err := queue.NewWorker(r.q, handlers, o)
	require.NoError(r, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return w, func() error {
		cancel()
		return <-done
	}
}

func (r *rig) get(id string) *queue.Job {
	r.Helper()
	j, err := r.q.Get(r.Context(), id)
	require.NoError(r, err)
	return j
}

func TestATypedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		k := kind[[]string, int](t, "count", nil)
		id, err := k.Enqueue(t.Context(), r.q, []string{"a", "b"}, nil)
		require.NoError(t, err)
		_, stop := r.work(nil, k.Handler(func(ctx context.Context, in []string) (int, error) {
			run, ok := queue.RunOf(ctx)
			require.True(t, ok)
			require.NoError(t, run.Progress(ctx, map[string]int{"done": 1}))
			return len(in), nil
		}))
		n, err := k.Result(t.Context(), r.q, id)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.JSONEq(t, `{"done":1}`, string(r.get(id).Progress))
		require.NoError(t, stop())
	})
}

func TestWhatBecomesOfAFailure(t *testing.T) {
	wait := 60 * time.Second
	limited := fault.New(fault.ClassRateLimit, errors.New("slow down"))
	limited.Delay, limited.HasDelay = wait, true
	for _, c := range []struct {
		name   string
		err    error
		state  queue.State
		reason queue.Reason
		class  string
		runs   int
		least  time.Duration // until the second run
		most   time.Duration
	}{
		{"own error", errors.New("disk"), queue.StateDead, queue.ReasonAttempts, "unknown", 3, time.Second, 2 * time.Second},
		{"server", fault.New(fault.ClassServerError, nil), queue.StateDead, queue.ReasonAttempts, "server_error", 3, time.Second, 2 * time.Second},
		{"asked to wait", limited, queue.StateDead, queue.ReasonAttempts, "rate_limit", 3, wait, 72 * time.Second},
		{"stream cut", fault.New(fault.ClassStreamInterrupted, nil), queue.StateDead, queue.ReasonAttempts, "stream_interrupted", 3, time.Second, 2 * time.Second},
		{"no money", fault.New(fault.ClassQuota, nil), queue.StateDead, queue.ReasonPermanent, "quota", 1, 0, 0},
		{"bad request", fault.New(fault.ClassInvalidRequest, nil), queue.StateDead, queue.ReasonPermanent, "invalid_request", 1, 0, 0},
		{"permanent", queue.Permanent(errors.New("no such file")), queue.StateDead, queue.ReasonPermanent, "unknown", 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, queue.NewMemory())
				k := kind[int, int](t, "k", &queue.KindOptions{MaxAttempts: 3})
				var starts []time.Time
				_, stop := r.work(nil, k.Handler(func(context.Context, int) (int, error) {
					starts = append(starts, time.Now())
					return 0, c.err
				}))
				id, err := k.Enqueue(t.Context(), r.q, 1, nil)
				require.NoError(t, err)
				_, err = k.Result(t.Context(), r.q, id)
				var dead *queue.DeadError
				require.ErrorAs(t, err, &dead)
				j := r.get(id)
				require.Equal(t, []any{c.state, c.reason, c.class, c.runs}, []any{j.State, j.Reason, j.Class, j.Failures})
				require.Len(t, starts, c.runs)
				if c.runs > 1 {
					gap := starts[1].Sub(starts[0])
					require.GreaterOrEqual(t, gap, c.least)
					require.LessOrEqual(t, gap, c.most)
				}
				require.NoError(t, stop())
			})
		})
	}
}

func TestPanicsSizesAndBadPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		k := kind[string, string](t, "k", &queue.KindOptions{MaxAttempts: 1})
		_, stop := r.work(nil, k.Handler(func(_ context.Context, in string) (string, error) {
			switch in {
			case "panic":
				panic("oh")
			case "large":
				return string(make([]byte, 2<<20)), nil
			}
			return in, nil
		}))
		for in, reason := range map[string]queue.Reason{"panic": queue.ReasonAttempts, "large": queue.ReasonTooLarge} {
			id, err := k.Enqueue(t.Context(), r.q, in, nil)
			require.NoError(t, err)
			_, err = k.Result(t.Context(), r.q, id)
			var dead *queue.DeadError
			require.ErrorAs(t, err, &dead)
			require.Equal(t, reason, dead.Reason)
		}
		_, err := k.Enqueue(t.Context(), r.q, string(make([]byte, 2<<20)), nil)
		var size *queue.SizeError
		require.ErrorAs(t, err, &size)
		require.Contains(t, err.Error(), "1048576")

		other := kind[int, int](t, "k", nil) // the same name with another type
		id, err := other.Enqueue(t.Context(), r.q, 7, nil)
		require.NoError(t, err)
		j, err := r.q.Await(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []any{queue.StateDead, queue.ReasonMalformed, 1}, []any{j.State, j.Reason, j.Failures})

		id, err = kind[int, int](t, "nobody knows it", &queue.KindOptions{MaxAttempts: 2}).Enqueue(t.Context(), r.q, 7, nil)
		require.NoError(t, err)
		j, err = r.q.Await(t.Context(), id)
		require.NoError(t, err)
		require.Contains(t, j.Error, "no handler")
		require.Equal(t, 2, j.Failures)
		require.NoError(t, stop())
	})
}

func TestPriorities(t *testing.T) {
	lanes := []queue.Lane{{Queue: "high", Weight: 6}, {Queue: "default", Weight: 3}, {Queue: "low", Weight: 1}}
	run := func(t *testing.T, strict bool) (first map[string]int) {
		first = map[string]int{}
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, queue.NewMemory())
			k := kind[string, int](t, "k", nil)
			for i := range 3000 {
				name := lanes[2-i%3].Queue
				_, err := k.Enqueue(t.Context(), r.q, name, &queue.JobOptions{Queue: name})
				require.NoError(t, err)
			}
			n := 0
			_, stop := r.work(&queue.WorkerOptions{Lanes: lanes, Strict: strict, Concurrency: 1}, k.Handler(func(_ context.Context, in string) (int, error) {
				if n++; n <= 1000 {
					first[in]++
				}
				return 0, nil
			}))
			synctest.Wait()
			require.Equal(t, 3000, n)
			require.NoError(t, stop())
		})
		return first
	}
	require.Equal(t, map[string]int{"high": 1000}, run(t, true))
	weighted := run(t, false)
	require.InDelta(t, 600, weighted["high"], 5)
	require.InDelta(t, 300, weighted["default"], 5)
	require.InDelta(t, 100, weighted["low"], 5)
}

func TestReservedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		k := kind[string, int](t, "k", nil)
		var busy sync.Map
		_, stop := r.work(&queue.WorkerOptions{Concurrency: 4, Lanes: []queue.Lane{{Queue: "high", Reserved: 1}, {Queue: "low"}}},
			k.Handler(func(_ context.Context, in string) (int, error) {
				busy.Store(in, time.Now())
				time.Sleep(time.Minute)
				return 0, nil
			}))
		for i := range 4 {
			_, err := k.Enqueue(t.Context(), r.q, fmt.Sprint("low", i), &queue.JobOptions{Queue: "low"})
			require.NoError(t, err)
		}
		time.Sleep(time.Second)
		began := time.Now()
		_, err := k.Enqueue(t.Context(), r.q, "high", &queue.JobOptions{Queue: "high"})
		require.NoError(t, err)
		time.Sleep(100 * time.Millisecond)
		started, ok := busy.Load("high")
		require.True(t, ok, "a slot is kept for it")
		require.Less(t, started.(time.Time).Sub(began), 100*time.Millisecond)
		_, ok = busy.Load("low3")
		require.False(t, ok)
		time.Sleep(3 * time.Minute)
		_, ok = busy.Load("low3")
		require.True(t, ok)
		require.NoError(t, stop())
	})
}

// A job that may be a poison pill runs alone, so that it takes no other job with it.
func TestALastChanceIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		r := newRig(t, store)
		k := kind[string, int](t, "k", nil)
		suspect, err := k.Enqueue(t.Context(), r.q, "suspect", nil)
		require.NoError(t, err)
		for range 2 { // MaxLosses is 3
			j, err := store.Claim(t.Context(), time.Now(), queue.Claim{Queues: []string{"default"}, Lease: time.Second})
			require.NoError(t, err)
			require.Equal(t, suspect, j[0].ID)
			time.Sleep(2 * time.Second)
			_, err = store.Recover(t.Context(), time.Now())
			require.NoError(t, err)
		}
		for _, in := range []string{"a", "b", "c"} {
			_, err := k.Enqueue(t.Context(), r.q, in, &queue.JobOptions{Queue: "first"})
			require.NoError(t, err)
			_, err = k.Enqueue(t.Context(), r.q, in, nil)
			require.NoError(t, err)
		}
		var running, beside, ran atomic.Int64
		_, stop := r.work(&queue.WorkerOptions{Strict: true, Concurrency: 3, Lease: 2 * time.Second, Lanes: []queue.Lane{{Queue: "first"}, {Queue: "default"}}},
			k.Handler(func(_ context.Context, in string) (int, error) {
				n := running.Add(1)
				defer running.Add(-1)
				ran.Add(1)
				if in == "suspect" {
					beside.Store(n - 1)
				}
				time.Sleep(10 * time.Second)
				if in == "suspect" {
					beside.Add(running.Load() - 1)
				}
				return 0, nil
			}))
		time.Sleep(time.Minute)
		require.Equal(t, int64(7), ran.Load())
		require.Zero(t, beside.Load())
		require.Equal(t, queue.StateDone, r.get(suspect).State)
		require.NoError(t, stop())
	})
}

func TestDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		k := kind[time.Duration, string](t, "k", nil)
		w, stop := r.work(&queue.WorkerOptions{Drain: 30 * time.Second, Grace: time.Second}, k.Handler(func(ctx context.Context, in time.Duration) (string, error) {
			if in < 0 { // ignores its context
				time.Sleep(-in)
				return "late", nil
			}
			select {
			case <-time.After(in):
				return "done", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}))
		var ids []string
		for _, d := range []time.Duration{5 * time.Second, time.Hour, -time.Hour} {
			id, err := k.Enqueue(t.Context(), r.q, d, nil)
			require.NoError(t, err)
			ids = append(ids, id)
		}
		synctest.Wait()
		began := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 31*time.Second, time.Since(began), "Drain and Grace bound the stop")
		require.Equal(t, 1, w.Hanging())
		require.Equal(t, queue.StateDone, r.get(ids[0]).State)
		for _, id := range ids[1:2] {
			j := r.get(id)
			require.Equal(t, []any{queue.StatePending, 0, 0}, []any{j.State, j.Failures, j.Losses}, "released, and not its fault")
		}
		time.Sleep(2 * time.Hour)
		require.Zero(t, w.Hanging())
	})
}

func TestATimeoutFreesTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		k := kind[bool, int](t, "k", &queue.KindOptions{Timeout: time.Second, MaxAttempts: 1})
		w, stop := r.work(&queue.WorkerOptions{Concurrency: 1, Grace: time.Second}, k.Handler(func(_ context.Context, hang bool) (int, error) {
			if hang {
				time.Sleep(time.Hour)
			}
			return 0, nil
		}))
		began := time.Now()
		first, err := k.Enqueue(t.Context(), r.q, true, nil)
		require.NoError(t, err)
		second, err := k.Enqueue(t.Context(), r.q, false, nil)
		require.NoError(t, err)
		_, err = k.Result(t.Context(), r.q, second)
		require.NoError(t, err)
		require.Less(t, time.Since(began), 3*time.Second)
		j := r.get(first)
		require.Equal(t, []any{queue.StateDead, "timeout"}, []any{j.State, j.Class})
		require.Equal(t, 1, w.Hanging())
		require.NoError(t, stop())
		time.Sleep(time.Hour)
	})
}

// flaky is a store whose calls fail while it is down.
type flaky struct {
	queue.Store
	down    atomic.Bool
	renewal atomic.Int64 // every n-th heartbeat fails
	beats   atomic.Int64
}

var errDown = errors.New("connection refused")

func (f *flaky) Claim(ctx context.Context, now time.Time, c queue.Claim) ([]*queue.Job, error) {
	if f.down.Load() {
		return nil, errDown
	}
	return f.Store.Claim(ctx, now, c)
}

func (f *flaky) Finish(ctx context.Context, now time.Time, l queue.Lease, x queue.Finish) error {
	if f.down.Load() {
		return errDown
	}
	return f.Store.Finish(ctx, now, l, x)
}

func (f *flaky) Renew(ctx context.Context, now time.Time, d time.Duration, held []queue.Lease) ([]queue.Lease, error) {
	if n := f.renewal.Load(); f.down.Load() || n > 0 && f.beats.Add(1)%n == 0 {
		return nil, errDown
	}
	return f.Store.Renew(ctx, now, d, held)
}

func TestAStoreThatIsDownForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &flaky{Store: queue.NewMemory()}
		s.renewal.Store(3)
		r := newRig(t, s)
		k := kind[time.Duration, int](t, "k", nil)
		runs := 0
		_, stop := r.work(&queue.WorkerOptions{Concurrency: 1, Lease: 30 * time.Second}, k.Handler(func(ctx context.Context, d time.Duration) (int, error) {
			runs++
			time.Sleep(d)
			return 0, ctx.Err()
		}))
		id, err := k.Enqueue(t.Context(), r.q, 5*time.Minute, nil) // ten leases long, and one heartbeat in three fails
		require.NoError(t, err)
		_, err = k.Result(t.Context(), r.q, id)
		require.NoError(t, err)
		require.Equal(t, 1, runs)

		id, err = k.Enqueue(t.Context(), r.q, 5*time.Second, nil)
		require.NoError(t, err)
		time.Sleep(time.Second)
		s.down.Store(true) // in the middle of a run, until after its end
		time.Sleep(20 * time.Second)
		s.down.Store(false)
		next, err := k.Enqueue(t.Context(), r.q, 0, nil)
		require.NoError(t, err)
		began := time.Now()
		for _, id := range []string{id, next} {
			_, err = k.Result(t.Context(), r.q, id)
			require.NoError(t, err)
		}
		require.Less(t, time.Since(began), 10*time.Second)
		require.Equal(t, 3, runs)
		require.NoError(t, stop())
	})
}

func TestAStoreThatIsDownForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &flaky{Store: queue.NewMemory()}
		s.down.Store(true)
		r := newRig(t, s)
		k := kind[int, int](t, "k", nil)
		w, err := queue.NewWorker(r.q, []queue.Handler{k.Handler(func(context.Context, int) (int, error) { return 0, nil })}, &queue.WorkerOptions{GiveUp: time.Minute})
		require.NoError(t, err)
		began := time.Now()
		require.ErrorIs(t, w.Run(t.Context()), errDown)
		require.InDelta(t, 60, time.Since(began).Seconds(), 10)
		require.ErrorIs(t, w.Run(t.Context()), queue.ErrOption)
	})
}

// A worker that is cut off loses its job to another one, sees its context end, and can't end the job.
func TestALostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		cut := &flaky{Store: store}
		a, b := newRig(t, cut), newRig(t, store)
		k := kind[int, string](t, "k", nil)
		var first, second atomic.Int64
		began := time.Now()
		_, stopA := a.work(&queue.WorkerOptions{Lease: 30 * time.Second}, k.Handler(func(ctx context.Context, _ int) (string, error) {
			<-ctx.Done()
			require.ErrorIs(t, context.Cause(ctx), queue.ErrLeaseLost)
			first.Store(int64(time.Since(began)))
			return "a", nil
		}))
		id, err := k.Enqueue(t.Context(), b.q, 1, &queue.JobOptions{Unique: "u"})
		require.NoError(t, err)
		synctest.Wait()
		cut.down.Store(true)
		_, stopB := b.work(&queue.WorkerOptions{Lease: 30 * time.Second}, k.Handler(func(context.Context, int) (string, error) {
			second.Store(int64(time.Since(began)))
			return "b", nil
		}))
		got, err := k.Result(t.Context(), b.q, id)
		require.NoError(t, err)
		require.Equal(t, "b", got)
		require.LessOrEqual(t, time.Duration(second.Load()), 31*time.Second, "redelivered within the lease and a second")
		time.Sleep(30 * time.Second)
		require.LessOrEqual(t, time.Duration(first.Load()), 34*time.Second)
		require.Equal(t, 1, b.get(id).Losses)
		cut.down.Store(false)
		require.NoError(t, stopA())
		require.NoError(t, stopB())
		require.Equal(t, `"b"`, string(b.get(id).Result))
	})
}

func TestChainsAndGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, queue.NewMemory())
		split := kind[string, []int](t, "split", nil)
		sum := kind[[]int, int](t, "sum", nil)
		double := kind[int, int](t, "double", nil)
		failOnce := true
		_, stop := r.work(nil,
			split.Handler(func(_ context.Context, s string) ([]int, error) { return []int{len(s), 1}, nil }),
			sum.Handler(func(_ context.Context, in []int) (n int, _ error) {
				for _, x := range in {
					n += x
				}
				return n, nil
			}),
			double.Handler(func(_ context.Context, n int) (int, error) {
				if n == 3 && failOnce {
					failOnce = false
					return 0, queue.Permanent(errors.New("three"))
				}
				return 2 * n, nil
			}))
		flow := queue.Then(queue.Then(queue.Chain(r.q, split, "four", nil), sum), double)
		id, err := flow.Enqueue(t.Context())
		require.NoError(t, err)
		_, err = r.q.Await(t.Context(), id)
		require.NoError(t, err)
		time.Sleep(time.Second)
		n, err := double.Result(t.Context(), r.q, queue.StepID(id, 3))
		require.NoError(t, err)
		require.Equal(t, 10, n)

		group, members, err := queue.EnqueueGroup(t.Context(), r.q, double, []int{1, 2, 3, 4}, sum, nil)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, err = r.q.Get(t.Context(), group)
		require.ErrorIs(t, err, queue.ErrNotFound, "one member is a dead letter")
		require.Equal(t, queue.StateDead, r.get(members[2]).State)
		redriven, err := r.q.RedriveAll(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, 1, redriven)
		time.Sleep(time.Minute)
		n, err = sum.Result(t.Context(), r.q, group)
		require.NoError(t, err)
		require.Equal(t, 20, n)
		require.NoError(t, stop())
	})
}

func TestPeriodicJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		k := kind[string, int](t, "report", nil)
		var mu sync.Mutex
		runs := map[string]int{}
		handler := k.Handler(func(ctx context.Context, _ string) (int, error) {
			run, _ := queue.RunOf(ctx)
			mu.Lock()
			defer mu.Unlock()
			runs[run.Job.Headers["slot"]]++
			return 0, nil
		})
		schedule := func(name string, when queue.When, late queue.CatchUp) queue.Schedule {
			s, err := k.Schedule(name, when, "x", &queue.ScheduleOptions{CatchUp: late})
			require.NoError(t, err)
			return s
		}
		hourly := []queue.Schedule{schedule("hourly", queue.Every(time.Hour), queue.CatchUpOnce)}
		var stops []func() error
		for range 3 { // as three machines would
			_, stop := newRig(t, store).work(&queue.WorkerOptions{Schedules: hourly}, handler)
			stops = append(stops, stop)
		}
		time.Sleep(10*time.Hour + time.Minute)
		for _, stop := range stops {
			require.NoError(t, stop())
		}
		require.Len(t, runs, 10)
		for slot, n := range runs {
			require.Equal(t, 1, n, slot)
		}
		// A week's rule, and a program that starts anew each day.
		weekly := []queue.Schedule{schedule("weekly", queue.Every(7*24*time.Hour), queue.CatchUpOnce)}
		clear(runs)
		for range 15 {
			_, stop := newRig(t, store).work(&queue.WorkerOptions{Schedules: weekly}, handler)
			time.Sleep(time.Hour)
			require.NoError(t, stop())
			time.Sleep(23 * time.Hour)
		}
		require.Len(t, runs, 2)
		// What was missed in three days.
		for late, want := range map[queue.CatchUp]int{queue.CatchUpOnce: 1, queue.CatchUpSkip: 0, queue.CatchUpAll: 3} {
			daily := []queue.Schedule{schedule(fmt.Sprint("daily", late), queue.Every(24*time.Hour), late)}
			_, stop := newRig(t, store).work(&queue.WorkerOptions{Schedules: daily}, handler)
			time.Sleep(time.Second)
			require.NoError(t, stop())
			clear(runs)
			time.Sleep(72 * time.Hour)
			_, stop = newRig(t, store).work(&queue.WorkerOptions{Schedules: daily}, handler)
			time.Sleep(time.Second)
			require.NoError(t, stop())
			require.Len(t, runs, want, "%v", late)
		}
	})
}

func TestCron(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	for _, c := range []struct{ spec, after, want string }{
		{"*/15 * * * *", "2026-03-01T10:07:00", "2026-03-01T10:15:00"},
		{"0 3 * * *", "2026-03-01T03:00:00", "2026-03-02T03:00:00"},
		{"0 3 * * 1-5", "2026-02-27T04:00:00", "2026-03-02T03:00:00"}, // Friday to Monday
		{"30 2 29 2 *", "2026-03-01T00:00:00", "2028-02-29T02:30:00"},
		{"0 0 13 * 5", "2026-03-01T00:00:00", "2026-03-06T00:00:00"}, // one of both is enough
		{"0 0 * * 7", "2026-03-02T00:00:00", "2026-03-08T00:00:00"},
		{"59 23 31 12 *", "2026-12-31T23:59:00", "2027-12-31T23:59:00"},
		{"30 2 * * *", "2026-03-28T12:00:00", "2026-03-30T02:30:00"}, // 02:30 does not exist on the 29th
		{"30 2 * * *", "2026-10-24T12:00:00", "2026-10-25T02:30:00"}, // and twice on 25 October
		{"5,10-20/5 8 1 */2 *", "2026-01-01T08:05:00", "2026-01-01T08:10:00"},
		{"0 0 31 2 *", "2026-01-01T00:00:00", ""},
	} {
		when, err := queue.Cron(c.spec, berlin)
		require.NoError(t, err, c.spec)
		after, err := time.ParseInLocation("2006-01-02T15:04:05", c.after, berlin)
		require.NoError(t, err)
		next := when.Next(after)
		if c.want == "" {
			require.True(t, next.IsZero(), c.spec)
			continue
		}
		require.Equal(t, c.want, next.Format("2006-01-02T15:04:05"), c.spec)
	}
	for _, bad := range []string{"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *", "5-1 * * * *", "*/0 * * * *", "1- * * * *", "-1 * * * *"} {
		_, err := queue.Cron(bad, nil)
		require.ErrorIs(t, err, queue.ErrOption, bad)
	}
}

func TestOptions(t *testing.T) {
	store := queue.NewMemory()
	_, err := queue.New(nil, nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = queue.New(store, &queue.Options{MaxPayload: -1})
	require.ErrorIs(t, err, queue.ErrOption)
	q, err := queue.New(store, nil)
	require.NoError(t, err)
	_, err = queue.NewKind[int, int]("", nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = queue.NewKind[int, int]("k", &queue.KindOptions{MaxAttempts: -1})
	require.ErrorIs(t, err, queue.ErrOption)
	k := kind[int, int](t, "k", nil)
	ok := k.Handler(func(context.Context, int) (int, error) { return 0, nil })
	for _, o := range []queue.WorkerOptions{
		{Concurrency: -1}, {Lease: -1}, {Lease: 1}, {Drain: -1}, {Grace: -1}, {GiveUp: -1}, {Lanes: []queue.Lane{{}}},
		{Lanes: []queue.Lane{{Queue: "a"}, {Queue: "a"}}}, {Lanes: []queue.Lane{{Queue: "a", Weight: -1}}},
		{Concurrency: 2, Lanes: []queue.Lane{{Queue: "a", Reserved: 2}, {Queue: "b"}}}, {Schedules: []queue.Schedule{{}}},
	} {
		_, err := queue.NewWorker(q, []queue.Handler{ok}, &o)
		require.ErrorIs(t, err, queue.ErrOption, "%+v", o)
	}
	for _, h := range [][]queue.Handler{nil, {ok, ok}, {k.Handler(nil)}} {
		_, err := queue.NewWorker(q, h, nil)
		require.ErrorIs(t, err, queue.ErrOption)
	}
	_, err = queue.NewWorker(nil, []queue.Handler{ok}, nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = k.Enqueue(t.Context(), nil, 1, nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = k.Enqueue(t.Context(), q, 1, &queue.JobOptions{Delay: -1})
	require.ErrorIs(t, err, queue.ErrOption)
	require.ErrorIs(t, q.Add(t.Context(), queue.Batch{Jobs: []*queue.Job{nil}}), queue.ErrOption)
	require.ErrorIs(t, q.Add(t.Context(), queue.Batch{Jobs: []*queue.Job{{ID: "a", Kind: "k", Queue: "q"}}}), queue.ErrOption)
	require.ErrorIs(t, store.Add(t.Context(), time.Now(), queue.Batch{Jobs: []*queue.Job{{ID: "a"}}}), queue.ErrOption)
	_, err = queue.Flow[int]{}.Enqueue(t.Context())
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = queue.Then(queue.Chain(q, k, 1, nil), (*queue.Kind[int, int])(nil)).Enqueue(t.Context())
	require.ErrorIs(t, err, queue.ErrOption)
	_, _, err = queue.EnqueueGroup(t.Context(), q, k, nil, kind[[]int, int](t, "s", nil), nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = k.Schedule("", queue.Every(1), 1, nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = queue.Open("", nil)
	require.ErrorIs(t, err, queue.ErrOption)
	_, err = queue.Open(t.TempDir(), &queue.JournalOptions{Sync: 9})
	require.ErrorIs(t, err, queue.ErrOption)
	var _ retry.Backoff = retry.Exponential{}
}

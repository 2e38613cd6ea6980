package celery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/redistest"
	"github.com/prodailabs/prodai/retry/queue"
	"github.com/prodailabs/prodai/retry/queue/celery"
)

func open(t *testing.T, client *redis.Client) (*celery.Store, *queue.Queue) {
	t.Helper()
	s, err := celery.New(client, &celery.Options{Poll: 10 * time.Millisecond})
	require.NoError(t, err)
	q, err := queue.New(s, &queue.Options{NewID: celery.NewID})
	require.NoError(t, err)
	return s, q
}

func kind[Out any](t *testing.T, name, lane string) *queue.Kind[celery.Call, Out] {
	t.Helper()
	k, err := queue.NewKind[celery.Call, Out](name, &queue.KindOptions{Queue: lane, MaxAttempts: 2})
	require.NoError(t, err)
	return k
}

func call(t *testing.T, values ...any) celery.Call {
	t.Helper()
	c, err := celery.Args(values...)
	require.NoError(t, err)
	return c
}

func work(t *testing.T, q *queue.Queue, o queue.WorkerOptions, handlers ...queue.Handler) {
	t.Helper()
	o.Lanes = []queue.Lane{{Queue: "go"}}
	w, err := queue.NewWorker(q, handlers, &o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func add(_ context.Context, c celery.Call) (any, error) {
	var x any
	var y any = 0.0
	if err := c.Bind([]string{"x", "y"}, &x, &y); err != nil {
		return nil, queue.Permanent(err)
	}
	if s, ok := x.(string); ok {
		return s + y.(string), nil
	}
	return x.(float64) + y.(float64), nil
}

func TestTasksFromGoToGo(t *testing.T) {
	client := redistest.Start(t).Client()
	store, q := open(t, client)
	ctx := t.Context()
	// Two messages that would end a Celery worker, before the good ones.
	bad := `{"body":"!","content-encoding":"utf-8","content-type":"application/json","headers":{"task":"go.add","id":"i"},"properties":{"body_encoding":"base64","delivery_tag":"x"}}`
	for _, raw := range []string{"not an envelope", `[1]`, bad} {
		require.NoError(t, client.LPush(ctx, "go", raw).Err())
	}
	k := kind[float64](t, "go.add", "go")
	failing := kind[int](t, "go.flaky", "go")
	var runs atomic.Int64
	work(t, q, queue.WorkerOptions{}, kind[any](t, "go.add", "go").Handler(add), failing.Handler(func(ctx context.Context, _ celery.Call) (int, error) {
		run, _ := queue.RunOf(ctx)
		if err := run.Progress(ctx, 0.5); err != nil {
			return 0, err
		}
		if runs.Add(1) == 1 {
			return 0, queue.Permanent(errors.New("no such file"))
		}
		return 7, nil
	}))
	id, err := k.Enqueue(ctx, q, call(t, 2, 3), &queue.JobOptions{Delay: 50 * time.Millisecond, Headers: map[string]string{"priority": "3"}})
	require.NoError(t, err)
	sum, err := k.Result(ctx, q, id)
	require.NoError(t, err)
	require.Equal(t, 5.0, sum)
	require.Eventually(t, func() bool {
		parked, err := store.Parked(ctx, "go")
		require.NoError(t, err)
		return len(parked) == 3
	}, time.Minute, 10*time.Millisecond)

	id, err = failing.Enqueue(ctx, q, call(t), nil)
	require.NoError(t, err)
	_, err = failing.Result(ctx, q, id)
	var dead *queue.DeadError
	require.ErrorAs(t, err, &dead)
	require.Contains(t, dead.Words, "no such file")
	letters, err := q.List(ctx, queue.Listing{Queue: "go", State: queue.StateDead})
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, []any{id, queue.ReasonPermanent, 1}, []any{letters[0].ID, letters[0].Reason, letters[0].Failures})
	n, err := q.RedriveAll(ctx, "")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	seven, err := failing.Result(ctx, q, id)
	require.NoError(t, err)
	require.Equal(t, 7, seven)
	stats, err := q.Stats(ctx)
	require.NoError(t, err)
	require.Equal(t, []queue.Stats{{Queue: "go"}}, stats)
	require.Empty(t, client.HGetAll(ctx, "unacked").Val())
	require.Empty(t, client.ZRange(ctx, "prodai.celery.leases", 0, -1).Val())

	other, _ := open(t, client)
	slot := time.Now().Truncate(time.Minute)
	for i, s := range []*celery.Store{store, other, store} {
		j, err := k.Job(q, call(t, 1, 1), nil)
		require.NoError(t, err)
		ok, err := s.AddSlot(ctx, time.Now(), "nightly", slot, queue.Batch{Jobs: []*queue.Job{j}})
		require.NoError(t, err)
		require.Equal(t, i == 0, ok, "of several machines, one makes a periodic task")
		if ok {
			two, err := k.Result(ctx, q, j.ID)
			require.NoError(t, err)
			require.Equal(t, 2.0, two)
		}
	}
	last, err := other.LastSlot(ctx, "nightly")
	require.NoError(t, err)
	require.True(t, slot.Equal(last))

	_, err = k.Enqueue(ctx, q, call(t, 1), &queue.JobOptions{Unique: "u"})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = celery.New(nil, nil)
	require.ErrorIs(t, err, celery.ErrOption)
	_, err = celery.New(client, &celery.Options{Poll: -1})
	require.ErrorIs(t, err, celery.ErrOption)
}

// A worker that is lost in the middle of a task loses nothing, and a task that ends
// each of its workers becomes a dead letter.
func TestALostWorkersTask(t *testing.T) {
	client := redistest.Start(t).Client()
	a, q := open(t, client)
	ctx := t.Context()
	k := kind[float64](t, "go.add", "go")
	id, err := k.Enqueue(ctx, q, call(t, 2, 3), nil)
	require.NoError(t, err)
	lease := 50 * time.Millisecond
	claim := func(s *celery.Store) *queue.Job {
		j, err := s.Claim(ctx, time.Now(), queue.Claim{Queues: []string{"go"}, Worker: "w", Lease: lease})
		require.NoError(t, err)
		if len(j) == 0 {
			return nil
		}
		return j[0]
	}
	for lost := range 3 {
		first := claim(a)
		require.Equal(t, id, first.ID)
		require.Equal(t, lost, first.Losses)
		require.Equal(t, 1, len(client.HGetAll(ctx, "unacked").Val()), "a Celery worker can restore it too")
		b, _ := open(t, client)
		require.Nil(t, claim(b))
		time.Sleep(2 * lease)
		n, err := b.Recover(ctx, time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.ErrorIs(t, a.Finish(ctx, time.Now(), queue.Lease{Job: first.ID, Number: first.Lease}, queue.Finish{State: queue.StateDone}), queue.ErrLeaseLost)
	}
	letters, err := q.List(ctx, queue.Listing{Queue: "go", State: queue.StateDead})
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, queue.ReasonLosses, letters[0].Reason)
}

// A worker whose clock is late takes what is due: it took the task and
// delayed it again forever.
func TestAClockThatIsLate(t *testing.T) {
	s, q := open(t, redistest.Start(t).Client())
	k := kind[float64](t, "go.add", "go")
	id, err := k.Enqueue(t.Context(), q, call(t, 2, 3), &queue.JobOptions{Delay: time.Millisecond})
	require.NoError(t, err)
	var jobs []*queue.Job
	for len(jobs) == 0 {
		jobs, err = s.Claim(t.Context(), time.Now().Add(-time.Hour), queue.Claim{Queues: []string{"go"}, Worker: "w", Lease: time.Hour})
		require.NoError(t, err)
	}
	require.Equal(t, id, jobs[0].ID)
}

func TestBind(t *testing.T) {
	c, err := call(t, 1).With("y", "two")
	require.NoError(t, err)
	x, y, z := 0, "", 3.0
	require.NoError(t, c.Bind([]string{"x", "y", "z"}, &x, &y, &z))
	require.Equal(t, []any{1, "two", 3.0}, []any{x, y, z})
	require.Error(t, c.Bind([]string{"y"}, &y))
	require.Error(t, c.Bind([]string{"x"}, &x))
	require.Error(t, c.Bind(nil))
	require.Error(t, c.Bind([]string{"x", "y"}, &x, &x))
	_, err = celery.Args(func() {})
	require.Error(t, err)
}

// python is an interpreter that has Celery.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("PRODAI_CELERY")
	if name == "" {
		t.Skip("PRODAI_CELERY names no Python that has celery[redis]")
	}
	return name
}

// TestARealCelery runs the round trip both ways with Celery's own worker and producer.
func TestARealCelery(t *testing.T) {
	interpreter := python(t)
	client := redistest.Start(t).Client()
	_, q := open(t, client)
	env := append(os.Environ(), "LAB_REDIS=redis+socket://"+client.Options().Addr, "PYTHONPATH=testdata")
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(interpreter, args...)
		cmd.Env = env
		return cmd
	}
	var log bytes.Buffer
	worker := run("-m", "celery", "-A", "lab", "worker", "-P", "threads", "-c", "2", "-l", "INFO")
	worker.Stdout, worker.Stderr = &log, &log
	require.NoError(t, worker.Start())
	stopped := make(chan struct{})
	go func() {
		_ = worker.Wait()
		close(stopped)
	}()
	t.Cleanup(func() {
		_ = worker.Process.Kill()
		<-stopped
		if t.Failed() {
			t.Log(log.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	// A Go producer, and Celery's worker.
	sum := kind[int](t, "lab.add", "celery")
	id, err := sum.Enqueue(ctx, q, call(t, 2, 3), nil)
	require.NoError(t, err)
	n, err := sum.Result(ctx, q, id)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	named, err := call(t, 2).With("y", 40)
	require.NoError(t, err)
	id, err = sum.Enqueue(ctx, q, named, &queue.JobOptions{Delay: time.Second, Headers: map[string]string{"priority": "9"}})
	require.NoError(t, err)
	n, err = sum.Result(ctx, q, id)
	require.NoError(t, err)
	require.Equal(t, 42, n)
	fail := kind[int](t, "lab.fail", "celery")
	id, err = fail.Enqueue(ctx, q, call(t, "oh"), nil)
	require.NoError(t, err)
	_, err = fail.Result(ctx, q, id)
	var dead *queue.DeadError
	require.ErrorAs(t, err, &dead)
	require.Equal(t, "ValueError: oh", dead.Words)

	// Celery's producer, and a Go worker. "go.slow" takes longer than the visibility
	// timeout, and runs once because its lease is renewed.
	require.NoError(t, client.LPush(ctx, "go", "no envelope").Err())
	var slow atomic.Int64
	work(t, q, queue.WorkerOptions{Lease: 2 * time.Second}, kind[any](t, "go.add", "go").Handler(add),
		kind[int](t, "go.fail", "go").Handler(func(_ context.Context, c celery.Call) (int, error) {
			var words string
			if err := c.Bind([]string{"words"}, &words); err != nil {
				return 0, err
			}
			return 0, queue.Permanent(errors.New(words))
		}),
		kind[int64](t, "go.slow", "go").Handler(func(context.Context, celery.Call) (int64, error) {
			slow.Add(1)
			time.Sleep(8 * time.Second)
			return slow.Load(), nil
		}))
	out, err := run("testdata/lab.py", "produce").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "ok", strings.TrimSpace(string(out)))
	select {
	case <-stopped:
		t.Fatal("Celery's worker ended")
	default:
	}
	var raw json.RawMessage
	require.ErrorIs(t, client.Get(ctx, "celery-task-meta-none").Scan(&raw), redis.Nil)
}

package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/queue"
)

// TestMain is also the child program of the tests below, which is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PRODAI_QUEUE_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const childConcurrency = 4

// child enqueues jobs and works until it is killed. "acked" has the jobs whose
// Enqueue returned, "ran" those whose handler did its work.
func child(dir string) error {
	journal, err := queue.Open(filepath.Join(dir, "jobs"), nil)
	if err != nil {
		return err
	}
	q, err := queue.New(journal, nil)
	if err != nil {
		return err
	}
	// A kill is not the job's fault, and the test kills often.
	k, err := queue.NewKind[string, string]("work", &queue.KindOptions{MaxLosses: 1000})
	if err != nil {
		return err
	}
	note := func(name string) (func(string), error) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		return func(line string) { _, _ = f.WriteString(line + "\n") }, err
	}
	acked, err := note("acked")
	if err != nil {
		return err
	}
	ran, err := note("ran")
	if err != nil {
		return err
	}
	w, err := queue.NewWorker(q, []queue.Handler{k.Handler(func(_ context.Context, in string) (string, error) {
		if in == "exit" {
			os.Exit(3)
		}
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		ran(in)
		return in, nil
	})}, &queue.WorkerOptions{Concurrency: childConcurrency, Lanes: []queue.Lane{{Queue: "poison"}, {Queue: "default"}}, Strict: true})
	if err != nil {
		return err
	}
	if os.Getenv("PRODAI_QUEUE_LAST") == "" {
		for p := range 2 {
			go func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d-%d-%d", os.Getpid(), p, i)
					if _, err := k.Enqueue(context.Background(), q, id, &queue.JobOptions{ID: id}); err == nil {
						acked(id)
					}
				}
			}()
		}
		return w.Run(context.Background())
	}
	// The last child does what is left.
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for {
			stats, err := q.Stats(ctx)
			if err != nil || len(stats) > 0 && left(stats) == 0 {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if err := w.Run(ctx); err != nil {
		return err
	}
	return journal.Close()
}

func left(stats []queue.Stats) (n int) {
	for _, s := range stats {
		n += s.Ready + s.Scheduled + s.Running
	}
	return n
}

func start(t *testing.T, dir string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "PRODAI_QUEUE_CHILD="+dir)...)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	return cmd
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.Fields(string(data))
}

// TestGrowthKill kills the child at random points. No job that was acknowledged is
// lost, and no more jobs run twice than were running when a child was killed.
func TestGrowthKill(t *testing.T) {
	kills := 12
	if os.Getenv("PRODAI_GROWTH") != "" {
		kills = 200
	}
	dir := t.TempDir()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "acked"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for range kills {
		before := size()
		cmd := start(t, dir)
		deadline := time.Now().Add(30 * time.Second)
		for size() == before && time.Now().Before(deadline) { // until it has begun to work
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(40_000)) * time.Microsecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	cmd := start(t, dir, "PRODAI_QUEUE_LAST=1")
	require.NoError(t, cmd.Wait())
	ran := map[string]int{}
	twice := 0
	for _, id := range lines(t, filepath.Join(dir, "ran")) {
		if ran[id]++; ran[id] > 1 {
			twice++
		}
	}
	journal, err := queue.Open(filepath.Join(dir, "jobs"), nil)
	require.NoError(t, err)
	defer journal.Close()
	dead, err := journal.List(t.Context(), queue.Listing{State: queue.StateDead})
	require.NoError(t, err)
	require.Empty(t, dead)
	acked := lines(t, filepath.Join(dir, "acked"))
	for _, id := range acked {
		require.Positive(t, ran[id], "job %s is lost", id)
	}
	require.LessOrEqual(t, twice, kills*childConcurrency)
	t.Logf("%d kills, %d jobs acknowledged, 0 lost, %d ran twice (at most %d were running)", kills, len(acked), twice, kills*childConcurrency)
	require.Greater(t, len(acked), kills)
}

// TestAJobThatEndsItsProgram: the run is counted before it begins, so the job becomes
// a dead letter although no program survived it.
func TestAJobThatEndsItsProgram(t *testing.T) {
	dir := t.TempDir()
	open := func() (*queue.Journal, *queue.Queue) {
		journal, err := queue.Open(filepath.Join(dir, "jobs"), nil)
		require.NoError(t, err)
		q, err := queue.New(journal, nil)
		require.NoError(t, err)
		return journal, q
	}
	journal, q := open()
	k := kind[string, string](t, "work", nil)
	id, err := k.Enqueue(t.Context(), q, "exit", &queue.JobOptions{Queue: "poison"})
	require.NoError(t, err)
	patient := kind[string, string](t, "work", &queue.KindOptions{MaxLosses: 1000}) // it may run beside the other one each time
	other, err := patient.Enqueue(t.Context(), q, "healthy", nil)
	require.NoError(t, err)
	require.NoError(t, journal.Close())
	for range 3 {
		require.Error(t, start(t, dir, "PRODAI_QUEUE_LAST=1").Wait(), "the job ends its program")
	}
	require.NoError(t, start(t, dir, "PRODAI_QUEUE_LAST=1").Wait())
	journal, q = open()
	defer journal.Close()
	j, err := q.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []any{queue.StateDead, queue.ReasonLosses, 3, 0}, []any{j.State, j.Reason, j.Losses, j.Failures})
	j, err = q.Get(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, queue.StateDone, j.State)
	n, err := q.RedriveAll(t.Context(), "poison")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

package suite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

func TestRunResumesFromItsJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	suite := Suite{Name: "squares", Version: "v1", Cases: numbered(100), Metrics: testMetrics(t)}
	var ran atomic.Int64
	suite.System = func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
		ran.Add(1)
		return squarer(ctx, c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	partial, err := Run(ctx, suite, &Options{Journal: path, Concurrency: 4, Progress: func(p Progress) {
		if p.Done == 40 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, partial.Cases, 40)
	require.Less(t, partial.Cases, 100)

	ran.Store(0)
	report, err := Run(t.Context(), suite, &Options{Journal: path, Concurrency: 4})
	require.NoError(t, err)
	require.EqualValues(t, 100-partial.Cases, ran.Load())
	fresh, err := Run(t.Context(), suite, nil)
	require.NoError(t, err)
	for i := range fresh.Metrics {
		require.Equal(t, fresh.Metrics[i], report.Metrics[i])
	}

	ran.Store(0)
	report, err = Run(t.Context(), suite, &Options{Journal: path, RetryErrors: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, ran.Load(), "only the two failed cases run again")
	require.Equal(t, 100, report.Cases)

	for name, change := range map[string]func(*Suite){
		"another dataset version": func(s *Suite) { s.Version = "v2" },
		"other metrics":           func(s *Suite) { s.Metrics = s.Metrics[:3] },
		"other cases":             func(s *Suite) { s.Cases = numbered(99) },
		"changed cases": func(s *Suite) {
			s.Cases = func(yield func(*eval.Case, error) bool) {
				for c := range numbered(100) {
					c.Input += "!"
					if !yield(c, nil) {
						return
					}
				}
			}
		},
	} {
		other := suite
		change(&other)
		_, err := Run(t.Context(), other, &Options{Journal: path})
		require.ErrorIs(t, err, ErrJournal, name)
	}
}

func TestJournalSurvivesAnyCut(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.jsonl")
	suite := Suite{Cases: numbered(12), System: squarer, Metrics: testMetrics(t)[:1]}
	want, err := Run(t.Context(), suite, &Options{Journal: path})
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := 0; cut <= len(whole); cut += 7 {
		file := filepath.Join(dir, fmt.Sprint(cut))
		require.NoError(t, os.WriteFile(file, whole[:cut], 0o644))
		finished := max(0, strings.Count(string(whole[:cut]), "\n")-1)
		ran := 0
		s := suite
		s.System = func(ctx context.Context, c *eval.Case) (*eval.Output, error) { ran++; return squarer(ctx, c) }
		got, err := Run(t.Context(), s, &Options{Journal: file})
		require.NoError(t, err, "cut at %d", cut)
		require.Equal(t, 12-finished, ran, "cut at %d", cut)
		require.Equal(t, want.Metrics, got.Metrics)
	}
	damaged := strings.Replace(string(whole), `"index":3`, `"index":x`, 1)
	require.NoError(t, os.WriteFile(path, []byte(damaged), 0o644))
	_, err = Run(t.Context(), suite, &Options{Journal: path})
	require.ErrorIs(t, err, ErrJournal)
}

// TestKilledRunLosesAndRepeatsNothing kills a child process at many points and
// starts it again until the suite is done. The child writes a line for every case
// that the run reported as finished; none of those may run again.
func TestKilledRunLosesAndRepeatsNothing(t *testing.T) {
	const cases = 200
	if log := os.Getenv("EVAL_KILLED_RUN"); log != "" {
		killedRun(t, log, cases)
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	log := filepath.Join(t.TempDir(), "log")
	rng := rand.New(rand.NewPCG(7, 7))
	kills := 0
	for {
		cmd := exec.Command(exe, "-test.run=^TestKilledRunLosesAndRepeatsNothing$")
		cmd.Env = append(os.Environ(), "EVAL_KILLED_RUN="+log)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines, after := bufio.NewScanner(stdout), 1+rng.IntN(25)
		_, err = stdin.Write(make([]byte, after)) // leave for so many cases; the pipe holds them
		require.NoError(t, err)
		done := false
		for after > 0 && lines.Scan() {
			after--
			done = done || lines.Text() == "all done"
		}
		for start, d := time.Now(), time.Duration(rng.IntN(400))*time.Microsecond; time.Since(start) < d; { // in the middle of what comes next
		}
		_ = cmd.Process.Kill() // SIGKILL: no handler runs; it fails if the child is done
		_ = cmd.Wait()
		if done {
			break
		}
		kills++
		require.Less(t, kills, 500)
	}
	require.Greater(t, kills, 5, "the child has to be killed for the test to mean something")

	data, err := os.ReadFile(log + ".calls")
	require.NoError(t, err)
	acknowledged := map[string]bool{}
	calls := 0
	for line := range strings.Lines(string(data)) {
		what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch what {
		case "call":
			calls++
			require.False(t, acknowledged[id], "%s was finished and ran again", id)
		case "done":
			require.False(t, acknowledged[id], "%s finished twice", id)
			acknowledged[id] = true
		}
	}
	seen := map[int]bool{}
	for rec, err := range ReadJournal(log) {
		require.NoError(t, err)
		require.False(t, seen[rec.Index], "case %d is in the journal twice", rec.Index)
		seen[rec.Index] = true
	}
	require.Len(t, seen, cases)
	t.Logf("killed %d times, %d calls for %d cases", kills, calls, cases)
}

func killedRun(t *testing.T, log string, cases int) {
	calls, err := os.OpenFile(log+".calls", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	suite := Suite{Cases: numbered(cases), Metrics: testMetrics(t), System: func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
		fmt.Fprintf(calls, "call %s\n", c.ID)
		return squarer(ctx, c)
	}}
	_, err = Run(t.Context(), suite, &Options{Journal: log, Concurrency: 3, Progress: func(p Progress) {
		fmt.Fprintf(calls, "done %s\n", p.Record.Case.ID)
		fmt.Println("tick")
		_, _ = os.Stdin.Read(make([]byte, 1)) // wait for leave
	}})
	require.NoError(t, err)
	fmt.Println("all done")
}

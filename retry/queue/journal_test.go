package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
)

var at = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func openAt(t *testing.T, dir string, o *JournalOptions) *Journal {
	t.Helper()
	if o == nil {
		o = &JournalOptions{}
	}
	if o.Now == nil {
		o.Now = func() time.Time { return at }
	}
	j, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func testJob(id string) *Job {
	return &Job{ID: id, Kind: "kind", Queue: "q" + id[len(id)-1:], Payload: json.RawMessage(`"` + id + `"`), MaxAttempts: 3, MaxLosses: 2, Keep: time.Hour, Enqueued: at, RunAt: at}
}

// state returns everything that a journal knows, jobs in the order of their arrival.
func state(t *testing.T, s *shared) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []string
	for _, r := range s.t.jobs {
		x := *r
		x.seq = 0
		row := fmt.Sprintf("%+v", *x.job())
		rows = append(rows, row)
	}
	for _, g := range s.t.groups {
		rows = append(rows, fmt.Sprintf("group %+v", *g))
	}
	for name, slot := range s.t.slots {
		rows = append(rows, fmt.Sprint("slot ", name, slot))
	}
	slices.Sort(rows)
	return fmt.Sprint(rows)
}

// churn makes n random steps on a store.
func churn(t *testing.T, s Store, r *rand.Rand, n int) {
	t.Helper()
	ctx := context.Background()
	var held []Lease
	must := func(err error) {
		t.Helper()
		var d *DuplicateError
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrLeaseLost) && !errors.As(err, &d) {
			t.Fatal(err)
		}
	}
	for range n {
		id := fmt.Sprintf("j%02d", r.IntN(100))
		switch r.IntN(10) {
		case 0, 1, 2:
			j := testJob(id)
			j.RunAt = at.Add(time.Duration(r.IntN(3)-1) * time.Hour)
			if r.IntN(3) == 0 {
				j.Unique = fmt.Sprint("u", r.IntN(5))
				j.Headers = map[string]string{"a": "b"}
			}
			must(s.Add(ctx, at, Batch{Jobs: []*Job{j}}))
		case 3:
			g := fmt.Sprintf("g%02d", r.IntN(100))
			a, b := testJob(id+"a1"), testJob(id+"b2")
			a.Group, b.Group, b.GroupIndex = g, g, 1
			must(s.Add(ctx, at, Batch{Jobs: []*Job{a, b}, Groups: []Group{{ID: g, Total: 2, Then: Step{Kind: "sum", MaxAttempts: 1, MaxLosses: 1, Keep: time.Hour}}}}))
		case 4, 5, 6:
			j, err := s.Claim(ctx, at, Claim{Queues: []string{"q0", "q1", "q2", "q3", "q4"}, Worker: "w", Lease: time.Minute})
			must(err)
			for _, j := range j {
				held = append(held, Lease{j.ID, j.Lease})
			}
		case 7, 8:
			if len(held) > 0 {
				f := Finish{State: StateDone + State(r.IntN(2)), Result: json.RawMessage("7"), Error: "e"}
				if r.IntN(3) == 0 {
					f = Finish{State: StatePending, RunAt: at.Add(time.Hour), Failed: true}
				}
				must(s.Finish(ctx, at, held[0], f))
				held = held[1:]
			}
		case 9:
			must(s.Redrive(ctx, at, id))
			must(s.Delete(ctx, id))
			_, err := s.AddSlot(ctx, at, "s", at.Add(time.Duration(r.IntN(1000))*time.Second), Batch{})
			must(err)
		}
	}
}

// lost is what a journal has after its program died: the running jobs are lost.
func lost(t *testing.T, j *Journal) string {
	t.Helper()
	require.NoError(t, j.step(context.Background(), false, func(tb *table) error {
		tb.recover(at.UnixNano(), true)
		return nil
	}))
	return state(t, &j.shared)
}

func TestAJournalIsTheSameAfterReopening(t *testing.T) {
	o := &JournalOptions{Sync: SyncNever}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		j := openAt(t, dir, o)
		churn(t, j, r, 150)
		if r.IntN(2) == 0 {
			require.NoError(t, j.Compact())
			churn(t, j, r, 50)
		}
		var backup bytes.Buffer
		require.NoError(t, j.Backup(&backup))
		want := lost(t, j)
		require.NoError(t, j.Close())
		require.Equal(t, want, state(t, &openAt(t, dir, o).shared), "seed %d", seed)

		other := t.TempDir()
		require.NoError(t, Restore(other, &backup))
		require.Equal(t, want, state(t, &openAt(t, other, o).shared), "seed %d: backup", seed)
		require.ErrorIs(t, Restore(other, bytes.NewReader(nil)), ErrOption)
	}
}

func TestOneProgramOpensAJournal(t *testing.T) {
	dir := t.TempDir()
	j := openAt(t, dir, nil)
	_, err := Open(dir, nil)
	require.ErrorContains(t, err, "open in another program")
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Add(t.Context(), at, Batch{Jobs: []*Job{testJob("a1")}}), ErrClosed)
	openAt(t, dir, nil)
}

// A log that is cut anywhere opens with exactly the steps whose frames are whole.
func TestATornTailIsCutOff(t *testing.T) {
	dir := t.TempDir()
	j := openAt(t, dir, nil)
	for i := range 2 {
		require.NoError(t, j.Add(t.Context(), at, Batch{Jobs: []*Job{testJob(fmt.Sprintf("j%d", i))}}))
	}
	require.NoError(t, j.Close())
	whole, err := os.ReadFile(filepath.Join(dir, "00000001.log"))
	require.NoError(t, err)
	// Where each job's frame ends.
	var ends []int
	for i := range 2 {
		ends = append(ends, bytes.Index(whole, fmt.Appendf(nil, `"j%d"`, i)))
	}
	before := 0
	for cut := range len(whole) + 1 {
		for _, noise := range [][]byte{nil, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte("noise that is no frame")} {
			if noise != nil && cut%7 != 0 { // each takes a file system some milliseconds
				continue
			}
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "00000001.log"), append(slices.Clone(whole[:cut]), noise...), 0o600))
			var repaired int64
			j, err := Open(dir, &JournalOptions{OnRepair: func(_ string, n int64) { repaired = n }, Sync: SyncNever, Now: func() time.Time { return at }})
			if cut < 8 && noise != nil && cut+len(noise) >= 8 { // not a header
				require.Error(t, err)
				continue
			}
			require.NoError(t, err, "cut %d", cut)
			n := len(j.t.jobs)
			require.NoError(t, j.Close())
			if noise == nil {
				require.GreaterOrEqual(t, n, before, "cut %d", cut)
				require.LessOrEqual(t, n, len(slices.DeleteFunc(slices.Clone(ends), func(e int) bool { return e > cut })), "cut %d", cut)
				before = n
			} else if cut > 8 {
				require.Positive(t, repaired, "cut %d", cut)
				require.GreaterOrEqual(t, n, before, "cut %d", cut)
				require.LessOrEqual(t, n, before+1, "cut %d: zeros may be the missing end", cut)
			}
		}
	}
	require.Equal(t, 2, before)
}

// A changed byte in what was on the disk is no torn tail: jobs that were acknowledged
// are after it, and dropping them in silence would lose them.
func TestDamageIsNotATornTail(t *testing.T) {
	dir := t.TempDir()
	j := openAt(t, dir, nil)
	for i := range 10 {
		require.NoError(t, j.Add(t.Context(), at, Batch{Jobs: []*Job{testJob(fmt.Sprintf("j%d", i))}}))
	}
	require.NoError(t, j.Close())
	name := filepath.Join(dir, "00000001.log")
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	for at := 8; at < bytes.Index(whole, []byte(`"j5"`)); at++ {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x41
		require.NoError(t, os.WriteFile(name, damaged, 0o600))
		_, err = Open(dir, nil)
		var c *CorruptError
		require.ErrorAs(t, err, &c, "byte %d", at)
	}
	whole[7] = 9
	require.NoError(t, os.WriteFile(name, whole, 0o600))
	_, err = Open(dir, nil)
	require.ErrorContains(t, err, "format 9")
}

func TestADamagedSnapshotIsNoEmptyQueue(t *testing.T) {
	dir := t.TempDir()
	j := openAt(t, dir, nil)
	require.NoError(t, j.Add(t.Context(), at, Batch{Jobs: []*Job{testJob("a1")}}))
	require.NoError(t, j.Compact())
	require.NoError(t, j.Close())
	name := filepath.Join(dir, "00000002.snap")
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	for cut := range len(whole) {
		require.NoError(t, os.WriteFile(name, whole[:cut], 0o600))
		_, err := Open(dir, nil)
		var c *CorruptError
		require.ErrorAs(t, err, &c, "cut %d", cut)
	}
}

func TestCompactionRunsBesideSteps(t *testing.T) {
	dir := t.TempDir()
	j := openAt(t, dir, &JournalOptions{CompactAfter: 20_000, Sync: SyncNever})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				id := fmt.Sprintf("%d-%d", g, i)
				if err := j.Add(t.Context(), at, Batch{Jobs: []*Job{testJob(id)}}); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					if err := j.Delete(t.Context(), id); err != nil {
						t.Error(err)
					}
				}
				if i%100 == 0 {
					if err := j.Compact(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	want := state(t, &j.shared)
	require.NoError(t, j.Close())
	files, err := journalFiles(dir)
	require.NoError(t, err)
	require.Len(t, files.snaps, 1)
	require.Greater(t, files.snaps[0], uint64(10))
	j = openAt(t, dir, nil)
	require.Equal(t, want, state(t, &j.shared))
	require.Len(t, j.t.jobs, 1000)
}

// A disk is a file that can be full, or can fail to sync.
type disk struct {
	logFile
	room   *int64 // bytes that can still be written; negative: no limit
	noSync *bool
}

func (d disk) WriteAt(b []byte, off int64) (int, error) {
	if *d.room >= 0 && int64(len(b)) > *d.room {
		n, _ := d.logFile.WriteAt(b[:*d.room], off)
		*d.room = 0
		return n, syscall.ENOSPC
	}
	if *d.room >= 0 {
		*d.room -= int64(len(b))
	}
	return d.logFile.WriteAt(b, off)
}

func (d disk) Sync() error {
	if *d.noSync {
		return syscall.EIO
	}
	return d.logFile.Sync()
}

func TestAFullDiskLosesNothing(t *testing.T) {
	room, noSync := int64(-1), false
	now := at
	dir := t.TempDir()
	o := &JournalOptions{Now: func() time.Time { return now }, create: func(name string) (logFile, error) {
		f, err := createFile(name)
		return disk{logFile: f, room: &room, noSync: &noSync}, err
	}}
	j := openAt(t, dir, o)
	ctx := t.Context()
	var stored []string // ids whose Add returned nil
	add := func(id string) error {
		err := j.Add(ctx, now, Batch{Jobs: []*Job{testJob(id)}})
		if err == nil {
			stored = append(stored, id)
		}
		return err
	}
	require.NoError(t, add("a1"))
	running, err := j.Claim(ctx, now, Claim{Queues: []string{"q1"}, Worker: "w", Lease: time.Hour})
	require.NoError(t, err)
	for full := int64(0); ; full++ {
		room = full
		err := add(fmt.Sprintf("full%03d-1", full))
		if err == nil {
			require.Greater(t, full, int64(50), "a whole frame")
			room = -1
			break
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorIs(t, add("again-1"), syscall.ENOSPC) // not asked again at once
		_, err = j.Claim(ctx, now, Claim{Queues: []string{"q1"}, Worker: "w", Lease: time.Hour})
		require.ErrorIs(t, err, syscall.ENOSPC)
		room = -1
		now = now.Add(2 * time.Second)
		require.NoError(t, add(fmt.Sprintf("ok%03d-1", full)))
	}
	require.NoError(t, j.Finish(ctx, now, Lease{running[0].ID, running[0].Lease}, Finish{State: StateDone}), "its lease goes on")
	ids := func(j *Journal) (out []string) {
		for id := range j.t.jobs {
			out = append(out, id)
		}
		slices.Sort(out)
		return out
	}
	slices.Sort(stored)
	require.Equal(t, stored, ids(j))
	require.NoError(t, j.Close())
	j = openAt(t, dir, o)
	require.Equal(t, stored, ids(j))

	noSync = true
	require.ErrorIs(t, add("b1"), syscall.EIO)
	noSync = false
	now = now.Add(time.Hour)
	require.ErrorIs(t, add("b2"), syscall.EIO, "after a failed fsync nothing is promised")
	require.ErrorIs(t, j.Close(), syscall.EIO)
	j = openAt(t, dir, o)
	require.NoError(t, add("b3"))
}

// inUse returns the bytes in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestGrowthAMillionJobsOpen(t *testing.T) {
	n := 20_000
	if os.Getenv("PRODAI_GROWTH") != "" {
		n = 1_000_000
	}
	dir := t.TempDir()
	j := openAt(t, dir, &JournalOptions{Sync: SyncNever, CompactAfter: 1 << 40})
	for i := 0; i < n; i += 100 {
		var b Batch
		for k := range 100 {
			job := testJob(fmt.Sprintf("%032d", i+k))
			job.Queue = "default"
			b.Jobs = append(b.Jobs, job)
		}
		require.NoError(t, j.Add(t.Context(), at, b))
	}
	for _, form := range []string{"log", "snapshot"} {
		if form == "snapshot" {
			require.NoError(t, j.Compact())
		}
		require.NoError(t, j.Close())
		memory := inUse()
		before, start := growth.ProcessorTime(), time.Now()
		j = openAt(t, dir, &JournalOptions{Sync: SyncNever})
		used, took := growth.ProcessorTime()-before, time.Since(start)
		t.Logf("%d pending jobs open from a %s in %v, %v of processor time; each takes %d bytes", n, form, took, used, (inUse()-memory)/uint64(n))
		s, err := j.Stats(t.Context(), at)
		require.NoError(t, err)
		require.Equal(t, n, s[0].Ready)
	}
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var errPower = errors.New("the power failed")

// power is a disk that loses power: what was not synced may be on it or not, sector
// by sector, in any order.
type power struct {
	mu    sync.Mutex
	files map[string]*powerFile
	off   bool
}

// A powerFile remembers what its last Sync put on the disk, and the writes and
// truncations since then.
type powerFile struct {
	logFile
	disk   *power
	synced []byte
	since  []change
}

// A change is a write at an offset or, without data, a truncation to it.
type change struct {
	data []byte
	at   int64
}

const sector = 512

func (p *power) create(name string) (logFile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := createFile(name)
	if err != nil {
		return nil, err
	}
	onDisk, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file := &powerFile{logFile: f, disk: p, synced: onDisk}
	p.files[name] = file
	return file, nil
}

// while does something that needs power.
func (f *powerFile) while(do func() error) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return errPower
	}
	return do()
}

func (f *powerFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.while(func() error {
		f.since = append(f.since, change{slices.Clone(b), off})
		n, err = f.logFile.WriteAt(b, off)
		return err
	})
	return n, err
}

func (f *powerFile) Truncate(size int64) error {
	return f.while(func() error {
		f.since = append(f.since, change{nil, size})
		return f.logFile.Truncate(size)
	})
}

func (f *powerFile) Sync() error {
	time.Sleep(200 * time.Microsecond) // a disk takes its time, in which the power can fail
	return f.while(func() error {
		f.synced = applied(f.synced, f.since, func() bool { return true })
		f.since = nil
		return nil
	})
}

// applied returns the bytes of a file after those changes that reached the disk.
func applied(file []byte, changes []change, reached func() bool) []byte {
	file = slices.Clone(file)
	for _, c := range changes {
		if c.data == nil {
			if reached() {
				file = append(file, make([]byte, max(0, int(c.at)-len(file)))...)[:c.at]
			}
			continue
		}
		for data, at := c.data, int(c.at); len(data) > 0; {
			n := min(len(data), sector-at%sector)
			if reached() {
				file = append(file, make([]byte, max(0, at+n-len(file)))...)
				copy(file[at:], data[:n])
			}
			data, at = data[n:], at+n
		}
	}
	return file
}

// fail ends all power, and returns a folder with what is on the disk.
func (p *power) fail(t *testing.T, r *rand.Rand, dir string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = true
	after := t.TempDir()
	require.NoError(t, os.CopyFS(after, os.DirFS(dir)))
	share := r.Float64() // of the sectors that reached the disk
	for name, f := range p.files {
		name = filepath.Join(after, filepath.Base(name))
		if _, err := os.Stat(name); err != nil {
			continue // a compaction removed it
		}
		require.NoError(t, os.WriteFile(name, applied(f.synced, f.since, func() bool { return r.Float64() < share }), 0o600))
	}
	return after
}

// TestAPowerFailureLosesNothing: after a power failure, each job that was acknowledged is
// there, each end that was acknowledged has happened, and the journal opens.
func TestAPowerFailureLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 19))
	lost := 0
	for round := range 40 {
		dir := t.TempDir()
		p := &power{files: map[string]*powerFile{}}
		j, err := Open(dir, &JournalOptions{create: p.create, CompactAfter: 20_000})
		require.NoError(t, err)
		var mu sync.Mutex
		var added, done []string
		var steps atomic.Int64
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				ctx := context.Background()
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d.%d-q", w, i)
					if err := j.Add(ctx, time.Now(), Batch{Jobs: []*Job{testJob(id)}}); err != nil {
						return
					}
					mu.Lock()
					added = append(added, id)
					mu.Unlock()
					steps.Add(1)
					jobs, err := j.Claim(ctx, time.Now(), Claim{Queues: []string{"qq"}, Worker: "w", Lease: time.Hour})
					if err != nil || len(jobs) == 0 || i%3 == 0 {
						continue
					}
					if j.Finish(ctx, time.Now(), Lease{jobs[0].ID, jobs[0].Lease}, Finish{State: StateDone}) == nil {
						mu.Lock()
						done = append(done, jobs[0].ID)
						mu.Unlock()
					}
				}
			})
		}
		until := int64(10 + r.IntN(300))
		for steps.Load() < until {
			time.Sleep(50 * time.Microsecond)
		}
		after := p.fail(t, r, dir)
		all.Wait()
		_ = j.Close()
		restored, err := Open(after, &JournalOptions{OnRepair: func(string, int64) { lost++ }})
		require.NoError(t, err, "round %d", round)
		for _, id := range added {
			require.Contains(t, restored.t.jobs, id, "round %d", round)
		}
		for _, id := range done {
			require.Equal(t, StateDone, restored.t.jobs[id].state, "round %d: %s", round, id)
		}
		require.NoError(t, restored.Close())
	}
	require.Positive(t, lost, "some power failures tear the end of a log")
}

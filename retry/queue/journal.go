package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A Sync is when a journal asks the operating system to put its files on the disk.
type Sync uint8

// The syncs.
const (
	SyncAlways      Sync = iota // before a step is acknowledged: the zero value
	SyncEverySecond             // a power failure loses at most the last second; a dead process nothing
	SyncNever                   // the system decides; a dead process loses nothing
)

// JournalOptions are the settings of [Open].
type JournalOptions struct {
	// Sync is when steps are put on the disk. Default: SyncAlways.
	Sync Sync

	// CompactAfter is how many bytes the log may have before it is replaced by a
	// snapshot. It may always have as many as the snapshot. Default: 64 MiB.
	CompactAfter int64

	// OnRepair is called by Open if the end of the log was torn by a crash, with the
	// file and how many bytes were cut off. Nothing in them was acknowledged. Default:
	// nothing.
	OnRepair func(file string, bytes int64)

	// Now is the clock. Default: time.Now.
	Now func() time.Time

	// create opens a file of the log. Default: os.OpenFile.
	create func(name string) (logFile, error)
}

// A CorruptError is damage in a part of a journal that had been on the disk. It is
// not the torn end that a crash leaves. Restore a backup.
type CorruptError struct {
	File   string
	Offset int64
	Err    error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("queue: %s is damaged at byte %d: %v", e.File, e.Offset, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// A Journal is a [Store] in a folder. Each step is appended to a log with a checksum.
// One program at a time can have the folder open. It is safe for concurrent use.
//
// Steps that run at the same time share one fsync (group commit). A claim is written
// before the job is given out, so that a job that kills its process is counted. It
// reaches the disk with the next fsync: after a power failure, one run may be missing
// in the count.
type Journal struct {
	shared
	dir  string
	o    JournalOptions
	lock io.Closer

	// Locks are taken in this order: compacting, syncing, writing, shared.mu.
	compacting sync.Mutex
	syncing    sync.Mutex // the file isn't replaced while it is synced
	writing    sync.Mutex // the order of the file
	file       logFile    // these four: with writing
	number     uint64
	offset     int64 // the file's good bytes
	spare      []byte

	synced  int64  // of offset: these with shared.mu
	buf     []byte // frames that are not written yet
	batch   *batch // the steps that wait for the next fsync
	broken  bool   // an fsync failed: what is on the disk is unknown
	healed  time.Time
	kick    chan struct{}
	stop    chan struct{}
	stopped sync.WaitGroup
	lastErr error // of the last compaction
}

type batch struct {
	done chan struct{}
	err  error
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

// A logFile is what a journal needs of an *os.File.
type logFile interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

func createFile(name string) (logFile, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}

// Open opens the journal in a folder, which it makes if needed. The jobs that were
// running when the last program ended count as lost: they go back to their queues at
// once, or to the dead letters.
func Open(dir string, o *JournalOptions) (*Journal, error) {
	if dir == "" {
		return nil, optionError("the folder of Open is empty")
	}
	j := &Journal{dir: dir, kick: make(chan struct{}, 1), stop: make(chan struct{}), batch: newBatch()}
	if o != nil {
		j.o = *o
	}
	if j.o.Sync > SyncNever {
		return nil, optionError("JournalOptions.Sync is %d: want SyncAlways (0) to SyncNever (%d)", j.o.Sync, SyncNever)
	}
	if j.o.CompactAfter < 0 {
		return nil, optionError("JournalOptions.CompactAfter is %d: want 0 (the default, 64 MiB) or more", j.o.CompactAfter)
	}
	if j.o.CompactAfter == 0 {
		j.o.CompactAfter = 64 << 20
	}
	if j.o.Now == nil {
		j.o.Now = time.Now
	}
	if j.o.create == nil {
		j.o.create = createFile
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("queue: the journal %s is open in another program: %w", dir, err)
	}
	j.lock = lock
	if err := j.begin(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return j, nil
}

// begin reads the files and starts the goroutine that syncs.
func (j *Journal) begin() error {
	l, err := load(j.dir, j.o.Now().UnixNano())
	if err != nil {
		return err
	}
	if l.torn > 0 && j.o.OnRepair != nil {
		j.o.OnRepair(l.last, l.torn)
	}
	j.shared.t, j.shared.news = l.t, make(chan struct{})
	if err := j.openLog(l.number, l.offset); err != nil {
		return err
	}
	j.shared.commit = j.commit
	j.shared.heal = j.heal
	j.stopped.Go(j.syncer)
	return j.step(context.Background(), true, func(t *table) error {
		t.recover(j.o.Now().UnixNano(), true)
		return nil
	})
}

// openLog makes a log file the one that is written to.
func (j *Journal) openLog(number uint64, offset int64) error {
	f, err := j.o.create(j.path(number, ".log"))
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	if offset == 0 {
		header := fileHeader(headerLog)
		if _, err := f.WriteAt(header, 0); err != nil {
			_ = f.Close()
			return fmt.Errorf("queue: %w", err)
		}
		offset = int64(len(header))
	}
	if err = f.Truncate(offset); err == nil {
		if err = f.Sync(); err == nil {
			err = syncDir(j.dir)
		}
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("queue: %w", err)
	}
	j.file, j.number, j.offset, j.synced = f, number, offset, offset
	return nil
}

func (j *Journal) path(number uint64, ext string) string {
	return filepath.Join(j.dir, fmt.Sprintf("%08d%s", number, ext))
}

// commit puts the table's transaction into the buffer. The lock shared.mu is held.
func (j *Journal) commit(durable bool) func() error {
	j.buf = appendFrame(j.buf, j.t.out)
	if !durable || j.o.Sync != SyncAlways {
		return func() error {
			_, _, err := j.flush(false)
			return err
		}
	}
	b := j.batch
	select {
	case j.kick <- struct{}{}:
	default:
	}
	return func() error {
		<-b.done
		return b.err
	}
}

// flush writes the buffer to the file. With take, it also returns the steps that
// wait for an fsync of what is written now.
func (j *Journal) flush(take bool) (logFile, *batch, error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	if j.failed != nil {
		err := j.failed
		j.mu.Unlock()
		return nil, nil, err
	}
	buf := j.buf
	j.buf = j.spare[:0]
	j.spare = nil
	var b *batch
	if take {
		b = j.batch
		j.batch = newBatch()
		if len(buf) > 0 {
			buf = appendSynced(buf, j.synced)
		}
	}
	j.mu.Unlock()
	err := j.write(buf)
	if cap(buf) <= 1<<20 {
		j.spare = buf[:0]
	}
	if err != nil && b != nil {
		b.err = err
		close(b.done)
	}
	return j.file, b, err
}

// write appends to the file. The lock writing is held.
func (j *Journal) write(buf []byte) error {
	if len(buf) == 0 {
		return nil
	}
	if _, err := j.file.WriteAt(buf, j.offset); err != nil {
		err = fmt.Errorf("queue: the journal can't be written: %w", err)
		_ = j.file.Truncate(j.offset) // heal does it again if this fails
		j.fail(err, false)
		return err
	}
	j.offset += int64(len(buf))
	return nil
}

// fail ends all steps that wait, and refuses new ones. What they changed in the
// table is not on the disk, so the table is read again before the next step.
func (j *Journal) fail(err error, broken bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed, j.broken = err, j.broken || broken
	j.buf = j.buf[:0]
	j.batch.err = err
	close(j.batch.done)
	j.batch = newBatch()
	j.healed = j.o.Now()
	close(j.news)
	j.news = make(chan struct{})
}

// heal tries to continue after a failed write, for example because the disk was
// full: it reads the state from the disk again. Leases of this process stay. It does
// so once a second at most. After a failed fsync it never does: the system may have
// dropped what was to be written, and no read can find out. The lock is not held.
func (j *Journal) heal() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil || j.broken || errors.Is(j.failed, ErrClosed) || j.o.Now().Sub(j.healed) < time.Second {
		return j.failed
	}
	j.healed = j.o.Now()
	if err := j.file.Truncate(j.offset); err != nil {
		return j.failed
	}
	l, err := load(j.dir, j.o.Now().UnixNano())
	if err != nil {
		return j.failed
	}
	for id, r := range l.t.running {
		if old := j.t.running[id]; old != nil && old.lease == r.lease {
			r.leaseEnd = old.leaseEnd
		}
	}
	j.shared.t, j.failed = l.t, nil
	return nil
}

// syncer is the goroutine that asks for fsyncs.
func (j *Journal) syncer() {
	tick := time.NewTicker(time.Second) // claims, and steps of the other syncs
	defer tick.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-j.kick:
		case <-tick.C:
		}
		j.sync()
		j.mu.Lock()
		full := j.o.CompactAfter
		full = max(full, j.t.live)
		j.mu.Unlock()
		j.writing.Lock()
		due := j.offset > full
		j.writing.Unlock()
		if due && j.compacting.TryLock() {
			j.stopped.Go(func() {
				defer j.compacting.Unlock()
				err := j.compact()
				j.mu.Lock()
				j.lastErr = err
				j.mu.Unlock()
			})
		}
	}
}

// sync writes and syncs what is in the buffer, and ends the steps that wait for it.
func (j *Journal) sync() {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	file, b, err := j.flush(true)
	if err != nil || b == nil {
		return
	}
	j.writing.Lock()
	upTo := j.offset
	j.writing.Unlock()
	if j.o.Sync != SyncNever {
		if err = file.Sync(); err != nil {
			err = fmt.Errorf("queue: the journal can't be put on the disk: %w", err)
			j.fail(err, true)
		}
	}
	if err == nil {
		j.mu.Lock()
		j.synced = max(j.synced, upTo)
		j.mu.Unlock()
	}
	b.err = err
	close(b.done)
}

// Compact replaces the log by a snapshot. A journal does so itself when the log is
// long. It runs beside other steps.
func (j *Journal) Compact() error {
	j.compacting.Lock()
	defer j.compacting.Unlock()
	return j.compact()
}

func (j *Journal) compact() error {
	snap, number, err := j.rotate()
	if err != nil {
		return err
	}
	tmp := j.path(number, ".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("queue: compaction: %w", err)
	}
	err = snap.write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(tmp, j.path(number, ".snap"))
	}
	if err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("queue: compaction: %w", err)
	}
	return removeOlder(j.dir, number)
}

// rotate begins a new log and returns the state before it.
func (j *Journal) rotate() (*snapshot, uint64, error) {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	if j.failed != nil {
		defer j.mu.Unlock()
		return nil, 0, j.failed
	}
	buf := j.buf
	j.buf = nil
	snap := j.t.snapshot()
	j.mu.Unlock()
	// Steps that begin now wait for the lock writing, and go into the new log.
	if err := j.write(buf); err != nil {
		return nil, 0, err
	}
	if err := j.file.Sync(); err != nil {
		err = fmt.Errorf("queue: the journal can't be put on the disk: %w", err)
		j.fail(err, true)
		return nil, 0, err
	}
	old, number := j.file, j.number
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.openLog(number+1, 0); err != nil {
		_ = os.Remove(j.path(number+1, ".log"))
		return nil, 0, err
	}
	return snap, number + 1, old.Close()
}

// Close puts everything on the disk and ends the journal. Steps after it fail with
// [ErrClosed]. It also returns the error of the last compaction that failed.
func (j *Journal) Close() error {
	j.mu.Lock()
	if errors.Is(j.failed, ErrClosed) {
		j.mu.Unlock()
		return nil
	}
	j.mu.Unlock()
	j.sync()
	j.compacting.Lock() // a compaction that runs ends first
	defer j.compacting.Unlock()
	close(j.stop)
	j.mu.Lock()
	before := j.failed
	compaction := j.lastErr
	j.mu.Unlock()
	j.sync()
	j.fail(ErrClosed, false)
	j.stopped.Wait()
	j.writing.Lock()
	err := j.file.Sync()
	err = errors.Join(err, j.file.Close(), j.lock.Close(), compaction)
	j.writing.Unlock()
	if before != nil {
		return before
	}
	return err
}

package queue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Backup writes the whole state to w while the journal is open. [Restore] reads it.
func (j *Journal) Backup(w io.Writer) error {
	j.mu.Lock()
	if j.failed != nil {
		defer j.mu.Unlock()
		return j.failed
	}
	snap := j.t.snapshot()
	j.mu.Unlock()
	return snap.write(w)
}

// Restore makes a journal in an empty folder from what [Journal.Backup] wrote.
func Restore(dir string, r io.Reader) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	files, err := journalFiles(dir)
	if err != nil {
		return err
	}
	if len(files.snaps)+len(files.logs) > 0 {
		return optionError("the folder %s has a journal: want an empty one", dir)
	}
	tmp := filepath.Join(dir, "00000001.tmp")
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = readSnapshot(tmp, newTable())
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, "00000001.snap"))
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(dir)
}

package retrieve

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrCorrupt is wrapped by the error of a collection's file that is damaged, in a
// way that a crash can't cause: a bit has changed, or the file isn't a collection.
var ErrCorrupt = errors.New("retrieve: the collection's file is damaged")

// ErrLocked is wrapped by the error of a collection that another process has open.
var ErrLocked = errors.New("retrieve: the collection is open in another process")

// A journal is the file of a collection: a first line that identifies the format,
// then records. Records are only appended. Each is
//
//	length of the payload   uint32, little-endian
//	CRC-32C of the payload  uint32
//	CRC-32C of those eight  uint32
//	payload
//
// and is written by one Write and synced before it counts. A crash can only leave a
// part of the last record, which opening cuts off. A wrong checksum anywhere else
// is [ErrCorrupt], since a wrong answer is worse than none.
type journal struct {
	path     string
	file     *os.File
	size     int64
	chain    uint32 // checksum of the heads of all records
	last     int64  // where the last record begins; 0: there is none
	lastHead []byte // its head
	readOnly bool
	locked   io.Closer // the lock, if it is not the file's own
	lost     int64     // bytes of an incomplete last record, when it was opened
}

// ErrVersion is wrapped by the error of a collection's file whose format is a later one
// than this program knows.
var ErrVersion = errors.New("retrieve: the collection's file has another format")

const (
	magicName = "prodai collection "
	magic     = magicName + "1\n"
	frameHead = 12
	maxRecord = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openJournal opens or creates the file, calls apply with each record's payload,
// and cuts off an incomplete last record. A file that is opened for reading isn't
// locked, changed or created.
func openJournal(path string, readOnly bool, apply func(j *journal, payload []byte) error) (*journal, error) {
	j := &journal{path: path, readOnly: readOnly}
	for { // until the file that is locked is the one at path
		var file *os.File
		err := fs.ErrPermission
		if !j.readOnly {
			file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		}
		if isReadOnly(err) {
			j.readOnly = true
			file, err = os.Open(path)
		}
		if err != nil {
			return nil, fmt.Errorf("retrieve: %w", err)
		}
		j.file = file
		if j.readOnly {
			break
		}
		if j.locked, err = lock(path, file); err != nil {
			_ = file.Close() // the lock's error is the one to report
			return nil, fmt.Errorf("%w: %s: %w", ErrLocked, path, err)
		}
		if isAt(file, path) {
			break
		}
		if err := j.close(); err != nil {
			return nil, fmt.Errorf("retrieve: %w", err)
		}
	}
	if err := j.replay(func(payload []byte) error { return apply(j, payload) }); err != nil {
		_ = j.close() // the replay's error is the one to report
		return nil, err
	}
	return j, nil
}

func (j *journal) replay(apply func([]byte) error) error {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return fmt.Errorf("retrieve: read %s: %w", j.path, err)
	}
	if len(data) < len(magic) && magic[:len(data)] == string(data) { // new, or cut while being made
		if j.readOnly {
			j.lost = int64(len(data))
			return nil
		}
		return j.reset([]byte(magic))
	}
	if !bytes.HasPrefix(data, []byte(magic)) {
		if version, ok := laterVersion(data); ok {
			return fmt.Errorf("%w: %s has version %s, this program knows 1", ErrVersion, j.path, version)
		}
		return fmt.Errorf("%w: %s doesn't begin as a collection does", ErrCorrupt, j.path)
	}
	j.size = int64(len(magic))
	if err := j.records(data[len(magic):], apply); err != nil {
		return err
	}
	if j.lost = int64(len(data)) - j.size; j.lost > 0 && !j.readOnly {
		if err := j.file.Truncate(j.size); err != nil {
			return fmt.Errorf("retrieve: cut the torn end of %s: %w", j.path, err)
		}
	}
	return nil
}

// laterVersion returns the version of a collection's file that is above 1.
func laterVersion(data []byte) (string, bool) {
	line, _, ok := bytes.Cut(data[:min(len(data), len(magic)+8)], []byte("\n"))
	version, named := bytes.CutPrefix(line, []byte(magicName))
	if n, err := strconv.ParseUint(string(version), 10, 32); !ok || !named || err != nil || n <= 1 {
		return "", false
	}
	return string(version), true
}

// records calls apply with the records that data begins with, and moves j.size after
// each before the call.
func (j *journal) records(data []byte, apply func(payload []byte) error) error {
	for len(data) > 0 {
		payload, err := frame(data)
		if errors.Is(err, errTorn) {
			return nil
		}
		at := j.size
		if err == nil {
			j.passed(data[:frameHead], len(payload))
			err = apply(payload)
		}
		if err != nil {
			return fmt.Errorf("%w: %s at byte %d: %w", ErrCorrupt, j.path, at, err)
		}
		data = data[frameHead+len(payload):]
	}
	return nil
}

// passed moves the end to after a record.
func (j *journal) passed(head []byte, payload int) {
	j.last, j.lastHead = j.size, bytes.Clone(head)
	j.chain = crc32.Update(j.chain, castagnoli, head)
	j.size += int64(frameHead + payload)
}

// errReplaced is the error of following a file that is not the one that was read.
var errReplaced = errors.New("the file was replaced")

// follow calls apply with the records that a writer has appended. It fails with
// errReplaced if the writer has replaced the file or taken back its last record.
func (j *journal) follow(apply func(payload []byte) error) error {
	if !isAt(j.file, j.path) {
		return errReplaced
	}
	if j.last > 0 {
		head := make([]byte, frameHead)
		if _, err := j.file.ReadAt(head, j.last); err != nil || !bytes.Equal(head, j.lastHead) {
			return errReplaced
		}
	}
	info, err := j.file.Stat()
	if err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	if j.size < int64(len(magic)) || info.Size() < j.size { // it was new, or cut
		return errReplaced
	}
	data := make([]byte, info.Size()-j.size)
	n, err := j.file.ReadAt(data, j.size)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("retrieve: read %s: %w", j.path, err)
	}
	return j.records(data[:n], apply)
}

// ErrReadOnly is wrapped by the errors of changes to a collection whose file can
// only be read. It can be searched all the same.
var ErrReadOnly = errors.New("retrieve: the collection's file is read-only")

// isAt reports whether the open file is the one at path: another process may have
// replaced it by a compacted one since it was opened.
func isAt(file *os.File, path string) bool {
	mine, err1 := file.Stat()
	theirs, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(mine, theirs)
}

// isReadOnly reports whether a file cannot be opened for writing, but perhaps for
// reading.
func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// errTorn is the error for data that end in the middle of a record.
var errTorn = errors.New("torn record")

// frame returns the payload of the record that data begins with.
func frame(data []byte) ([]byte, error) {
	if len(data) < frameHead || allZero(data) { // some file systems extend a file before they write its content
		return nil, errTorn
	}
	n := binary.LittleEndian.Uint32(data)
	if !isHead(data) {
		if allZero(data[:frameHead]) && !headFollows(data) {
			return nil, errTorn // the last record: its first page wasn't written, a later one was
		}
		return nil, errors.New("the record's head fails its checksum")
	}
	if uint64(n) > uint64(len(data)-frameHead) {
		return nil, errTorn
	}
	payload := data[frameHead : frameHead+int(n)]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
		if len(data) == frameHead+int(n) {
			return nil, errTorn // the last record: not all of its pages were written
		}
		return nil, errors.New("the record fails its checksum")
	}
	return payload, nil
}

// isHead reports whether data begins with the head of a record.
func isHead(data []byte) bool {
	return crc32.Checksum(data[:8], castagnoli) == binary.LittleEndian.Uint32(data[8:])
}

// headFollows reports whether the head of a record is anywhere in data.
func headFollows(data []byte) bool {
	for i := range len(data) - frameHead {
		if !allZero(data[i:i+frameHead]) && isHead(data[i:]) {
			return true
		}
	}
	return false
}

func allZero(data []byte) bool {
	return len(bytes.TrimLeft(data, "\x00")) == 0
}

// appendFrame appends a record to b.
func appendFrame(b, payload []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:start+8], castagnoli))
	return append(b, payload...)
}

// append writes a record and returns when it is on the disk. After an error
// the file is as it was before.
func (j *journal) append(record any) error {
	if j.readOnly {
		return fmt.Errorf("%w: %s", ErrReadOnly, j.path)
	}
	payload, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	if len(payload) > maxRecord {
		return fmt.Errorf("retrieve: a change of %d bytes is more than a record holds (%d)", len(payload), maxRecord)
	}
	b := appendFrame(make([]byte, 0, frameHead+len(payload)), payload)
	if _, err = j.file.WriteAt(b, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("retrieve: write %s: %w", j.path, err), j.file.Truncate(j.size))
	}
	j.passed(b[:frameHead], len(payload))
	return nil
}

// reset makes data the file's content.
func (j *journal) reset(data []byte) error {
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	if _, err := j.file.WriteAt(data, 0); err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("retrieve: %w", err)
	}
	j.size, j.chain, j.last = int64(len(data)), 0, 0
	return syncFolder(filepath.Dir(j.path))
}

// compact replaces the file by one with only the given records. The new file is
// written next to the old one, synced and renamed, so that a crash leaves the old
// or the new one.
func (j *journal) compact(records []*change) error {
	beside := j.path + ".compact"
	file, err := writeFile(beside, records)
	if err == nil {
		j.file, err = replace(beside, j.path, file, j.file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("retrieve: compact %s: %w", j.path, err), discard(file, beside))
	}
	j.size, j.chain, j.last = int64(len(magic)), 0, 0
	data, err := io.ReadAll(io.NewSectionReader(j.file, j.size, 1<<62))
	if err == nil {
		err = j.records(data, func([]byte) error { return nil })
	}
	return errors.Join(err, syncFolder(filepath.Dir(j.path)))
}

// writeFile writes a new file of records, synced.
func writeFile(path string, records []*change) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(file, 1<<16)
	_, err = w.WriteString(magic)
	for _, r := range records {
		if err != nil {
			break
		}
		var payload []byte
		if payload, err = json.Marshal(r); err == nil {
			_, err = w.Write(appendFrame(nil, payload))
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	return file, err
}

// replaceClosed is replace for systems that don't rename an open file or replace one: it
// closes both, and opens the one at to again.
func replaceClosed(from, to string, fresh, old *os.File) (*os.File, error) {
	_ = fresh.Close() // it was synced
	_ = old.Close()   // what was acknowledged was synced
	err := os.Rename(from, to)
	now, open := os.OpenFile(to, os.O_RDWR, 0)
	if open != nil {
		now = old // closed: changes fail from here on
	}
	return now, errors.Join(err, open)
}

// discard removes a file that was not finished; nil is none.
func discard(file *os.File, path string) error {
	if file == nil {
		return nil
	}
	return errors.Join(ignoreClosed(file.Close()), os.Remove(path))
}

func (j *journal) close() error {
	err := ignoreClosed(j.file.Close())
	if j.locked != nil {
		err = errors.Join(err, ignoreClosed(j.locked.Close()))
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

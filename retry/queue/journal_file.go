package queue

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The format of a file: a header of eight bytes, then frames. A frame is one
// transaction: its length and its CRC-32C (Castagnoli), four bytes each, little
// endian, and then the operations of record.go.
//
//	"prodaiQ" version  |  length crc operations  |  length crc operations  | …
//
// NNNNNNNN.snap is the whole state, NNNNNNNN.log the steps after it. A state is the
// newest snapshot and the logs from its number on.
const (
	magic         = "prodai"
	headerLog     = 'L'
	headerSnap    = 'S'
	formatVersion = 1
	frameHead     = 8
	longestFrame  = 1 << 30
	opSynced      = 'Y' // up to which byte the log was on the disk before this frame
	syncedLen     = 9
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func fileHeader(kind byte) []byte { return append([]byte(magic), kind, formatVersion) }

func appendFrame(b, payload []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	return append(b, payload...)
}

// appendSynced notes that the log was on the disk up to a byte. So a damaged byte
// before it is more than a torn end.
func appendSynced(b []byte, upTo int64) []byte {
	payload := [syncedLen]byte{opSynced}
	binary.LittleEndian.PutUint64(payload[1:], uint64(upTo))
	return appendFrame(b, payload[:])
}

// lastSynced returns the largest note of appendSynced in the bytes of a log.
func lastSynced(tail []byte) (upTo int64) {
	head := binary.LittleEndian.AppendUint32(nil, syncedLen)
	for {
		i := bytes.Index(tail, head)
		if i < 0 || len(tail)-i < frameHead+syncedLen {
			return upTo
		}
		payload := tail[i+frameHead : i+frameHead+syncedLen]
		if payload[0] == opSynced && crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(tail[i+4:]) {
			upTo = max(upTo, int64(binary.LittleEndian.Uint64(payload[1:])))
		}
		tail = tail[i+1:]
	}
}

type fileSet struct{ snaps, logs []uint64 }

func journalFiles(dir string) (out fileSet, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return out, fmt.Errorf("queue: %w", err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		n, err := strconv.ParseUint(strings.TrimSuffix(e.Name(), ext), 10, 64)
		if err != nil {
			continue
		}
		switch ext {
		case ".snap":
			out.snaps = append(out.snaps, n)
		case ".log":
			out.logs = append(out.logs, n)
		}
	}
	slices.Sort(out.snaps)
	slices.Sort(out.logs)
	return out, nil
}

// removeOlder deletes the files that a snapshot replaces.
func removeOlder(dir string, number uint64) error {
	files, err := journalFiles(dir)
	if err != nil {
		return err
	}
	for _, n := range files.logs {
		if n < number {
			err = errors.Join(err, os.Remove(filepath.Join(dir, fmt.Sprintf("%08d.log", n))))
		}
	}
	for _, n := range files.snaps {
		if n < number {
			err = errors.Join(err, os.Remove(filepath.Join(dir, fmt.Sprintf("%08d.snap", n))))
		}
	}
	return err
}

// loaded is what the files of a journal contain.
type loaded struct {
	t      *table
	number uint64 // of the log to continue
	offset int64  // its good bytes; 0: there is none
	last   string
	torn   int64 // bytes after the good ones
}

func load(dir string, now int64) (*loaded, error) {
	files, err := journalFiles(dir)
	if err != nil {
		return nil, err
	}
	l := &loaded{t: newTable(), number: 1}
	if n := len(files.snaps); n > 0 {
		l.number = files.snaps[n-1]
		name := filepath.Join(dir, fmt.Sprintf("%08d.snap", l.number))
		if err := readSnapshot(name, l.t); err != nil {
			return nil, err
		}
	}
	logs := slices.DeleteFunc(files.logs, func(n uint64) bool { return n < l.number })
	for i, n := range logs {
		if i > 0 && n != logs[i-1]+1 {
			return nil, &CorruptError{File: filepath.Join(dir, fmt.Sprintf("%08d.log", n-1)), Err: os.ErrNotExist}
		}
		l.number = n
		l.last = filepath.Join(dir, fmt.Sprintf("%08d.log", n))
		good, total, bad, err := readFrames(l.last, headerLog, l.t)
		if err != nil {
			return nil, err
		}
		l.offset, l.torn = good, total-good
		if bad != nil && i < len(logs)-1 {
			return nil, &CorruptError{File: l.last, Offset: good, Err: bad}
		}
		if bad != nil {
			if err := torn(l.last, good, bad); err != nil {
				return nil, err
			}
		}
	}
	l.t.rebuild(now)
	return l, nil
}

// torn returns an error if the bytes from good on are not just what a crash leaves.
func torn(name string, good int64, bad error) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	defer func() { _ = f.Close() }()
	tail, err := io.ReadAll(io.NewSectionReader(f, good, 1<<62))
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	if lastSynced(tail) > good {
		return &CorruptError{File: name, Offset: good, Err: bad}
	}
	return nil
}

var errChecksum = errors.New("queue: the checksum is wrong")

func readSnapshot(name string, t *table) error {
	good, _, bad, err := readFrames(name, headerSnap, t)
	if err != nil {
		return err
	}
	if bad == nil && !t.ended {
		bad = errShort
	}
	if bad != nil {
		return &CorruptError{File: name, Offset: good, Err: bad}
	}
	return nil
}

// readFrames applies the frames of a file to a table. bad is why it stopped before
// the end, at the byte good.
func readFrames(name string, kind byte, t *table) (good, total int64, bad, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("queue: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, nil, fmt.Errorf("queue: %w", err)
	}
	total = info.Size()
	r := bufio.NewReaderSize(f, 1<<20)
	want := fileHeader(kind)
	header := make([]byte, len(want))
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, total, errShort, nil // a crash before the header was on the disk
	}
	if header[7] > formatVersion && string(header[:7]) == string(want[:7]) {
		return 0, total, nil, fmt.Errorf("queue: %s has the format %d, and this program knows 1 to %d: use a newer version", name, header[7], formatVersion)
	}
	if string(header) != string(want) {
		return 0, total, nil, &CorruptError{File: name, Err: errors.New("not a journal of this package")}
	}
	good = int64(len(header))
	t.expect = int(min(total/128, 1<<21)) // a guess that saves growing
	var head [frameHead]byte
	var payload []byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if errors.Is(err, io.EOF) && good == total {
				return good, total, nil, nil
			}
			return good, total, errShort, nil
		}
		n := binary.LittleEndian.Uint32(head[:])
		if int64(n) > total-good-frameHead || n > longestFrame {
			return good, total, errShort, nil
		}
		if cap(payload) < int(n) {
			payload = make([]byte, n)
		}
		payload = payload[:n]
		if _, err := io.ReadFull(r, payload); err != nil {
			return good, total, errShort, nil
		}
		if n == 0 || crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
			return good, total, errChecksum, nil
		}
		if err := t.replay(payload); err != nil {
			return good, total, nil, &CorruptError{File: name, Offset: good, Err: err}
		}
		good += frameHead + int64(n)
	}
}

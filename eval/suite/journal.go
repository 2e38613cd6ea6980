package suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/prodailabs/prodai/eval"
)

// ErrJournal means that a run can't resume from a journal: it belongs to another
// suite, dataset or set of metrics, or was damaged.
var ErrJournal = errors.New("suite: the journal doesn't fit")

// A journal is the file of a run's results: a line that names the suite, then one
// [Record] a line, in the order in which cases finished.
//
// A record is appended in one write and counts once its line break is there. A
// process that is killed leaves at most one torn line at the end, which the next
// start cuts off. The case of that line runs again, and no other case does.
type journal struct {
	file *os.File
	done []uint64 // by case: a fingerprint, 0 if the case isn't finished
	held []*Record
}

type header struct {
	Suite   string           `json:"suite"`
	Version string           `json:"version"`
	Metrics []eval.Signature `json:"metrics"`
}

// openJournal opens or creates the file and calls finished for every record in
// it. An empty path keeps records in memory.
func openJournal(path string, h header, retryErrors bool, finished func(*Record) error) (*journal, error) {
	j := &journal{}
	if path == "" {
		return j, nil
	}
	if retryErrors {
		if err := dropErrors(path); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("suite: the journal: %w", err)
	}
	j.file = file
	if err := j.load(h, finished); err != nil {
		_ = file.Close() // the first error counts
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return j, nil
}

func (j *journal) load(h header, finished func(*Record) error) error {
	var found *header
	end, err := scanJournal(j.file, func(got header) { found = &got }, func(r *Record) error {
		if r.Index < 0 || r.Index > 1<<40 || r.Case == nil {
			return fmt.Errorf("%w: a record of case %d", ErrJournal, r.Index)
		}
		if !j.mark(r.Index, r.Case) {
			return fmt.Errorf("%w: case %d is recorded twice", ErrJournal, r.Index)
		}
		return finished(r)
	})
	if err != nil {
		return err
	}
	if found != nil && (found.Suite != h.Suite || found.Version != h.Version || !slices.Equal(found.Metrics, h.Metrics)) {
		return fmt.Errorf("%w: it is of suite %q, dataset %q, metrics %v; this is suite %q, dataset %q, metrics %v", ErrJournal,
			found.Suite, found.Version, names(found.Metrics), h.Suite, h.Version, names(h.Metrics))
	}
	if err := j.file.Truncate(end); err != nil {
		return fmt.Errorf("suite: cutting the journal's torn end off: %w", err)
	}
	if _, err := j.file.Seek(end, io.SeekStart); err != nil {
		return fmt.Errorf("suite: the journal: %w", err)
	}
	if found == nil {
		return j.write(h)
	}
	return nil
}

func names(sigs []eval.Signature) []string {
	out := make([]string, len(sigs))
	for i, s := range sigs {
		out[i] = s.Name()
	}
	return out
}

// scanJournal reads a journal's whole lines and returns where they end.
func scanJournal(r io.Reader, onHeader func(header), onRecord func(*Record) error) (end int64, err error) {
	br := bufio.NewReaderSize(r, 1<<16)
	for first := true; ; first = false {
		line, err := br.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil // the rest has no line break: a torn line
		}
		if err != nil {
			return end, fmt.Errorf("suite: reading the journal: %w", err)
		}
		if first {
			var h header
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&h); err != nil {
				return end, fmt.Errorf("%w: its first line is not a header: %w", ErrJournal, err)
			}
			onHeader(h)
		} else {
			var rec Record
			if err := json.Unmarshal(line, &rec); err != nil {
				return end, fmt.Errorf("%w: the line at byte %d: %w", ErrJournal, end, err)
			}
			if err := onRecord(&rec); err != nil {
				return end, err
			}
		}
		end += int64(len(line))
	}
}

// dropErrors rewrites a journal without the cases that the system failed on.
// The new file replaces the old one whole, so that a crash leaves one of them.
func dropErrors(path string) error {
	in, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("suite: the journal: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("suite: the journal: %w", err)
	}
	defer func() { // both fail once it was closed and renamed
		_ = out.Close()
		_ = os.Remove(out.Name())
	}()
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var wrote error
	_, err = scanJournal(in, func(h header) { wrote = enc.Encode(h) }, func(r *Record) error {
		if r.Error != "" {
			return nil
		}
		return enc.Encode(r)
	})
	if err := errors.Join(wrote, err, w.Flush(), out.Close(), in.Close()); err != nil {
		return fmt.Errorf("suite: rewriting the journal: %w", err)
	}
	return os.Rename(out.Name(), path)
}

// fingerprint is equal for equal cases, and differs for a changed case.
func fingerprint(c *eval.Case) uint64 {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(c) // strings, ints and maps of them always encode
	return max(1, h.Sum64())
}

func (j *journal) mark(index int, c *eval.Case) bool {
	for len(j.done) <= index {
		j.done = append(j.done, 0)
	}
	if j.done[index] != 0 {
		return false
	}
	j.done[index] = fingerprint(c)
	return true
}

// has reports whether the case was finished by an earlier start.
func (j *journal) has(index int, c *eval.Case) (bool, error) {
	if index >= len(j.done) || j.done[index] == 0 {
		return false, nil
	}
	if j.done[index] != fingerprint(c) {
		return false, fmt.Errorf("%w: case %d (%s) is not the one that was run", ErrJournal, index, c.ID)
	}
	return true, nil
}

// beyond counts the finished cases from index n on.
func (j *journal) beyond(n int) int {
	count := 0
	for i := n; i < len(j.done); i++ {
		if j.done[i] != 0 {
			count++
		}
	}
	return count
}

// append adds a record. An output that JSON can't express (an infinite
// log-probability) becomes an error of the system: one bad answer must not stop
// a run of thousands.
func (j *journal) append(r *Record) error {
	if j.file == nil {
		j.held = append(j.held, r)
		return nil
	}
	err := j.write(r)
	if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
		r.Output, r.Results, r.Error = nil, nil, "the output can't be stored: "+err.Error()
		return j.write(r)
	}
	return err
}

func (j *journal) write(v any) error {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("suite: the journal: %w", err)
	}
	if _, err := j.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("suite: the journal: %w", err)
	}
	return nil
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close() // every write was checked, and close doesn't flush
	}
}

// ReadJournal reads the records of a journal, in the order in which the cases
// finished. A torn line at the end is left out. It stops at the first error.
func ReadJournal(path string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("suite: the journal: %w", err))
			return
		}
		defer func() { _ = file.Close() }() // it was only read
		stopped := errors.New("stopped")
		_, err = scanJournal(file, func(header) {}, func(r *Record) error {
			if !yield(r, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

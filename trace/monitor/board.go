package monitor

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace/jsonl"
)

// BoardOptions are the settings of a [Board].
type BoardOptions struct {
	// MaxSpans is how many of the newest spans are kept in memory. Default: 20,000.
	MaxSpans int
	// MaxNotes is how many of the newest scores, and of the newest alerts, are kept.
	// Default: 5,000.
	MaxNotes int
}

// A Score is a judgment of an answer: of a judge, or of the user.
type Score struct {
	TraceID string    `json:"trace"`
	Name    string    `json:"name"` // what was judged: "faithful", "feedback"
	Value   float64   `json:"value"`
	At      time.Time `json:"at"`
}

// A Notice is an alert that fired or resolved, or a detector's alarm.
type Notice struct {
	At    time.Time `json:"at"`
	Name  string    `json:"name"`
	State string    `json:"state"`
	Text  string    `json:"text"`
}

// A Board keeps the newest spans, scores and alerts in memory, for a dashboard. It is
// an exporter of OpenTelemetry's SDK and is safe for concurrent use.
type Board struct {
	o BoardOptions

	mu      sync.Mutex
	version int64
	spans   []jsonl.Record
	scores  []Score
	notices []Notice
	dropped int64
	changed chan struct{} // is closed at the next change
	summary *Summary      // of summed
	summed  int64
	traces  []*jsonl.Trace // of grouped
	grouped int64
}

// NewBoard fails with [ErrOption].
func NewBoard(o *BoardOptions) (*Board, error) {
	b := &Board{changed: make(chan struct{}), summed: -1, grouped: -1}
	if o != nil {
		b.o = *o
	}
	b.o.MaxSpans, b.o.MaxNotes = cmp.Or(b.o.MaxSpans, 20_000), cmp.Or(b.o.MaxNotes, 5_000)
	if b.o.MaxSpans < 1 || b.o.MaxNotes < 1 {
		return nil, optionError("BoardOptions %v: want positive counts", b.o)
	}
	return b, nil
}

// change runs f with the lock and wakes those that wait for a change.
func (b *Board) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.version++
	close(b.changed)
	b.changed = make(chan struct{})
}

// Add adds spans.
func (b *Board) Add(records ...jsonl.Record) {
	b.change(func() {
		b.spans = append(b.spans, records...)
		if extra := len(b.spans) - b.o.MaxSpans; extra > 0 {
			b.dropped += int64(extra)
			b.spans = slices.Delete(b.spans, 0, extra)
		}
	})
}

// Load adds the spans of a file of package jsonl. Lines that cannot be read are left
// out, and the error wraps the first ten of them.
func (b *Board) Load(r io.Reader) error {
	var records []jsonl.Record
	var errs []error
	for rec, err := range jsonl.Records(r) {
		if err == nil {
			records = append(records, rec)
		} else if len(errs) < 10 {
			errs = append(errs, err)
		}
	}
	b.Add(records...)
	return errors.Join(errs...)
}

// ExportSpans implements the SDK's exporter.
func (b *Board) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	records := make([]jsonl.Record, len(spans))
	for i, s := range spans {
		line := jsonl.Convert(s)
		records[i] = line.Record()
	}
	b.Add(records...)
	return nil
}

// Shutdown implements the SDK's exporter. The spans can still be looked at.
func (b *Board) Shutdown(context.Context) error { return nil }

// Score adds a score. It fails with [ErrValue].
func (b *Board) Score(s Score) error {
	if err := checkValue(s.Value); err != nil {
		return err
	}
	b.change(func() { b.scores = newest(append(b.scores, s), b.o.MaxNotes) })
	return nil
}

// Notify adds a notice.
func (b *Board) Notify(n Notice) {
	b.change(func() { b.notices = newest(append(b.notices, n), b.o.MaxNotes) })
}

func newest[T any](xs []T, n int) []T { return slices.Delete(xs, 0, max(len(xs)-n, 0)) }

// Traces returns the traces of the spans that are kept, the oldest first. They must
// not be changed.
func (b *Board) Traces() []*jsonl.Trace {
	b.mu.Lock()
	spans, version := b.spans, b.version
	if b.grouped == version {
		defer b.mu.Unlock()
		return b.traces
	}
	spans = slices.Clone(spans)
	b.mu.Unlock()
	traces := jsonl.Traces(spans)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.traces, b.grouped = traces, version
	return traces
}

// Scores returns the scores that are kept.
func (b *Board) Scores() []Score {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.scores)
}

// Notices returns the notices that are kept.
func (b *Board) Notices() []Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.notices)
}

// state returns the version, and a channel that is closed at the next one.
func (b *Board) state() (int64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.version, b.changed
}

package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
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

// A Summary is the numbers of a dashboard.
type Summary struct {
	Traces, Spans, Failed int
	Dropped               int64 // spans that are not kept any more
	From, To              time.Time
	USD                   string // cost of the attempts and embeddings with a price
	Calls, Unpriced       int
	FromCache             float64 // share of chat calls that a cache answered
	Latency               map[string]float64
	Errors                map[string]int // failed calls by kind
	Events                map[string]int // events of spans, such as those of guards and caches
	Tenants               []Group
	Features              []Group
	Models                []Group
	Quality               []QualityLine
	Series                []Slot
	Notices               []Notice
}

// A Group is the calls of one tenant, feature or model.
type Group struct {
	Key                     string
	Calls, Failed, Unpriced int
	Input, Output           int64
	USD                     string
}

// A QualityLine is the scores of one name.
type QualityLine struct {
	Name string
	N    int
	Mean float64
}

// A Slot is a part of the time on the dashboard.
type Slot struct {
	Start          time.Time
	Traces, Failed int
	P95            float64 // seconds, 0 without traces
	Score          float64 // mean
	Scores         int
}

// slots is how many parts the time is shown in.
const slots = 48

// Summary adds up what is kept.
func (b *Board) Summary() (*Summary, error) {
	traces := b.Traces()
	b.mu.Lock()
	version := b.grouped
	if b.summed == version && b.summary != nil {
		defer b.mu.Unlock()
		return b.summary, nil
	}
	scores, notices, dropped := slices.Clone(b.scores), slices.Clone(b.notices), b.dropped
	b.mu.Unlock()
	s := &Summary{Traces: len(traces), Dropped: dropped, Errors: map[string]int{}, Events: map[string]int{}, Latency: map[string]float64{}, Notices: notices}
	slices.Reverse(s.Notices)
	if err := s.add(traces); err != nil {
		return nil, err
	}
	s.quality(scores)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.summary, b.summed = s, version
	return s, nil
}

func (s *Summary) add(traces []*jsonl.Trace) error {
	all, err := NewSketch(nil)
	if err != nil {
		return err
	}
	for i, t := range traces {
		if i == 0 || t.Start.Before(s.From) {
			s.From = t.Start
		}
		if t.Start.After(s.To) {
			s.To = t.Start
		}
	}
	width := max(s.To.Sub(s.From)/slots+1, time.Second)
	sketches := map[int]*Sketch{}
	s.Series = make([]Slot, int(s.To.Sub(s.From)/width)+1)
	for i := range s.Series {
		s.Series[i].Start = s.From.Add(time.Duration(i) * width)
	}
	chats, cached := 0, 0
	var records []jsonl.Record
	for _, t := range traces {
		i := int(t.Start.Sub(s.From) / width)
		slot := &s.Series[i]
		slot.Traces++
		if failed(t) {
			s.Failed++
			slot.Failed++
		}
		if sketches[i] == nil {
			if sketches[i], err = NewSketch(nil); err != nil {
				return err
			}
		}
		seconds := t.Duration().Seconds()
		if err := errors.Join(all.Add(seconds), sketches[i].Add(seconds)); err != nil {
			return err
		}
		for _, n := range t.Waterfall() {
			s.Spans++
			records = append(records, n.Record)
			if n.Operation == trace.OperationChat {
				chats++
				if n.FromCache {
					cached++
				}
			}
			if n.Billable() && n.Failed() {
				s.Errors[cmp.Or(n.ErrorType, "unknown")]++
			}
			for _, e := range n.Events {
				s.Events[e.Name]++
			}
		}
	}
	if chats > 0 {
		s.FromCache = float64(cached) / float64(chats)
	}
	for name, q := range map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99} {
		if v, err := all.Quantile(q); err == nil {
			s.Latency[name] = v
		}
	}
	for i, sk := range sketches {
		if v, err := sk.Quantile(0.95); err == nil {
			s.Series[i].P95 = v
		}
	}
	return s.money(records)
}

// failed reports whether the root of a trace failed: an attempt that a retry repaired
// is no failure of the request.
func failed(t *jsonl.Trace) bool {
	return slices.ContainsFunc(t.Roots, func(n *jsonl.Node) bool { return n.Failed() })
}

func (s *Summary) money(records []jsonl.Record) error {
	seq := func(yield func(jsonl.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	total, err := jsonl.Sum(seq, jsonl.Together)
	if err != nil {
		return err
	}
	s.USD = cost.USD(0)
	for _, t := range total {
		s.USD, s.Calls, s.Unpriced = cost.USD(t.PicoUSD), t.Calls, t.Unpriced
	}
	for _, part := range []struct {
		to *[]Group
		by func(*jsonl.Record) string
	}{{&s.Tenants, jsonl.ByTenant}, {&s.Features, jsonl.ByFeature}, {&s.Models, jsonl.ByModel}} {
		totals, err := jsonl.Sum(seq, part.by)
		if err != nil {
			return err
		}
		const most = 50 // lines of a table
		for _, t := range totals[:min(len(totals), most)] {
			*part.to = append(*part.to, Group{t.Key, t.Calls, t.Failed, t.Unpriced, t.Input, t.Output, cost.USD(t.PicoUSD)})
		}
	}
	return nil
}

func (s *Summary) quality(scores []Score) {
	lines := map[string]*QualityLine{}
	for _, x := range scores {
		l := lines[x.Name]
		if l == nil {
			l = &QualityLine{Name: x.Name}
			lines[x.Name] = l
		}
		l.N++
		l.Mean += (x.Value - l.Mean) / float64(l.N)
		for i := len(s.Series) - 1; i >= 0; i-- {
			if slot := &s.Series[i]; !x.At.Before(slot.Start) {
				slot.Scores++
				slot.Score += (x.Value - slot.Score) / float64(slot.Scores)
				break
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		s.Quality = append(s.Quality, *lines[name])
	}
}

// A Judge scores an answer, for example with a model. Package trace does not import
// eval: pass a function that calls a judge of eval/judge.
type Judge func(ctx context.Context, t *jsonl.Trace) (float64, error)

// OnlineOptions are the settings of [NewOnline].
type OnlineOptions struct {
	// Share is the share of traces that are judged, above 0 to 1. Default: 0.05.
	Share float64
	// Name is the name of the scores. Default: "judge".
	Name string
}

// An Online evaluates a sample of the traffic with a judge, and puts the scores on a
// board. Whether a trace is in the sample depends on its id alone, so all servers
// agree on it. It is safe for concurrent use if the judge is.
type Online struct {
	board *Board
	judge Judge
	o     OnlineOptions

	mu     sync.Mutex
	failed int
}

// NewOnline fails with [ErrOption].
func NewOnline(board *Board, judge Judge, o *OnlineOptions) (*Online, error) {
	if board == nil || judge == nil {
		return nil, optionError("the board or the judge of NewOnline is nil")
	}
	e := &Online{board: board, judge: judge}
	if o != nil {
		e.o = *o
	}
	e.o.Share, e.o.Name = cmp.Or(e.o.Share, 0.05), cmp.Or(e.o.Name, "judge")
	if !(e.o.Share > 0 && e.o.Share <= 1) {
		return nil, optionError("OnlineOptions.Share is %v: want above 0, at most 1", e.o.Share)
	}
	return e, nil
}

// Consider judges the trace if it is in the sample, and reports whether it was judged.
// A judge that fails says nothing about the answer: its error is returned and counted
// by Failed, and no score is added.
func (e *Online) Consider(ctx context.Context, t *jsonl.Trace) (judged bool, err error) {
	if t == nil || !sampled(t.ID, e.o.Share) {
		return false, nil
	}
	v, err := e.judge(ctx, t)
	if err == nil {
		err = e.board.Score(Score{TraceID: t.ID, Name: e.o.Name, Value: v, At: t.End})
	}
	if err != nil {
		e.mu.Lock()
		e.failed++
		e.mu.Unlock()
		return false, fmt.Errorf("monitor: the judge of trace %s: %w", t.ID, err)
	}
	return true, nil
}

// Failed is how many judgments failed.
func (e *Online) Failed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// sampled hashes an id (FNV-1a with a final mix), so that ids that are not random are
// sampled evenly too.
func sampled(id string, share float64) bool {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return float64(h>>11)/(1<<53) < share
}

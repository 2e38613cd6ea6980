package monitor

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

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

	chats, cached int
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
			records = append(records, n.Record)
			s.span(&n.Record)
		}
	}
	if s.chats > 0 {
		s.FromCache = float64(s.cached) / float64(s.chats)
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

// span counts a span.
func (s *Summary) span(r *jsonl.Record) {
	s.Spans++
	if r.Operation == trace.OperationChat {
		s.chats++
		if r.FromCache {
			s.cached++
		}
	}
	if r.Billable() && r.Failed() {
		s.Errors[cmp.Or(r.ErrorType, "unknown")]++
	}
	for _, e := range r.Events {
		s.Events[e.Name]++
	}
}

// failed reports whether the root of a trace failed: an attempt that a retry repaired
// is no failure of the request.
func failed(t *jsonl.Trace) bool {
	return slices.ContainsFunc(t.Roots, func(n *jsonl.Node) bool { return n.Failed() })
}

// tooLarge stands for a cost that is beyond nine million dollars.
const tooLarge = "too large"

func (s *Summary) money(records []jsonl.Record) error {
	seq := func(yield func(jsonl.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	total, err := jsonl.Sum(seq, jsonl.Together)
	if errors.Is(err, jsonl.ErrOverflow) { // one absurd line must not blind the page
		s.USD = tooLarge
		return nil
	}
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

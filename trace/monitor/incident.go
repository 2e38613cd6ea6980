package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// A TimelineEntry is something that people or programs did or saw.
type TimelineEntry struct {
	At   time.Time
	Text string
}

// IncidentOptions are the settings of [NewIncident].
type IncidentOptions struct {
	// Title names the incident. Default: "Incident of" and its start.
	Title string

	// From and To are when users were affected. Required.
	From, To time.Time

	// Bad reports whether a trace was affected. Default: its root failed.
	Bad func(*jsonl.Trace) bool

	// Evidence is the alarms and alerts that were raised. Default: none.
	Evidence []Notice

	// Timeline is what else happened: a deployment, a rollback, a call.
	// Default: none.
	Timeline []TimelineEntry

	// Mask is applied to every text that comes from traces, notices and entries.
	// Default: none. Messages, prompts and answers never get into an incident.
	Mask func(string) string
}

// A Share is how many traces of a group were affected.
type Share struct {
	Key      string
	Bad, All int
}

// An Incident is the record of one: what is known from traces, by numbers. It is
// deterministic: the same traces and options give the same record.
type Incident struct {
	Title            string
	From, To         time.Time
	Detected         time.Time // the first evidence, or zero
	Bad, All, Before int       // traces: affected in the incident, all, affected in as long a time before
	BeforeAll        int
	Tenants          []Share
	Features         []Share
	Models           []Share
	Prompts          []Share
	Errors           map[string]int // kinds of failed spans in affected traces
	SpentUSD         string         // cost of the affected traces
	Unpriced         int
	Latency, Usual   float64  // median seconds of traces in the incident and before, NaN without traces
	Examples         []string // ids of affected traces, the first ones
	Timeline         []TimelineEntry
}

// NewIncident returns the record of an incident from the traces of its time and, for
// comparison, of as long a time before. It fails with [ErrOption], and with
// [ErrNoData] without traces in the time.
func NewIncident(traces []*jsonl.Trace, o IncidentOptions) (*Incident, error) {
	if o.From.IsZero() || !o.To.After(o.From) {
		return nil, optionError("IncidentOptions From %v and To %v: want To after From", o.From, o.To)
	}
	if o.Bad == nil {
		o.Bad = failed
	}
	if o.Mask == nil {
		o.Mask = func(s string) string { return s }
	}
	o.From, o.To = o.From.UTC(), o.To.UTC()
	in := &Incident{Title: cmp.Or(o.Title, "Incident of "+o.From.Format("2006-01-02 15:04")), From: o.From, To: o.To, Errors: map[string]int{}}
	in.Title = o.Mask(in.Title)
	now, before, err := in.count(traces, &o)
	if err != nil {
		return nil, err
	}
	if in.All == 0 {
		return nil, fmt.Errorf("%w: no traces between %v and %v", ErrNoData, o.From, o.To)
	}
	in.Latency, _ = now.Quantile(0.5)
	in.Usual, _ = before.Quantile(0.5)
	for _, e := range o.Timeline {
		in.Timeline = append(in.Timeline, TimelineEntry{e.At.UTC(), o.Mask(e.Text)})
	}
	for _, n := range o.Evidence {
		text := o.Mask(n.Name + " " + n.State + ": " + n.Text)
		in.Timeline = append(in.Timeline, TimelineEntry{n.At.UTC(), text})
		if !n.At.Before(in.From) && (in.Detected.IsZero() || n.At.Before(in.Detected)) && n.State != "resolved" {
			in.Detected = n.At.UTC()
		}
	}
	slices.SortStableFunc(in.Timeline, func(a, b TimelineEntry) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Text, b.Text))
	})
	return in, nil
}

// count fills in what the traces tell, and returns the latencies of the incident and
// of the time before.
func (in *Incident) count(traces []*jsonl.Trace, o *IncidentOptions) (now, before *Sketch, err error) {
	if now, err = NewSketch(nil); err != nil {
		return nil, nil, err
	}
	if before, err = NewSketch(nil); err != nil {
		return nil, nil, err
	}
	sorted := slices.Clone(traces)
	slices.SortStableFunc(sorted, func(a, b *jsonl.Trace) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	var groups [4]map[string]*Share
	for i := range groups {
		groups[i] = map[string]*Share{}
	}
	start := o.From.Add(-o.To.Sub(o.From))
	var records []jsonl.Record
	firstBad, lastBad := time.Time{}, time.Time{}
	for _, t := range sorted {
		switch {
		case t.Start.Before(start) || !t.Start.Before(o.To):
			continue
		case t.Start.Before(o.From):
			in.BeforeAll++
			if o.Bad(t) {
				in.Before++
			}
			if err := before.Add(t.Duration().Seconds()); err != nil {
				return nil, nil, err
			}
			continue
		}
		in.All++
		if err := now.Add(t.Duration().Seconds()); err != nil {
			return nil, nil, err
		}
		bad := o.Bad(t)
		for i, by := range []func(*jsonl.Record) string{jsonl.ByTenant, jsonl.ByFeature, jsonl.ByModel, jsonl.ByPrompt} {
			countGroup(groups[i], t, by, bad, o.Mask)
		}
		if !bad {
			continue
		}
		in.Bad++
		if firstBad.IsZero() {
			firstBad = t.Start
		}
		lastBad = t.Start
		if len(in.Examples) < 5 {
			in.Examples = append(in.Examples, o.Mask(t.ID))
		}
		for _, n := range t.Waterfall() {
			records = append(records, n.Record)
			if n.Failed() {
				in.Errors[o.Mask(cmp.Or(n.ErrorType, "unknown"))]++
			}
		}
	}
	in.Tenants, in.Features, in.Models, in.Prompts = ranked(groups[0]), ranked(groups[1]), ranked(groups[2]), ranked(groups[3])
	if in.Bad > 0 {
		in.Timeline = append(in.Timeline, TimelineEntry{firstBad.UTC(), "first affected trace"}, TimelineEntry{lastBad.UTC(), "last affected trace"})
	}
	return now, before, in.spent(records)
}

// countGroup counts a trace once in each group that one of its spans belongs to.
func countGroup(groups map[string]*Share, t *jsonl.Trace, by func(*jsonl.Record) string, bad bool, mask func(string) string) {
	seen := map[string]bool{}
	for _, n := range t.Waterfall() {
		key := by(&n.Record)
		if key == "" || seen[key] {
			continue
		}
		seen[key] = true
		key = mask(key)
		if groups[key] == nil {
			groups[key] = &Share{Key: key}
		}
		groups[key].All++
		if bad {
			groups[key].Bad++
		}
	}
}

// ranked are groups by how many of their traces were affected.
func ranked(groups map[string]*Share) []Share {
	var out []Share
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[key])
	}
	slices.SortStableFunc(out, func(a, b Share) int { return cmp.Compare(b.Bad, a.Bad) })
	return out
}

func (in *Incident) spent(records []jsonl.Record) error {
	totals, err := jsonl.Sum(func(yield func(jsonl.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}, jsonl.Together)
	if errors.Is(err, jsonl.ErrOverflow) {
		in.SpentUSD = tooLarge
		return nil
	}
	in.SpentUSD = cost.USD(0)
	for _, t := range totals {
		in.SpentUSD, in.Unpriced = cost.USD(t.PicoUSD), t.Unpriced
	}
	return err
}

package monitor

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// A Replayed is a request of production as a line of JSON, in the form of
// eval/dataset's Record, which dataset.FromTraces turns into cases.
type Replayed struct {
	ID       string            `json:"id,omitempty"`
	Time     time.Time         `json:"time"`
	Input    string            `json:"input"`
	Output   string            `json:"output"`
	Error    string            `json:"error,omitempty"`
	Feedback *float64          `json:"feedback,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// ReplayOptions are the settings of [Replay].
type ReplayOptions struct {
	// Mask replaces what is secret or personal. It is applied to every text, before
	// anything is written. Required: content of production has personal data.
	Mask func(string) string

	// Keep reports whether a trace is replayed. Default: all.
	Keep func(*jsonl.Trace) bool

	// Feedback returns the user's judgment of a trace, -1 to 1. Default: none.
	Feedback func(traceID string) (float64, bool)
}

// ReplayStats counts what Replay did.
type ReplayStats struct {
	Written, Duplicates int
	NoContent           int // traces without the text of a question: capture of content was off
}

// Replay writes traces as lines of JSON for an evaluation dataset. The question is the
// last message of the user in the first chat span, the answer the text of the last
// successful one. Questions that are equal but for case and space, after masking, are
// written once; of these the newest failed one is kept, else the newest. It fails with
// [ErrOption] and with the error of w.
func Replay(w io.Writer, traces []*jsonl.Trace, o ReplayOptions) (ReplayStats, error) {
	var stats ReplayStats
	if w == nil || o.Mask == nil {
		return stats, optionError("the writer or ReplayOptions.Mask is nil")
	}
	sorted := slices.Clone(traces)
	slices.SortStableFunc(sorted, func(a, b *jsonl.Trace) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	at := map[string]int{}
	var lines []Replayed
	for _, t := range sorted {
		if o.Keep != nil && !o.Keep(t) {
			continue
		}
		r, ok := replayed(t, &o)
		if !ok {
			stats.NoContent++
			continue
		}
		key := strings.Join(strings.Fields(strings.ToLower(r.Input)), " ")
		i, dup := at[key]
		switch {
		case !dup:
			at[key] = len(lines)
			lines = append(lines, r)
		case r.Error != "" || lines[i].Error == "":
			stats.Duplicates++
			lines[i] = r
		default:
			stats.Duplicates++
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range lines {
		if err := enc.Encode(r); err != nil {
			return stats, err
		}
		stats.Written++
	}
	return stats, nil
}

func replayed(t *jsonl.Trace, o *ReplayOptions) (Replayed, bool) {
	r := Replayed{ID: o.Mask(t.ID), Time: t.Start.UTC(), Tags: map[string]string{}}
	asked := false
	tag := func(name, value string) {
		if value != "" && r.Tags[name] == "" {
			r.Tags[name] = o.Mask(value)
		}
	}
	for _, n := range t.Waterfall() {
		tag("tenant", n.Tenant)
		tag("feature", n.Feature)
		tag("prompt", n.Prompt)
		tag("prompt_version", n.PromptVersion)
		if n.Operation != trace.OperationChat {
			continue
		}
		if q := lastOf(n.Attributes[trace.SpanInput], "user"); q != "" && !asked {
			asked, r.Input = true, o.Mask(q)
		}
		if a := lastOf(n.Attributes[trace.SpanOutput], "assistant"); a != "" && !n.Failed() {
			r.Output = o.Mask(a)
		}
	}
	if failed(t) {
		r.Error = "failed"
		for _, root := range t.Roots {
			if root.ErrorType != "" {
				r.Error = o.Mask(root.ErrorType)
			}
		}
	}
	if o.Feedback != nil {
		if v, ok := o.Feedback(t.ID); ok && v >= -1 && v <= 1 {
			r.Feedback = &v
		}
	}
	return r, asked
}

// lastOf returns the text of the last message of a role in an attribute of the
// conventions: a JSON array of messages with parts.
func lastOf(attribute any, role string) string {
	text, ok := attribute.(string)
	if !ok {
		return ""
	}
	var messages []struct {
		Role  string
		Parts []struct {
			Type    string
			Content any
		}
	}
	if json.Unmarshal([]byte(text), &messages) != nil {
		return ""
	}
	for _, m := range slices.Backward(messages) {
		if m.Role != role {
			continue
		}
		var parts []string
		for _, p := range m.Parts {
			if s, ok := p.Content.(string); ok && p.Type == "text" {
				parts = append(parts, s)
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, "\n")
		}
	}
	return ""
}

// A Step is a step of a trace in a [Diff], with its place among the steps of the same
// name.
type Step struct {
	Name  string
	Times int
}

// A Diff is how two traces of the same work differ.
type Diff struct {
	Added, Removed []Step // steps that only the second, or only the first trace has
	Slower         []Step // steps of both that took twice as long, and 10 ms more
	Seconds        [2]float64
	Failed         [2]bool
}

// DiffTraces compares a good and a bad trace step by step, by name. It fails with
// [ErrOption] if one is nil.
func DiffTraces(good, bad *jsonl.Trace) (*Diff, error) {
	if good == nil || bad == nil {
		return nil, optionError("a trace of DiffTraces is nil")
	}
	d := &Diff{Seconds: [2]float64{good.Duration().Seconds(), bad.Duration().Seconds()}, Failed: [2]bool{failed(good), failed(bad)}}
	type steps struct {
		n    int
		took time.Duration
	}
	count := func(t *jsonl.Trace) (names []string, by map[string]steps) {
		by = map[string]steps{}
		for _, n := range t.Waterfall() {
			s := by[n.Name]
			if s.n == 0 {
				names = append(names, n.Name)
			}
			by[n.Name] = steps{s.n + 1, s.took + n.Duration()}
		}
		return names, by
	}
	names, first := count(good)
	others, second := count(bad)
	for _, name := range names {
		if n := first[name].n - second[name].n; n > 0 {
			d.Removed = append(d.Removed, Step{name, n})
		}
	}
	for _, name := range others {
		a, b := first[name], second[name]
		if b.n > a.n {
			d.Added = append(d.Added, Step{name, b.n - a.n})
		}
		if a.n > 0 && b.took/time.Duration(b.n) >= 2*(a.took/time.Duration(a.n)) && b.took-a.took > 10*time.Millisecond {
			d.Slower = append(d.Slower, Step{name, b.n})
		}
	}
	return d, nil
}

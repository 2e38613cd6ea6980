package dataset

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// A Record is one call of a production system, as a tracing system exports it.
type Record struct {
	ID        string            `json:"id,omitempty"` // trace id
	Time      time.Time         `json:"time"`
	Input     string            `json:"input"`
	Output    string            `json:"output"`
	Error     string            `json:"error,omitempty"`
	Context   []string          `json:"context,omitempty"`   // passages the answer rested on
	Feedback  *float64          `json:"feedback,omitempty"`  // the user's, -1 to 1
	Corrected string            `json:"corrected,omitempty"` // the answer as a person corrected it
	Tags      map[string]string `json:"tags,omitempty"`
}

// TraceOptions sets which records become cases; nil means the defaults.
type TraceOptions struct {
	// Redact removes from every kept text what must not leave production, such as
	// names. Default: texts stay as they are, for records that were cleaned before.
	Redact func(string) string
	// MinAccepted is the smallest feedback that makes an output the reference of a
	// golden case. Default: 1.
	MinAccepted float64
	// MaxRejected is the largest feedback that makes a record a regression case,
	// which waits for a person to write its reference. Default: -1.
	MaxRejected float64
	// Tag is the tag whose values PerTag bounds. Default: the empty name, so that
	// PerTag bounds all cases together.
	Tag string
	// PerTag is the largest number of cases with the same value of Tag, so that one
	// busy customer doesn't fill the dataset. Default: no bound.
	PerTag int
}

// FromTraces builds a dataset from production records. A record becomes
//
//   - a regression case, if a person corrected it: the correction is its
//     reference
//   - a regression case without a reference, if it failed or users rejected it
//   - a golden case, if users accepted it: its output is the reference
//
// and is left out otherwise, since an answer without a judgment is not known to
// be right. Records with the same input (case and punctuation aside) become
// one case, in the order above. Every case carries the tag trace, which
// contains the id of its record.
func FromTraces(name string, records iter.Seq2[Record, error], o *TraceOptions) (*Dataset, error) {
	if records == nil {
		return nil, fmt.Errorf("%w: the records are nil", ErrOption)
	}
	opts := TraceOptions{}
	if o != nil {
		opts = *o
	}
	opts.MinAccepted = cmp.Or(opts.MinAccepted, 1)
	opts.MaxRejected = cmp.Or(opts.MaxRejected, -1)
	if !(opts.MaxRejected < opts.MinAccepted) {
		return nil, fmt.Errorf("%w: TraceOptions.MaxRejected is %v: want less than MinAccepted, %v", ErrOption, opts.MaxRejected, opts.MinAccepted)
	}
	if opts.PerTag < 0 {
		return nil, fmt.Errorf("%w: TraceOptions.PerTag is %d: want 0 or more", ErrOption, opts.PerTag)
	}
	if opts.Redact == nil {
		opts.Redact = func(s string) string { return s }
	}
	type candidate struct {
		rank int // lower is better
		c    eval.Case
	}
	best := map[string]int{}
	perTag := map[string]int{}
	var kept []candidate
	for r, err := range records {
		if err != nil {
			return nil, fmt.Errorf("dataset: reading traces: %w", err)
		}
		rank, c, ok := fromRecord(r, &opts)
		if !ok {
			continue
		}
		key := fmt.Sprint(words(c.Input))
		if i, dup := best[key]; dup {
			if rank < kept[i].rank {
				kept[i] = candidate{rank, c}
			}
			continue
		}
		if opts.PerTag > 0 {
			if value := r.Tags[opts.Tag]; perTag[value] < opts.PerTag {
				perTag[value]++
			} else {
				continue
			}
		}
		best[key] = len(kept)
		kept = append(kept, candidate{rank, c})
	}
	cases := make([]eval.Case, len(kept))
	for i, k := range kept {
		cases[i] = k.c
	}
	return New(name, cases)
}

func fromRecord(r Record, o *TraceOptions) (rank int, c eval.Case, ok bool) {
	c = eval.Case{Input: o.Redact(r.Input), Tags: maps.Clone(r.Tags)}
	for _, p := range r.Context {
		c.Context = append(c.Context, o.Redact(p))
	}
	switch {
	case r.Corrected != "":
		c.Kind, c.References = eval.KindRegression, []string{o.Redact(r.Corrected)}
	case r.Error != "", r.Feedback != nil && *r.Feedback <= o.MaxRejected:
		rank, c.Kind = 1, eval.KindRegression
	case r.Feedback != nil && *r.Feedback >= o.MinAccepted && r.Output != "":
		rank, c.Kind, c.References = 2, eval.KindGolden, []string{o.Redact(r.Output)}
	default:
		return 0, c, false
	}
	if c.Tags == nil {
		c.Tags = map[string]string{}
	}
	c.Tags["trace"] = r.ID
	return rank, c, true
}

// Unlabeled returns the ids of the cases that nothing can score yet: without
// references, judgments or tool calls.
func (d *Dataset) Unlabeled() []string {
	var ids []string
	for i := range d.Cases {
		if c := &d.Cases[i]; len(c.References) == 0 && len(c.Relevant) == 0 && len(c.Calls) == 0 {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

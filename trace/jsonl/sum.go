package jsonl

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
)

// ErrOverflow is wrapped by the error of a sum that an int64 cannot represent: more
// than nine million dollars in pico-USD.
var ErrOverflow = errors.New("jsonl: the sum overflows int64")

// A Total is what the attempts and embeddings of one group used and cost. The example
// of [Sum] named Table converts totals for cost.WriteTable and cost.WriteCSV.
type Total struct {
	Key    string // the group, "" for spans without one
	Calls  int
	Failed int

	// Unpriced is how many calls have no cost. Some of them were refused and cost
	// nothing, the others have a model without a price: PicoUSD is then too low.
	Unpriced int

	Usage
	PicoUSD int64 // the exact sum of the spans that are in the file

	// EstimatedPicoUSD is the cost of all traces, estimated from those that were
	// kept: each span counts as often as its Weight. Without sampling it is
	// PicoUSD.
	EstimatedPicoUSD int64
}

// ByTenant groups a [Sum] by tenant.
func ByTenant(r *Record) string { return r.Tenant }

// ByUser groups by the user's id.
func ByUser(r *Record) string { return r.User }

// ByFeature groups by feature.
func ByFeature(r *Record) string { return r.Feature }

// ByModel groups by the model asked for.
func ByModel(r *Record) string { return r.Model }

// ByProvider groups by provider.
func ByProvider(r *Record) string { return r.Provider }

// Together makes one group of everything.
func Together(*Record) string { return "" }

// ByPrompt groups by the prompt's name and version: "support@7".
func ByPrompt(r *Record) string {
	if r.Prompt == "" && r.PromptVersion == "" {
		return ""
	}
	return r.Prompt + "@" + r.PromptVersion
}

// Sum adds up the attempts and embeddings among records by group, the most
// expensive first. Money is added exactly, as integers. Lines that cannot be read
// are left out, and the error wraps the first ten of them; the totals of the others
// are returned with it.
func Sum(records iter.Seq2[Record, error], by func(*Record) string) ([]Total, error) {
	if records == nil || by == nil {
		return nil, fmt.Errorf("%w: the records or the group function is nil", ErrOption)
	}
	groups := map[string]*Total{}
	var errs []error
	bad := 0
	for r, err := range records {
		if err != nil {
			if bad++; bad <= 10 {
				errs = append(errs, err)
			}
			continue
		}
		if !r.Billable() {
			continue
		}
		key := by(&r)
		t := groups[key]
		if t == nil {
			t = &Total{Key: key}
			groups[key] = t
		}
		if !t.add(&r) {
			return nil, fmt.Errorf("%w: group %q", ErrOverflow, key)
		}
	}
	if bad > 10 {
		errs = append(errs, fmt.Errorf("jsonl: %d lines more", bad-10))
	}
	out := make([]Total, 0, len(groups))
	for _, t := range groups {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int {
		return cmp.Or(cmp.Compare(b.PicoUSD, a.PicoUSD), cmp.Compare(a.Key, b.Key))
	})
	return out, errors.Join(errs...)
}

// add adds a span and reports whether the sums still fit.
func (t *Total) add(r *Record) bool {
	t.Calls++
	if r.Failed() {
		t.Failed++
	}
	if !r.CostKnown {
		t.Unpriced++
	}
	hi, weighted := bits.Mul64(uint64(r.CostPicoUSD), uint64(r.Weight)) // neither is negative
	if hi != 0 || weighted > math.MaxInt64 {
		return false
	}
	for _, f := range []struct {
		to *int64
		n  int64
	}{
		{&t.Input, r.Usage.Input}, {&t.Output, r.Usage.Output}, {&t.CacheRead, r.Usage.CacheRead}, {&t.CacheWrite, r.Usage.CacheWrite},
		{&t.Reasoning, r.Usage.Reasoning}, {&t.PicoUSD, r.CostPicoUSD}, {&t.EstimatedPicoUSD, int64(weighted)},
	} {
		if f.n > math.MaxInt64-*f.to {
			return false
		}
		*f.to += f.n
	}
	return true
}

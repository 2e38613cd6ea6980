package agent

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/prodailabs/prodai/eval"
)

// An Order says how [ToolCorrectness] compares the calls. Default: [OrderAny].
type Order uint8

// The orders, as in DeepEval.
const (
	OrderAny   Order = iota // each expected call takes the best call that is left
	OrderKept               // the heaviest common subsequence
	OrderExact              // the same calls in the same order: 1 or 0
)

// ToolCorrectnessOptions are the settings of [ToolCorrectness]; nil means the
// defaults.
type ToolCorrectnessOptions struct {
	// Order of the calls. Default: [OrderAny].
	Order Order
	// Arguments compares them too: a call counts as the share of keys with equal
	// values, of the keys of both. Default: names only, as in DeepEval.
	Arguments bool
}

// ToolCorrectness is DeepEval's, as version 4.3.1 computes it:
//
//	matched expected calls / expected calls
//
// It is 1 if no call is expected and none was made, and 0 if a call was made and none
// expected. It doesn't punish further calls unless Order is [OrderExact]; see
// [eval.ToolMatch] for modes that do. As in DeepEval, equal calls count as one in
// OrderAny: an expected call that occurs twice is found once.
func ToolCorrectness(called, expected []eval.Call, o *ToolCorrectnessOptions) (float64, error) {
	var opts ToolCorrectnessOptions
	if o != nil {
		opts = *o
	}
	if opts.Order > OrderExact {
		return 0, fmt.Errorf("%w: ToolCorrectnessOptions.Order is %d: want one of the constants", ErrOption, opts.Order)
	}
	got, err := parsed(called)
	if err != nil {
		return 0, err
	}
	want, err := parsed(expected)
	if err != nil {
		return 0, err
	}
	weight := func(w, g parsedCall) float64 {
		switch {
		case w.name != g.name:
			return 0
		case !opts.Arguments:
			return 1
		}
		return equalKeys(w.arguments, g.arguments)
	}
	switch {
	case len(want) == 0 && len(got) == 0:
		return 1, nil
	case len(want) == 0:
		return 0, nil
	case opts.Order == OrderExact:
		if len(want) != len(got) {
			return 0, nil
		}
		for i := range want {
			if weight(want[i], got[i]) < 1 {
				return 0, nil
			}
		}
		return 1, nil
	case opts.Order == OrderKept:
		return heaviest(want, got, weight) / float64(len(want)), nil
	}
	return greedy(want, got, weight) / float64(len(want)), nil
}

type parsedCall struct {
	name      string
	arguments map[string]any
}

func parsed(calls []eval.Call) ([]parsedCall, error) {
	out := make([]parsedCall, len(calls))
	for i, c := range calls {
		out[i] = parsedCall{c.Name, map[string]any{}}
		if c.Arguments == "" {
			continue
		}
		if err := json.Unmarshal([]byte(c.Arguments), &out[i].arguments); err != nil {
			return nil, fmt.Errorf("%w: the arguments of call %d (%s) are not a JSON object: %w", ErrOption, i, c.Name, err)
		}
	}
	return out, nil
}

// equalKeys is the share of equal keys; objects are compared inside.
func equalKeys(a, b map[string]any) float64 {
	if reflect.DeepEqual(a, b) {
		return 1
	}
	total := len(b)
	for k := range a {
		if _, both := b[k]; !both {
			total++
		}
	}
	equal := 0.0
	for k, x := range a {
		y, both := b[k]
		if !both {
			continue
		}
		inA, okA := x.(map[string]any)
		inB, okB := y.(map[string]any)
		if okA && okB {
			equal += equalKeys(inA, inB)
		} else if reflect.DeepEqual(x, y) {
			equal++
		}
	}
	return equal / float64(max(total, 1))
}

func heaviest(want, got []parsedCall, weight func(w, g parsedCall) float64) float64 {
	row := make([]float64, len(got)+1)
	for _, w := range want {
		diagonal := 0.0
		for j, g := range got {
			above := row[j+1]
			row[j+1] = max(above, row[j], diagonal+weight(w, g))
			diagonal = above
		}
	}
	return row[len(got)]
}

func greedy(want, got []parsedCall, weight func(w, g parsedCall) float64) float64 {
	used := make([]bool, len(got))
	sum := 0.0
	for _, w := range want {
		best, at := 0.0, -1
		for i, g := range got {
			if v := weight(w, g); !used[i] && v > best {
				best, at = v, i
			}
		}
		if at < 0 {
			continue
		}
		sum += best
		for i, g := range got {
			used[i] = used[i] || reflect.DeepEqual(g, got[at])
		}
	}
	return sum
}

package eval

import (
	"context"
	"fmt"
	"slices"
)

// A ToolMode says how an agent's tool calls are compared with the expected ones.
// Default: [ToolsExact].
type ToolMode string

// The modes, from the strictest.
const (
	// ToolsExact requires the same calls in the same order and no others.
	ToolsExact ToolMode = "exact"
	// ToolsInOrder requires the calls in order and allows others between them.
	ToolsInOrder ToolMode = "in_order"
	// ToolsAnyOrder requires the same calls in any order and no others.
	ToolsAnyOrder ToolMode = "any_order"
	// ToolsContain requires the calls in any order and allows others.
	ToolsContain ToolMode = "contain"
	// ToolsF1 is the F1 of the calls as a bag: part marks.
	ToolsF1 ToolMode = "f1"
	// ToolsPath is the longest common subsequence of the two paths over the
	// longer one: part marks for the order too.
	ToolsPath ToolMode = "path"
)

// ToolMatchOptions sets when two paths and two calls are the same; nil means the
// defaults.
type ToolMatchOptions struct {
	// Mode compares the paths. Default: [ToolsExact].
	Mode ToolMode
	// NamesOnly compares the tools' names alone. Default: the arguments too.
	NamesOnly bool
	// IgnoreArguments names arguments that don't count: free text, ids. Default:
	// all count.
	IgnoreArguments []string
	// ExtraArguments allows arguments that the expected call doesn't have. Default:
	// an extra argument makes another call.
	ExtraArguments bool
}

// ToolMatch compares an agent's trajectory, its tool calls in order, with the
// expected one. Arguments are compared as JSON (see [JSONMatch]).
//
// An expected trajectory is one way to the goal. Where there are several, use a
// lenient mode, or score the outcome instead. An agent that reached the goal by
// other calls isn't wrong, and one that made the right calls and then answered
// badly isn't right.
type ToolMatch struct {
	o    ToolMatchOptions
	args *JSONMatch
}

// NewToolMatch returns the metric; nil options mean the defaults.
func NewToolMatch(o *ToolMatchOptions) (*ToolMatch, error) {
	m := &ToolMatch{}
	if o != nil {
		m.o = *o
	}
	switch m.o.Mode {
	case "":
		m.o.Mode = ToolsExact
	case ToolsExact, ToolsInOrder, ToolsAnyOrder, ToolsContain, ToolsF1, ToolsPath:
	default:
		return nil, fmt.Errorf("%w: ToolMatchOptions.Mode is %q: want exact, in_order, any_order, contain, f1 or path", ErrOption, m.o.Mode)
	}
	if slices.Contains(m.o.IgnoreArguments, "") {
		return nil, fmt.Errorf("%w: ToolMatchOptions.IgnoreArguments contains an empty name: want names of arguments", ErrOption)
	}
	args, err := NewJSONMatch(&JSONMatchOptions{IgnoreExtra: m.o.ExtraArguments, Ignore: m.o.IgnoreArguments})
	if err != nil {
		return nil, err
	}
	m.args = args
	return m, nil
}

// Signature names the metric and its options.
func (m *ToolMatch) Signature() Signature {
	args := m.args.Signature().Params
	if m.o.NamesOnly {
		args = "args:no"
	}
	return Signature{Metric: "tools_" + string(m.o.Mode), Params: args}
}

// Width is 2: the score and the segment.
func (m *ToolMatch) Width() int { return 2 }

// Stats writes the trajectory's score. A case without expected calls, but with
// other expectations, is skipped. To expect that no tool is called, give the case
// the tag calls=none.
func (m *ToolMatch) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	if len(c.Calls) == 0 && c.Tags["calls"] != "none" {
		return skip("the case has no expected tool calls")
	}
	want, err := m.calls(c.Calls)
	if err != nil {
		return fmt.Errorf("%w: an expected call: %w", ErrCase, err)
	}
	got := make([]call, len(o.Calls))
	for i, x := range o.Calls {
		got[i], err = m.call(x)
		if err != nil {
			got[i] = call{name: x.Name, broken: true} // arguments that are not JSON match nothing
		}
	}
	dst[0], dst[1] = m.score(want, got), 1
	return nil
}

type call struct {
	name   string
	args   any
	broken bool
}

func (m *ToolMatch) call(x Call) (call, error) {
	if m.o.NamesOnly {
		return call{name: x.Name}, nil
	}
	if x.Arguments == "" {
		return call{name: x.Name, args: map[string]any{}}, nil
	}
	args, err := parseJSON(x.Arguments)
	return call{name: x.Name, args: args}, err
}

func (m *ToolMatch) calls(xs []Call) ([]call, error) {
	out := make([]call, len(xs))
	for i, x := range xs {
		var err error
		if out[i], err = m.call(x); err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
	}
	return out, nil
}

func (m *ToolMatch) same(want, got call) bool {
	if want.name != got.name || got.broken {
		return false
	}
	return m.o.NamesOnly || m.args.score(want.args, got.args) == 1
}

func (m *ToolMatch) score(want, got []call) float64 {
	n, k := len(want), len(got)
	switch m.o.Mode {
	case ToolsExact:
		return indicator(n == k && m.path(want, got) == n)
	case ToolsInOrder:
		return indicator(m.path(want, got) == n)
	case ToolsPath:
		if n == 0 && k == 0 {
			return 1
		}
		return ratio(float64(m.path(want, got)), float64(max(n, k)))
	}
	hits := m.pairs(want, got)
	switch m.o.Mode {
	case ToolsAnyOrder:
		return indicator(hits == n && hits == k)
	case ToolsContain:
		return indicator(hits == n)
	}
	if n == 0 && k == 0 {
		return 1
	}
	return prf(float64(hits), float64(k), float64(n)).F
}

// path is the length of the longest common subsequence.
func (m *ToolMatch) path(want, got []call) int {
	row := make([]int, len(got)+1)
	for _, w := range want {
		diagonal := 0
		for j, g := range got {
			above := row[j+1]
			if m.same(w, g) {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(got)]
}

// pairs is the largest number of expected calls that each have a call of their own.
// With ExtraArguments a call can match several, so the first match may not be the
// best (maximum bipartite matching by augmenting paths).
func (m *ToolMatch) pairs(want, got []call) int {
	taken := make([]int, len(got))
	for j := range taken {
		taken[j] = -1
	}
	fits := make([][]bool, len(want))
	for i := range want {
		fits[i] = make([]bool, len(got))
		for j := range got {
			fits[i][j] = m.same(want[i], got[j])
		}
	}
	var place func(i int, seen []bool) bool
	place = func(i int, seen []bool) bool {
		for j := range got {
			if !fits[i][j] || seen[j] {
				continue
			}
			seen[j] = true
			if taken[j] < 0 || place(taken[j], seen) {
				taken[j] = i
				return true
			}
		}
		return false
	}
	hits := 0
	for i := range want {
		if place(i, make([]bool, len(got))) {
			hits++
		}
	}
	return hits
}

// Value returns the mean score, 0 to 1.
func (m *ToolMatch) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

package prefix

import (
	"slices"
)

// A Plan is an order of the segments of a prompt in which more of it stays cached.
// Segments with the same name stay together.
type Plan struct {
	Order []string // names, what changes least first
	Marks []string // names after whose last segment a breakpoint is worth its write
}

// PlanOf learns from requests in the order of time how often each name's segments change,
// and returns a plan for the rule: what never changes first, then what only grows, such
// as a history, then what changes. Names that change equally often keep their order. A
// provider reads tools before the system prompt, and that before messages; where its
// order can't be changed, move the content, the time from the system prompt into the
// last message for example. Its error wraps [ErrOption].
func (r Rule) PlanOf(requests []Request) (Plan, error) {
	if _, err := r.Bill(requests); err != nil {
		return Plan{}, err
	}
	type group struct {
		name           string
		changes, grows int
	}
	var groups []group
	for _, q := range requests {
		for _, s := range q.Segments {
			if !slices.ContainsFunc(groups, func(g group) bool { return g.name == s.Name }) {
				groups = append(groups, group{name: s.Name})
			}
		}
	}
	for i := range groups {
		g := &groups[i]
		for k := 1; k < len(requests); k++ {
			before, now := called(g.name, requests[k-1].Segments), called(g.name, requests[k].Segments)
			switch n := common(before, now); {
			case n < len(before):
				g.changes++
			case n < len(now):
				g.grows++
			}
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		if a.changes != b.changes {
			return a.changes - b.changes
		}
		return a.grows - b.grows
	})
	var p Plan
	for i, g := range groups {
		p.Order = append(p.Order, g.name)
		// A prefix that changes with each request is never read again.
		last := i == len(groups)-1 || groups[i+1].changes > g.changes || groups[i+1].grows > g.grows
		if last && g.changes < max(len(requests)-1, 1) && r.Step == 0 {
			p.Marks = append(p.Marks, g.name)
		}
	}
	if n := len(p.Marks) - r.MaxMarks; r.MaxMarks > 0 && n > 0 {
		p.Marks = p.Marks[n:] // the longest prefixes; the shorter ones are in them
	}
	return p, nil
}

func called(name string, segments []Segment) []Segment {
	var out []Segment
	for _, s := range segments {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// Apply returns a copy of a request in the order of the plan and with its breakpoints.
// Names that the plan doesn't know come last.
func (p Plan) Apply(q Request) Request {
	out := Request{At: q.At}
	for _, name := range p.Order {
		group := called(name, q.Segments)
		for i := range group {
			group[i].Breakpoint = i == len(group)-1 && slices.Contains(p.Marks, name)
		}
		out.Segments = append(out.Segments, group...)
	}
	for _, s := range q.Segments {
		if !slices.Contains(p.Order, s.Name) {
			s.Breakpoint = false
			out.Segments = append(out.Segments, s)
		}
	}
	return out
}

package jsonl

import (
	"cmp"
	"slices"
	"time"
)

// A Trace is the spans of one request, as trees.
type Trace struct {
	ID    string
	Start time.Time // of the earliest span
	End   time.Time // of the latest span
	Roots []*Node   // usually one
}

// A Node is a span in its trace.
type Node struct {
	Record
	Depth    int           // 0 for a root
	Offset   time.Duration // from the trace's start, at least 0
	Children []*Node       // by start

	// Orphan marks a root that names a parent which is not in the file: the parent
	// is still running, was lost, or belongs to another service.
	Orphan bool
}

// Traces groups records into trees: traces by their start, and spans below their
// parents by their start. Each record appears once, also if parents are missing,
// form a circle or share an id.
func Traces(records []Record) []*Trace {
	byID := map[string][]*Node{}
	var order []string
	for _, r := range records {
		if _, ok := byID[r.TraceID]; !ok {
			order = append(order, r.TraceID)
		}
		byID[r.TraceID] = append(byID[r.TraceID], &Node{Record: r})
	}
	out := make([]*Trace, 0, len(order))
	for _, id := range order {
		out = append(out, grow(id, byID[id]))
	}
	slices.SortStableFunc(out, func(a, b *Trace) int { return a.Start.Compare(b.Start) })
	return out
}

func grow(id string, nodes []*Node) *Trace {
	slices.SortFunc(nodes, func(a, b *Node) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.SpanID, b.SpanID))
	})
	t := &Trace{ID: id, Start: nodes[0].Start}
	parents := map[string]*Node{}
	for _, n := range nodes {
		if n.End.After(t.End) {
			t.End = n.End
		}
		n.Offset = max(n.Start.Sub(t.Start), 0)
		if parents[n.SpanID] == nil {
			parents[n.SpanID] = n
		}
	}
	for _, n := range nodes {
		if p := parents[n.ParentID]; n.ParentID != "" && p != nil && p != n {
			p.Children = append(p.Children, n)
			continue
		}
		n.Orphan = n.ParentID != ""
		t.Roots = append(t.Roots, n)
	}
	seen := map[*Node]bool{}
	for _, root := range t.Roots {
		descend(root, seen)
	}
	for _, n := range nodes { // what is left is below a circle, which is cut at its earliest span
		if seen[n] {
			continue
		}
		n.Orphan = true
		t.Roots = append(t.Roots, n)
		descend(n, seen)
	}
	return t
}

// descend sets depths below a root, and cuts children that were seen already.
func descend(root *Node, seen map[*Node]bool) {
	seen[root] = true
	stack := []*Node{root}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n.Children = slices.DeleteFunc(n.Children, func(c *Node) bool { return seen[c] })
		for _, c := range n.Children {
			seen[c] = true
			c.Depth = n.Depth + 1
			stack = append(stack, c)
		}
	}
}

// Waterfall returns the spans in the order in which a waterfall shows them: each
// span before its children, siblings by their start.
func (t *Trace) Waterfall() []*Node {
	var out []*Node
	stack := slices.Clone(t.Roots)
	slices.Reverse(stack)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		out = append(out, n)
		for _, c := range slices.Backward(n.Children) {
			stack = append(stack, c)
		}
	}
	return out
}

// Duration is the time from the start of the first span to the end of the last.
func (t *Trace) Duration() time.Duration { return max(t.End.Sub(t.Start), 0) }

// Cost is the exact cost of the trace's attempts and embeddings, and how many of
// them have no cost. It fails with [ErrOverflow].
func (t *Trace) Cost() (picoUSD int64, unpriced int, err error) {
	total, err := Sum(func(yield func(Record, error) bool) {
		for _, n := range t.Waterfall() {
			if !yield(n.Record, nil) {
				return
			}
		}
	}, Together)
	if err != nil || len(total) == 0 {
		return 0, 0, err
	}
	return total[0].PicoUSD, total[0].Unpriced, nil
}

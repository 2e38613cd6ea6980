package judge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// A Node is a step of a [Graph]: a [*CheckNode], a [*ChoiceNode] or a [*ScoreNode].
// A node may be the next one of several others, but not of itself.
type Node interface{ nodeName() string }

// A CheckNode is a deterministic step: a program decides. What a program can decide,
// such as a length or a format, needs no judge.
type CheckNode struct {
	Name string // a name that changes when Check does, since it is part of the judge's version
	// Check returns one of the keys of Next.
	Check func(Item) (string, error)
	Next  map[string]Node
}

// A ChoiceNode lets the model choose one of the keys of Next.
type ChoiceNode struct {
	Name     string
	Question string
	Next     map[string]Node
}

// A ScoreNode ends a path with a score from 0 to 1.
type ScoreNode struct {
	Name  string
	Score float64
}

func (n *CheckNode) nodeName() string  { return n.Name }
func (n *ChoiceNode) nodeName() string { return n.Name }
func (n *ScoreNode) nodeName() string  { return n.Name }

// A Graph is a decision graph: small questions with few answers instead of one grade.
// Each decision can be read and checked, the score of a path is fixed, and a step
// that a program can decide costs no call. It is safe for concurrent use if its model
// and its checks are.
type Graph struct {
	root      Node
	questions map[*ChoiceNode]*Question
	version   Version
}

// NewGraph returns the graph that begins at root. Each path must end at a
// [*ScoreNode], and names must differ.
func NewGraph(model llms.Model, name string, root Node, o *Options) (*Graph, error) {
	g := &Graph{root: root, questions: map[*ChoiceNode]*Question{}}
	b := builder{graph: g, model: model, name: name, o: o, state: map[Node]int{}, names: map[string]bool{}}
	if err := b.add(root, nil); err != nil {
		return nil, err
	}
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	// A graph of checks only needs no model, but has a version all the same.
	g.version = versionOf(name, rules, b.text.String(), fmt.Sprint(opts.Temperature, opts.MaxTokens, opts.ReAsks))
	return g, nil
}

// Version returns what pins this judge.
func (g *Graph) Version() Version { return g.version }

type builder struct {
	graph *Graph
	model llms.Model
	name  string
	o     *Options
	state map[Node]int // 1: on the path, 2: done
	names map[string]bool
	text  strings.Builder
}

func (b *builder) add(n Node, path []string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: the node at %q: %s", ErrOption, "/"+strings.Join(path, "/"), fmt.Sprintf(format, args...))
	}
	var next map[string]Node
	switch n := n.(type) {
	case *CheckNode:
		if n == nil || n.Check == nil {
			return bad("it has no check")
		}
		next = n.Next
	case *ChoiceNode:
		if n == nil || strings.TrimSpace(n.Question) == "" {
			return bad("it has no question")
		}
		next = n.Next
	case *ScoreNode:
		if n == nil || !(n.Score >= 0 && n.Score <= 1) {
			return bad("it has no score from 0 to 1")
		}
	default:
		return bad("it is %T: want a node", n)
	}
	switch b.state[n] {
	case 1:
		return bad("the node %q leads to itself", n.nodeName())
	case 2:
		return nil
	}
	if name := n.nodeName(); name == "" || b.names[name] {
		return bad("the name is %q: want one of its own", name)
	}
	b.names[n.nodeName()] = true
	b.state[n] = 1
	choices := slices.Sorted(maps.Keys(next))
	fmt.Fprintf(&b.text, "%T %q", n, n.nodeName())
	if s, ok := n.(*ScoreNode); ok {
		fmt.Fprintf(&b.text, " %v\n", s.Score)
	} else if len(choices) < 2 {
		return bad("it has %d choices: want at least 2", len(choices))
	}
	if q, ok := n.(*ChoiceNode); ok {
		if err := b.question(q, choices, bad); err != nil {
			return err
		}
	}
	for _, c := range choices {
		if err := b.add(next[c], append(path, n.nodeName()+"="+c)); err != nil {
			return err
		}
		fmt.Fprintf(&b.text, "%q %q: %q\n", n.nodeName(), c, next[c].nodeName())
	}
	b.state[n] = 2
	return nil
}

func (b *builder) question(n *ChoiceNode, choices []string, bad func(string, ...any) error) error {
	for _, c := range choices {
		if c == "" || strings.ContainsAny(c, "\"\\\r\n") {
			return bad("the choice is %q: want a short word without quotes", c)
		}
	}
	text := "You answer one question about the material, which comes from a run of an AI system.\nQuestion: " + n.Question +
		"\nGive the reason first, then one of the choices \"" + strings.Join(choices, "\", \"") + "\":\n" +
		`{"check": "...", "reason": "one sentence", "choice": "..."}`
	q, err := NewQuestion(b.model, b.name, text, b.o)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b.text, " %s\n", text)
	b.graph.questions[n] = q
	return nil
}

// A Decision is one step of a path through a [Graph].
type Decision struct {
	Node   string `json:"node"`
	Choice string `json:"choice"`
	Reason string `json:"reason,omitempty"` // the judge's, none for a check
}

// A GraphResult is what came of [Graph.Grade].
type GraphResult struct {
	Outcome Outcome    `json:"outcome"`
	Score   float64    `json:"score"` // 0 to 1, if Outcome is [OutcomeScored]
	Path    []Decision `json:"path"`  // up to the step without a decision, or to the score
	End     string     `json:"end,omitempty"`
	Reason  string     `json:"reason,omitempty"` // why there is no score
	Judge   Version    `json:"judge"`
	Spent   Spent      `json:"spent"`
}

// Grade follows the decisions for an item. Outcomes and errors are those of
// [Judge.Grade]; an error of a check is returned wrapped.
func (g *Graph) Grade(ctx context.Context, item Item) (GraphResult, error) {
	r := GraphResult{Judge: g.version}
	parts := item.shared()
	if item.Output != "" {
		parts = append(parts, Part{"ANSWER", item.Output})
	}
	for n := g.root; ; {
		switch at := n.(type) {
		case *ScoreNode:
			r.Outcome, r.Score, r.End = OutcomeScored, at.Score, at.Name
			return r, nil
		case *CheckNode:
			choice, err := at.Check(item)
			if err == nil && at.Next[choice] == nil {
				err = fmt.Errorf("%w: it returned %q: want one of %q", ErrOption, choice, slices.Sorted(maps.Keys(at.Next)))
			}
			if err != nil {
				return r, fmt.Errorf("judge: the check %q: %w", at.Name, err)
			}
			r.Path = append(r.Path, Decision{Node: at.Name, Choice: choice})
			n = at.Next[choice]
		case *ChoiceNode:
			d, a, err := g.choose(ctx, at, parts)
			r.Spent.Add(a.Spent)
			if err != nil {
				return r, fmt.Errorf("judge: the question %q: %w", at.Name, err)
			}
			if a.Outcome != OutcomeScored {
				r.Outcome, r.Reason = a.Outcome, at.Name+": "+a.Reason
				return r, nil
			}
			r.Path = append(r.Path, d)
			n = at.Next[d.Choice]
		}
	}
}

func (g *Graph) choose(ctx context.Context, n *ChoiceNode, parts []Part) (Decision, Answer, error) {
	d := Decision{Node: n.Name}
	a, err := g.questions[n].Ask(ctx, parts, func(r Reply) error {
		if err := r.Only("choice", "reason"); err != nil {
			return err
		}
		var err error
		if d.Choice, err = r.Text("choice"); err != nil {
			return err
		}
		if n.Next[d.Choice] == nil {
			return unreadable("%.40q is not a choice", d.Choice)
		}
		d.Reason, _ = r.Text("reason")
		return nil
	})
	return d, a, err
}

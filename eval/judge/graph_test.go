package judge_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
)

func refund() judge.Node {
	bad, half, good := &judge.ScoreNode{Name: "bad"}, &judge.ScoreNode{Name: "half", Score: 0.5}, &judge.ScoreNode{Name: "good", Score: 1}
	policy := &judge.ChoiceNode{Name: "policy", Question: "Does the answer follow the passage?", Next: map[string]judge.Node{"yes": good, "in part": half, "no": bad}}
	return &judge.CheckNode{Name: "length<100", Check: func(i judge.Item) (string, error) {
		if len(i.Output) > 100 {
			return "long", nil
		}
		return "short", nil
	}, Next: map[string]judge.Node{"long": bad, "short": &judge.ChoiceNode{Name: "refund", Question: "Is it about a refund?", Next: map[string]judge.Node{"yes": policy, "no": half}}}}
}

func TestGraphFollowsItsDecisions(t *testing.T) {
	s := &modeltest.Script{Turns: []modeltest.Turn{
		say(`"reason": "it is", "choice": "yes"`), say(`"choice": "perhaps"`), say(`"choice": "in part", "score": 1`), say(`"choice": "in part", "reason": "one of two"`),
	}}
	g, err := judge.NewGraph(s, "m", refund(), &judge.Options{Nonce: fixed})
	require.NoError(t, err)
	r, err := g.Grade(context.Background(), judge.Item{Input: "q", Output: "x", Context: []string{"p"}})
	require.NoError(t, err)
	assert.Equal(t, judge.OutcomeScored, r.Outcome, r.Reason)
	assert.Equal(t, 0.5, r.Score)
	assert.Equal(t, "half", r.End)
	assert.Equal(t, []judge.Decision{{"length<100", "short", ""}, {"refund", "yes", "it is"}, {"policy", "in part", "one of two"}}, r.Path)
	assert.Equal(t, 4, r.Spent.Calls)

	r, err = g.Grade(context.Background(), judge.Item{Output: string(make([]byte, 101))})
	require.NoError(t, err)
	assert.Equal(t, "bad", r.End)
	assert.Zero(t, r.Spent.Calls, "a check is no call")
}

func TestAGraphWithoutADecisionHasNoScore(t *testing.T) {
	s := &modeltest.Script{Turns: []modeltest.Turn{say(`"choice": "yes"`), say(`"abstain": true, "reason": "no passage"`)}}
	g, err := judge.NewGraph(s, "m", refund(), &judge.Options{Nonce: fixed})
	require.NoError(t, err)
	r, err := g.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Equal(t, judge.OutcomeAbstained, r.Outcome)
	assert.Equal(t, "policy: no passage", r.Reason)
	assert.Len(t, r.Path, 2)
	assert.Zero(t, r.Score)
}

func TestGraphsThatCannotEnd(t *testing.T) {
	leaf := &judge.ScoreNode{Name: "leaf", Score: 1}
	yes := func(judge.Item) (string, error) { return "yes", nil }
	loop := &judge.CheckNode{Name: "loop", Check: yes}
	loop.Next = map[string]judge.Node{"yes": loop, "no": leaf}
	for name, root := range map[string]judge.Node{
		"nil": nil, "typed nil": (*judge.ChoiceNode)(nil), "nil check": (*judge.CheckNode)(nil), "nil score": (*judge.ScoreNode)(nil), "loop": loop,
		"score":      &judge.ScoreNode{Name: "x", Score: math.NaN()},
		"no name":    &judge.ScoreNode{},
		"one choice": &judge.CheckNode{Name: "x", Check: yes, Next: map[string]judge.Node{"yes": leaf}},
		"nil next":   &judge.CheckNode{Name: "x", Check: yes, Next: map[string]judge.Node{"yes": leaf, "no": nil}},
		"same names": &judge.CheckNode{Name: "x", Check: yes, Next: map[string]judge.Node{"yes": leaf, "no": &judge.ScoreNode{Name: "leaf"}}},
		"no check":   &judge.CheckNode{Name: "x", Next: map[string]judge.Node{"yes": leaf, "no": leaf}},
		"question":   &judge.ChoiceNode{Name: "x", Next: map[string]judge.Node{"yes": leaf, "no": leaf}},
		"quote":      &judge.ChoiceNode{Name: "x", Question: "?", Next: map[string]judge.Node{"ye\"s": leaf, "no": leaf}},
	} {
		_, err := judge.NewGraph(&modeltest.Script{}, "m", root, nil)
		require.ErrorIs(t, err, judge.ErrOption, name)
	}
	down := errors.New("down")
	g, err := judge.NewGraph(nil, "m", &judge.CheckNode{Name: "x", Check: func(i judge.Item) (string, error) { return i.Output, down }, Next: map[string]judge.Node{"yes": leaf, "no": leaf}}, nil)
	require.NoError(t, err, "a graph of checks has no model")
	_, err = g.Grade(context.Background(), judge.Item{})
	require.ErrorIs(t, err, down)
	g, err = judge.NewGraph(nil, "m", &judge.CheckNode{Name: "x", Check: func(judge.Item) (string, error) { return "?", nil }, Next: map[string]judge.Node{"yes": leaf, "no": leaf}}, nil)
	require.NoError(t, err)
	_, err = g.Grade(context.Background(), judge.Item{})
	require.ErrorIs(t, err, judge.ErrOption)
}

func TestTheVersionOfAGraph(t *testing.T) {
	seen := map[judge.Version]bool{}
	leaves := map[string]judge.Node{"yes": &judge.ScoreNode{Name: "a"}, "no": &judge.ScoreNode{Name: "b", Score: 1}}
	other := map[string]judge.Node{"yes": &judge.ScoreNode{Name: "a", Score: 0.1}, "no": &judge.ScoreNode{Name: "b", Score: 1}}
	turned := map[string]judge.Node{"no": leaves["yes"], "yes": leaves["no"]}
	for _, root := range []judge.Node{
		&judge.ChoiceNode{Name: "x", Question: "?", Next: leaves}, &judge.ChoiceNode{Name: "x", Question: "!", Next: leaves},
		&judge.ChoiceNode{Name: "x", Question: "?", Next: other}, &judge.ChoiceNode{Name: "x", Question: "?", Next: turned},
	} {
		g, err := judge.NewGraph(&modeltest.Script{}, "m", root, nil)
		require.NoError(t, err)
		assert.False(t, seen[g.Version()])
		seen[g.Version()] = true
	}
}

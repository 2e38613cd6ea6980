package judge_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/dist"
)

func member(t *testing.T, name string, turns ...modeltest.Turn) *judge.Judge {
	t.Helper()
	j, err := judge.New(&modeltest.Script{Turns: turns}, name, rubric, &judge.Options{Nonce: fixed})
	require.NoError(t, err)
	return j
}

func TestAPanelAggregates(t *testing.T) {
	full, none := say(`"grades": {"correct": 5, "polite": 1}`), say(`"grades": {"correct": 1, "polite": 0}`)
	half := say(`"grades": {"correct": 3, "polite": 0}`) // 3·½/4 = .375
	abstain := say(`"abstain": true`)
	for _, c := range []struct {
		how          judge.Aggregate
		turns        [3]modeltest.Turn
		outcome      judge.Outcome
		score        float64
		disagreement float64
	}{
		{0, [3]modeltest.Turn{full, none, half}, judge.OutcomeScored, 0.375, (1 + 0.625 + 0.375) / 3},
		{judge.AggregateMean, [3]modeltest.Turn{full, none, half}, judge.OutcomeScored, 1.375 / 3, 2.0 / 3},
		{judge.AggregateMin, [3]modeltest.Turn{full, none, half}, judge.OutcomeScored, 0, 2.0 / 3},
		{0, [3]modeltest.Turn{full, abstain, half}, judge.OutcomeScored, 0.6875, 0.625},
		{0, [3]modeltest.Turn{full, full, full}, judge.OutcomeScored, 1, 0},
		{0, [3]modeltest.Turn{full, abstain, abstain}, judge.OutcomeAbstained, 0, 0},
	} {
		p, err := judge.NewPanel([]*judge.Judge{member(t, "x", c.turns[0]), member(t, "y", c.turns[1]), member(t, "z", c.turns[2])}, &judge.PanelOptions{Aggregate: c.how})
		require.NoError(t, err)
		r, err := p.Grade(context.Background(), judge.Item{Output: "o"})
		require.NoError(t, err)
		assert.Equal(t, c.outcome, r.Outcome)
		assert.InDelta(t, c.score, r.Score, 1e-12)
		assert.InDelta(t, c.disagreement, r.Disagreement, 1e-12)
		assert.Len(t, r.Members, 3)
		assert.Equal(t, 3, r.Spent.Calls)
	}
}

func TestAPanelVotes(t *testing.T) {
	a := []modeltest.Turn{say(`"verdict": "first"`), say(`"verdict": "second"`)}
	b := []modeltest.Turn{say(`"verdict": "second"`), say(`"verdict": "first"`)}
	for _, c := range []struct {
		votes        [3][]modeltest.Turn
		want         judge.Verdict
		disagreement float64
	}{
		{[3][]modeltest.Turn{a, a, b}, judge.VerdictA, 1.0 / 3},
		{[3][]modeltest.Turn{b, a, b}, judge.VerdictB, 1.0 / 3},
		{[3][]modeltest.Turn{b, a, {say(`"abstain": true`)}}, judge.VerdictTie, 0.5},
	} {
		p, err := judge.NewPanel([]*judge.Judge{member(t, "x", c.votes[0]...), member(t, "y", c.votes[1]...), member(t, "z", c.votes[2]...)}, nil)
		require.NoError(t, err)
		r, err := p.Compare(context.Background(), judge.Item{}, "one", "two")
		require.NoError(t, err)
		assert.Equal(t, judge.OutcomeScored, r.Outcome)
		assert.Equal(t, c.want, r.Verdict)
		assert.InDelta(t, c.disagreement, r.Disagreement, 1e-12)
	}
}

func TestPanelsThatCannotWork(t *testing.T) {
	j := member(t, "x")
	for _, judges := range [][]*judge.Judge{nil, {j}, {j, nil}, judge.Repeat(j, 3)} {
		_, err := judge.NewPanel(judges, nil)
		assert.ErrorIs(t, err, judge.ErrOption)
	}
	warm, err := judge.New(obedient(), "x", rubric, &judge.Options{Temperature: 1})
	require.NoError(t, err)
	_, err = judge.NewPanel(judge.Repeat(warm, 3), &judge.PanelOptions{MinScored: 4})
	assert.ErrorIs(t, err, judge.ErrOption)
	p, err := judge.NewPanel(judge.Repeat(warm, 3), nil)
	require.NoError(t, err)
	r, err := p.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Zero(t, r.Disagreement)

	down := errors.New("down")
	p, err = judge.NewPanel([]*judge.Judge{member(t, "y", modeltest.Turn{Err: down}), warm}, nil)
	require.NoError(t, err)
	_, err = p.Grade(context.Background(), judge.Item{})
	assert.ErrorIs(t, err, down)
}

func TestAgreementOfAPanel(t *testing.T) {
	with := func(scores ...float64) judge.PanelResult {
		var r judge.PanelResult
		for _, s := range scores {
			m := judge.Result{Outcome: judge.OutcomeScored, Score: s}
			if s < 0 {
				m.Outcome = judge.OutcomeAbstained
			}
			r.Members = append(r.Members, m)
		}
		return r
	}
	alpha, err := judge.Agreement([]judge.PanelResult{with(0, 0, -1), with(1, 1, 1), with(0.5, -1, 0.5)})
	require.NoError(t, err)
	assert.InDelta(t, 1, alpha, 1e-12)
	alpha, err = judge.Agreement([]judge.PanelResult{with(0, 1), with(1, 0)})
	require.NoError(t, err)
	assert.Less(t, alpha, 0.0)
	_, err = judge.Agreement([]judge.PanelResult{with(1, 1), with(1, 1)})
	assert.ErrorIs(t, err, judge.ErrUndefined)
	_, err = judge.Agreement(nil)
	assert.ErrorIs(t, err, judge.ErrUndefined)
}

// biased prefers the better answer with probability quality, and the first place
// with an added bias.
type biased struct {
	random        *rand.Rand
	quality, bias float64
}

func (b *biased) Call(context.Context, string, ...llms.CallOption) (string, error) {
	return "", errors.ErrUnsupported
}

func (b *biased) GenerateContent(_ context.Context, messages []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	human := textOf(messages[1:])
	p := b.quality
	if !strings.Contains(human, "FIRST ANSWER\n"+nonce+"| better") {
		p = 1 - b.quality
	}
	verdict := "second"
	if b.random.Float64() < p+b.bias {
		verdict = "first"
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: `{` + check + `, "verdict": "` + verdict + `"}`, StopReason: "stop"}}}, nil
}

// TestTheSwapRemovesPositionBias: the mean of Comparison.Value covers the judge's
// true preference in 95 % of simulations, and one order alone does not.
func TestTheSwapRemovesPositionBias(t *testing.T) {
	if testing.Short() {
		t.Skip("120,000 comparisons")
	}
	model := &biased{random: rand.New(rand.NewPCG(6, 28)), quality: 0.6, bias: 0.2}
	j, err := judge.New(model, "biased-1", rubric, &judge.Options{Nonce: fixed})
	require.NoError(t, err)
	const runs, pairs = 1000, 60
	covered, alone, mean := 0, 0, 0.0
	for range runs {
		both, first := make([]float64, pairs), make([]float64, pairs)
		for i := range pairs {
			c, err := j.Compare(context.Background(), judge.Item{}, "better", "worse")
			require.NoError(t, err)
			both[i] = c.Value
			if c.Orders[0] == judge.VerdictA {
				first[i] = 1
			}
		}
		m, ok := covers(both, model.quality)
		mean += m / runs
		if ok {
			covered++
		}
		if _, ok := covers(first, model.quality); ok {
			alone++
		}
	}
	t.Logf("both orders: mean %.4f, covered in %d of %d; the first order alone: %d", mean, covered, runs, alone)
	assert.InDelta(t, 0.6, mean, 0.005)
	assert.InDelta(t, 0.95, float64(covered)/runs, 0.02)
	assert.Less(t, alone, runs/5)
}

// covers reports whether the 95 % t interval of the mean contains x.
func covers(xs []float64, x float64) (float64, bool) {
	n := float64(len(xs))
	mean, square := 0.0, 0.0
	for _, v := range xs {
		mean += v / n
	}
	for _, v := range xs {
		square += (v - mean) * (v - mean)
	}
	half := dist.StudentQuantile(0.975, n-1) * math.Sqrt(square/(n-1)/n)
	return mean, math.Abs(mean-x) <= half
}

func geval(t *testing.T, o *judge.GEvalOptions, turns ...modeltest.Turn) (*judge.GEval, *modeltest.Script) {
	t.Helper()
	s := &modeltest.Script{Turns: turns}
	if o == nil {
		o = &judge.GEvalOptions{}
	}
	if o.Options == nil {
		o.Options = &judge.Options{}
	}
	o.Options.Nonce = fixed
	g, err := judge.NewGEval(s, "g-1", "Is the answer clear?", []string{"Read it.", "Grade it."}, o)
	require.NoError(t, err)
	return g, s
}

func TestGEvalWeighsByProbability(t *testing.T) {
	info := map[string]any{"Logprobs": map[string]any{"content": []any{
		map[string]any{"token": "4", "top_logprobs": []any{
			map[string]any{"token": "4", "logprob": math.Log(0.6)},
			map[string]any{"token": "5", "logprob": math.Log(0.2)},
			map[string]any{"token": "9", "logprob": math.Log(0.1)}, // not on the scale
			map[string]any{"token": "x", "logprob": math.Log(0.1)},
		}}}}}
	turn := modeltest.Turn{Choices: []*llms.ContentChoice{{Content: `{` + check + `, "score": 4, "reason": "ok"}`, StopReason: "stop", GenerationInfo: info}}}
	g, s := geval(t, nil, turn)
	r, err := g.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Equal(t, judge.WeightingLogProbs, r.Weighting)
	assert.InDelta(t, (4*0.6+5*0.2)/0.8, r.Grade, 1e-12)
	assert.InDelta(t, (4.25-1)/4, r.Score, 1e-12)
	assert.Equal(t, "ok", r.Reason)
	assert.Len(t, s.Calls(), 1)
	assert.Equal(t, g.Version(), r.Judge)
}

func TestGEvalSamplesWithoutProbabilities(t *testing.T) {
	cut := modeltest.Turn{Choices: []*llms.ContentChoice{{Content: "{", StopReason: "length"}}}
	g, s := geval(t, &judge.GEvalOptions{Samples: 4}, say(`"score": 1`), say(`"score": 4`), say(`"score": 5`), cut, say(`"score": 3`))
	r, err := g.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Equal(t, judge.OutcomeScored, r.Outcome)
	assert.Equal(t, judge.WeightingSampling, r.Weighting)
	assert.Equal(t, []float64{4, 5, 3}, r.Samples)
	assert.Equal(t, 1, r.Unscored)
	assert.Equal(t, 4.0, r.Grade)
	assert.Equal(t, 0.75, r.Score)
	assert.Equal(t, 5, r.Spent.Calls)
	assert.Zero(t, s.Calls()[0].Options.Temperature)
	assert.Equal(t, 1.0, s.Calls()[1].Options.Temperature)
}

func TestGEvalThatCannotWork(t *testing.T) {
	for _, o := range []judge.GEvalOptions{{Samples: 1}, {Scale: judge.Range{Min: 1, Max: 10}}, {Scale: judge.Range{Min: 0.5, Max: 3}}, {Options: &judge.Options{Temperature: 3}}} {
		_, err := judge.NewGEval(obedient(), "m", "c", nil, &o)
		assert.ErrorIs(t, err, judge.ErrOption)
	}
	_, err := judge.NewGEval(nil, "m", "c", nil, nil)
	assert.ErrorIs(t, err, judge.ErrOption)
	g, _ := geval(t, &judge.GEvalOptions{Options: &judge.Options{ReAsks: -1}}, say(`"score": 2.5`))
	r, err := g.Grade(context.Background(), judge.Item{})
	require.NoError(t, err)
	assert.Equal(t, judge.OutcomeParseError, r.Outcome)
	assert.Zero(t, r.Score)
}

// TestRunVarianceOfARepeatedJudge: a judge whose grades vary by a known amount.
func TestRunVarianceOfARepeatedJudge(t *testing.T) {
	random := rand.New(rand.NewPCG(28, 9))
	s := &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		texts, check := material(c)
		grade := 3.0
		if strings.Contains(texts["ANSWER"], "good") {
			grade = 7
		}
		return modeltest.Say(fmt.Sprintf(`{"check": %q, "grades": {"correct": %v}}`, check, grade+random.Float64())), true
	}}
	j, err := judge.New(s, "noisy-1", scale10, &judge.Options{Temperature: 1})
	require.NoError(t, err)
	panel, err := judge.NewPanel(judge.Repeat(j, 3), nil)
	require.NoError(t, err)
	var results []judge.PanelResult
	for i := range 60 {
		r, err := panel.Grade(context.Background(), judge.Item{Output: []string{"good", "bad"}[i%2]})
		require.NoError(t, err)
		results = append(results, r)
	}
	c, err := judge.RunVariance(results)
	require.NoError(t, err)
	assert.InDelta(t, 1.0/12/81, c.RunVariance, 0.3/12/81) // a uniform grade, on a scale of 9
	assert.InDelta(t, 4.0*60/59/81, c.ItemVariance, 0.05/81*10)
	_, err = judge.RunVariance(nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
}

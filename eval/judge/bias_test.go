package judge_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/race"
)

// material returns the marked texts of a prompt by title, and the check word.
func material(c modeltest.Call) (texts map[string]string, check string) {
	system, human := textOf(c.Messages[:1]), textOf(c.Messages[1:])
	mark := markOf.FindStringSubmatch(system)[1]
	texts, title := map[string]string{}, ""
	for line := range strings.SplitSeq(human, "\n") {
		if t, ok := strings.CutPrefix(line, mark+" BEGIN "); ok {
			title = t
		} else if rest, ok := strings.CutPrefix(line, mark+"| "); ok {
			texts[title] += rest + "\n"
		}
	}
	return texts, checkOf.FindStringSubmatch(system)[1]
}

// leaning is a judge with planted biases, each added to the chance of a win.
type leaning struct {
	position, verbose, style, authority, self float64
}

func (l *leaning) likes(text string) float64 {
	v := 0.0
	for word, by := range map[string]float64{"say the same once more": l.verbose, "- **": l.style, "professors": l.authority, "own": l.self} {
		if strings.Contains(text, word) {
			v += by
		}
	}
	return v
}

func (l *leaning) judge(t *testing.T, seed uint64) *judge.Judge {
	random := rand.New(rand.NewPCG(seed, 28))
	s := &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		texts, check := material(c)
		if answer, ok := texts["ANSWER"]; ok {
			return modeltest.Say(fmt.Sprintf(`{"check": %q, "grades": {"correct": %v}}`, check, 4+random.Float64()+l.likes(answer)*9)), true
		}
		verdict := "second"
		if random.Float64() < 0.5+l.position+l.likes(texts["FIRST ANSWER"])-l.likes(texts["SECOND ANSWER"]) {
			verdict = "first"
		}
		return modeltest.Say(fmt.Sprintf(`{"check": %q, "verdict": %q}`, check, verdict)), true
	}}
	j, err := judge.New(s, "leaning-1", scale10, nil)
	require.NoError(t, err)
	return j
}

func probes(t *testing.T, j *judge.Judge, n int) []judge.Bias {
	items, pairs := make([]judge.Item, n), make([]judge.AnswerPair, n)
	for i := range items {
		items[i] = judge.Item{Input: "When?", Output: fmt.Sprintf("It comes on day %d. Then it is paid.", i)}
		pairs[i] = judge.AnswerPair{Item: items[i], A: "an own answer", B: "another", People: 0.5}
	}
	ctx := context.Background()
	var out []judge.Bias
	add := func(b judge.Bias, err error) {
		require.NoError(t, err)
		assert.Equal(t, n, b.Items)
		out = append(out, b)
	}
	plain := make([]judge.AnswerPair, n)
	for i := range plain {
		plain[i] = judge.AnswerPair{A: "one", B: "two"}
	}
	add(judge.ProbePosition(ctx, j, plain, nil))
	for _, c := range []judge.Change{judge.ChangeVerbose(), judge.ChangeStyle(), judge.ChangeAuthority()} {
		add(judge.ProbeChange(ctx, j, items, c, nil))
	}
	add(judge.ProbeSelfPreference(ctx, j, pairs, nil))
	add(judge.ProbeGrades(ctx, j, items, judge.ChangeVerbose(), nil))
	return out
}

func TestProbesFindPlantedBiases(t *testing.T) {
	found := probes(t, (&leaning{position: 0.1, verbose: 0.2, style: 0.15, authority: 0.1, self: 0.25}).judge(t, 1), 250)
	for i, want := range []float64{0.2, 0.4, 0.3, 0.2, 0.5, 0.2} {
		b := found[i]
		assert.True(t, b.Interval.Contains(want), "%s: %v in %v, planted %v", b.Name, b.Effect, b.Interval, want)
		assert.True(t, b.Shown(), b.Name)
	}
	assert.InDelta(t, 0.5+0.02, found[0].FlipRate, 0.08) // a coin judge flips in half of the pairs
	t.Log("\n" + judge.BiasTable(found))
}

// TestProbesCover: the intervals contain the planted effect in 95 % of judges, and
// show a bias that isn't there in 5 %.
func TestProbesCover(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine, and 12,000 calls")
	}
	const trials = 20
	covered, false1 := 0, 0
	for seed := range uint64(trials) {
		for _, b := range probes(t, (&leaning{}).judge(t, seed), 50) {
			if b.Interval.Contains(0) {
				covered++
			}
			if b.Shown() {
				false1++
			}
		}
	}
	n := float64(6 * trials)
	assert.InDelta(t, 0.95*n, covered, 3.5*math.Sqrt(0.0475*n))
	assert.Equal(t, int(n), covered+false1)
}

func TestProbesThatCannotWork(t *testing.T) {
	ctx := context.Background()
	j := (&leaning{}).judge(t, 1)
	items := []judge.Item{{Output: "a"}, {Output: "b"}}
	_, err := judge.ProbeChange(ctx, j, items, judge.Change{}, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.ProbeGrades(ctx, j, items, judge.Change{}, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.ProbeChange(ctx, nil, items, judge.ChangeStyle(), nil)
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.ProbePosition(ctx, j, []judge.AnswerPair{{}}, nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
	_, err = judge.ProbePosition(ctx, j, nil, &judge.ProbeOptions{Level: 2})
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.ProbeSelfPreference(ctx, j, []judge.AnswerPair{{People: 2}}, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = judge.ProbeChange(stopped, j, items, judge.ChangeStyle(), nil)
	require.ErrorIs(t, err, context.Canceled)

	// Items without a score are counted, and a failed one doesn't count as 0.
	s := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("I cannot grade this.")}, Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		_, check := material(c)
		return modeltest.Say(fmt.Sprintf(`{"check": %q, "verdict": "tie"}`, check)), true
	}}
	j, err = judge.New(s, "m", scale10, nil)
	require.NoError(t, err)
	b, err := judge.ProbeChange(ctx, j, append(items, items...), judge.ChangeStyle(), nil)
	require.NoError(t, err)
	assert.Equal(t, 4, b.Items+b.Unscored)
	assert.Zero(t, b.Effect)
}

func TestGoldenCalibrators(t *testing.T) {
	type row struct {
		Scores, Labels, At, Isotonic, Platt []float64
	}
	golden.Rows(t, "eval", "calibrate.jsonl", func(r row) error {
		f, err := judge.FitIsotonic(r.Scores, r.Labels)
		if err != nil {
			return err
		}
		for i, x := range r.At {
			if err := near("isotonic", f.Calibrate(x), num(r.Isotonic[i])); err != nil {
				return err
			}
		}
		if r.Platt == nil {
			return nil
		}
		p, err := judge.FitPlatt(r.Scores, r.Labels)
		if err != nil {
			return err
		}
		for i, x := range r.At { // the reference stops at a gradient of 1e-4 or so
			if got := p.Calibrate(x); math.Abs(got-r.Platt[i]) > 2e-4 {
				return fmt.Errorf("Platt at %v: got %v, want %v", x, got, r.Platt[i])
			}
		}
		return nil
	})
}

func TestCalibratorsThatCannotWork(t *testing.T) {
	for _, c := range [][2][]float64{{{1}, {1}}, {{1, 2}, {1}}, {{math.NaN(), 1}, {0, 1}}, {{1, 2}, {0, 2}}, {{1, 2}, {0, math.NaN()}}, {{math.Inf(1), 2}, {0, 1}}} {
		_, err := judge.FitIsotonic(c[0], c[1])
		require.ErrorIs(t, err, judge.ErrOption)
		_, err = judge.FitPlatt(c[0], c[1])
		require.ErrorIs(t, err, judge.ErrOption)
	}
	_, err := judge.FitPlatt([]float64{1, 1}, []float64{0, 1})
	require.ErrorIs(t, err, judge.ErrUndefined)
	_, err = judge.FitPlatt([]float64{-1e308, 1e308}, []float64{0, 1})
	require.ErrorIs(t, err, judge.ErrUndefined)
	f, err := judge.FitIsotonic([]float64{1, 1}, []float64{0, 1})
	require.NoError(t, err)
	assert.Equal(t, 0.5, f.Calibrate(7))
	assert.True(t, math.IsNaN(f.Calibrate(math.NaN())))
	p, err := judge.FitPlatt([]float64{0, 0, 1, 1}, []float64{0, 0, 1, 1}) // separated
	require.NoError(t, err)
	assert.InDelta(t, 0.75, p.Calibrate(1), 1e-6)
	p, err = judge.FitPlatt([]float64{0, 1, 2}, []float64{1, 1, 1})
	require.NoError(t, err)
	assert.InDelta(t, 0.8, p.Calibrate(1), 1e-6)
}

// labeled draws items with two people's labels and a judge's score.
func labeled(r *rand.Rand, n int, noise, bias float64) []judge.Labeled {
	out := make([]judge.Labeled, n)
	for i := range out {
		quality := r.Float64()
		person := func() float64 { return math.Round(min(1, max(0, quality+0.08*r.NormFloat64()))) }
		out[i] = judge.Labeled{ID: fmt.Sprint(i), Outcome: judge.OutcomeScored, Score: min(1, max(0, math.Round(quality)+noise*r.NormFloat64()+bias)), People: []float64{person(), person()}}
	}
	return out
}

func TestAssess(t *testing.T) {
	r := rand.New(rand.NewPCG(28, 5))
	good := labeled(r, 400, 0.2, 0)
	for _, c := range []struct {
		name  string
		items []judge.Labeled
		trust judge.Trust
		word  string
	}{
		{"good", good, judge.TrustYes, ""},
		{"few", good[:12], judge.TrustUnknown, "don't show"},
		{"noise", labeled(r, 400, 3, 0), judge.TrustNo, "kappa with people"},
		{"kind", labeled(r, 400, 0.05, 0.4), judge.TrustNo, "calibrate it"},
		{"flat", func() []judge.Labeled {
			out := labeled(r, 100, 0, 0)
			for i := range out {
				out[i].Score = 0.8
			}
			return out
		}(), judge.TrustNo, "no spread"},
		{"silent", func() []judge.Labeled {
			out := labeled(r, 200, 0.1, 0)
			for i := range 40 {
				out[i].Outcome = judge.OutcomeRefused
			}
			return out
		}(), judge.TrustNo, "160 of 200"},
		{"one class", []judge.Labeled{{Outcome: judge.OutcomeScored, Score: 1, People: []float64{1}}, {Outcome: judge.OutcomeScored, Score: 0.9, People: []float64{1}}}, judge.TrustUnknown, "of the other kind"},
	} {
		a, err := judge.Assess(c.items, nil)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.trust, a.Trust, "%s: %s", c.name, a)
		assert.Contains(t, a.String(), c.word, c.name)
	}
	// Calibration on one half removes the bias on the other half.
	kind := labeled(r, 800, 0.15, 0.4)
	var scores, labels []float64
	for _, i := range kind[:400] {
		scores, labels = append(scores, i.Score), append(labels, (i.People[0]+i.People[1])/2)
	}
	f, err := judge.FitIsotonic(scores, labels)
	require.NoError(t, err)
	before, err := judge.Assess(kind[400:], nil)
	require.NoError(t, err)
	after, err := judge.Assess(judge.Calibrated(kind[400:], f), nil)
	require.NoError(t, err)
	assert.Equal(t, judge.TrustNo, before.Trust)
	assert.Equal(t, judge.TrustYes, after.Trust, after.String())
	assert.Less(t, after.Brier, before.Brier/2)
	assert.Less(t, before.BrierIsotonic, before.Brier/2, "the report shows what calibration would give")
	t.Log("\n" + before.String())
}

func TestAssessThatCannotWork(t *testing.T) {
	ok := judge.Labeled{Outcome: judge.OutcomeScored, Score: 0.5, People: []float64{1, math.NaN()}}
	for _, o := range []judge.AssessOptions{{Pass: -1}, {MinKappa: 2}, {Level: 1}, {MaxBias: math.NaN()}, {MinCoverage: 1.1}} {
		_, err := judge.Assess([]judge.Labeled{ok, ok}, &o)
		require.ErrorIs(t, err, judge.ErrOption)
	}
	for _, bad := range []judge.Labeled{{Outcome: judge.OutcomeScored, Score: 2, People: []float64{1}}, {Outcome: judge.OutcomeScored, Score: math.NaN(), People: []float64{1}}, {People: []float64{3}}} {
		_, err := judge.Assess([]judge.Labeled{ok, ok, bad}, nil)
		require.ErrorIs(t, err, judge.ErrOption)
	}
	_, err := judge.Assess([]judge.Labeled{ok, {Outcome: judge.OutcomeScored}}, nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
	a, err := judge.Assess([]judge.Labeled{ok, ok, {Outcome: judge.OutcomeScored}, {Outcome: judge.OutcomeAbstained, People: []float64{1}}}, nil)
	require.NoError(t, err)
	assert.Equal(t, 3, a.Items)
	assert.Equal(t, 2, a.Scored)
}

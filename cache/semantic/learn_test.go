package semantic

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func same(_ context.Context, c Comparison) (bool, error) {
	return c.Answer.Choices[0].Content == c.Fresh.Choices[0].Content, nil
}

func TestLearnOptions(t *testing.T) {
	for _, o := range []*Learn{
		{}, {Same: same, MaxWrong: 1}, {Same: same, MaxWrong: math.NaN()}, {Same: same, Confidence: 1}, {Same: same, Confidence: -1},
	} {
		_, err := New(&echo{}, one, .9, &Options{Learn: o})
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
}

// The threshold is what the definition says, computed curve by curve.
func TestThresholdReference(t *testing.T) {
	l, err := newLearner(Learn{MaxWrong: .1})
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	entries := make([]learned, 5)
	var all []observation
	for i := range 3 * maxObservations {
		of := &entries[random.IntN(len(entries))]
		o := observation{.7 + .3*random.Float64(), random.IntN(3) > 0}
		l.observe(of, o)
		all = append(all, o)
		if i%16 > 0 {
			continue
		}
		type weighed struct{ need, weight float64 }
		var curve []weighed
		sum := 0.0
		for m := range 49 {
			middle := .5 + .0125*float64(m)
			for _, steep := range []float64{15, 30, 60, 120} {
				right := func(o observation) float64 {
					p := 1 / (1 + math.Exp(-steep*(o.Score-middle)))
					if o.Right {
						return p
					}
					return 1 - p
				}
				own, shared := 0.0, 0.0
				for _, o := range of.observations {
					own += math.Log(max(right(o), 1e-300))
				}
				for _, o := range all {
					shared += math.Log(max(right(o), 1e-300))
				}
				w := math.Exp(own + shared*min(1, max(0, 20-float64(len(of.observations)))/float64(len(all))))
				sum += w
				curve = append(curve, weighed{middle + math.Log(9)/steep, w})
			}
		}
		slices.SortFunc(curve, func(a, b weighed) int { return cmpFloat(a.need, b.need) })
		want, enough := 0.0, 0.0
		for _, c := range curve {
			if enough += c.weight; enough >= .9*sum {
				want = c.need
				break
			}
		}
		require.InDelta(t, want, l.threshold(of), 1e-9)
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A new entry knows what the others have learned, and its own observations count more.
func TestEntriesDiffer(t *testing.T) {
	l, err := newLearner(Learn{})
	require.NoError(t, err)
	var fresh, good, bad learned
	require.Greater(t, l.threshold(&fresh), 1., "nothing is known")
	for i := range 40 {
		l.observe(&good, observation{.8 + .004*float64(i), true})
		l.observe(&bad, observation{.8 + .004*float64(i), false})
	}
	require.Less(t, l.threshold(&good), .85)
	require.Greater(t, l.threshold(&bad), .97)
	require.Greater(t, l.threshold(&fresh), l.threshold(&good))
	require.Greater(t, l.threshold(&bad), l.threshold(&fresh)-1e-9)

	for range 2 * maxShared { // never more than a bounded memory, and no overflow
		l.observe(&bad, observation{.9, true})
	}
	require.LessOrEqual(t, len(bad.observations), maxObservations)
	require.Less(t, l.threshold(&bad), .95, "an entry can change its mind")
}

// Half of the entries are right from .75 on, the others from .97 on. No single threshold
// fits both; thresholds of their own do.
func TestLearnedBeatsEveryFixedThreshold(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	e := &Evaluation{}
	for range 4000 {
		entry, score := random.Uint64N(40), .7+.3*random.Float64()
		from := []float64{.75, .97}[entry%2]
		right := random.Float64() < 1/(1+math.Exp(-60*(score-from)))
		e.asked = append(e.asked, outcome{score, right, entry})
		if right {
			e.answerable++
		}
	}
	got, err := e.Learned(.7, &Learn{MaxWrong: .05})
	require.NoError(t, err)
	best := 0
	for threshold := .7; threshold <= 1; threshold += .0025 {
		if r := e.At(threshold); float64(r.False()) <= .05*float64(r.Hits) {
			best = max(best, r.Right)
		}
	}
	t.Logf("learned: %d right, %d wrong; the best fixed threshold: %d right", got.Right, got.False(), best)
	require.Less(t, float64(got.False()), .05*float64(got.Hits))
	require.Greater(t, got.Right, 3*best)

	_, err = e.Learned(.7, &Learn{MaxWrong: 2})
	require.ErrorIs(t, err, ErrOption)
	none, err := e.Learned(1.01, nil)
	require.NoError(t, err)
	require.Zero(t, none.Hits)
}

// near embeds question i at its own cosine from "q".
func near(cosines map[string]float64) table {
	e := table{vectors: map[string][]float32{"how big": {1, 0}}}
	for q, c := range cosines {
		e.vectors[q] = []float32{float32(c), float32(math.Sqrt(1 - c*c))}
	}
	return e
}

// constant always answers the same, so every reuse is right.
type constant struct{ calls int }

func (c *constant) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	c.calls++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a", StopReason: "stop"}}}, nil
}

func (c *constant) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

func TestModelLearns(t *testing.T) {
	cosines := map[string]float64{}
	var questions []string
	for i := range 60 {
		q := "how big " + string(rune('a'+i%26)) + string(rune('a'+i/26))
		cosines[q] = .9 + .0015*float64(i)
		questions = append(questions, q)
	}
	all := func(string, string) string { return "" }
	next := &constant{}
	m, err := New(next, near(cosines), .85, &Options{Guard: all, MaxEntries: 1000, Learn: &Learn{Same: same, CheckEvery: 5}})
	require.NoError(t, err)
	ask(t, m, "how big")
	ask(t, m, questions[0])
	require.Equal(t, 2, next.calls, "nothing is known of the entry yet")
	for _, q := range questions {
		ask(t, m, q)
	}
	s := m.Stats()
	require.Positive(t, s.Hits)
	require.EqualValues(t, s.Compared, next.calls-1, "each call of the model but the first was compared")
	require.Zero(t, s.Unfit)
	require.Less(t, next.calls, 50)
	before := next.calls
	for range 10 {
		ask(t, m, "how big")
	}
	require.Equal(t, before, next.calls, "the same text is never checked")

	// With answers that all differ nothing is ever reused.
	m, err = New(&echo{}, near(cosines), .85, &Options{Guard: all, Learn: &Learn{Same: same}})
	require.NoError(t, err)
	for _, q := range questions {
		ask(t, m, q)
	}
	require.Zero(t, m.Stats().Hits)
	require.EqualValues(t, len(questions)-1, m.Stats().Unfit)

	// An error of Same teaches nothing, and fails no call.
	m, err = New(&constant{}, near(cosines), .85, &Options{Guard: all, Learn: &Learn{Same: func(context.Context, Comparison) (bool, error) { return true, errors.New("down") }}})
	require.NoError(t, err)
	for _, q := range questions {
		ask(t, m, q)
	}
	require.Equal(t, Stats{Misses: 60, Stored: 60}, m.Stats())
}

// A hit that Verify decides on is an observation, and so is one in shadow mode.
func TestLearnFromVerifyAndShadow(t *testing.T) {
	cosines := map[string]float64{"how big is it": .99}
	m, err := New(&constant{}, near(cosines), .85, &Options{Learn: &Learn{Same: same, MaxWrong: .9, Confidence: .1},
		Verify: func(context.Context, string, string) (bool, error) { return false, nil }})
	require.NoError(t, err)
	ask(t, m, "how big")
	ask(t, m, "how big is it")
	require.Equal(t, Stats{Misses: 2, Stored: 2, Refused: 1, Compared: 1, Unfit: 1}, m.Stats())

	shown := 0
	m, err = New(&constant{}, near(cosines), .85, &Options{Learn: &Learn{Same: same, MaxWrong: .9, Confidence: .1},
		Shadow: func(context.Context, Comparison) { shown++ }})
	require.NoError(t, err)
	ask(t, m, "how big")
	ask(t, m, "how big is it")
	require.Equal(t, 1, shown)
	require.EqualValues(t, 1, m.Stats().Compared)
}

// An equal text is a hit although another text with the same vector, which isn't trusted
// yet, comes first.
func TestEqualTextAmongTwins(t *testing.T) {
	m, err := New(&echo{}, one, .9, &Options{Learn: &Learn{Same: same}})
	require.NoError(t, err)
	require.Equal(t, "1", ask(t, m, "How big is a cat?"))
	require.Equal(t, "2", ask(t, m, "how big is a cat?"))
	require.Equal(t, "2", ask(t, m, "how big is a cat?"))
	require.Equal(t, "1", ask(t, m, "How big is a cat?"))
	require.Equal(t, Stats{Hits: 2, Misses: 2, Stored: 2, TokensSaved: 20, Compared: 1, Unfit: 1}, m.Stats())
}

func TestLearningModelKeepsTheContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := New(next, one, .9, &Options{Learn: &Learn{Same: same, CheckEvery: 1}})
		require.NoError(tb, err)
		return m
	}, &modeltest.Options{MayCache: true})
}

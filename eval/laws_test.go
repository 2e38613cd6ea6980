package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
)

// textMetrics are the metrics of an output and its references, with the value
// of a perfect output.
func textMetrics(t testing.TB) map[Metric]float64 {
	t.Helper()
	bleu, err := NewBLEU(&BLEUOptions{EffectiveOrder: true})
	require.NoError(t, err)
	addK, err := NewBLEU(&BLEUOptions{Smooth: SmoothAddK})
	require.NoError(t, err)
	chrf, err := NewChrF(&ChrFOptions{WordOrder: 2})
	require.NoError(t, err)
	exact, err := NewExactMatch(nil)
	require.NoError(t, err)
	f1, err := NewTokenF1(nil)
	require.NoError(t, err)
	meteor, err := NewMETEOR(nil)
	require.NoError(t, err)
	bert, err := NewBERTScore(letterVectors, nil)
	require.NoError(t, err)
	rouge, err := NewROUGE(&ROUGEOptions{Types: []string{"rouge1", "rouge2", "rougeL", "rougeLsum"}, Tokenizer: UnicodeTokenizer()})
	require.NoError(t, err)
	metrics := map[Metric]float64{bleu: 100, addK: 100, chrf: 100, exact: 1, f1: 1, bert: 1, must(NewTER(nil)): 0, must(NewWER(nil)): 0, meteor: math.NaN()}
	for _, m := range rouge.Metrics() {
		metrics[m] = 1
	}
	return metrics
}

// letterVectors embeds a word by the letters it has: enough for laws.
func letterVectors(_ context.Context, text string) (TokenVectors, error) {
	tv := TokenVectors{Tokens: strings.Fields(text)}
	for _, w := range tv.Tokens {
		v := make([]float64, 26)
		for _, r := range strings.ToLower(w) {
			v[int(r)%26]++
		}
		tv.Vectors = append(tv.Vectors, v)
	}
	return tv, nil
}

func TestTextMetricLaws(t *testing.T) {
	hyps, refs := peerCorpus(60)
	rng := rand.New(rand.NewPCG(3, 3))
	for m, perfect := range textMetrics(t) {
		name, lower := m.Signature().Name(), m.Signature().LowerIsBetter
		one := func(hyp string, refs ...string) float64 {
			v, err := segment(m, hyp, refs)
			require.NoError(t, err, name)
			return v
		}
		better := func(a, b float64) bool { return a >= b-1e-12 && !lower || a <= b+1e-12 && lower }
		for i, h := range hyps {
			ref := refs[i][0]
			v := one(h, ref)
			require.False(t, math.IsNaN(v), name)
			require.GreaterOrEqual(t, v, 0.0, name)
			if !math.IsNaN(perfect) {
				require.InDelta(t, perfect, one(ref, ref), 1e-9, "%s of a text with itself", name)
				require.True(t, better(perfect, v), "%s: nothing beats a perfect output", name)
			}
			require.True(t, better(one(ref, ref), v), name)
			if !strings.HasPrefix(name, "TER") && !strings.HasPrefix(name, "BLEU") { // both count over mean or closest lengths
				other := refs[(i+1)%len(refs)][0]
				require.True(t, better(one(h, ref, other), v), "%s: another right answer can't hurt", name)
				require.InDelta(t, one(h, ref, other), one(h, other, ref), 1e-12, "%s: the order of references", name)
			}
			require.Equal(t, v, one(h, ref, ref), "%s: the same reference twice", name)
		}

		// the order of segments and the number of workers
		want, err := ScoreCorpus(t.Context(), m, hyps, refs)
		require.NoError(t, err)
		order := rng.Perm(len(hyps))
		var h2 []string
		var r2 [][]string
		for _, i := range order {
			h2, r2 = append(h2, hyps[i]), append(r2, refs[i])
		}
		got, err := ScoreCorpus(t.Context(), m, h2, r2)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s: not one bit may differ", name)

		// a stream
		segments, err := Texts(hyps, refs)
		require.NoError(t, err)
		table, err := Measure(t.Context(), m, segments)
		require.NoError(t, err)
		streamed, err := table.Score()
		require.NoError(t, err)
		require.Equal(t, want, streamed, name)

		// shards, merged in another order
		shards := []*Sum{must(NewSum(m)), must(NewSum(m)), must(NewSum(m))}
		for i := range hyps {
			require.NoError(t, shards[i%3].Add(t.Context(), &Case{References: refs[i]}, &Output{Text: hyps[i]}))
		}
		merged := must(NewSum(m))
		for _, i := range []int{2, 0, 1} {
			require.NoError(t, merged.Merge(shards[i]))
		}
		sharded, err := merged.Score()
		require.NoError(t, err)
		require.Equal(t, want, sharded, name)
		require.ErrorIs(t, merged.Merge(must(NewSum(&mean{sig: Signature{Metric: "other"}}))), ErrSignature)

		empty := m.Value(make([]float64, m.Width()))
		require.False(t, math.IsNaN(empty) || math.IsInf(empty, 0), "%s of nothing is defined", name)
	}
}

func TestMoreRightIsBetter(t *testing.T) {
	ref := "the quick brown fox jumps over the lazy dog near the river bank today"
	words := strings.Fields(ref)
	for m := range textMetrics(t) {
		sig := m.Signature()
		if sig.Metric == "exact_match" {
			continue
		}
		last := math.NaN()
		for wrong := range len(words) {
			out := slices.Clone(words)
			for i := range wrong {
				out[(i*5)%len(out)] = "zzz"
			}
			v, err := segment(m, strings.Join(out, " "), []string{ref})
			require.NoError(t, err)
			if wrong > 0 && sig.LowerIsBetter {
				require.GreaterOrEqual(t, v, last, sig.Name())
			} else if wrong > 0 && !strings.Contains(sig.Name(), "exp") { // exponential smoothing isn't monotone
				require.LessOrEqual(t, v, last+1e-12, sig.Name())
			}
			last = v
		}
	}
}

func TestSymmetryAndTriangles(t *testing.T) {
	hyps, refs := peerCorpus(40)
	rouge, err := NewROUGE(nil)
	require.NoError(t, err)
	for i := range hyps {
		a, b, c := hyps[i], refs[i][0], refs[(i+1)%len(refs)][0]
		for name, d := range map[string]func(a, b string) int{"levenshtein": Levenshtein, "indel": IndelDistance, "damerau": DamerauLevenshtein} {
			require.Equal(t, d(a, b), d(b, a), name)
			require.Zero(t, d(a, a), name)
			require.LessOrEqual(t, d(a, c), d(a, b)+d(b, c), name)
		}
		require.LessOrEqual(t, DamerauLevenshtein(a, b), OptimalStringAlignment(a, b))
		require.LessOrEqual(t, OptimalStringAlignment(a, b), Levenshtein(a, b))
		require.LessOrEqual(t, Levenshtein(a, b), IndelDistance(a, b))
		require.InDelta(t, Jaro(a, b), Jaro(b, a), 1e-12)
		x, err := rouge.Score(a, b)
		require.NoError(t, err)
		y, err := rouge.Score(b, a)
		require.NoError(t, err)
		for k := range x {
			require.Equal(t, PRF{x[k].Recall, x[k].Precision, x[k].F}, y[k], "swapping the sides swaps precision and recall")
		}
	}
}

func TestRankingLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		judged := map[string]int{}
		var run []Retrieved
		for i := range 1 + rng.IntN(20) {
			id := string(rune('a' + i))
			if rng.IntN(3) > 0 {
				judged[id] = rng.IntN(4) - 1
			}
			run = append(run, Retrieved{id, float64(rng.IntN(6))})
		}
		r, err := Rank(judged, run, 1)
		require.NoError(t, err)
		rng.Shuffle(len(run), func(i, j int) { run[i], run[j] = run[j], run[i] })
		again, err := Rank(judged, run, 1)
		require.NoError(t, err)
		require.Equal(t, r, again, "the order of the input doesn't matter")
		for _, k := range []int{0, 1, 3, 100} {
			for _, v := range []float64{r.NDCG(k), r.NDCGBurges(k), r.NDCGTies(k), r.AveragePrecision(k), r.Precision(k), r.Recall(k), r.F1(k), r.HitRate(k), r.ReciprocalRank(k), r.BPref(), r.RPrecision(), r.ElevenPoint()} {
				require.True(t, v >= 0 && v <= 1+1e-12, "%v", v)
			}
		}
		require.LessOrEqual(t, r.Recall(1), r.Recall(2))
		// moving a relevant document up never hurts
		best := slices.Clone(run)
		for i := range best {
			best[i].Score = float64(judged[best[i].ID])
		}
		b, err := Rank(judged, best, 1)
		require.NoError(t, err)
		require.GreaterOrEqual(t, b.NDCG(0), r.NDCG(0)-1e-12)
		require.GreaterOrEqual(t, b.AveragePrecision(0), r.AveragePrecision(0)-1e-12)
	}
}

func TestBadInput(t *testing.T) {
	const notText = "a\xffb"
	for m := range textMetrics(t) {
		name, dst := m.Signature().Name(), make([]float64, m.Width())
		_, isSkip := errors.AsType[*SkipError](m.Stats(t.Context(), &Case{}, &Output{Text: "a"}, dst))
		require.True(t, isSkip, name)
		require.ErrorIs(t, m.Stats(t.Context(), &Case{}, &Output{Text: "a"}, dst), ErrNoReferences, name)
		require.ErrorIs(t, m.Stats(t.Context(), &Case{References: []string{"a"}}, &Output{Text: notText}, dst), ErrInvalidUTF8, name)
		require.ErrorIs(t, m.Stats(t.Context(), &Case{References: []string{"a", notText}}, &Output{Text: "a"}, dst), ErrInvalidUTF8, name)
		for _, pair := range [][2]string{{"", ""}, {"", "a b"}, {"a b", ""}, {"\n", " "}, {"x", "x"}, {strings.Repeat("word ", 3000), "a"}} {
			v, err := segment(m, pair[0], []string{pair[1]})
			require.NoError(t, err, "%s of %.20q", name, pair)
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s of %.20q", name, pair)
		}
		_, err := ScoreCorpus(t.Context(), m, []string{"a"}, nil)
		require.ErrorIs(t, err, ErrLength)
		_, err = ScoreCorpus(t.Context(), m, nil, nil)
		require.ErrorIs(t, err, ErrEmpty)
	}
	_, err := Texts([]string{"a"}, nil)
	require.ErrorIs(t, err, ErrLength)

	bad := func(err error) { t.Helper(); require.ErrorIs(t, err, ErrOption) }
	_, err = NewTokenizer("spm")
	bad(err)
	_, err = NewCustomTokenizer("a|b", strings.Fields)
	bad(err)
	_, err = NewBLEU(&BLEUOptions{Smooth: SmoothFloor, SmoothValue: math.NaN()})
	bad(err)
	for _, name := range []string{"ndcg@0", "ndcg@-1", "ndcg@x", "hit", "bpref@3", "nothing"} {
		_, err = NewRetrieval(name, nil)
		bad(err)
	}
	_, err = Rank(nil, nil, 0)
	bad(err)
	_, err = Rank(nil, []Retrieved{{"a", math.NaN()}}, 1)
	require.ErrorIs(t, err, ErrNotFinite)
	_, err = Rank(nil, []Retrieved{{"a", 1}, {"a", 2}}, 1)
	require.ErrorIs(t, err, ErrDuplicate)
	for _, p := range [][3]int{{5, 2, 0}, {5, 6, 1}, {5, -1, 1}, {5, 2, 6}, {0, 0, 1}} {
		_, err = PassAtK(p[0], p[1], p[2])
		bad(err)
		_, err = PassHatK(p[0], p[1], p[2])
		bad(err)
	}
	_, err = DistinctN(nil, 1)
	require.ErrorIs(t, err, ErrEmpty)
	_, err = DistinctN([]string{"a"}, 0)
	bad(err)
	_, err = SelfBLEU([]string{"a"})
	require.ErrorIs(t, err, ErrEmpty)
	_, err = NewConfusion([]string{"a"}, []string{"b"}, []string{"a"})
	bad(err)
	_, err = NewConfusion([]string{"a", "a"}, nil, nil)
	bad(err)
	_, err = ROCAUC([]bool{true, true}, []float64{1, 2})
	require.ErrorIs(t, err, ErrEmpty)
	_, err = ROCAUC([]bool{true}, nil)
	require.ErrorIs(t, err, ErrLength)
	_, err = ROCAUC([]bool{true, false}, []float64{1, math.NaN()})
	require.ErrorIs(t, err, ErrNotFinite)
	_, err = BrierScore([]bool{true}, []float64{1.5})
	require.ErrorIs(t, err, ErrRange)
	_, err = Calibration([]bool{true}, []float64{1}, 0)
	bad(err)
	ppl, err := NewPerplexity("")
	require.NoError(t, err)
	require.ErrorIs(t, ppl.Stats(t.Context(), nil, &Output{LogProbs: []float64{math.Inf(-1)}}, make([]float64, 2)), ErrNotFinite)
	bert, err := NewBERTScore(letterVectors, nil)
	require.NoError(t, err)
	_, err = bert.Score(TokenVectors{Tokens: []string{"a"}}, TokenVectors{})
	require.ErrorIs(t, err, ErrLength)
	_, err = bert.Score(TokenVectors{[]string{"a"}, [][]float64{{math.NaN()}}}, TokenVectors{[]string{"a"}, [][]float64{{1}}})
	require.ErrorIs(t, err, ErrNotFinite)
	_, err = NewClassification("f1", []string{"a"})
	bad(err)
}

// TestALineOfAMegabyte: whatever a system returns, the score is finite and the
// memory stays far below a table of all pairs of words. TestGrowthOfALongLine
// compares the times.
func TestALineOfAMegabyte(t *testing.T) {
	if race.Enabled {
		t.Skip("nothing here runs concurrently, and it takes ten times as long")
	}
	long := strings.Repeat("the quick brown fox jumps over a lazy dog ", 1<<20/42)
	short := "the quick brown fox"
	var different strings.Builder
	for i := range 1 << 17 {
		fmt.Fprintf(&different, "w%d ", i)
	}
	for m := range textMetrics(t) {
		if strings.HasPrefix(m.Signature().Metric, "BERT") {
			continue // the number of token pairs is its definition
		}
		for _, long := range []string{long, different.String()} {
			for _, pair := range [][2]string{{long, short}, {short, long}} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				v, err := segment(m, pair[0], pair[1:])
				runtime.ReadMemStats(&after)
				require.NoError(t, err)
				require.True(t, finite(v) && v >= 0, "%s is %v", m.Signature().Name(), v)
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(400<<20), m.Signature().Name())
			}
		}
	}
}

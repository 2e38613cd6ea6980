package tune

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/embed"
)

// tiny returns an embedder of words random rows: [UNK], then w0, w1, ...
func tiny(t testing.TB, words, dim int) *embed.Embedder {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	vocabulary := "[UNK]\n"
	for i := range words {
		vocabulary += fmt.Sprintf("w%d\n", i)
	}
	n := words + 1
	header := fmt.Sprintf(`{"scales":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]},"embeddings":{"dtype":"I8","shape":[%d,%d],"data_offsets":[%d,%d]}}`, n, 4*n, n, dim, 4*n, 4*n+n*dim)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	for range n {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(0.01))
	}
	for range n * dim {
		file = append(file, byte(rng.IntN(255)))
	}
	e, err := embed.Load(strings.NewReader(vocabulary), string(file))
	require.NoError(t, err)
	return e
}

// synonyms returns groups of which each has words of its own for the passage, and
// others for its questions: the rows of the two have nothing in common before the
// training. 10 words are common to all.
func synonyms(groups, questions int) []Group {
	rng := rand.New(rand.NewPCG(3, 4))
	const own = 6
	var out []Group
	for g := range groups {
		word := func(from int) string { return fmt.Sprintf("w%d ", 10+g*2*own+from+rng.IntN(own)) }
		common := func() string { return fmt.Sprintf("w%d ", rng.IntN(10)) }
		texts := []string{word(0) + word(0) + word(0) + word(0) + common()}
		for range questions {
			texts = append(texts, word(own)+word(own)+word(own)+common()+common())
		}
		out = append(out, Group{texts})
	}
	return out
}

// slowLoss is the definition of the loss in float64, without optimizations.
func slowLoss(t *table, left, right *side, groups []int, rows, weights []float64) float64 {
	vectors := func(s *side, shares []float64) [][]float64 {
		var out [][]float64
		for i := range s.len() {
			v, length := make([]float64, t.dim), 0.0
			for at := s.starts[i]; at < s.starts[i+1]; at++ {
				for k := range v {
					v[k] += shares[at] * math.Exp(weights[s.tokens[at]]) * rows[int(s.tokens[at])*t.dim+k]
				}
			}
			for _, x := range v {
				length += x * x
			}
			for k := range v {
				v[k] /= max(math.Sqrt(length), 1e-12)
			}
			out = append(out, v)
		}
		return out
	}
	sharesOf := func(s *side) []float64 { // the factors are with the weights of the time
		out := make([]float64, len(s.factors))
		for i, f := range s.factors {
			out[i] = float64(f) / math.Exp(float64(t.weights[s.tokens[i]]))
		}
		return out
	}
	u, v := vectors(left, sharesOf(left)), vectors(right, sharesOf(right))
	cosine := func(i, j int) float64 {
		sum := 0.0
		for k := range u[i] {
			sum += u[i][k] * v[j][k]
		}
		return sum
	}
	loss := 0.0
	for i := range u {
		row, column := 0.0, 0.0
		for j := range u {
			if j == i || groups[i] != groups[j] {
				row += math.Exp(20 * cosine(i, j))
				column += math.Exp(20 * cosine(j, i))
			}
		}
		loss += (math.Log(row) + math.Log(column) - 40*cosine(i, i)) / 2
	}
	return loss / float64(len(u))
}

// TestGradientAgainstFiniteDifferences: the gradient by each row and each weight is
// that of the definition, with dropout, masked pairs, and a text whose tokens were all
// dropped.
func TestGradientAgainstFiniteDifferences(t *testing.T) {
	tab, texts, _, err := read(t.Context(), tiny(t, 70, 5), synonyms(5, 3))
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range tab.weights {
		tab.weights[i] = float32(rng.NormFloat64() / 3)
	}
	opts, err := (&Options{Dropout: 0.4}).checked()
	require.NoError(t, err)
	s := newTrainer(tab, opts, rng)
	pairs, _ := pairsOf(texts)
	s.batch(texts, pairs, rng.Perm(len(pairs)))
	s.left.add(tab, texts[0].passage, func() bool { return true })
	s.right.add(tab, texts[0].passage, func() bool { return false })
	s.groups = append(s.groups, 77)
	loss := s.gradient()

	rows, weights := make([]float64, len(tab.rows)), make([]float64, len(tab.weights))
	for i, x := range tab.rows {
		rows[i] = float64(x)
	}
	for i, x := range tab.weights {
		weights[i] = float64(x)
	}
	slow := func() float64 { return slowLoss(tab, &s.left, &s.right, s.groups, rows, weights) }
	require.InDelta(t, slow(), loss, 1e-5)
	largest := 0.0
	check := func(name string, params []float64, grads []float32) {
		const step = 1e-5
		for i := range params {
			was := params[i]
			params[i] = was + step
			up := slow()
			params[i] = was - step
			down := slow()
			params[i] = was
			want := (up - down) / (2 * step)
			require.InDelta(t, want, grads[i], 1e-4+1e-3*math.Abs(want), "%s %d", name, i)
			largest = max(largest, math.Abs(want))
		}
	}
	check("row", rows, s.grads)
	check("weight", weights, s.weightGrads)
	require.Greater(t, largest, 0.1, "the check compares more than zeros")
}

func TestHeldOutQuestionsAreFoundBetter(t *testing.T) {
	base := tiny(t, 800, 16)
	var seen []Epoch
	r, err := Train(t.Context(), base, synonyms(60, 8), &Options{HeldOut: 30, BatchSize: 64, Epochs: 15, LearningRate: 0.01, Progress: func(e Epoch) { seen = append(seen, e) }})
	require.NoError(t, err)
	require.Equal(t, 30, r.Before.Questions)
	require.Equal(t, 60*8-30, r.Pairs)
	require.Less(t, r.Before.MRR, 0.3)
	require.Greater(t, r.After.MRR, 0.8)
	require.Greater(t, r.After.RecallAt5, r.Before.RecallAt5)
	require.Len(t, seen, 16)
	require.Equal(t, seen, r.Epochs)
	require.Zero(t, seen[0].Number)
	require.Less(t, seen[15].Loss, seen[1].Loss/2)
	require.InDelta(t, r.After.MRR, seen[15].HeldOut.MRR, 0.05, "eight bits are enough")
}

// TestTunedRoundTrip: the embedder that reads the weights finds what Train measured.
func TestTunedRoundTrip(t *testing.T) {
	base := tiny(t, 300, 16)
	groups := synonyms(20, 4)
	before := base.Append(nil, groups[0].Texts[1])
	r, err := Train(t.Context(), base, groups, &Options{HeldOut: -1, BatchSize: 32, Epochs: 30, LearningRate: 0.01})
	require.NoError(t, err)
	require.Zero(t, r.Before)
	require.Zero(t, r.After)
	require.Equal(t, before, base.Append(nil, groups[0].Texts[1]), "the base is as it was")
	tuned, err := base.Tuned(string(r.Weights))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(tuned.Name(), base.Name()+"-tuned-"))
	require.Equal(t, base.Dimensions(), tuned.Dimensions())

	first := func(e *embed.Embedder) (n int) {
		for i, g := range groups {
			for _, q := range g.Texts[1:] {
				best, at := float32(-2), -1
				for j, other := range groups {
					if c := dot(e.Append(nil, q), e.Append(nil, other.Texts[0])); c > best {
						best, at = c, j
					}
				}
				if at == i {
					n++
				}
			}
		}
		return n
	}
	require.Less(t, first(base), 30)
	require.Greater(t, first(tuned), 75)

	known := map[int32]bool{}
	for _, g := range groups {
		for _, text := range g.Texts {
			for _, id := range base.Tokens(text) {
				known[id] = true
			}
		}
	}
	require.Len(t, known, r.Tokens)
	for id := range int32(301) {
		if !known[id] {
			require.Equal(t, base.Row(nil, id), tuned.Row(nil, id), "a token that was not trained")
		} else {
			require.NotEqual(t, base.Row(nil, id), tuned.Row(nil, id))
		}
	}
}

func TestOneSeedGivesTheSameBytes(t *testing.T) {
	base, groups := tiny(t, 300, 16), synonyms(20, 4)
	train := func(seed uint64) *Result {
		r, err := Train(t.Context(), base, groups, &Options{Seed: seed, BatchSize: 16, Epochs: 3})
		require.NoError(t, err)
		return r
	}
	a, b, c := train(7), train(7), train(8)
	require.Equal(t, a, b)
	require.NotEqual(t, a.Weights, c.Weights)
	t.Run("OneProcessor", func(t *testing.T) {
		was := runtime.GOMAXPROCS(1)
		defer runtime.GOMAXPROCS(was)
		require.Equal(t, a, train(7), "the halves don't change the sums")
	})
}

func TestOptions(t *testing.T) {
	base, groups := tiny(t, 100, 4), synonyms(5, 2)
	nan := math.NaN()
	for _, o := range []Options{
		{Epochs: -1}, {BatchSize: 1}, {BatchSize: -5}, {BatchSize: 8193}, {LearningRate: -1}, {LearningRate: 2},
		{LearningRate: nan}, {Dropout: 1}, {Dropout: nan}, {LearningRate: math.Inf(1)},
	} {
		_, err := Train(t.Context(), base, groups, &o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
	_, err := Train(t.Context(), nil, groups, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Train(t.Context(), base, groups, nil)
	require.NoError(t, err)
	_, err = Train(t.Context(), base, groups, &Options{Dropout: -1, HeldOut: 1000, Epochs: 1})
	require.NoError(t, err)
}

func TestGroupsWithoutKnownWords(t *testing.T) {
	base := tiny(t, 100, 4)
	for name, groups := range map[string][]Group{
		"none": nil, "empty": {{}, {}}, "passages only": {{[]string{"w1"}}, {[]string{"w2"}}}, "one group": {{[]string{"w1", "w2", "w3"}}, {}},
		"unknown passages": {{[]string{"", "w2"}}, {[]string{"\xff", "w2"}}, {[]string{"w3", "w4"}}}, "unknown questions": {{[]string{"w1", "ᚠ"}}, {[]string{"w2", ""}}},
	} {
		_, err := Train(t.Context(), base, groups, nil)
		require.ErrorIs(t, err, ErrGroups, name)
	}
	r, err := Train(t.Context(), base, []Group{{}, {[]string{"w1", "", "w2"}}, {[]string{"ᚠ", "w2"}}, {[]string{"w3", "w4 w4 ᚠ"}}}, &Options{Epochs: 1})
	require.NoError(t, err)
	require.Equal(t, 2, r.Skipped)
	require.Equal(t, 2, r.Pairs)
	require.Equal(t, 4, r.Tokens)
}

// TestBaseWithoutNumbers: infinite rows are an error, not weights.
func TestBaseWithoutNumbers(t *testing.T) {
	header := `{"scales":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"embeddings":{"dtype":"I8","shape":[3,1],"data_offsets":[12,15]}}`
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	for range 3 {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(float32(math.Inf(1))))
	}
	base, err := embed.Load(strings.NewReader("[UNK]\nw1\nw2\n"), string(append(file, 1, 2, 3)))
	require.NoError(t, err)
	_, err = Train(t.Context(), base, []Group{{[]string{"w1", "w2"}}, {[]string{"w2", "w1"}}}, nil)
	require.ErrorIs(t, err, embed.ErrModel)
}

// TestAFastRateIsAnError: weights grow until their exponentials overflow.
func TestAFastRateIsAnError(t *testing.T) {
	_, err := Train(t.Context(), tiny(t, 100, 4), synonyms(5, 2), &Options{LearningRate: 1, Epochs: 60})
	require.ErrorIs(t, err, ErrDiverged)
}

func TestCancel(t *testing.T) {
	base, groups := tiny(t, 300, 16), synonyms(20, 4)
	ctx, cancel := context.WithCancel(t.Context())
	epochs := 0
	_, err := Train(ctx, base, groups, &Options{Epochs: 1000, Progress: func(e Epoch) {
		if epochs++; e.Number == 2 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 3, epochs, "0, 1 and 2")
	_, err = Train(ctx, base, groups, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestKernels compares with sums in the plain order.
func TestKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	for n := range 11 {
		for _, d := range []int{1, 3, 8} {
			q, rows, w, out, sum := random(d), random(n*d), random(n), make([]float32, n), random(d)
			dotRows(out, q, rows)
			sumRows(sum, w, rows)
			for i := range n {
				want := 0.0
				for k := range d {
					want += float64(q[k]) * float64(rows[i*d+k])
				}
				require.InDelta(t, want, out[i], 1e-5)
			}
			for k := range d {
				want := 0.0
				for i := range n {
					want += float64(w[i]) * float64(rows[i*d+k])
				}
				require.InDelta(t, want, sum[k], 1e-5)
			}
		}
	}
}

func ExampleTrain() {
	base, err := embed.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := Train(context.Background(), base, []Group{
		{[]string{"A circuit breaker stops calls to a target that keeps failing.", "what trips when a server is down?"}},
		{[]string{"Jitter spreads retries over time.", "how to avoid a stampede of clients?"}},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	tuned, err := base.Tuned(string(r.Weights))
	if err != nil {
		fmt.Println(err)
		return
	}
	cosine := func(e *embed.Embedder) float32 {
		return dot(e.Append(nil, "what trips when a server is down?"), e.Append(nil, "A circuit breaker stops calls to a target that keeps failing."))
	}
	fmt.Println(r.Pairs, cosine(tuned) > cosine(base))
	// Output: 2 true
}

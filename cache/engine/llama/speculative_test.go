package llama

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/dist"
)

// fixed drafts from one distribution, after the sampler's own options.
type fixed struct{ logits []float32 }

func (f fixed) Draft(_ context.Context, _ []int32, n int, s *Sampler) (d Draft, err error) {
	defer func() { s.forget(d.Tokens...) }()
	for range n {
		from := s.Distribution(f.logits)
		token := s.draw(from)
		s.See(token)
		d.Tokens, d.From = append(d.Tokens, token), append(d.From, from)
	}
	return d, nil
}

// The tokens of sampled speculation follow the target's distribution, with penalties and
// truncation in use: each pair of the first two tokens has its exact probability.
func TestSampledSpeculationFollowsTheTarget(t *testing.T) {
	s := shapes["llama f16"]
	n, err := Load(s.write(t), &LoadOptions{Threads: 1, Precision: PrecisionFloat32})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(21, 22))
	o := SamplerOptions{Temperature: .8, TopK: 6, MinP: .01, Presence: .4, Rand: rng}
	prompt := []int32{1, 5, 2}
	want := map[[2]int32]float64{}
	exact, err := NewSampler(&o)
	require.NoError(t, err)
	exact.See(prompt...)
	rows := forward(t, n, n.NewCache(), prompt)
	first := exact.Distribution(rows[len(rows)-1])
	for i, a := range first.IDs {
		rows := forward(t, n, n.NewCache(), append(prompt[:3:3], a))
		exact.See(a)
		second := exact.Distribution(rows[3])
		exact.forget(a)
		for j, b := range second.IDs {
			want[[2]int32{a, b}] = first.P[i] * second.P[j]
		}
	}
	logits := make([]float32, s.vocabulary)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
	}
	for name, drafter := range map[string]Drafter{"a wrong draft": fixed{logits}, "prompt lookup": Lookup{}} {
		const draws = 6000
		got := map[[2]int32]int{}
		cache := n.NewCache()
		for range draws {
			sampler, err := NewSampler(&o)
			require.NoError(t, err)
			require.NoError(t, cache.Truncate(0))
			var out []int32
			for token, err := range n.Generate(t.Context(), cache, prompt, &GenerateOptions{Sampler: sampler, Drafter: drafter, DraftTokens: 3, MaxTokens: 3}) {
				require.NoError(t, err)
				out = append(out, token)
			}
			got[[2]int32{out[0], out[1]}]++
		}
		chi, cells, restWant, restGot := 0.0, -1, 0.0, 0
		for pair, p := range want {
			e := p * draws
			if e < 5 {
				restWant, restGot = restWant+e, restGot+got[pair]
				continue
			}
			d := float64(got[pair]) - e
			chi, cells = chi+d*d/e, cells+1
		}
		for pair := range got {
			require.Contains(t, want, pair, name)
		}
		if restWant >= 5 {
			d := float64(restGot) - restWant
			chi, cells = chi+d*d/restWant, cells+1
		}
		p := dist.ChiSquaredSF(chi, float64(cells))
		t.Logf("%s: chi-square %.1f of %d degrees of freedom, p %.3f", name, chi, cells, p)
		require.Greater(t, p, .001, name)
	}
}

// An end token in the middle of a draft ends the text there.
func TestEndInsideADraft(t *testing.T) {
	n, err := Load(shapes["llama"].write(t), &LoadOptions{Threads: 1})
	require.NoError(t, err)
	run := func(end int32, d Drafter) (out []int32) {
		for token, err := range n.Generate(t.Context(), n.NewCache(), []int32{1, 2, 3}, &GenerateOptions{
			Drafter: d, DraftTokens: 5, MaxTokens: 40, End: func(x int32) bool { return x == end },
		}) {
			require.NoError(t, err)
			out = append(out, token)
		}
		return out
	}
	all := run(-1, nil)
	self, err := NewDraftModel(n)
	require.NoError(t, err)
	require.Equal(t, all, run(-1, self))
	for _, end := range all[3:9] {
		require.Equal(t, run(end, nil), run(end, self))
	}
}

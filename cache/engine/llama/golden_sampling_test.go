package llama

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenSampling(t *testing.T) {
	golden.Rows(t, "cache", "sampling.jsonl", func(r struct {
		Temp   float64
		TopK   int     `json:"top_k"`
		TopP   float64 `json:"top_p"`
		MinP   float64 `json:"min_p"`
		Logits []float64
		Keep   []int32
		Probs  []float64
	}) error {
		s, err := NewSampler(&SamplerOptions{Temperature: r.Temp, TopK: r.TopK, TopP: r.TopP, MinP: r.MinP})
		if err != nil {
			return err
		}
		d := s.distribution(r.Logits)
		keep := slices.Sorted(slices.Values(d.IDs))
		if !slices.Equal(keep, r.Keep) {
			return fmt.Errorf("keeps %v, want %v", keep, r.Keep)
		}
		probs := make([]float64, len(r.Logits))
		for i, id := range d.IDs {
			probs[id] = d.P[i]
		}
		return near("probs", probs, r.Probs, 1e-12)
	})
}

func TestGoldenSpeculative(t *testing.T) {
	golden.Rows(t, "cache", "speculative.jsonl", func(r struct {
		Target, Draft, Residual, Emitted []float64
		AcceptProb                       []float64 `json:"accept_prob"`
		Alpha                            float64
		ExpectedTokens                   map[string]float64 `json:"expected_tokens"`
	}) error {
		accept, residual, alpha := Acceptance(r.Target, r.Draft), Residual(r.Target, r.Draft), Overlap(r.Target, r.Draft)
		for _, err := range []error{
			near("accept", accept, r.AcceptProb, 1e-12), near("residual", residual, r.Residual, 1e-12),
			near("alpha", []float64{alpha}, []float64{r.Alpha}, 1e-12),
		} {
			if err != nil {
				return err
			}
		}
		emitted := make([]float64, len(accept))
		for i := range emitted {
			emitted[i] = r.Draft[i]*accept[i] + (1-alpha)*residual[i]
		}
		if err := near("emitted", emitted, r.Emitted, 1e-12); err != nil {
			return err
		}
		for gamma, want := range r.ExpectedTokens {
			g, err := strconv.Atoi(gamma)
			if err != nil {
				return err
			}
			if err := near("expected tokens", []float64{ExpectedTokens(alpha, g)}, []float64{want}, 1e-11); err != nil {
				return err
			}
		}
		sparse := distributionOf(r.Target).minus(distributionOf(r.Draft))
		for i, want := range r.Residual {
			if math.Abs(sparse.At(int32(i))-want) > 1e-12 {
				return fmt.Errorf("the sparse residual of %d is %v, want %v", i, sparse.At(int32(i)), want)
			}
		}
		return nil
	})
}

func distributionOf(p []float64) (d Distribution) {
	for i, v := range p {
		if v > 0 {
			d.IDs, d.P = append(d.IDs, int32(i)), append(d.P, v)
		}
	}
	return d
}

func TestGoldenPromptLookup(t *testing.T) {
	golden.Rows(t, "cache", "prompt_lookup.jsonl", func(r struct {
		IDs   []int32
		Max   int `json:"max_ngram"`
		K     int
		NGram int
		At    int
		Draft []int32
	}) error {
		draft, n, at := Lookup{MaxNGram: r.Max}.Find(r.IDs, r.K)
		if n != r.NGram || at != r.At || !slices.Equal(draft, r.Draft) {
			return fmt.Errorf("finds %v with %d at %d", draft, n, at)
		}
		return nil
	})
}

func TestSamplerOptions(t *testing.T) {
	for _, o := range []SamplerOptions{
		{Temperature: -1}, {Temperature: math.NaN()}, {Temperature: math.Inf(1)}, {TopK: -1}, {TopP: 1.1}, {TopP: math.NaN()},
		{MinP: -1}, {Repeat: -1}, {Presence: math.NaN()}, {Frequency: math.Inf(-1)},
	} {
		_, err := NewSampler(&o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
}

// Values that mean "off" keep every token, and the same seed draws the same tokens.
func TestSamplerOffMeansOff(t *testing.T) {
	flat := make([]float32, 20)
	for _, o := range []SamplerOptions{{}, {TopP: 1}, {TopK: 100}, {Repeat: 1}} {
		o.Temperature = 1
		draws := func(seed uint64) (out []int32) {
			o.Rand = rand.New(rand.NewPCG(seed, 1))
			s, err := NewSampler(&o)
			require.NoError(t, err)
			for range 200 {
				id := s.Sample(flat)
				s.See(id)
				out = append(out, id)
			}
			return out
		}
		a := draws(1)
		require.Equal(t, a, draws(1))
		require.NotEqual(t, a, draws(2))
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(a))), 20)
	}
}

func TestPenalties(t *testing.T) {
	s, err := NewSampler(&SamplerOptions{Repeat: 2, Presence: .5, Frequency: .25})
	require.NoError(t, err)
	s.See(0, 0, 1)
	for id, want := range []float64{4./2 - .5 - .5, -1*2. - .5 - .25, 3} {
		require.InDelta(t, want, s.penalized(int32(id), []float64{4, -1, 3}[id]), 1e-12)
	}
	require.Equal(t, int32(2), s.Sample([]float32{4, -1, 3}))
}

// Penalties with a bound see what a sampler that began so many tokens ago sees, also after
// drafts were taken back.
func TestPenaltiesOfTheLastTokens(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, last := range []int{1, 3, 8} {
		s, err := NewSampler(&SamplerOptions{Frequency: 1, Last: last})
		require.NoError(t, err)
		var history []int32
		for range 200 {
			more := tokensOf(rng, rng.IntN(6), 4)
			s.See(more...)
			if rng.IntN(2) == 0 {
				s.forget(more...)
			} else {
				history = append(history, more...)
			}
			fresh, err := NewSampler(&SamplerOptions{Frequency: 1})
			require.NoError(t, err)
			fresh.See(history[max(0, len(history)-last):]...)
			require.Equal(t, fresh.count, s.count)
		}
	}
	_, err := NewSampler(&SamplerOptions{Last: -1})
	require.ErrorIs(t, err, ErrOption)
}

package callopt

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestZeroIsNotUnset(t *testing.T) {
	o := Resolve([]llms.CallOption{llms.WithTemperature(0), nil, llms.WithSeed(0), llms.WithModel("m"), llms.WithTopP(0.5)})
	require.True(t, o.Has(Temperature))
	require.True(t, o.Has(Seed))
	require.True(t, o.Has(TopP))
	require.False(t, o.Has(MaxTokens))
	require.False(t, o.Has(PresencePenalty))
	require.Equal(t, "m", o.Model)
	require.Equal(t, 0.5, o.TopP)
	require.Zero(t, o.MaxTokens)
}

func TestEveryFieldIsTold(t *testing.T) {
	for f, opt := range map[Field]llms.CallOption{
		CandidateCount: llms.WithCandidateCount(0), MaxTokens: llms.WithMaxTokens(0), Temperature: llms.WithTemperature(0),
		TopK: llms.WithTopK(0), TopP: llms.WithTopP(0), Seed: llms.WithSeed(0), MinLength: llms.WithMinLength(0),
		MaxLength: llms.WithMaxLength(0), N: llms.WithN(0), RepetitionPenalty: llms.WithRepetitionPenalty(0),
		FrequencyPenalty: llms.WithFrequencyPenalty(0), PresencePenalty: llms.WithPresencePenalty(0),
	} {
		o := Resolve([]llms.CallOption{opt})
		for g := range fields {
			require.Equal(t, f == g, o.Has(g), "option %d, field %d", f, g)
		}
	}
}

func TestWithOptionsReplacesAll(t *testing.T) {
	whole := llms.WithOptions(llms.CallOptions{MaxTokens: 5, Model: "x"})
	o := Resolve([]llms.CallOption{llms.WithSeed(3), whole})
	require.True(t, o.Has(MaxTokens))
	require.False(t, o.Has(Temperature))
	require.False(t, o.Has(Seed), "replaced by a zero")
	o = Resolve([]llms.CallOption{whole, llms.WithTemperature(0)})
	require.True(t, o.Has(Temperature))
	require.True(t, o.Has(MaxTokens))
	require.False(t, o.Has(N))
}

func TestAnOptionThatReadsSeesWhatAClientWouldSee(t *testing.T) {
	double := func(o *llms.CallOptions) { o.MaxTokens *= 2 }
	require.Equal(t, 8, Resolve([]llms.CallOption{llms.WithMaxTokens(4), double}).MaxTokens)
}

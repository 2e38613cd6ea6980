package synth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
)

// scripted answers with the next of its texts, and fails when it has no more.
type scripted struct {
	texts   []string
	prompts []string
}

func (s *scripted) GenerateContent(_ context.Context, m []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	s.prompts = append(s.prompts, fmt.Sprint(m[0].Parts[0]))
	if len(s.texts) == 0 {
		return nil, errors.New("out of script")
	}
	text := s.texts[0]
	s.texts = s.texts[1:]
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text}}}, nil
}

func (s *scripted) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, o...)
}

func TestGenerate(t *testing.T) {
	model := &scripted{texts: []string{
		"Sure!\n```json\n" + `{"input":"Where is my parcel?","reference":"Ask for the number."}
{"input":"where is my parcel","reference":"again"}
{"input":"Where is the parcel of my old grandmother now, please?"
{"question":"?"}
` + "```",
		`[{"input":"My parcel arrived broken, what now?","reference":"File a claim."},{"input":"Can I change the address?"},{"input":"one too many for N"}]`,
	}}
	seeds := []eval.Case{{Input: "What does a parcel to Norway cost?", References: []string{"12 EUR"}}}
	r, err := Generate(t.Context(), model, &Options{N: 3, Kind: eval.KindEdge, Task: "a parcel service", Seeds: seeds})
	require.NoError(t, err)
	require.Equal(t, 2, r.Calls)
	require.Equal(t, 1, r.Duplicates)
	require.Equal(t, 2, r.Malformed)
	require.Len(t, r.Dataset.Cases, 3)
	for _, c := range r.Dataset.Cases {
		require.Equal(t, eval.KindEdge, c.Kind)
		require.Equal(t, "synthetic", c.Tags["source"])
		require.NotEmpty(t, c.ID)
	}
	require.Contains(t, model.prompts[0], "a parcel service")
	require.Contains(t, model.prompts[0], "12 EUR")
	require.Contains(t, model.prompts[1], "Not again:")
	require.Contains(t, model.prompts[1], "Write 2 test inputs")
}

func TestGenerateGivesUp(t *testing.T) {
	same := `{"input":"the same again and again"}`
	model := &scripted{texts: strings.Split(strings.Repeat(same+"\n", 9), "\n")}
	r, err := Generate(t.Context(), model, &Options{N: 5, MaxCalls: 4})
	require.NoError(t, err)
	require.Len(t, r.Dataset.Cases, 1)
	require.Equal(t, 4, r.Calls)
	require.Equal(t, 3, r.Duplicates)

	_, err = Generate(t.Context(), &scripted{texts: []string{"no", "idea", "sorry", "no"}}, &Options{N: 5, MaxCalls: 3})
	require.ErrorIs(t, err, ErrNothing)
	_, err = Generate(t.Context(), &scripted{}, nil)
	require.ErrorContains(t, err, "out of script")
	for _, bad := range []Options{{Similar: 2}, {N: -1}, {MaxCalls: -1}, {Kind: "odd"}} {
		_, err = Generate(t.Context(), &scripted{}, &bad)
		require.ErrorIs(t, err, ErrOption, "%+v", bad)
	}
	_, err = Generate(t.Context(), nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Generate(t.Context(), nilChoice{}, &Options{MaxCalls: 1})
	require.ErrorIs(t, err, ErrNothing)
}

// nilChoice answers with a nil choice, as some models do.
type nilChoice struct{ llms.Model }

func (nilChoice) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{nil}}, nil
}

func FuzzParse(f *testing.F) {
	f.Add(`{"input":"a"}{"input":"b"} x { y`)
	f.Fuzz(func(t *testing.T, text string) {
		drafts, _ := parse(text)
		for _, d := range drafts {
			require.True(t, d.Input != "" || d.Reference != "")
		}
	})
}

package wrap

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

type model struct {
	r   *llms.ContentResponse
	err error
}

func (m model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return m.r, m.err
}
func (m model) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return Call(ctx, m, prompt, o...)
}
func (m model) SupportsReasoning() bool { return true }

func TestCall(t *testing.T) {
	text, err := model{r: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a"}}}}.Call(t.Context(), "q")
	require.NoError(t, err)
	require.Equal(t, "a", text)
	for _, r := range []*llms.ContentResponse{nil, {}, {Choices: []*llms.ContentChoice{nil}}} {
		_, err := model{r: r}.Call(t.Context(), "q")
		require.ErrorIs(t, err, ErrNoChoice)
	}
	boom := errors.New("boom")
	_, err = model{err: boom}.Call(t.Context(), "q")
	require.ErrorIs(t, err, boom)
}

func TestContextError(t *testing.T) {
	boom := errors.New("boom")
	require.NoError(t, ContextError(t.Context(), nil))
	require.Equal(t, boom, ContextError(t.Context(), boom))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := ContextError(ctx, boom)
	require.ErrorIs(t, got, boom)
	require.ErrorIs(t, got, context.Canceled)
	require.Equal(t, got, ContextError(ctx, got), "said once")
	require.NoError(t, ContextError(ctx, nil))
}

func TestSupportsReasoning(t *testing.T) {
	require.True(t, SupportsReasoning(model{}))
	require.False(t, SupportsReasoning(struct{ llms.Model }{model{}}))
}

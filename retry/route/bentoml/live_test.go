package bentoml

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

// TestLive runs against the service of .ci/engines, which .ci/full engines starts.
func TestLive(t *testing.T) {
	address := os.Getenv("PRODAI_BENTOML")
	if address == "" {
		t.Skip("PRODAI_BENTOML is not set: .ci/full engines starts a BentoML")
	}
	m, err := New(address, nil)
	require.NoError(t, err)
	require.NoError(t, m.Check(t.Context()))
	text, err := m.Call(t.Context(), "hi", llms.WithMaxTokens(5))
	require.NoError(t, err)
	require.Equal(t, "You said: hi", text)
	streamed := ""
	_, err = m.GenerateContent(t.Context(), ask(), llms.WithStreamingFunc(func(_ context.Context, c []byte) error { streamed += string(c); return nil }))
	require.NoError(t, err)
	require.Equal(t, "You said: hi ", streamed)
	wrong, err := New(address, &Options{TextField: "prompt"})
	require.NoError(t, err)
	_, err = wrong.Call(t.Context(), "hi")
	require.Equal(t, fault.ClassInvalidRequest, fault.FromError(t.Context(), err).Class)
}

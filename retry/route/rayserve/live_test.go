package rayserve

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

// TestLive runs against an application of Ray Serve with OpenAI's chat route that
// answers "You said: " and the question. It is run by hand.
func TestLive(t *testing.T) {
	address := os.Getenv("PRODAI_RAY")
	if address == "" {
		t.Skip("PRODAI_RAY is not set: start an application of Ray Serve by hand")
	}
	m, err := New(address, "ray-1", &Options{MetricsURL: os.Getenv("PRODAI_RAY_METRICS")})
	require.NoError(t, err)
	require.NoError(t, m.Check(t.Context()))
	text, err := m.Call(t.Context(), "hello ray")
	require.NoError(t, err)
	require.Equal(t, "You said: hello ray", text)
	got := ""
	_, err = m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hello ray")}, streaming(&got))
	require.NoError(t, err)
	require.Equal(t, "You said: hello ray ", got)
	_, err = m.GenerateContent(t.Context(), nil)
	require.Equal(t, fault.ClassInvalidRequest, fault.FromError(context.Background(), err).Class)
	if os.Getenv("PRODAI_RAY_METRICS") != "" {
		_, err = m.Load(t.Context())
		require.NoError(t, err)
	}
}

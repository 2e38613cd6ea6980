package retry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

func TestStreamIsRetriedOnlyInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(_ context.Context, say func(string) error) (*llms.ContentResponse, error) {
			_ = say("")
			return nil, errors.New("connection reset by peer")
		}
		p := &play{turns: []turn{quiet, answers("hello")}}
		m, err := New(p, nil)
		require.NoError(t, err)
		heard, _, e := asking(t, m, t.Context(), true)
		require.Nil(t, e)
		require.Equal(t, "hello", heard)
		require.Equal(t, 2, p.calls)

		spoken := func(_ context.Context, say func(string) error) (*llms.ContentResponse, error) {
			_ = say("hel")
			return nil, errors.New("connection reset by peer")
		}
		p = &play{turns: []turn{spoken, answers("hello")}}
		m, _ = New(p, &Options{Fallbacks: []llms.Model{&play{turns: []turn{answers("other")}}}})
		heard, _, e = asking(t, m, t.Context(), true)
		require.Equal(t, "hel", heard)
		require.Equal(t, fault.ClassStreamInterrupted, e.Class)
		require.Equal(t, 1, p.calls)
		require.Equal(t, "hel", e.Partial.Choices[0].Content)
	})
}

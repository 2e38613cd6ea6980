package vllm

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

// TestLive runs against a vLLM that serves any chat model as "tiny". It is run by hand:
// the CPU build and its PyTorch are packages of 6 GB.
func TestLive(t *testing.T) {
	address := os.Getenv("PRODAI_VLLM")
	if address == "" {
		t.Skip("PRODAI_VLLM is not set: start a vLLM by hand")
	}
	m, err := New(address, "tiny", nil)
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, m.Check(ctx))
	window, err := m.Window(ctx)
	require.NoError(t, err)
	require.Positive(t, window)
	n, err := m.Tokens(ctx, "Say hello.")
	require.NoError(t, err)
	require.Positive(t, n)

	ask := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Say hello. The quick brown fox jumps over the lazy dog.")}
	whole, err := m.GenerateContent(ctx, ask, llms.WithMaxTokens(6), llms.WithTemperature(0))
	require.NoError(t, err)
	got := ""
	streamed, err := m.GenerateContent(ctx, ask, llms.WithMaxTokens(6), llms.WithTemperature(0),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { got += string(chunk); return nil }))
	require.NoError(t, err)
	require.Equal(t, whole.Choices[0].Content, streamed.Choices[0].Content)
	require.Equal(t, got, streamed.Choices[0].Content)
	t.Logf("usage: %v, streamed: %v", whole.Choices[0].GenerationInfo, streamed.Choices[0].GenerationInfo)
	for _, r := range []*llms.ContentResponse{whole, streamed} {
		require.Equal(t, "length", r.Choices[0].StopReason)
		require.Equal(t, 6, r.Choices[0].GenerationInfo["CompletionTokens"])
		require.Equal(t, whole.Choices[0].GenerationInfo["PromptTokens"], r.Choices[0].GenerationInfo["PromptTokens"])
	}
	text, err := m.Call(ctx, "yes or no?", WithChoice("yes", "no"))
	require.NoError(t, err)
	require.Contains(t, []string{"yes", "no"}, text)

	wrong, err := New(address, "nope", nil)
	require.NoError(t, err)
	_, err = wrong.Call(ctx, "hi")
	require.Equal(t, fault.ClassNotFound, fault.FromError(ctx, err).Class, "%v", err)
	_, err = wrong.Window(ctx)
	require.Equal(t, fault.ClassNotFound, fault.FromError(ctx, err).Class, "%v", err)
	_, err = m.Call(ctx, "hi", llms.WithMaxTokens(1<<20))
	require.Equal(t, fault.ClassInvalidRequest, fault.FromError(ctx, err).Class, "%v", err)
	_, err = m.Call(ctx, strings.Repeat("hello ", window))
	require.Equal(t, fault.ClassContextLength, fault.FromError(ctx, err).Class, "%v", err)
	t.Log(err)

	// A queue, while two sequences at a time are run: start it with --max-num-seqs 2.
	var all sync.WaitGroup
	stop, cancel := context.WithCancel(ctx)
	for range 8 {
		all.Go(func() { _, _ = m.Call(stop, "hi", llms.WithMaxTokens(900)) }) // canceled below
	}
	require.Eventually(t, func() bool {
		load, err := m.Load(ctx)
		return err == nil && load.Waiting > 0 && load.Running == 2
	}, 2*time.Minute, 10*time.Millisecond)
	cancel()
	all.Wait()
	require.Eventually(t, func() bool {
		load, err := m.Load(ctx)
		return err == nil && load.Waiting == 0 && load.Running == 0
	}, time.Minute, 10*time.Millisecond, "a canceled call is taken out of the queue")
	metrics, err := m.Metrics(ctx)
	require.NoError(t, err)
	require.Positive(t, metrics.PrefixQueries)
	t.Logf("%+v", metrics)
}

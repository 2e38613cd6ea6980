package triton

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

// TestLiveTriton runs against the models of .ci/engines, which .ci/full engines serves.
func TestLiveTriton(t *testing.T) {
	address := os.Getenv("PRODAI_TRITON")
	if address == "" {
		t.Skip("PRODAI_TRITON is not set: .ci/full engines starts a Triton")
	}
	o := &Options{MetricsURL: os.Getenv("PRODAI_TRITON_METRICS")}
	m, err := NewModel(address, "ensemble", o)
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, m.Ready(ctx))
	require.NoError(t, m.Check(ctx))
	require.Error(t, m.ModelReady(ctx, "nope"))
	text, err := m.Call(ctx, "hi", llms.WithMaxTokens(5))
	require.NoError(t, err)
	require.Equal(t, "You said: hi", text)
	streamed := ""
	_, err = m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
		llms.WithStreamingFunc(func(_ context.Context, c []byte) error { streamed += string(c); return nil }))
	require.NoError(t, err)
	require.Equal(t, "You said: hi ", streamed)
	meta, err := m.Metadata(ctx, "add_sub")
	require.NoError(t, err)
	require.Len(t, meta.Inputs, 2)
	load, err := m.Load(ctx)
	require.NoError(t, err)
	require.Zero(t, load.Waiting)
	inputs := []Tensor{{Name: "a", Datatype: "FP32", Shape: []int64{1, 2}, Floats: []float64{1, 2}}, {Name: "b", Datatype: "FP32", Shape: []int64{1, 2}, Floats: []float64{5, 7}}}
	for _, binary := range []bool{false, true} {
		r, err := m.Infer(ctx, "add_sub", &InferRequest{ID: "1", Inputs: inputs, Binary: binary})
		require.NoError(t, err)
		require.Equal(t, []float64{6, 9}, r.Output("sum").Floats)
		require.Equal(t, []float64{-4, -5}, r.Output("diff").Floats)
	}
	_, err = m.Infer(ctx, "nope", &InferRequest{Inputs: inputs})
	require.Equal(t, fault.ClassNotFound, fault.FromError(ctx, err).Class)
}

// TestLiveKServe runs against the server of .ci/engines.
func TestLiveKServe(t *testing.T) {
	address := os.Getenv("PRODAI_KSERVE")
	if address == "" {
		t.Skip("PRODAI_KSERVE is not set: .ci/full engines starts a KServe")
	}
	c, err := New(address, nil)
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, c.Ready(ctx))
	require.NoError(t, c.ModelReady(ctx, "toy"))
	r, err := c.Infer(ctx, "toy", &InferRequest{ID: "1", Inputs: []Tensor{{Name: "in", Datatype: "FP32", Shape: []int64{2}, Floats: []float64{1, 2}}}})
	require.NoError(t, err)
	require.Equal(t, []float64{2, 4}, r.Outputs[0].Floats)
	_, err = c.Infer(ctx, "nope", &InferRequest{Inputs: []Tensor{{Name: "in", Datatype: "FP32", Shape: []int64{1}, Floats: []float64{1}}}})
	require.Equal(t, fault.ClassNotFound, fault.FromError(ctx, err).Class)
}

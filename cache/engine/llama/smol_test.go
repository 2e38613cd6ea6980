package llama

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// realModel opens the model that PRODAI_GGUF names: SmolLM2-135M-Instruct in CI.
func realModel(t testing.TB) *weights.File {
	t.Helper()
	path := os.Getenv("PRODAI_GGUF")
	if path == "" {
		t.Skip("PRODAI_GGUF names no model")
	}
	f, err := weights.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

const story = "The transformer reads a prompt all at once, and writes its answer one token at a time. Each new token needs every weight of the model once, so the speed of writing is the speed of the memory."

func TestRealModelIsTheReference(t *testing.T) {
	f := realModel(t)
	tok, err := ReadTokenizer(f)
	require.NoError(t, err)
	ref, err := NewReference(f)
	require.NoError(t, err)
	tokens := tok.Encode(story, SpecialText)[:24]
	want, err := ref.Logits(tokens)
	require.NoError(t, err)
	n, err := Load(f, &LoadOptions{Precision: PrecisionFloat32})
	require.NoError(t, err)
	worst := 0.0
	for p, row := range forward(t, n, n.NewCache(), tokens) {
		for i, x := range row {
			worst = max(worst, math.Abs(float64(x)-want[p][i]))
		}
	}
	t.Logf("the largest difference of a logit: %.2g", worst)
	require.Less(t, worst, 1e-4)
}

func TestRealModelSpeaks(t *testing.T) {
	f := realModel(t)
	tok, err := ReadTokenizer(f)
	require.NoError(t, err)
	require.Equal(t, story, tok.Decode(tok.Encode(story, SpecialText)))
	for _, threads := range []int{1, 2} {
		n, err := Load(f, &LoadOptions{Precision: PrecisionStored, Threads: threads})
		require.NoError(t, err)
		prompt := tok.Encode("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n", SpecialTokens)
		start := time.Now()
		var out []int32
		for id, err := range n.Generate(t.Context(), n.NewCache(), prompt, &GenerateOptions{MaxTokens: 30, End: tok.IsEnd}) {
			require.NoError(t, err)
			out = append(out, id)
		}
		t.Logf("%d threads: %q, %.1f tokens a second", threads, tok.Decode(out), float64(len(out)+len(prompt))/time.Since(start).Seconds())
		require.Contains(t, tok.Decode(out), "Paris")
	}
	n, err := Load(f, nil)
	require.NoError(t, err)
	ppl, err := n.Perplexity(t.Context(), tok.Encode(story, SpecialText))
	require.NoError(t, err)
	t.Logf("perplexity %.3f", ppl)
}

func BenchmarkDecode(b *testing.B) {
	f := realModel(b)
	tok, err := ReadTokenizer(f)
	require.NoError(b, err)
	n, err := Load(f, &LoadOptions{Precision: PrecisionStored, Threads: 1})
	require.NoError(b, err)
	c := n.NewCache()
	forward(b, n, c, tok.Encode(story+story+story, SpecialText))
	from := c.Len()
	for b.Loop() {
		require.NoError(b, c.Truncate(from))
		_, err := n.Forward(b.Context(), []Step{{Cache: c, Tokens: []int32{5}}})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(n.Bytes()), "bytes/token")
}

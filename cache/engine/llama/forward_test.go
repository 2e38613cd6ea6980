package llama

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// An error leaves the caches as they were.
func TestForwardFailsWithoutATrace(t *testing.T) {
	n, err := Load(shapes["llama"].write(t), &LoadOptions{Threads: 2})
	require.NoError(t, err)
	pool, err := n.NewPool(2 * PageTokens)
	require.NoError(t, err)
	other, err := Load(shapes["llama"].write(t), nil)
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	c, full := pool.NewCache(), pool.NewCache()
	forward(t, n, c, []int32{1, 2, 3})
	want := forward(t, n, n.NewCache(), []int32{1, 2, 3, 4})
	long := make([]int32, 600)
	for name, row := range map[string]struct {
		ctx   context.Context
		steps []Step
		want  error
	}{
		"a token below":   {t.Context(), []Step{{Cache: c, Tokens: []int32{-1}}}, ErrToken},
		"a token beyond":  {t.Context(), []Step{{Cache: full, Tokens: []int32{1}}, {Cache: c, Tokens: []int32{50}}}, ErrToken},
		"too long":        {t.Context(), []Step{{Cache: c, Tokens: long}}, ErrContext},
		"no pages":        {t.Context(), []Step{{Cache: full, Tokens: long[:20]}, {Cache: c, Tokens: long[:60]}}, ErrPages},
		"no cache":        {t.Context(), []Step{{Tokens: []int32{1}}}, ErrOption},
		"one cache twice": {t.Context(), []Step{{Cache: c}, {Cache: c}}, ErrOption},
		"another's cache": {t.Context(), []Step{{Cache: other.NewCache(), Tokens: []int32{1}}}, ErrOption},
		"rows":            {t.Context(), []Step{{Cache: c, Tokens: []int32{1}, Logits: 9}}, ErrOption},
		"a canceled call": {canceled, []Step{{Cache: c, Tokens: []int32{1}}}, context.Canceled},
	} {
		_, err := n.Forward(row.ctx, row.steps)
		require.ErrorIs(t, err, row.want, name)
		require.Equal(t, 3, c.Len(), name)
		require.Equal(t, []int32{1, 2, 3}, c.Tokens(), name)
		require.Equal(t, 0, full.Len(), name)
	}
	require.Equal(t, want[3:], forward(t, n, c, []int32{4}), "the cache still works")
	require.ErrorIs(t, c.Truncate(5), ErrOption)
	c.Close()
	full.Close()
	require.Equal(t, pool.Total(), pool.Free())
	_, err = n.NewPool(0)
	require.ErrorIs(t, err, ErrOption)
	out, err := n.Forward(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, out)
}

func TestGenerateRefuses(t *testing.T) {
	n, err := Load(shapes["llama"].write(t), &LoadOptions{Threads: 1})
	require.NoError(t, err)
	for name, row := range map[string]struct {
		cache  *Cache
		prompt []int32
		o      *GenerateOptions
		want   error
	}{
		"no cache":  {nil, []int32{1}, nil, ErrOption},
		"no prompt": {n.NewCache(), nil, nil, ErrPrompt},
		"tokens":    {n.NewCache(), []int32{1}, &GenerateOptions{MaxTokens: -1}, ErrOption},
		"drafts":    {n.NewCache(), []int32{1}, &GenerateOptions{DraftTokens: -1}, ErrOption},
	} {
		seen := 0
		for _, err := range n.Generate(t.Context(), row.cache, row.prompt, row.o) {
			require.ErrorIs(t, err, row.want, name)
			seen++
		}
		require.Equal(t, 1, seen, name)
	}
	_, err = n.Perplexity(t.Context(), []int32{1})
	require.ErrorIs(t, err, ErrPrompt)
	_, err = NewDraftModel(nil)
	require.ErrorIs(t, err, ErrOption)
	// The text ends with the context, and no token is lost.
	count := 0
	for _, err := range n.Generate(t.Context(), n.NewCache(), make([]int32, 500), &GenerateOptions{Drafter: Lookup{}}) {
		require.NoError(t, err)
		count++
	}
	require.Equal(t, 12, count)
}

// A file that is not the model it claims to be is refused before it is run.
func TestModelsThatAreRefused(t *testing.T) {
	u32 := func(n int) any { return uint32(n) }
	good := []weights.Pair{
		{Key: "general.architecture", Value: "llama"}, {Key: "llama.block_count", Value: u32(1)}, {Key: "llama.context_length", Value: u32(64)},
		{Key: "llama.embedding_length", Value: u32(32)}, {Key: "llama.feed_forward_length", Value: u32(32)}, {Key: "llama.attention.head_count", Value: u32(2)},
		{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(1e-5)},
	}
	embed := weights.Source{Name: "token_embd.weight", Type: weights.TypeF32, Shape: []int{4, 32}, Floats: func() ([]float32, error) { return make([]float32, 128), nil }}
	for name, change := range map[string]weights.Pair{
		"architecture":     {Key: "general.architecture", Value: "mamba"},
		"no layers":        {Key: "llama.block_count", Value: u32(0)},
		"many layers":      {Key: "llama.block_count", Value: uint64(1) << 60},
		"a text":           {Key: "llama.block_count", Value: "1"},
		"width":            {Key: "llama.embedding_length", Value: u32(33)},
		"heads":            {Key: "llama.attention.head_count", Value: u32(0)},
		"shared heads":     {Key: "llama.attention.head_count_kv", Value: u32(3)},
		"no shared heads":  {Key: "llama.attention.head_count_kv", Value: u32(0)},
		"odd head":         {Key: "llama.attention.key_length", Value: u32(15)},
		"huge head":        {Key: "llama.attention.key_length", Value: u32(1 << 30)},
		"values":           {Key: "llama.attention.value_length", Value: u32(8)},
		"epsilon":          {Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(-1)},
		"rope base":        {Key: "llama.rope.freq_base", Value: float32(0)},
		"partial rotation": {Key: "llama.rope.dimension_count", Value: u32(8)},
		"scaled rotation":  {Key: "llama.rope.scaling.type", Value: "yarn"},
		"experts":          {Key: "llama.expert_count", Value: u32(8)},
		"window":           {Key: "llama.attention.sliding_window", Value: u32(8)},
		"tensors missing":  {Key: "other", Value: true},
	} {
		meta := []weights.Pair{change}
		for _, p := range good {
			if p.Key != change.Key {
				meta = append(meta, p)
			}
		}
		var file bytes.Buffer
		require.NoError(t, weights.WriteGGUF(&file, meta, []weights.Source{embed}))
		f, err := weights.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
		require.NoError(t, err)
		_, err = Load(f, nil)
		require.ErrorIs(t, err, ErrModel, name)
		_, err = NewReference(f)
		require.ErrorIs(t, err, ErrModel, name)
	}
}

// A matrix of the right number of elements and another shape is refused: a product with it
// would leave its memory.
func TestMatricesOfAnotherShape(t *testing.T) {
	f := shapes["one layer"].write(t)
	var sources []weights.Source
	for _, tensor := range f.Tensors() {
		shape := tensor.Shape
		if tensor.Name == "blk.0.ffn_up.weight" {
			shape = []int{2, shape[0] / 2, shape[1]}
		}
		sources = append(sources, weights.Source{Name: tensor.Name, Type: tensor.Type, Shape: shape, Floats: func() ([]float32, error) { return f.Floats(tensor.Name) }})
	}
	var file bytes.Buffer
	require.NoError(t, weights.WriteGGUF(&file, slices.Collect(f.Metadata()), sources))
	f, err := weights.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	_, err = Load(f, nil)
	require.ErrorIs(t, err, ErrModel)
}

// Passes of several goroutines alternate, and each gets its own result.
func TestForwardFromSeveralGoroutines(t *testing.T) {
	n, err := Load(shapes["llama Q8_0"].write(t), &LoadOptions{Threads: 2, Precision: PrecisionStored})
	require.NoError(t, err)
	pool, err := n.NewPool(4096)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for g := range 6 {
		tokens := tokensOf(rand.New(rand.NewPCG(uint64(g), 1)), 40, 50)
		want := forward(t, n, n.NewCache(), tokens)
		wg.Go(func() {
			c := pool.NewCache()
			defer c.Close()
			out, err := n.Forward(context.Background(), []Step{{Cache: c, Tokens: tokens, Logits: RowsAll}})
			if err != nil || fmt.Sprint(out[0]) != fmt.Sprint(want) {
				t.Errorf("goroutine %d: %v", g, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, pool.Total(), pool.Free())
}

// The weights that a probe sees are a softmax over the positions up to its own.
func TestAttentionProbe(t *testing.T) {
	n, err := Load(shapes["qwen3"].write(t), &LoadOptions{Threads: 2})
	require.NoError(t, err)
	var mu sync.Mutex
	seen := map[[3]int]bool{}
	_, err = n.Forward(t.Context(), []Step{{Cache: n.NewCache(), Tokens: make([]int32, 40), Attention: func(layer, head, position int, w []float32) {
		sum := float32(0)
		for _, x := range w {
			sum += x
		}
		mu.Lock()
		defer mu.Unlock()
		if len(w) != position+1 || sum < .999 || sum > 1.001 {
			t.Errorf("%d weights with the sum %v at %d", len(w), sum, position)
		}
		seen[[3]int{layer, head, position}] = true
	}}})
	require.NoError(t, err)
	require.Len(t, seen, 3*4*40)
}

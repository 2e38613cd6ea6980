package bert

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// edited returns a folder in which one JSON file has other members; nil removes one.
func edited(t testing.TB, folder, name string, members map[string]any) fstest.MapFS {
	t.Helper()
	dir := folderOf(t, folder)
	file := map[string]any{}
	if f := dir[name]; f != nil {
		require.NoError(t, json.Unmarshal(f.Data, &file))
	}
	for k, v := range members {
		if v == nil {
			delete(file, k)
		} else {
			file[k] = v
		}
	}
	data, err := json.Marshal(file)
	require.NoError(t, err)
	dir[name] = &fstest.MapFile{Data: data}
	return dir
}

func TestHostileSettings(t *testing.T) {
	for name, c := range map[string]struct {
		dir  fstest.MapFS
		want error
	}{
		"a huge matrix":         {edited(t, "testdata/encoder", "config.json", map[string]any{"intermediate_size": 1 << 18}), ErrModel},
		"a huge vocabulary":     {edited(t, "testdata/encoder", "config.json", map[string]any{"vocab_size": 1 << 40}), ErrModel},
		"no layers":             {edited(t, "testdata/encoder", "config.json", map[string]any{"num_hidden_layers": 0}), ErrModel},
		"too many layers":       {edited(t, "testdata/encoder", "config.json", map[string]any{"num_hidden_layers": 3}), ErrModel},
		"heads":                 {edited(t, "testdata/encoder", "config.json", map[string]any{"num_attention_heads": 5}), ErrModel},
		"epsilon":               {edited(t, "testdata/encoder", "config.json", map[string]any{"layer_norm_eps": -1}), ErrModel},
		"roberta":               {edited(t, "testdata/encoder", "config.json", map[string]any{"model_type": "roberta"}), ErrUnsupported},
		"another function":      {edited(t, "testdata/encoder", "config.json", map[string]any{"hidden_act": "silu"}), ErrUnsupported},
		"relative positions":    {edited(t, "testdata/encoder", "config.json", map[string]any{"position_embedding_type": "relative_key"}), ErrUnsupported},
		"a smaller vocabulary":  {edited(t, "testdata/encoder", "config.json", map[string]any{"vocab_size": 100}), ErrModel},
		"capital letters":       {edited(t, "testdata/encoder", "tokenizer_config.json", map[string]any{"do_lower_case": false}), ErrUnsupported},
		"the largest pooling":   {edited(t, "testdata/encoder", "1_Pooling/config.json", map[string]any{"pooling_mode": "max"}), ErrUnsupported},
		"two kinds of pooling":  {edited(t, "testdata/encoder", "1_Pooling/config.json", map[string]any{"pooling_mode_cls_token": true}), ErrUnsupported},
		"byte pairs":            {edited(t, "testdata/cross", "tokenizer.json", map[string]any{"model": map[string]any{"type": "BPE"}}), ErrUnsupported},
		"ids with gaps":         {edited(t, "testdata/cross", "tokenizer.json", map[string]any{"model": map[string]any{"type": "WordPiece", "vocab": map[string]int{"[UNK]": 7}}}), ErrModel},
		"ids twice":             {edited(t, "testdata/cross", "tokenizer.json", map[string]any{"model": map[string]any{"type": "WordPiece", "vocab": map[string]int{"[UNK]": 0, "a": 0}}}), ErrModel},
		"no special tokens":     {edited(t, "testdata/cross", "tokenizer.json", map[string]any{"model": map[string]any{"type": "WordPiece", "vocab": map[string]int{"[UNK]": 0}}}), ErrModel},
		"a tokenizer that is 7": {edited(t, "testdata/cross", "tokenizer.json", map[string]any{"model": 7}), ErrModel},
	} {
		_, err := newEmbedder(c.dir, nil)
		require.ErrorIs(t, err, c.want, name)
	}
	dir := folderOf(t, "testdata/encoder")
	dir["modules.json"] = &fstest.MapFile{Data: []byte(`[{"path":"../../etc","type":"x.Pooling"}]`)}
	_, err := newEmbedder(dir, nil)
	require.ErrorIs(t, err, ErrModel)
	dir["modules.json"] = &fstest.MapFile{Data: []byte(`[{"path":"2","type":"x.Dense"}]`)}
	_, err = newEmbedder(dir, nil)
	require.ErrorIs(t, err, ErrUnsupported)
	for _, name := range []string{"config.json", "model.safetensors", "vocab.txt"} {
		dir := folderOf(t, "testdata/encoder")
		delete(dir, name)
		_, err := newEmbedder(dir, nil)
		require.ErrorIs(t, err, ErrModel, name)
	}
	_, err = NewEmbedder("testdata/none", nil)
	require.ErrorIs(t, err, ErrModel)
	_, err = newCrossEncoder(folderOf(t, "testdata/encoder"), nil) // an encoder has no classifier
	require.ErrorIs(t, err, ErrModel)
}

// weights returns a file of tensors, each with its header's entry and its data.
func weights(header map[string]any, data []byte) []byte {
	head, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(out, head...), data...)
}

func TestHostileWeights(t *testing.T) {
	entry := func(dtype string, from, to int, shape ...int) map[string]any {
		return map[string]any{"a": map[string]any{"dtype": dtype, "shape": shape, "data_offsets": []int{from, to}}}
	}
	nan := binary.LittleEndian.AppendUint32(make([]byte, 4), math.Float32bits(float32(math.NaN())))
	for name, file := range map[string][]byte{
		"nothing":          {},
		"a long header":    binary.LittleEndian.AppendUint64(nil, 1<<40),
		"a negative one":   binary.LittleEndian.AppendUint64(nil, 1<<63),
		"no JSON":          append(binary.LittleEndian.AppendUint64(nil, 2), "[]"...),
		"another shape":    weights(entry("F32", 0, 8, 1, 2), make([]byte, 8)),
		"beyond the end":   weights(entry("F32", 4, 12, 2), make([]byte, 8)),
		"before the start": weights(entry("F32", -8, 0, 2), make([]byte, 8)),
		"backwards":        weights(entry("F32", 8, 0, 2), make([]byte, 8)),
		"whole numbers":    weights(entry("I64", 0, 16, 2), make([]byte, 16)),
		"too few bytes":    weights(entry("F32", 0, 4, 2), make([]byte, 8)),
		"not a number":     weights(entry("F32", 0, 8, 2), nan),
		"no tensor":        weights(map[string]any{}, nil),
		"an entry of text": weights(map[string]any{"a": "b"}, nil),
	} {
		f, err := openTensors(strings.NewReader(string(file)), int64(len(file)))
		if err == nil {
			_, err = f.read("a", 2)
		}
		require.ErrorIs(t, err, ErrModel, name)
	}
	file := weights(entry("F16", 0, 4, 2), []byte{0, 0x3c, 0, 0xc0})
	f, err := openTensors(strings.NewReader(string(file)), int64(len(file)))
	require.NoError(t, err)
	got, err := f.read("a", 2)
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2}, got)
	_, err = f.read("a", 2) // the same bytes a second time
	require.ErrorIs(t, err, ErrModel)
}

// TestSmallFilesAllocateLittle: what a small file claims to be is not allocated.
func TestSmallFilesAllocateLittle(t *testing.T) {
	dir := edited(t, "testdata/encoder", "config.json", map[string]any{"hidden_size": 1 << 16, "intermediate_size": 1 << 18, "vocab_size": 1 << 22, "num_hidden_layers": 1 << 10})
	dir["model.safetensors"] = &fstest.MapFile{Data: weights(map[string]any{
		"embeddings.word_embeddings.weight": map[string]any{"dtype": "F32", "shape": []int{1 << 22, 1 << 16}, "data_offsets": []int64{0, 1 << 40}},
	}, nil)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := newEmbedder(dir, nil)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, ErrModel)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

// TestNumbersThatOverflow are an error, not a vector of NaN.
func TestNumbersThatOverflow(t *testing.T) {
	for p := range tolerance {
		e := open(t, &Options{Precision: p})
		for i := range e.words {
			e.words[i] = math.MaxFloat32
		}
		_, err := e.EmbedQuery(t.Context(), "cat")
		require.ErrorIs(t, err, ErrModel)
	}
	c := openCross(t, nil)
	for i := range c.words {
		c.words[i] = math.MaxFloat32
	}
	_, err := c.Score(t.Context(), "cat", []string{"dog"})
	require.ErrorIs(t, err, ErrModel)
}

func TestHalfPrecision(t *testing.T) {
	for h := range uint16(0x7c00) {
		got, ok := toHalf(fromHalf(h))
		require.True(t, ok)
		require.Equal(t, h, got)
	}
	_, ok := toHalf(65520)
	require.False(t, ok)
	for _, x := range []float32{1e-9, 0.1, 3.14159, 1000.3, 65519} {
		h, ok := toHalf(x)
		require.True(t, ok)
		require.InDelta(t, x, fromHalf(h), max(float64(x)/2048, 0x1p-25))
	}
}

// FuzzFiles loads folders in which one file is anything, and embeds with those that load.
func FuzzFiles(f *testing.F) {
	names := []string{"config.json", "model.safetensors", "vocab.txt", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json", "tokenizer.json"}
	base := folderOf(f, "testdata/encoder")
	for i, name := range names {
		if file := base[name]; file != nil && len(file.Data) < 4096 {
			f.Add(uint8(i), file.Data)
		}
	}
	f.Add(uint8(1), weights(map[string]any{"embeddings.word_embeddings.weight": map[string]any{"dtype": "F16", "shape": []int{117, 32}, "data_offsets": []int{0, 7488}}}, make([]byte, 7488)))
	f.Add(uint8(7), []byte(`{"model":{"type":"WordPiece","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3}},"normalizer":{"type":"BertNormalizer","lowercase":true}}`))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		dir := fstest.MapFS{}
		for name, file := range base {
			dir[name] = file
		}
		name := names[int(which)%len(names)]
		dir[name] = &fstest.MapFile{Data: data}
		if name == "tokenizer.json" {
			delete(dir, "vocab.txt")
		}
		e, err := newEmbedder(dir, &Options{Workers: 1})
		if err != nil {
			if !errors.Is(err, ErrModel) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrOption) {
				t.Fatalf("%v is none of the package's errors", err)
			}
			return
		}
		v, err := e.EmbedQuery(t.Context(), "a cat [SEP] é")
		if err != nil && !errors.Is(err, ErrModel) || err == nil && len(v) != e.Dimensions() {
			t.Fatal(err, len(v))
		}
	})
}

// FuzzText embeds any text and pair: never more tokens than allowed, never a number that
// is not finite.
func FuzzText(f *testing.F) {
	e, c := open(f, nil), openCross(f, nil)
	f.Add("refund days", "the cat [SEP] é\xff")
	f.Add(strings.Repeat("it is ", 50), strings.Repeat("cat ", 50))
	f.Fuzz(func(t *testing.T, a, b string) {
		vectors, err := e.EmbedDocuments(t.Context(), []string{a, b})
		require.NoError(t, err)
		in := c.tokens.two(c.tokens.ids(a, c.tokens.positions-3), b)
		require.LessOrEqual(t, len(in.ids), c.tokens.positions)
		scores, err := c.Score(t.Context(), a, []string{b})
		require.NoError(t, err)
		require.True(t, finite(vectors[0]) && finite(vectors[1]) && finite([]float32{float32(scores[0])}), fmt.Sprint(scores))
		require.Equal(t, e.tokens.vocab.AppendIDs(nil, b)[:min(5, e.tokens.vocab.Count(b))], append([]int32(nil), e.tokens.ids(b, 5)...))
	})
}

// FuzzWeights reads two tensors of a file that is anything: never more than it has.
func FuzzWeights(f *testing.F) {
	f.Add(weights(map[string]any{"a": map[string]any{"dtype": "F32", "shape": []int{2}, "data_offsets": []int{0, 8}}}, make([]byte, 8)))
	f.Add(weights(map[string]any{"__metadata__": map[string]any{"format": "pt"}, "b": map[string]any{"dtype": "BF16", "shape": []int{1, 2}, "data_offsets": []int{4, 8}}}, make([]byte, 8)))
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := openTensors(strings.NewReader(string(file)), int64(len(file)))
		if err == nil {
			var a, b []float32
			a, err = w.read("a", 2)
			if err == nil {
				b, err = w.read("b", 1, 2)
			}
			if err == nil && (len(a) != 2 || len(b) != 2 || !finite(a) || !finite(b)) {
				t.Fatal(a, b)
			}
		}
		if err != nil && !errors.Is(err, ErrModel) {
			t.Fatal(err)
		}
	})
}

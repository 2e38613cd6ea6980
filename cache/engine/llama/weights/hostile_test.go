package weights_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// raw builds a GGUF file by hand.
type raw struct{ bytes.Buffer }

func (r *raw) add(values ...any) *raw {
	for _, v := range values {
		if s, ok := v.(string); ok {
			_ = binary.Write(r, binary.LittleEndian, uint64(len(s)))
			r.WriteString(s)
			continue
		}
		_ = binary.Write(r, binary.LittleEndian, v)
	}
	return r
}

func header(version uint32, tensors, pairs uint64) *raw {
	r := &raw{}
	r.WriteString("GGUF")
	return r.add(version, tensors, pairs)
}

func safetensors(head string, data int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(out, head...), make([]byte, data)...)
}

func TestHostileFiles(t *testing.T) {
	u32, u64 := func(v uint32) any { return v }, func(v uint64) any { return v }
	deep := header(3, 0, 1).add("k", u32(9))
	for range 100_000 {
		deep.add(u32(9), u64(1))
	}
	for name, data := range map[string][]byte{
		"empty":                   {},
		"magic only":              []byte("GGUF"),
		"version":                 header(4, 0, 0).Bytes(),
		"big endian":              append([]byte("GGUF\x00\x00\x00\x03"), make([]byte, 32)...),
		"tensor count":            header(3, math.MaxUint64, 0).Bytes(),
		"pair count":              header(3, 0, math.MaxUint64).Bytes(),
		"string length":           header(3, 0, 1).add(u64(math.MaxUint64), u64(0), u64(0)).Bytes(),
		"string beyond the end":   header(3, 0, 1).add(u64(1000), "abcdef", u64(0)).Bytes(),
		"unknown type":            header(3, 0, 1).add("k", u32(99), u64(0)).Bytes(),
		"bool of 2":               header(3, 0, 1).add("k", u32(7), uint8(2)).Bytes(),
		"array count":             header(3, 0, 1).add("k", u32(9), u32(10), u64(1<<61), u64(0)).Bytes(),
		"array of strings":        header(3, 0, 1).add("k", u32(9), u32(8), u64(1<<40), u64(0)).Bytes(),
		"nesting":                 deep.Bytes(),
		"key twice":               header(3, 0, 2).add("k", u32(0), uint8(1), "k", u32(0), uint8(1)).Bytes(),
		"alignment 0":             header(3, 0, 1).add("general.alignment", u32(4), u32(0)).Bytes(),
		"alignment 3":             header(3, 0, 1).add("general.alignment", u32(4), u32(3)).Bytes(),
		"alignment of 2 GB":       header(3, 0, 1).add("general.alignment", u32(4), u32(1<<31)).Bytes(),
		"alignment is a text":     header(3, 0, 1).add("general.alignment", u32(8), "32").Bytes(),
		"dimensions":              header(3, 1, 0).add("t", u32(9), u64(1), u64(1)).Bytes(),
		"product overflows":       header(3, 1, 0).add("t", u32(4), u64(1<<30), u64(1<<30), u64(1<<30), u64(1<<30), u32(0), u64(0)).Bytes(),
		"product wraps to 0":      header(3, 1, 0).add("t", u32(2), u64(1<<33), u64(1<<33), u32(0), u64(0)).Bytes(),
		"larger than the file":    header(3, 1, 0).add("t", u32(1), u64(4096), u32(0), u64(0), make([]byte, 64)).Bytes(),
		"offset beyond the file":  header(3, 1, 0).add("t", u32(1), u64(1), u32(0), u64(1<<40), make([]byte, 64)).Bytes(),
		"offset wraps":            header(3, 1, 0).add("t", u32(1), u64(1), u32(0), u64(math.MaxUint64-31), make([]byte, 64)).Bytes(),
		"offset not aligned":      header(3, 1, 0).add("t", u32(1), u64(1), u32(0), u64(8), make([]byte, 64)).Bytes(),
		"part of a block":         header(3, 1, 0).add("t", u32(1), u64(33), u32(8), u64(0), make([]byte, 128)).Bytes(),
		"element type":            header(3, 1, 0).add("t", u32(1), u64(1), u32(77), u64(0), make([]byte, 64)).Bytes(),
		"tensors overlap":         header(3, 2, 0).add("t", u32(1), u64(64), u32(0), u64(0), "u", u32(1), u64(64), u32(0), u64(0), make([]byte, 300)).Bytes(),
		"tensor twice":            header(3, 2, 0).add("t", u32(1), u64(1), u32(0), u64(0), "t", u32(1), u64(1), u32(0), u64(0), make([]byte, 64)).Bytes(),
		"safetensors: length":     append(binary.LittleEndian.AppendUint64(nil, 1<<50), make([]byte, 64)...),
		"safetensors: no object":  safetensors(`[1]`, 0),
		"safetensors: cut":        safetensors(`{"a":{"dtype":"F32"`, 0),
		"safetensors: type":       safetensors(`{"a":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}}`, 4),
		"safetensors: offsets":    safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 4),
		"safetensors: negative":   safetensors(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4),
		"safetensors: size":       safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4),
		"safetensors: product":    safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}`, 4),
		"safetensors: twice":      safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"safetensors: deep":       safetensors(strings.Repeat(`{"a":`, 200_000), 0),
		"safetensors: 3 offsets":  safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4),
		"safetensors: not a text": safetensors(`{"__metadata__":{"a":1}}`, 0),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := weights.Read(bytes.NewReader(data), int64(len(data)))
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			known := false
			for _, want := range []error{weights.ErrFormat, weights.ErrType} {
				known = known || fmt.Sprintf("%v", err) != "" && errorIs(err, want)
			}
			require.True(t, known, "%v wraps no error of the package", err)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(len(data))*32+1<<20, "an error costs no memory that the file doesn't have")
		})
	}
	_, err := weights.Read(nil, 0)
	require.ErrorIs(t, err, weights.ErrFormat)
	_, err = weights.Open(t.TempDir())
	require.Error(t, err)
}

func sample() ([]weights.Pair, []weights.Source) {
	row := func(n int) func() ([]float32, error) {
		return func() ([]float32, error) {
			out := make([]float32, n)
			for i := range out {
				out[i] = float32(i%17) - 8
			}
			return out, nil
		}
	}
	return []weights.Pair{
			{"general.architecture", "llama"}, {"a.u8", uint8(1)}, {"a.i8", int8(-1)}, {"a.u16", uint16(2)}, {"a.i16", int16(-2)},
			{"a.u32", uint32(3)}, {"a.i32", int32(-3)}, {"a.f32", float32(.5)}, {"a.bool", true}, {"a.u64", uint64(4)}, {"a.i64", int64(-4)},
			{"a.f64", 0.25}, {"texts", []string{"", "x", "\xff"}}, {"numbers", []int32{1, -1}}, {"bools", []bool{true, false}},
			{"nested", []any{[]int32{1}, []string{"y"}}}, {"none", []float32{}},
		}, []weights.Source{
			{Name: "f32", Type: weights.TypeF32, Shape: []int{2, 3}, Floats: row(6)},
			{Name: "q8", Type: weights.TypeQ8_0, Shape: []int{3, 32}, Floats: row(96)},
			{Name: "f16", Type: weights.TypeF16, Shape: []int{5}, Floats: row(5)},
		}
}

func TestWriteReadsBack(t *testing.T) {
	meta, tensors := sample()
	var file bytes.Buffer
	require.NoError(t, weights.WriteGGUF(&file, meta, tensors))
	path := filepath.Join(t.TempDir(), "m.gguf")
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	f, err := weights.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var got []weights.Pair
	for p := range f.Metadata() {
		got = append(got, p)
	}
	require.Equal(t, meta, got)
	require.Len(t, f.Tensors(), 3)
	for _, src := range tensors {
		want, _ := src.Floats()
		x, err := f.Floats(src.Name)
		require.NoError(t, err)
		require.InDeltaSlice(t, want, x, .05)
		tensor, _ := f.Tensor(src.Name)
		require.Equal(t, src.Shape, tensor.Shape)
	}
	n, ok := f.Int("a.i16")
	require.True(t, ok)
	require.Equal(t, int64(-2), n)
	_, err = f.Floats("absent")
	require.ErrorIs(t, err, weights.ErrMissing)

	var again, third bytes.Buffer
	require.NoError(t, f.Requantize(&again, func(t weights.Tensor) weights.Type { return t.Type }))
	g, err := weights.Read(bytes.NewReader(again.Bytes()), int64(again.Len()))
	require.NoError(t, err)
	require.NoError(t, g.Requantize(&third, func(t weights.Tensor) weights.Type { return t.Type }))
	require.Equal(t, again.Bytes(), third.Bytes())
}

func TestWriteRefuses(t *testing.T) {
	one := func() ([]float32, error) { return []float32{1}, nil }
	for name, s := range map[string]weights.Source{
		"no encoder":      {Name: "t", Type: weights.TypeQ4_K, Shape: []int{1, 256}, Floats: one},
		"part of a block": {Name: "t", Type: weights.TypeQ8_0, Shape: []int{1, 31}, Floats: one},
		"no shape":        {Name: "t", Type: weights.TypeF32, Floats: one},
		"no elements":     {Name: "t", Type: weights.TypeF32, Shape: []int{1}},
		"wrong count":     {Name: "t", Type: weights.TypeF32, Shape: []int{2}, Floats: one},
		"a NaN": {Name: "t", Type: weights.TypeQ8_0, Shape: []int{32}, Floats: func() ([]float32, error) {
			return append(make([]float32, 31), float32(math.NaN())), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, weights.WriteGGUF(&bytes.Buffer{}, nil, []weights.Source{s}))
		})
	}
	require.ErrorIs(t, weights.WriteGGUF(&bytes.Buffer{}, []weights.Pair{{"k", struct{}{}}}, nil), weights.ErrType)
}

// A block whose scale vanishes in half precision has no codes that mean anything.
func TestTinyBlockIsZero(t *testing.T) {
	for _, typ := range []weights.Type{weights.TypeQ8_0, weights.TypeQ4_0, weights.TypeQ4_1, weights.TypeQ5_0, weights.TypeQ5_1} {
		x := make([]float32, 32)
		for i := range x {
			x[i] = math.SmallestNonzeroFloat32 * float32(i)
		}
		n, size := typ.Block()
		block, out := make([]byte, size), make([]float32, n)
		require.NoError(t, typ.Encode(block, x))
		require.NoError(t, typ.Decode(out, block))
		require.Equal(t, make([]float32, 32), abs(out), typ)
	}
}

func abs(x []float32) []float32 {
	for i, v := range x {
		x[i] = float32(math.Abs(float64(v)))
	}
	return x
}

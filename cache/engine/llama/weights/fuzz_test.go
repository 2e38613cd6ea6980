package weights_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

func errorIs(err, want error) bool { return errors.Is(err, want) }

func FuzzRead(f *testing.F) {
	meta, tensors := sample()
	var file bytes.Buffer
	require.NoError(f, weights.WriteGGUF(&file, meta, tensors))
	f.Add(file.Bytes())
	f.Add(safetensors(`{"__metadata__":{"a":"b"},"t":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := weights.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, weights.ErrFormat) && !errors.Is(err, weights.ErrType) {
				t.Fatalf("%v wraps no error of the package", err)
			}
			return
		}
		for _, tensor := range w.Tensors() {
			x, err := w.Floats(tensor.Name)
			if err == nil && len(x) != tensor.Elements() {
				t.Fatalf("%d elements of %v", len(x), tensor)
			}
		}
	})
}

// What a type encodes, it decodes to the same block again.
func FuzzEncode(f *testing.F) {
	f.Add(uint32(0), uint32(0x3f800000), uint32(0xc0000000))
	f.Fuzz(func(t *testing.T, a, b, c uint32) {
		x := make([]float32, 32)
		for i := range x {
			x[i] = math.Float32frombits([]uint32{a, b, c}[i%3])
		}
		for _, typ := range []weights.Type{weights.TypeQ8_0, weights.TypeQ4_0, weights.TypeQ4_1, weights.TypeQ5_0, weights.TypeQ5_1} {
			_, size := typ.Block()
			block, out := make([]byte, size), make([]float32, 32)
			if err := typ.Encode(block, x); err != nil {
				if !errors.Is(err, weights.ErrNotFinite) {
					t.Fatal(err)
				}
				continue
			}
			if err := typ.Decode(out, block); err != nil {
				t.Fatal(err)
			}
			low, high := x[0], x[0]
			for _, v := range x {
				low, high = min(low, v), max(high, v)
			}
			if high > 1000 || low < -1000 || high-low < 1e-3 {
				continue // the scale, or the offset, leaves the range of half precision
			}
			for i := range x {
				if math.Abs(float64(x[i]-out[i])) > float64(max(high, -low))*.14+1e-3 {
					t.Fatalf("%v: %v became %v of [%v, %v]", typ, x[i], out[i], low, high)
				}
			}
		}
	})
}

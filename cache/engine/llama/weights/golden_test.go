package weights_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/internal/golden"
)

func typeNamed(name string) (weights.Type, error) {
	for t := weights.Type(0); t < 40; t++ {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("no type is called %s", name)
}

func floats(bits []uint32) []float32 {
	out := make([]float32, len(bits))
	for i, b := range bits {
		out[i] = math.Float32frombits(b)
	}
	return out
}

func sameBits(got []float32, want []uint32) error {
	for i, w := range want {
		if g := math.Float32bits(got[i]); g != w && (got[i] == got[i] || math.Float32frombits(w) == math.Float32frombits(w)) {
			return fmt.Errorf("element %d is %v, want %v", i, got[i], math.Float32frombits(w))
		}
	}
	return nil
}

func TestGoldenBlocks(t *testing.T) {
	type row struct {
		Type  string
		Case  string
		X     []uint32
		Block string
		Deq   []uint32
	}
	check := func(r row) error {
		typ, err := typeNamed(r.Type)
		if err != nil {
			return err
		}
		block, err := base64.StdEncoding.DecodeString(r.Block)
		if err != nil {
			return err
		}
		if r.X != nil {
			got := make([]byte, len(block))
			if err := typ.Encode(got, floats(r.X)); err != nil {
				return err
			}
			if !bytes.Equal(got, block) {
				return fmt.Errorf("%s %s: bytes %x, want %x", r.Type, r.Case, got, block)
			}
		}
		out := make([]float32, len(r.Deq))
		if err := typ.Decode(out, block); err != nil {
			return err
		}
		return sameBits(out, r.Deq)
	}
	golden.Rows(t, "cache", "gguf_quant.jsonl", check)
	golden.Rows(t, "cache", "gguf_dequant.jsonl", check)
}

func TestGoldenFloats(t *testing.T) {
	formats := map[string]weights.Float{
		"f16": weights.FloatF16, "bf16": weights.FloatBF16, "e4m3fn": weights.FloatE4M3FN, "e4m3fn_sat": weights.FloatE4M3Sat,
		"e5m2": weights.FloatE5M2, "e4m3fnuz": weights.FloatE4M3FNUZ, "e2m1fn": weights.FloatE2M1,
	}
	golden.Rows(t, "cache", "float_narrow.jsonl", func(row map[string]uint32) error {
		x := math.Float32frombits(row["f32"])
		for name, want := range row {
			f, ok := formats[name]
			if !ok {
				continue
			}
			got := f.Encode(x)
			bothNaN := f.Decode(got) != f.Decode(got) && f.Decode(uint16(want)) != f.Decode(uint16(want))
			if got != uint16(want) && !bothNaN {
				return fmt.Errorf("%s of %v is %#x, want %#x", name, x, got, want)
			}
		}
		return nil
	})
	golden.Rows(t, "cache", "float_widen.jsonl", func(row struct {
		Type   string
		Code   []uint16
		Decode []any
	}) error {
		f, ok := formats[row.Type]
		if !ok {
			return fmt.Errorf("unknown format %s", row.Type)
		}
		for i, w := range row.Decode {
			c := uint16(i)
			if row.Code != nil {
				c = row.Code[i]
			}
			want := special(w)
			if got := float64(f.Decode(c)); got != want && (got == got || want == want) {
				return fmt.Errorf("%s %#x is %v, want %v", row.Type, c, got, want)
			}
		}
		return nil
	})
}

func special(v any) float64 {
	switch v {
	case "nan", "NaN":
		return math.NaN()
	case "inf", "Infinity":
		return math.Inf(1)
	case "-inf", "-Infinity":
		return math.Inf(-1)
	}
	switch v := v.(type) {
	case float64:
		return v
	case json.Number:
		f, _ := v.Float64()
		return f
	}
	panic(fmt.Sprintf("a number of type %T: %v", v, v))
}

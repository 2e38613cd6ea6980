package supply

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// st is a safetensors file with a header and bytes of data.
func st(header string, data int) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), make([]byte, data)...)
}

func readST(data []byte) error {
	_, err := ReadSafetensors(bytes.NewReader(data), int64(len(data)))
	return err
}

func TestSafetensors(t *testing.T) {
	data, err := os.ReadFile("testdata/ordinary/m.safetensors")
	require.NoError(t, err)
	h, err := ReadSafetensors(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Len(t, h.Tensors, 3)
	require.Equal(t, int64(len(data)), h.Tensors[2].End)
	require.Equal(t, "pt", h.Metadata["format"])
	f, err := os.Open("../../retrieve/embed/model.safetensors") // a real model
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	require.NoError(t, err)
	h, err = ReadSafetensors(f, info.Size())
	require.NoError(t, err)
	require.NotEmpty(t, h.Tensors)

	one := func(typ, shape, offsets string) string {
		return `{"a":{"dtype":"` + typ + `","shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	for name, c := range map[string]struct {
		data []byte
		ok   bool
	}{
		"one tensor":               {st(one("F32", "[2,2]", "[0,16]"), 16), true},
		"a scalar":                 {st(one("F64", "[]", "[0,8]"), 8), true},
		"no tensor":                {st("{}", 0), true},
		"nothing of nothing":       {st(one("F32", "[0,9]", "[0,0]"), 0), true},
		"shape and offsets differ": {st(one("F32", "[32,8]", "[0,65536]"), 65536), false},
		"a product that wraps":     {st(one("F32", "[4294967296,4294967296]", "[0,0]"), 0), false},
		"a width that wraps":       {st(one("F32", "[4611686018427387904]", "[0,0]"), 0), false},
		"an end before the start":  {st(one("F32", "[1]", "[4,0]"), 4), false},
		"past the end":             {st(one("F32", "[4]", "[0,16]"), 8), false},
		"bytes of no tensor":       {st(one("F32", "[1]", "[0,4]"), 8), false},
		"a gap":                    {st(one("F32", "[1]", "[4,8]"), 8), false},
		"an overlap":               {st(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6), false},
		"a name twice":             {st(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), false},
		"an unknown type":          {st(one("X1", "[1]", "[0,1]"), 1), false},
		"half a byte":              {st(one("F4", "[3]", "[0,1]"), 1), false},
		"two values in a byte":     {st(one("F4", "[4]", "[0,2]"), 2), true},
		"a negative size":          {st(one("U8", "[-1]", "[0,1]"), 1), false},
		"three offsets":            {st(one("U8", "[1]", "[0,1,1]"), 1), false},
		"metadata of numbers":      {st(`{"__metadata__":{"a":1}}`, 0), false},
		"text after the JSON":      {st("{} x", 0), false},
		"blanks after the JSON":    {st("{}   ", 0), true},
		"not JSON":                 {st("{nope}", 0), false},
		"a header of 2^64-1":       {append(bytes.Repeat([]byte{0xff}, 8), "{}"...), false},
		"a header past the end":    {append(binary.LittleEndian.AppendUint64(nil, 100), "{}"...), false},
		"four bytes":               {[]byte("abcd"), false},
	} {
		err := readST(c.data)
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrHeader, name)
		}
	}
	require.Equal(t, StatusUnsafe, scan(t, "m.safetensors", st(one("F32", "[32,8]", "[0,65536]"), 65536), nil).Status)
	_, err = ReadSafetensors(nil, 0)
	require.ErrorIs(t, err, ErrOption)
}

// ggufOf writes a GGUF file of version 3.
type ggufOf struct {
	pairs   []any // key, value, …
	tensors []Tensor
	data    int
	edit    func([]byte)
}

func (g ggufOf) bytes(t testing.TB) []byte {
	t.Helper()
	le := binary.LittleEndian
	text := func(b []byte, s string) []byte { return append(le.AppendUint64(b, uint64(len(s))), s...) }
	b := le.AppendUint32([]byte("GGUF"), 3)
	b = le.AppendUint64(b, uint64(len(g.tensors)))
	b = le.AppendUint64(b, uint64(len(g.pairs)/2))
	for i := 0; i < len(g.pairs); i += 2 {
		b = text(b, g.pairs[i].(string))
		switch v := g.pairs[i+1].(type) {
		case string:
			b = text(le.AppendUint32(b, ggufString), v)
		case uint32:
			b = le.AppendUint32(le.AppendUint32(b, 4), v)
		case []string:
			b = le.AppendUint64(le.AppendUint32(le.AppendUint32(b, ggufArray), ggufString), uint64(len(v)))
			for _, s := range v {
				b = text(b, s)
			}
		case uint64: // an array that declares so many texts
			b = le.AppendUint64(le.AppendUint32(le.AppendUint32(b, ggufArray), ggufString), v)
		}
	}
	for _, tensor := range g.tensors {
		b = text(b, tensor.Name)
		b = le.AppendUint32(b, uint32(len(tensor.Shape)))
		for _, n := range tensor.Shape {
			b = le.AppendUint64(b, uint64(n))
		}
		code := uint32(999)
		for c, typ := range ggmlTypes {
			if typ.name == tensor.Type {
				code = c
			}
		}
		b = le.AppendUint64(le.AppendUint32(b, code), uint64(tensor.Start))
	}
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	b = append(b, make([]byte, g.data)...)
	if g.edit != nil {
		g.edit(b)
	}
	return b
}

func TestGGUF(t *testing.T) {
	q4 := Tensor{Name: "a", Type: "Q4_K", Shape: []int64{256, 2}}
	good := ggufOf{pairs: []any{"general.architecture", "llama", "tokenizer.chat_template", "{{ messages }}", "tokenizer.ggml.tokens", []string{"a", "bc"}}, tensors: []Tensor{q4, {Name: "b", Type: "F32", Shape: []int64{3}, Start: 288}}, data: 320}
	data := good.bytes(t)
	h, err := ReadGGUF(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Equal(t, "llama", h.Architecture)
	require.Equal(t, []string{"{{ messages }}"}, h.Templates)
	require.Equal(t, int64(288), h.Tensors[0].End-h.Tensors[0].Start)
	require.Equal(t, StatusClean, scan(t, "m.gguf", data, nil).Status)

	f32 := func(start int64, shape ...int64) Tensor {
		return Tensor{Name: "a", Type: "F32", Shape: shape, Start: start}
	}
	for name, g := range map[string]ggufOf{
		"a text of 1 GiB":        {pairs: []any{"a", "b"}, edit: func(b []byte) { binary.LittleEndian.PutUint64(b[37:], 1<<30) }},
		"an array of 2^60":       {pairs: []any{"a", uint64(1 << 60)}},
		"a million tensors":      {edit: func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 1<<20) }},
		"2^64-1 keys":            {edit: func(b []byte) { binary.LittleEndian.PutUint64(b[16:], 1<<64-1) }},
		"an alignment of 0":      {pairs: []any{"general.alignment", uint32(0)}},
		"an alignment of 2^30":   {pairs: []any{"general.alignment", uint32(1 << 30)}},
		"an alignment of 12":     {pairs: []any{"general.alignment", uint32(12)}},
		"a key twice":            {pairs: []any{"a", "b", "a", "c"}},
		"version 1":              {edit: func(b []byte) { b[4] = 1 }},
		"an unknown type":        {tensors: []Tensor{{Name: "a", Type: "none", Shape: []int64{1}}}, data: 32},
		"five dimensions":        {tensors: []Tensor{f32(0, 1, 1, 1, 1, 1)}, data: 32},
		"a product that wraps":   {tensors: []Tensor{f32(0, 1<<62, 1<<62)}, data: 32},
		"past the end":           {tensors: []Tensor{f32(0, 100)}, data: 32},
		"an offset past the end": {tensors: []Tensor{f32(1<<40, 1)}, data: 32},
		"an offset out of line":  {tensors: []Tensor{f32(4, 1)}, data: 32},
		"a part of a block":      {tensors: []Tensor{{Name: "a", Type: "Q4_K", Shape: []int64{255}}}, data: 160},
		"a name twice":           {tensors: []Tensor{f32(0, 1), f32(32, 1)}, data: 64},
		"an overlap":             {tensors: []Tensor{f32(0, 16), {Name: "b", Type: "F32", Shape: []int64{1}, Start: 32}}, data: 64},
		"a name of 65 bytes":     {tensors: []Tensor{{Name: strings.Repeat("a", 65), Type: "F32"}}, data: 32},
		"a long chat template":   {pairs: []any{"tokenizer.chat_template", strings.Repeat("a", maxTemplate+1)}},
	} {
		data := g.bytes(t)
		_, err := ReadGGUF(bytes.NewReader(data), int64(len(data)))
		require.ErrorIs(t, err, ErrHeader, name)
		require.Equal(t, StatusUnsafe, scan(t, "m.gguf", data, nil).Status, name)
	}
	for n := range len(data) - 320 { // each cut of the header
		_, err := ReadGGUF(bytes.NewReader(data[:n]), int64(n))
		require.ErrorIs(t, err, ErrHeader, n)
	}
	// CVE-2024-34359: the template of a GGUF file ran code in its loader.
	r := scan(t, "m.gguf", ggufOf{pairs: []any{"tokenizer.chat_template", "{% for c in [].__class__.__base__.__subclasses__() %}{% endfor %}"}}.bytes(t), nil)
	require.Equal(t, StatusUnsafe, r.Status)
	require.Equal(t, KindTemplate, r.Findings[0].Kind)
}

func FuzzHeaders(f *testing.F) {
	f.Add(st("{}", 0))
	f.Add(st(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1))
	f.Add(ggufOf{pairs: []any{"general.architecture", "llama", "a", []string{"b"}}, tensors: []Tensor{{Name: "a", Type: "F32", Shape: []int64{3}}}, data: 32}.bytes(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := ReadSafetensors(bytes.NewReader(data), int64(len(data))); err == nil {
			for _, x := range h.Tensors {
				require.True(t, 0 <= x.Start && x.Start <= x.End && x.End <= int64(len(data)))
			}
		} else {
			require.ErrorIs(t, err, ErrHeader)
		}
		if h, err := ReadGGUF(bytes.NewReader(data), int64(len(data))); err == nil {
			for _, x := range h.Tensors {
				require.True(t, 0 <= x.Start && x.Start <= x.End && x.End <= int64(len(data)))
			}
		} else {
			require.ErrorIs(t, err, ErrHeader)
		}
	})
}

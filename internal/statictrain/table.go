package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/embed"
)

// tokens is the size of BERT's uncased vocabulary.
const tokens = 30522

// A table has a row of numbers for each token of a vocabulary.
type table struct {
	e    *embed.Embedder // for its tokens
	dim  int
	rows []float32
}

func newTable(e *embed.Embedder) *table {
	t := &table{e: e, dim: e.Dimensions()}
	for id := range int32(tokens) {
		t.rows = e.Row(t.rows, id)
	}
	return t
}

// loadTable reads a model as retrieve/embed does, or a table of float32 (".f32").
func loadTable(path, repository string) (*table, error) {
	if filepath.Ext(path) == ".f32" {
		rows, err := readFloats(path, tokens)
		if err != nil {
			return nil, err
		}
		e, err := embed.New()
		if err != nil {
			return nil, err
		}
		t := &table{e: e, dim: len(rows[0])}
		for _, r := range rows {
			t.rows = append(t.rows, r...)
		}
		return t, nil
	}
	vocabulary, err := os.Open(filepath.Join(repository, "retrieve", "embed", "vocab.txt")) //nolint:gosec // the user's
	if err != nil {
		return nil, err
	}
	defer func() { _ = vocabulary.Close() }()
	weights, err := os.ReadFile(path) //nolint:gosec // the path is the user's
	if err != nil {
		return nil, err
	}
	e, err := embed.Load(vocabulary, string(weights))
	if err != nil {
		return nil, err
	}
	return newTable(e), nil
}

func (t *table) row(id int32) []float32 { return t.rows[int(id)*t.dim:][:t.dim] }

// vectors returns the normalized sum of each text's rows.
func (t *table) vectors(texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, t.dim)
		for _, id := range t.e.Tokens(text) {
			axpy(out[i], 1, t.row(id))
		}
		normalize(out[i])
	}
	return out, nil
}

// first returns a table of the first n numbers of each row.
func (t *table) first(n int) *table {
	out := &table{e: t.e, dim: n}
	for id := range int32(tokens) {
		out.rows = append(out.rows, t.row(id)[:n]...)
	}
	return out
}

// quantize rounds each row to whole numbers with one scale.
func (t *table) quantize() (codes []int8, scales []float32) {
	for id := range int32(tokens) {
		largest := float32(0)
		for _, x := range t.row(id) {
			largest = max(largest, x, -x)
		}
		scale := largest / 127
		for _, x := range t.row(id) {
			n := int8(0)
			if scale > 0 {
				n = int8(math.RoundToEven(float64(x / scale)))
			}
			codes = append(codes, n)
		}
		scales = append(scales, scale)
	}
	return codes, scales
}

// int8 returns the table as its rows are in int8.
func (t *table) int8() *table {
	out := &table{e: t.e, dim: t.dim}
	codes, scales := t.quantize()
	for i, c := range codes {
		out.rows = append(out.rows, scales[i/t.dim]*float32(c))
	}
	return out
}

// binary returns the table with one bit for each number and one scale for each row, the
// mean of the row's absolute numbers, which has the least squared error.
func (t *table) binary() *table {
	out := &table{e: t.e, dim: t.dim}
	for id := range int32(tokens) {
		mean := float32(0)
		for _, x := range t.row(id) {
			mean += float32(math.Abs(float64(x))) / float32(t.dim)
		}
		for _, x := range t.row(id) {
			out.rows = append(out.rows, float32(math.Copysign(float64(mean), float64(x))))
		}
	}
	return out
}

// signs returns vectors of one bit for each number.
func (t *table) signs(texts []string) ([][]float32, error) {
	out, err := t.vectors(texts)
	for _, v := range out {
		for i, x := range v {
			v[i] = float32(math.Copysign(1, float64(x)))
		}
		normalize(v)
	}
	return out, err
}

// cuts are the sizes of a table to compare.
func cuts(name string, t *table) (out []system) {
	for _, dim := range []int{256, 128, 64} {
		c := t.first(min(dim, t.dim))
		out = append(out,
			system{fmt.Sprintf("%s %d float", name, dim), c.vectors},
			system{fmt.Sprintf("%s %d int8", name, dim), c.int8().vectors},
			system{fmt.Sprintf("%s %d rows of bits", name, dim), c.binary().vectors},
			system{fmt.Sprintf("%s %d texts of bits", name, dim), c.int8().signs})
	}
	return out
}

// file returns a safetensors file as embed.Load reads it.
func (t *table) file() []byte {
	codes, scales := t.quantize()
	header := fmt.Sprintf(`{"scales":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]},"embeddings":{"dtype":"I8","shape":[%d,%d],"data_offsets":[%d,%d]}}`,
		tokens, 4*tokens, tokens, t.dim, 4*tokens, 4*tokens+len(codes))
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	for _, s := range scales {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(s))
	}
	for _, c := range codes {
		out = append(out, byte(c))
	}
	return out
}

// readFloats reads n rows of float32 in little endian.
func readFloats(path string, n int) ([][]float32, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's
	if err != nil {
		return nil, err
	}
	if n == 0 || len(data) == 0 || len(data)%(4*n) != 0 {
		return nil, fmt.Errorf("%s: %d bytes for %d rows", path, len(data), n)
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = floats(data[i*(len(data)/n):][:len(data)/n])
	}
	return out, nil
}

// writeFile writes a file that others may read: it has no secret.
func writeFile(path string, data []byte) error {
	return os.WriteFile(path, data, 0o644) //nolint:gosec // see above
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

func appendFloats(b []byte, v []float32) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// axpy adds w x row to v.
func axpy(v []float32, w float32, row []float32) {
	row = row[:len(v)]
	for k := range v {
		v[k] += w * row[k]
	}
}

// normalize scales v to length 1, unless it is zero, and returns its length.
func normalize(v []float32) float32 {
	length := float32(math.Sqrt(float64(vec.Dot(v, v))))
	if length > 0 {
		for k := range v {
			v[k] /= length
		}
	}
	return length
}

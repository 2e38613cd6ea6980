package tune

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// quantized are rows of int8, each with one scale.
type quantized struct {
	ids    []int32
	places []int32 // in the table
	dim    int
	rows   []int8
	scales []float32
}

// quantize rounds the rows of the tokens that were trained, weights included.
func (t *table) quantize() (quantized, error) {
	q := quantized{dim: t.dim}
	row := make([]float32, t.dim)
	for at, id := range t.ids {
		if !t.trained[at] {
			continue
		}
		weight, largest := exp(t.weights[at]), float32(0)
		for k, x := range t.row(int32(at)) {
			row[k] = weight * x
			if !finite(row[k]) {
				return q, fmt.Errorf("%w: the row of token %d is not finite", ErrDiverged, id)
			}
			largest = max(largest, row[k], -row[k])
		}
		scale := largest / 127
		for _, x := range row {
			n := int8(0)
			if scale > 0 {
				n = int8(math.RoundToEven(min(127, max(-127, float64(x/scale)))))
			}
			q.rows = append(q.rows, n)
		}
		q.ids, q.places, q.scales = append(q.ids, id), append(q.places, int32(at)), append(q.scales, scale)
	}
	return q, nil
}

// use replaces rows of the table by the rounded ones.
func (t *table) use(q quantized) {
	for i, at := range q.places {
		t.weights[at] = 0
		for k := range t.dim {
			t.rows[int(at)*t.dim+k] = q.scales[i] * float32(q.rows[i*t.dim+k])
		}
	}
}

// file returns a safetensors file. The tensors of four bytes come first, so that each
// begins at a multiple of its size.
func (q quantized) file() []byte {
	n := len(q.ids)
	header := fmt.Sprintf(`{"ids":{"dtype":"I32","shape":[%d],"data_offsets":[0,%d]},`+
		`"scales":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]},`+
		`"embeddings":{"dtype":"I8","shape":[%d,%d],"data_offsets":[%d,%d]}}`,
		n, 4*n, n, 4*n, 8*n, n, q.dim, 8*n, 8*n+n*q.dim)
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	out := make([]byte, 0, 8+len(header)+8*n+n*q.dim)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(header)))
	out = append(out, header...)
	for _, id := range q.ids {
		out = binary.LittleEndian.AppendUint32(out, uint32(id))
	}
	for _, s := range q.scales {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(s))
	}
	for _, x := range q.rows {
		out = append(out, byte(x))
	}
	return out
}

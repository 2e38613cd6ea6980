package llama

import (
	"encoding/binary"
	"fmt"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/internal/vec"
)

// A matrix is kept as codes, or as float32.
type matrix struct {
	rows, cols int
	blocks     *vec.Blocks
	floats     []float32
}

// tile is how many rows of float32 are multiplied by all vectors before the next ones.
const tile = 16

// units is how many pieces of work a product has.
func (m *matrix) units() int {
	if m.blocks != nil {
		return m.blocks.Groups()
	}
	return (m.rows + tile - 1) / tile
}

// mul sets out[t·rows+r] to the product of row r and vector t, for the units from lo up
// to hi.
func (m *matrix) mul(v *vectors, lo, hi int, out []float32) {
	if m.blocks != nil {
		m.blocks.Mul(&v.codes, lo, hi, out, m.rows)
		return
	}
	for u := lo; u < hi; u++ {
		first, last := u*tile, min(m.rows, (u+1)*tile)
		rows := m.floats[first*m.cols : last*m.cols]
		for t := range v.n {
			vec.DotRows(v.floats[t*m.cols:][:m.cols], rows, out[t*m.rows+first:t*m.rows+last])
		}
	}
}

func (m *matrix) row(r int, dst []float32) {
	if m.blocks != nil {
		m.blocks.Row(r, dst)
		return
	}
	copy(dst, m.floats[r*m.cols:][:m.cols])
}

// bytes is what a product reads.
func (m *matrix) bytes() int {
	if m.blocks != nil {
		return m.blocks.Bytes()
	}
	return 4 * len(m.floats)
}

// vectors are the right side of products: float32, and codes of them if needed.
type vectors struct {
	n, cols int
	floats  []float32
	codes   vec.Codes
}

func (v *vectors) reset(n, cols int) {
	v.n, v.cols = n, cols
	if cap(v.floats) < n*cols {
		v.floats = make([]float32, n*cols)
	}
	v.floats = v.floats[:n*cols]
	v.codes.Reset(n, cols)
}

func (v *vectors) at(t int) []float32 { return v.floats[t*v.cols:][:v.cols] }

// loadMatrix reads a tensor in the form that its products are fastest in.
func loadMatrix(f *weights.File, name string, p Precision) (*matrix, error) {
	t, _ := f.Tensor(name) // of two dimensions, see Load
	m := &matrix{rows: t.Shape[0], cols: t.Shape[1]}
	if p == PrecisionFloat32 || !coded(t.Type) {
		var err error
		m.floats, err = f.Floats(name)
		return m, err
	}
	data, err := f.Bytes(name)
	if err != nil {
		return nil, err
	}
	elements, size := t.Type.Block()
	per := m.cols / elements
	bits := 8
	if t.Type == weights.TypeQ4_0 || t.Type == weights.TypeQ4_1 || t.Type == weights.TypeQ4_K {
		bits = 4
	}
	m.blocks = vec.NewBlocks(m.rows, m.cols, bits)
	for r := range m.rows {
		for b := range per {
			block := data[(r*per+b)*size:][:size]
			if err := m.set(t.Type, r, b*elements/vec.BlockSize, block); err != nil {
				return nil, fmt.Errorf("tensor %q: row %d: %w", name, r, err)
			}
		}
	}
	return m, nil
}

// coded reports whether a type's elements are codes with a scale.
func coded(t weights.Type) bool {
	elements, _ := t.Block()
	return elements > 1
}

// set stores one block of the file, 32 or 256 elements, at block b of row r.
func (m *matrix) set(t weights.Type, r, b int, block []byte) error {
	switch t {
	case weights.TypeQ8_0:
		var q [32]int8
		for i := range q {
			q[i] = int8(block[2+i])
		}
		return m.set8(r, b, binary.LittleEndian.Uint16(block), &q)
	case weights.TypeQ4_0:
		d := binary.LittleEndian.Uint16(block)
		off := weights.FloatF16.Encode(-8 * weights.FloatF16.Decode(d))
		return m.set4(r, b, d, off, block[2:18])
	case weights.TypeQ4_1:
		return m.set4(r, b, binary.LittleEndian.Uint16(block), binary.LittleEndian.Uint16(block[2:]), block[4:20])
	case weights.TypeQ4_K:
		return m.setQ4K(r, b, block)
	}
	// The rest has no kernel of its own: 8-bit codes are close to it, and fast.
	elements, _ := t.Block()
	x := make([]float32, elements)
	if err := t.Decode(x, block); err != nil {
		return err
	}
	coded := make([]byte, elements/32*34)
	if err := weights.TypeQ8_0.Encode(coded, x); err != nil {
		return err
	}
	for i := range elements / 32 {
		if err := m.set(weights.TypeQ8_0, r, b+i, coded[i*34:][:34]); err != nil {
			return err
		}
	}
	return nil
}

func finiteHalf(codes ...uint16) error {
	for _, c := range codes {
		if c&0x7c00 == 0x7c00 {
			return fmt.Errorf("%w: a scale is %v", weights.ErrNotFinite, weights.FloatF16.Decode(c))
		}
	}
	return nil
}

func (m *matrix) set8(r, b int, d uint16, q *[32]int8) error {
	m.blocks.Set8(r, b, d, q)
	return finiteHalf(d)
}

// set4 stores 32 codes in 16 bytes: the low halves first.
func (m *matrix) set4(r, b int, d, off uint16, packed []byte) error {
	var q [32]uint8
	for i, v := range packed {
		q[i], q[i+16] = v&15, v>>4
	}
	m.blocks.Set4(r, b, d, off, &q)
	return finiteHalf(d, off)
}

// setQ4K stores the 8 parts of a super-block, each with its own scale and offset. Their
// products with the block's are rounded to half precision, by 1 part in 2,000 at most;
// the codes themselves are that coarse by 1 part in 15.
func (m *matrix) setQ4K(r, b int, block []byte) error {
	var x [256]float32
	if err := weights.TypeQ4_K.Decode(x[:], block); err != nil {
		return err
	}
	for part := range 8 {
		packed := block[16+part/2*32:][:32]
		var q [32]uint8
		low, high := -1, -1 // elements with the smallest and the largest code
		for i, v := range packed {
			q[i] = v >> (4 * (part & 1)) & 15
			if low < 0 || q[i] < q[low] {
				low = i
			}
			if high < 0 || q[i] > q[high] {
				high = i
			}
		}
		d, off := float32(0), x[part*32+low]
		if q[high] > q[low] {
			d = (x[part*32+high] - off) / float32(q[high]-q[low])
			off -= d * float32(q[low])
		}
		dh, oh := weights.FloatF16.Encode(d), weights.FloatF16.Encode(off)
		m.blocks.Set4(r, b+part, dh, oh, &q)
		if err := finiteHalf(dh, oh); err != nil {
			return err
		}
	}
	return nil
}

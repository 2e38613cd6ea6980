package vec

import (
	"math"
	"unsafe"
)

// BlockSize is how many neighbors in a row share a scale.
const BlockSize = 32

// groupRows is how many rows lie interleaved: one for each float32 of 64 bytes.
const groupRows = 16

// Blocks is a matrix of 8-bit or 4-bit codes in blocks of [BlockSize], laid out for
// the kernels: the codes of 16 rows are interleaved, 4 columns of each, so that one
// load has a piece of all 16 and no sum crosses lanes. It is not changed after it is
// made.
//
// An 8-bit element is d·q with q from -128 to 127, a 4-bit one d·q+m with q from 0
// to 15. d and m belong to the block and are half-precision numbers.
type Blocks struct {
	rows, cols int
	bits       int
	codes      []byte   // [group][block][bits][64], aligned to 64 bytes
	scales     []uint16 // [group][block][16] of d, for 4 bits then [16] of m
}

// NewBlocks returns a matrix of zeros. cols is a multiple of [BlockSize], bits 8 or
// 4; it panics otherwise.
func NewBlocks(rows, cols, bits int) *Blocks {
	if rows < 0 || cols < 0 || cols%BlockSize != 0 || bits != 8 && bits != 4 {
		panic("vec: a matrix of blocks needs whole blocks of 8 or 4 bits")
	}
	blocks := (rows + groupRows - 1) / groupRows * (cols / BlockSize)
	return &Blocks{rows: rows, cols: cols, bits: bits, codes: aligned(blocks * bits * 64), scales: make([]uint16, blocks*groupRows*scaleRows(bits))}
}

func scaleRows(bits int) int {
	if bits == 4 {
		return 2
	}
	return 1
}

// aligned returns n bytes that begin at a multiple of 64, a line of the cache.
func aligned(n int) []byte {
	b := make([]byte, n+63)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & 63
	return b[skip : skip+n : skip+n]
}

// Rows and Cols return the matrix's shape.
func (m *Blocks) Rows() int { return m.rows }

// Cols returns the number of columns.
func (m *Blocks) Cols() int { return m.cols }

// Bytes returns what the matrix occupies in memory, and so what a product reads.
func (m *Blocks) Bytes() int { return len(m.codes) + 2*len(m.scales) }

// place returns the index of a block in codes, in units of a block, and the lane.
func (m *Blocks) place(row, block int) (at, lane int) {
	return row/groupRows*(m.cols/BlockSize) + block, row % groupRows
}

// Set8 stores a block of an 8-bit matrix: d, in half precision, and 32 codes.
func (m *Blocks) Set8(row, block int, d uint16, q *[BlockSize]int8) {
	at, lane := m.place(row, block)
	m.scales[at*groupRows+lane] = d
	dst := m.codes[at*512:][:512]
	for c, v := range q {
		dst[c/4*64+lane*4+c%4] = byte(v)
	}
}

// Set4 stores a block of a 4-bit matrix: d and the offset off, in half precision, and
// 32 codes from 0 to 15.
func (m *Blocks) Set4(row, block int, d, off uint16, q *[BlockSize]uint8) {
	at, lane := m.place(row, block)
	m.scales[at*2*groupRows+lane] = d
	m.scales[at*2*groupRows+groupRows+lane] = off
	dst := m.codes[at*256:][:256]
	for c := range 16 {
		dst[c/4*64+lane*4+c%4] = q[c]&15 | q[c+16]<<4
	}
}

// Row sets dst to the elements of a row.
func (m *Blocks) Row(row int, dst []float32) {
	for b := range m.cols / BlockSize {
		at, lane := m.place(row, b)
		out := dst[b*BlockSize:][:BlockSize]
		if m.bits == 8 {
			d := halfFloat(m.scales[at*groupRows+lane])
			for c := range out {
				out[c] = d * float32(int8(m.codes[at*512+c/4*64+lane*4+c%4]))
			}
			continue
		}
		d, off := halfFloat(m.scales[at*2*groupRows+lane]), halfFloat(m.scales[at*2*groupRows+groupRows+lane])
		for c := range 16 {
			q := m.codes[at*256+c/4*64+lane*4+c%4]
			out[c] = float32(d*float32(q&15)) + off
			out[c+16] = float32(d*float32(q>>4)) + off
		}
	}
}

// Codes are vectors, one after the other, in 8-bit codes with a scale for each
// [BlockSize] elements: what a [Blocks] is multiplied by. Reset one to use it again.
type Codes struct {
	cols, n int
	q       []int8
	scale   []float32 // an element is about scale·q
	bias    []int32   // -128 times the sum of a block's codes
	total   []float32 // scale times the sum of a block's codes
}

// Reset makes room for n vectors of cols elements, a multiple of [BlockSize].
func (c *Codes) Reset(n, cols int) {
	if n < 0 || cols < 0 || cols%BlockSize != 0 {
		panic("vec: codes need whole blocks")
	}
	c.n, c.cols = n, cols
	blocks := n * cols / BlockSize
	if cap(c.q) < n*cols || cap(c.scale) < blocks {
		c.q, c.scale, c.bias, c.total = make([]int8, n*cols), make([]float32, blocks), make([]int32, blocks), make([]float32, blocks)
	}
	c.q, c.scale, c.bias, c.total = c.q[:n*cols], c.scale[:blocks], c.bias[:blocks], c.total[:blocks]
}

// Set stores vector i: scale = max|x|/127 for each block, q = x/scale, rounded to the
// nearest, ties to even. x is finite.
func (c *Codes) Set(i int, x []float32) {
	x = x[:c.cols]
	per := c.cols / BlockSize
	if per > 0 {
		quantizeBlocks(x, c.q[i*c.cols:][:c.cols], c.scale[i*per:][:per], c.bias[i*per:][:per], c.total[i*per:][:per])
	}
}

// Mul sets out[t·stride+r], for each vector t of x and each row r of the groups from
// lo up to hi, to the product of the row and the vector. A group has 16 rows: see
// [Blocks.Groups]. A row's result does not depend on how many vectors there are. The
// products of one block are exact; the sum over the blocks is in float32.
func (m *Blocks) Mul(x *Codes, lo, hi int, out []float32, stride int) {
	if x.cols != m.cols || lo < 0 || hi > m.Groups() || x.n > 0 && (stride < m.rows || len(out) < (x.n-1)*stride+m.rows) {
		panic("vec: the product's shapes don't match")
	}
	per := m.cols / BlockSize
	var edge [4 * groupRows]float32
	for g := lo; g < hi; g++ {
		codes, scales := m.codes[g*per*m.bits*64:][:per*m.bits*64], m.scales[g*per*groupRows*scaleRows(m.bits):]
		rows := min(groupRows, m.rows-g*groupRows)
		for t := 0; t < x.n; {
			n := 1
			if x.n-t >= 4 {
				n = 4
			}
			dst, step := out[t*stride+g*groupRows:], stride
			if rows < groupRows {
				dst, step = edge[:], groupRows
			}
			if per == 0 {
				clear(edge[:])
				dst, step = edge[:], groupRows
			} else {
				mulBlocks(m.bits, codes, scales, x, t, n, dst, step)
			}
			if step == groupRows && &dst[0] == &edge[0] {
				for i := range n {
					copy(out[(t+i)*stride+g*groupRows:][:rows], edge[i*groupRows:])
				}
			}
			t += n
		}
	}
}

// Groups returns the number of groups of 16 rows, the last of which may be incomplete.
func (m *Blocks) Groups() int { return (m.rows + groupRows - 1) / groupRows }

// halfFloat widens a half-precision number.
func halfFloat(h uint16) float32 {
	sign, e, f := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch e {
	case 0:
		return math.Float32frombits(math.Float32bits(float32(f)*0x1p-24) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | f<<13)
	}
	return math.Float32frombits(sign | (e+112)<<23 | f<<13)
}

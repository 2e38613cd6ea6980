package vec

import "unsafe"

// panelVectors is how many vectors a kernel of [Panels] multiplies at a time.
const panelVectors = 6

// Panels is a matrix of float32, laid out for products with many vectors at once: 16
// rows are interleaved, so that one load has an element of each, and stays in a register
// for 6 vectors.
//
// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication",
// 2008.
type Panels struct {
	rows, cols int
	data       []float32 // [group][column][16]
}

// NewPanels copies a matrix, row after row. It panics if data is shorter.
func NewPanels(rows, cols int, data []float32) *Panels {
	m := &Panels{}
	m.Reset(rows, cols, data[:max(0, rows*cols)], cols)
	return m
}

// Reset makes m a copy of a matrix whose row r begins at data[r·stride]. It allocates
// only to grow, and panics if data is too short.
func (m *Panels) Reset(rows, cols int, data []float32, stride int) {
	m.reshape(rows, cols)
	if cols == 0 {
		return
	}
	for r := range rows {
		dst := m.data[r/groupRows*cols*groupRows+r%groupRows:]
		for c, v := range data[r*stride:][:cols] {
			dst[c*groupRows] = v
		}
	}
}

// ResetColumns is Reset for a matrix whose column c begins at data[c·stride].
func (m *Panels) ResetColumns(rows, cols int, data []float32, stride int) {
	m.reshape(rows, cols)
	for c := range cols {
		column := data[c*stride:][:rows]
		for g := 0; len(column) > 0; g++ {
			n := copy(m.data[(g*cols+c)*groupRows:][:groupRows], column)
			column = column[n:]
		}
	}
}

func (m *Panels) reshape(rows, cols int) {
	if rows < 0 || cols < 0 {
		panic("vec: a matrix needs a shape")
	}
	m.rows, m.cols = rows, cols
	n := m.Groups() * cols * groupRows
	if cap(m.data) < n {
		m.data = make([]float32, n)
	}
	m.data = m.data[:n]
}

// Rows returns the number of rows.
func (m *Panels) Rows() int { return m.rows }

// Cols returns the number of columns.
func (m *Panels) Cols() int { return m.cols }

// Bytes returns what the matrix occupies in memory, and so what a product reads.
func (m *Panels) Bytes() int { return 4 * len(m.data) }

// Groups returns the number of groups of 16 rows, the last of which may be incomplete.
func (m *Panels) Groups() int { return (m.rows + groupRows - 1) / groupRows }

// Mul sets out[t·stride+r], for each vector t of x, n of them one after the other, and
// each row r of the groups from lo up to hi, to the product of the row and the vector,
// within (cols + 1) · 2^-24 · Σ|a[i]·b[i]| of the exact one. A result is the same, to the
// last bit, however many vectors there are.
func (m *Panels) Mul(x []float32, n, lo, hi int, out []float32, stride int) {
	if n < 0 || lo < 0 || hi > m.Groups() || len(x) < n*m.cols || n > 0 && (stride < m.rows || len(out) < (n-1)*stride+m.rows) {
		panic("vec: the product's shapes don't match")
	}
	if n == 0 {
		return
	}
	for g := lo; g < hi; {
		pair := g+1 < hi && (g+2)*groupRows <= m.rows
		g += m.mulGroup(g, pair, x, n, out, stride)
	}
}

// mulGroup computes the products of one group and all vectors, or of two groups if they
// are a pair and the kernel can. It returns how many it did.
func (m *Panels) mulGroup(g int, pair bool, x []float32, n int, out []float32, stride int) int {
	panel := m.data[g*m.cols*groupRows:]
	rows := min(groupRows, m.rows-g*groupRows)
	var edge [panelVectors * groupRows]float32
	for t := 0; t < n; t += panelVectors {
		k := min(panelVectors, n-t)
		switch {
		case m.cols == 0: // the edge is zero
		case rows < groupRows:
			mulPanel(panel, x[t*m.cols:], m.cols, k, edge[:], groupRows)
		case pair && mulPanelPair(panel, x[t*m.cols:], m.cols, k, out[t*stride+g*groupRows:], stride):
			continue
		default:
			pair = false
			mulPanel(panel, x[t*m.cols:], m.cols, k, out[t*stride+g*groupRows:], stride)
			continue
		}
		for i := range k {
			copy(out[(t+i)*stride+g*groupRows:][:rows], edge[i*groupRows:])
		}
	}
	if pair && m.cols > 0 {
		return 2
	}
	return 1
}

// panelArgs is what a kernel reads: the offsets are in the assembly. Its vectors and
// results may repeat: fewer than 6 vectors are filled up with the last one.
type panelArgs struct {
	panel *float32
	cols  int
	x     [panelVectors]*float32
	out   [panelVectors]*float32
}

func panelArguments(panel, x []float32, cols, n int, out []float32, stride int) panelArgs {
	_, _ = x[n*cols-1], out[(n-1)*stride+groupRows-1]
	a := panelArgs{panel: unsafe.SliceData(panel), cols: cols}
	for i := range panelVectors {
		t := min(i, n-1)
		a.x[i], a.out[i] = &x[t*cols], &out[t*stride]
	}
	return a
}

// mulPanelGo computes the products of n vectors and the 16 rows of a panel.
func mulPanelGo(panel, x []float32, cols, n int, out []float32, stride int) {
	for t := range n {
		var sum [groupRows]float32
		for c, v := range x[t*cols:][:cols] {
			row := panel[c*groupRows:][:groupRows]
			for i := range sum {
				sum[i] += v * row[i]
			}
		}
		copy(out[t*stride:], sum[:])
	}
}

package vecquant

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/internal/kmeans"
)

// ProductOptions configure [TrainProduct].
type ProductOptions struct {
	// Parts is the number of parts a vector is cut into, and the bytes of a code.
	// It divides the dimension. Default: a part for 4 elements, or the nearest
	// number below that divides.
	Parts int

	// Rotate learns a rotation of the space that makes the parts fit their
	// codebooks better (OPQ). It costs some seconds of training for 64 dimensions,
	// minutes for 512, and dim² multiplications for each vector and query.
	// Default: no rotation.
	Rotate bool

	// Iterations is the number of rounds of k-means. Default: 25, as faiss has.
	Iterations int

	// Rand chooses the first codebook entries. Default: a generator with a fixed
	// seed, so that the same vectors give the same codebooks.
	Rand *rand.Rand
}

// Product is product quantization. A vector is cut into parts, and each part is
// stored as the number, one byte, of the nearest of 256 typical parts that k-means
// found in the training vectors:
//
//	v = [ v1 | v2 | v3 | v4 ]   code = [ 17 | 203 | 4 | 88 ]
//
// A query is compared with all typical parts once. After that, a code's score is
// one look-up and one addition for each byte.
//
// Jégou, Douze, Schmid: "Product quantization for nearest neighbor search", TPAMI
// 2011; the rotation: Ge, He, Ke, Sun: "Optimized product quantization", TPAMI 2014.
type Product struct {
	dim, parts, sub int
	entries         int       // of each codebook, at most 256
	codebooks       []float32 // parts × entries × sub
	rotation        []float32 // dim × dim, row by row; nil: none
}

const (
	maxEntries      = 256
	rotationRounds  = 12
	roundsPerRotate = 4
)

// TrainProduct learns codebooks from vectors that are similar to the ones that will
// be coded. Some ten thousand vectors are enough; fewer than 256 make codebooks
// with as few entries. It fails with [ErrOption], [ErrDimension] or [ErrNotFinite].
func TrainProduct(vectors [][]float32, o *ProductOptions) (*Product, error) {
	if o == nil {
		o = &ProductOptions{}
	}
	if len(vectors) == 0 {
		return nil, fmt.Errorf("%w: there are no vectors to learn from", ErrOption)
	}
	dim := len(vectors[0])
	x := &Product{dim: dim, parts: o.Parts, entries: min(maxEntries, len(vectors))}
	data := make([]float32, 0, dim*len(vectors))
	for i, v := range vectors {
		if err := vec.Check(v, dim, MetricDot); err != nil {
			return nil, fmt.Errorf("vecquant: training vector %d: %w", i, err)
		}
		data = append(data, v...)
	}
	if x.parts == 0 {
		for x.parts = max(1, dim/4); dim%x.parts != 0; x.parts-- {
		}
	}
	if x.parts < 1 || dim%x.parts != 0 {
		return nil, fmt.Errorf("%w: ProductOptions.Parts is %d: want a divisor of the dimension, %d", ErrOption, o.Parts, dim)
	}
	if o.Iterations < 0 {
		return nil, fmt.Errorf("%w: ProductOptions.Iterations is %d: want 0 (the default, 25) or more", ErrOption, o.Iterations)
	}
	rounds, rng := o.Iterations, o.Rand
	if rounds == 0 {
		rounds = 25
	}
	if rng == nil {
		rng = rand.New(rand.NewPCG(1, 1))
	}
	x.sub = dim / x.parts
	x.codebooks = make([]float32, x.parts*x.entries*x.sub)
	if o.Rotate {
		data = x.rotate(data, rng)
		x.train(data, rounds, nil)
		return x, nil
	}
	x.train(data, rounds, rng)
	return x, nil
}

// train runs k-means in each part of the rows of data. With a nil rng it goes on
// from the present codebooks.
func (x *Product) train(data []float32, rounds int, rng *rand.Rand) {
	n := len(data) / x.dim
	var wg sync.WaitGroup
	for p := range x.parts {
		var own *rand.Rand // a generator a part: the parts are learned side by side
		if rng != nil {
			own = rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		}
		wg.Go(func() {
			part := make([]float32, 0, n*x.sub)
			for i := range n {
				part = append(part, data[i*x.dim+p*x.sub:][:x.sub]...)
			}
			kmeans.Lloyd(part, x.sub, x.codebook(p), rounds, own)
		})
	}
	wg.Wait()
}

func (x *Product) codebook(part int) []float32 {
	size := x.entries * x.sub
	return x.codebooks[part*size:][:size]
}

// Dim is [Quantizer]'s.
func (x *Product) Dim() int { return x.dim }

// CodeSize is [Quantizer]'s: the number of parts.
func (x *Product) CodeSize() int { return x.parts }

// Encode is [Quantizer]'s.
func (x *Product) Encode(dst []byte, v []float32) ([]byte, error) {
	if err := checkVector(v, x.dim); err != nil {
		return dst, err
	}
	v = x.rotated(v)
	distances := make([]float32, x.entries)
	for p := range x.parts {
		vec.L2Rows(v[p*x.sub:][:x.sub], x.codebook(p), distances)
		dst = append(dst, byte(kmeans.Least(distances)))
	}
	return dst, nil
}

// Decode is [Quantizer]'s.
func (x *Product) Decode(dst []float32, code []byte) ([]float32, error) {
	if err := checkCode(code, x.parts); err != nil {
		return dst, err
	}
	v := make([]float32, 0, x.dim)
	for p, c := range code {
		if int(c) >= x.entries {
			return dst, x.beyond(c)
		}
		v = append(v, x.codebook(p)[int(c)*x.sub:][:x.sub]...)
	}
	if x.rotation == nil {
		return append(dst, v...), nil
	}
	back := make([]float32, x.dim) // the inverse of a rotation is its transpose
	for i, e := range v {
		for j, r := range x.rotation[i*x.dim:][:x.dim] {
			back[j] += e * r
		}
	}
	return append(dst, back...), nil
}

func (x *Product) beyond(c byte) error {
	return fmt.Errorf("%w: entry %d of a codebook of %d", ErrCode, c, x.entries)
}

// rotated returns v in the rotated space.
func (x *Product) rotated(v []float32) []float32 {
	if x.rotation == nil {
		return v
	}
	out := make([]float32, x.dim)
	vec.DotRows(v, x.rotation, out)
	return out
}

// Query is [Quantizer]'s.
func (x *Product) Query(q []float32, m Metric) (Scorer, error) {
	q, err := query(q, x.dim, m)
	if err != nil {
		return nil, err
	}
	q = x.rotated(q) // a rotation keeps lengths and angles
	table := make([]float32, x.parts*maxEntries)
	for p := range x.parts {
		row := table[p*maxEntries:][:x.entries]
		if m == MetricL2 {
			vec.L2Rows(q[p*x.sub:][:x.sub], x.codebook(p), row)
			for i := range row {
				row[i] = -row[i]
			}
		} else {
			vec.DotRows(q[p*x.sub:][:x.sub], x.codebook(p), row)
		}
	}
	return &productScorer{x: x, table: table}, nil
}

type productScorer struct {
	x     *Product
	table []float32 // parts × 256
}

func (s *productScorer) Scores(codes []byte, out []float32) error {
	parts := s.x.parts
	if err := checkCodes(codes, parts, len(out)); err != nil {
		return err
	}
	if s.x.entries < maxEntries {
		for _, c := range codes {
			if int(c) >= s.x.entries {
				return s.x.beyond(c)
			}
		}
	}
	for i := range out {
		code := codes[i*parts:][:parts]
		table := s.table
		var s0, s1 float32 // two sums run side by side
		for ; len(code) >= 2 && len(table) >= 2*maxEntries; code, table = code[2:], table[2*maxEntries:] {
			s0 += table[code[0]]
			s1 += table[maxEntries+int(code[1])]
		}
		if len(code) == 1 {
			s0 += table[code[0]]
		}
		out[i] = s0 + s1
	}
	return nil
}

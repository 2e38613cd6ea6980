package vecquant

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/internal/vec"
)

type goldenRow struct {
	Kind, Spec, Impl string
	N, D, Rows       int
	MSE              float64 `json:"mse"`
	Recall           float64 `json:"recall_at_10"`
	Rescored         float64 `json:"recall_at_10_rescore_4x"`
	Scale            []float32
	Codes            [][]int8
	Top10            [][]int `json:"top10_first5"`
}

// TestGoldenQuant: not worse than faiss, by the mean squared error and by the recall
// after rescoring; codes equal where they are defined.
func TestGoldenQuant(t *testing.T) {
	raw := golden.Read(t, "retrieve", "quant_vectors.f32")
	var vectors [][]float32
	golden.Rows(t, "retrieve", "quant.jsonl", func(row goldenRow) error {
		switch row.Kind {
		case "data":
			vectors = make([][]float32, row.N)
			for i := range vectors {
				vectors[i] = make([]float32, row.D)
				for j := range vectors[i] {
					vectors[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*row.D+j):]))
				}
			}
			return nil
		case "int8_symmetric":
			return sameCodes(vectors, row)
		case "binary_sign":
			return sameTop(vectors, row)
		}
		if race.Enabled && row.Spec != "SQ8" && row.Spec != "PQ8" {
			return nil // training takes long
		}
		q, bound := quantizerOf(t, row.Spec, vectors)
		if q == nil {
			t.Logf("%s: no such quantizer here", row.Spec)
			return nil
		}
		mse, recall, rescored := quality(t, q, vectors)
		t.Logf("%-11s mse %.3g (faiss %.3g), recall@10 %.3f (%.3f), rescored %.3f (%.3f)", row.Spec, mse, row.MSE, recall, row.Recall, rescored, row.Rescored)
		if mse > bound*row.MSE {
			return fmt.Errorf("%s: mse %v, want at most %v times %v", row.Spec, mse, bound, row.MSE)
		}
		if rescored < row.Rescored-.02 {
			return fmt.Errorf("%s: recall after rescoring %v, want %v - .02", row.Spec, rescored, row.Rescored)
		}
		return nil
	})
}

func quantizerOf(t *testing.T, spec string, vectors [][]float32) (Quantizer, float64) {
	dim := len(vectors[0])
	switch spec {
	case "SQ8":
		q, err := NewInt8(dim)
		require.NoError(t, err)
		return q, 1.1
	case "SQfp16":
		q, err := NewFloat16(dim)
		require.NoError(t, err)
		return q, 1.1
	}
	var parts int
	o := &ProductOptions{}
	if n, _ := fmt.Sscanf(spec, "OPQ%d,PQ%d", &parts, &parts); n == 2 {
		o.Rotate = true
	} else if n, _ := fmt.Sscanf(spec, "PQ%d", &parts); n != 1 || spec != fmt.Sprint("PQ", parts) {
		return nil, 0
	}
	o.Parts = parts
	q, err := TrainProduct(vectors, o)
	require.NoError(t, err)
	return q, 1.15
}

// quality measures a quantizer in the same way as faiss was measured.
func quality(t *testing.T, q Quantizer, vectors [][]float32) (mse, recall, rescored float64) {
	var codes []byte
	for _, v := range vectors {
		var err error
		codes, err = q.Encode(codes, v)
		require.NoError(t, err)
		back, err := q.Decode(nil, codes[len(codes)-q.CodeSize():])
		require.NoError(t, err)
		mse += float64(vec.L2(v, back)) / float64(len(vectors))
	}
	exact, coded := make([]float32, len(vectors)), make([]float32, len(vectors))
	const queries, k = 50, 10
	for _, v := range vectors[:queries] {
		for i, w := range vectors {
			exact[i] = vec.Dot(v, w)
		}
		s, err := q.Query(v, MetricDot)
		require.NoError(t, err)
		require.NoError(t, s.Scores(codes, coded))
		want, got := best(exact, k), best(coded, 4*k)
		recall += overlap(want, got[:k]) / queries
		slices.SortStableFunc(got, func(a, b int) int { return cmp.Compare(exact[b], exact[a]) })
		rescored += overlap(want, got[:k]) / queries
	}
	return mse, recall, rescored
}

// best returns the places of the k largest scores, ties by the lower place.
func best(scores []float32, k int) []int {
	at := make([]int, len(scores))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return at[:k]
}

func overlap(want, got []int) float64 {
	n := 0
	for _, w := range want {
		if slices.Contains(got, w) {
			n++
		}
	}
	return float64(n) / float64(len(want))
}

func sameCodes(vectors [][]float32, row goldenRow) error {
	x, err := NewInt8(len(vectors[0]))
	if err != nil {
		return err
	}
	for i := range row.Rows {
		code, err := x.Encode(nil, vectors[i])
		if err != nil {
			return err
		}
		if got := signed(code[scaleBytes:]); !slices.Equal(got, row.Codes[i]) {
			return fmt.Errorf("vector %d: codes %v, want %v", i, got, row.Codes[i])
		}
		if got, _ := scaleOf(code); got != row.Scale[i] {
			return fmt.Errorf("vector %d: scale %v, want %v", i, got, row.Scale[i])
		}
	}
	return nil
}

func sameTop(vectors [][]float32, row goldenRow) error {
	x, err := NewBinary(len(vectors[0]))
	if err != nil {
		return err
	}
	var codes []byte
	for _, v := range vectors {
		if codes, err = x.Encode(codes, v); err != nil {
			return err
		}
	}
	scores := make([]float32, len(vectors))
	for i, want := range row.Top10 {
		s, err := x.Query(vectors[i], MetricDot)
		if err != nil {
			return err
		}
		if err := s.Scores(codes, scores); err != nil {
			return err
		}
		if got := best(scores, len(want)); !slices.Equal(got, want) {
			return fmt.Errorf("vector %d: %v, want %v", i, got, want)
		}
	}
	return nil
}

func randomVectors(n, dim int) [][]float32 {
	rng := rand.New(rand.NewPCG(7, uint64(dim)))
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64())
		}
	}
	return out
}

// all returns one quantizer of each kind.
func all(t testing.TB, dim int, training [][]float32) []Quantizer {
	a, err := NewInt8(dim)
	require.NoError(t, err)
	b, err := NewFloat16(dim)
	require.NoError(t, err)
	c, err := NewBinary(dim)
	require.NoError(t, err)
	d, err := TrainProduct(training, nil)
	require.NoError(t, err)
	e, err := TrainProduct(training, &ProductOptions{Parts: 1, Rotate: true, Iterations: 2})
	require.NoError(t, err)
	return []Quantizer{a, b, c, d, e}
}

// TestScoresAreThoseOfTheDecodedVector: scores computed from a code equal those
// computed from the vector that the code represents.
func TestScoresAreThoseOfTheDecodedVector(t *testing.T) {
	for _, dim := range []int{1, 3, 8, 21, 96} {
		vectors := randomVectors(300, dim)
		for i := range vectors {
			var err error
			vectors[i], err = Normalize(vectors[i])
			require.NoError(t, err)
		}
		for _, x := range all(t, dim, vectors) {
			var codes []byte
			for _, v := range vectors {
				var err error
				codes, err = x.Encode(codes, v)
				require.NoError(t, err)
			}
			require.Len(t, codes, x.CodeSize()*len(vectors))
			q := randomVectors(1, dim)[0]
			for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
				s, err := x.Query(q, m)
				if _, ok := x.(*Binary); ok {
					if m == MetricL2 {
						require.ErrorIs(t, err, ErrOption)
					}
					continue
				}
				require.NoError(t, err)
				scores := make([]float32, len(vectors))
				require.NoError(t, s.Scores(codes, scores))
				unit, err := Normalize(q)
				require.NoError(t, err)
				for i := range vectors {
					back, err := x.Decode(nil, codes[i*x.CodeSize():][:x.CodeSize()])
					require.NoError(t, err)
					want := vec.Dot(q, back)
					switch m {
					case MetricCosine:
						want = vec.Dot(unit, back)
					case MetricL2:
						want = -vec.L2(q, back)
					}
					require.InDelta(t, want, scores[i], 2e-5*float64(1+vec.Dot(q, q)), "%T %v", x, m)
				}
			}
		}
	}
}

// TestInt8ErrorIsHalfTheScale: the error of an element is at most half the scale.
func TestInt8ErrorIsHalfTheScale(t *testing.T) {
	x, err := NewInt8(50)
	require.NoError(t, err)
	for _, v := range randomVectors(200, 50) {
		code, err := x.Encode(nil, v)
		require.NoError(t, err)
		back, err := x.Decode(nil, code)
		require.NoError(t, err)
		scale, err := scaleOf(code)
		require.NoError(t, err)
		for i := range v {
			require.InDelta(t, v[i], back[i], float64(scale)*.50001)
		}
	}
	code, err := x.Encode(nil, make([]float32, 50))
	require.NoError(t, err)
	back, err := x.Decode(nil, code)
	require.NoError(t, err)
	require.Equal(t, make([]float32, 50), back, "zero stays zero")
}

// TestHalves: each half is decoded and coded without a change, and each float32
// becomes the nearest half.
func TestHalves(t *testing.T) {
	for h := range 1 << 16 {
		if h&0x7c00 == 0x7c00 {
			continue
		}
		require.Equal(t, uint16(h), toHalf(fromHalf(uint16(h))), "%04x", h)
		if h&0x7fff == 0x7bff || h&0x7fff == 0 {
			continue
		}
		low, high := fromHalf(uint16(h)), fromHalf(uint16(h+1))
		middle := float32((float64(low) + float64(high)) / 2) // exact
		even := uint16(h + h&1)
		require.Equal(t, even, toHalf(middle), "%04x", h)
		require.Equal(t, uint16(h), toHalf(nextTo(middle, low)), "%04x", h)
		require.Equal(t, uint16(h+1), toHalf(nextTo(middle, high)), "%04x", h)
	}
	require.Equal(t, uint16(0x7bff), toHalf(65519))
	require.Equal(t, uint16(0x7c00), toHalf(65520))
	require.Equal(t, uint16(0xfc00), toHalf(-math.MaxFloat32))
	require.EqualValues(t, 0x0001, toHalf(float32(math.Ldexp(1, -24))))
	require.Zero(t, toHalf(math.SmallestNonzeroFloat32))
}

func nextTo(x, toward float32) float32 { return math.Nextafter32(x, toward) }

func TestWrongVectors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, x := range all(t, 4, randomVectors(20, 4)) {
		for _, c := range []struct {
			v    []float32
			want error
		}{{nil, ErrDimension}, {make([]float32, 5), ErrDimension}, {[]float32{0, nan, 0, 0}, ErrNotFinite}, {[]float32{0, 0, 0, -inf}, ErrNotFinite}} {
			code, err := x.Encode([]byte{9}, c.v)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, []byte{9}, code)
			_, err = x.Query(c.v, MetricDot)
			require.ErrorIs(t, err, c.want)
		}
		_, err := x.Query(make([]float32, 4), MetricCosine)
		require.ErrorIs(t, err, ErrZero)
		_, err = x.Query(make([]float32, 4), 7)
		require.ErrorIs(t, err, ErrOption)
		_, err = x.Decode(nil, make([]byte, x.CodeSize()+1))
		require.ErrorIs(t, err, ErrCode)
		s, err := x.Query([]float32{1, 2, 3, 4}, MetricDot)
		require.NoError(t, err)
		require.ErrorIs(t, s.Scores(make([]byte, x.CodeSize()), make([]float32, 2)), ErrCode)
	}
	h, err := NewFloat16(1)
	require.NoError(t, err)
	_, err = h.Encode(nil, []float32{65520})
	require.ErrorIs(t, err, ErrNotFinite)
	_, err = h.Decode(nil, []byte{0, 0x7c})
	require.ErrorIs(t, err, ErrCode)
	b, err := NewBinary(3)
	require.NoError(t, err)
	_, err = b.Decode(nil, []byte{8})
	require.ErrorIs(t, err, ErrCode)
	_, err = Normalize([]float32{0, 0})
	require.ErrorIs(t, err, ErrZero)
	_, err = Normalize(nil)
	require.ErrorIs(t, err, ErrDimension)
}

func TestOptionsAreChecked(t *testing.T) {
	for _, dim := range []int{0, -1} {
		_, err := NewInt8(dim)
		require.ErrorIs(t, err, ErrOption)
		_, err = NewFloat16(dim)
		require.ErrorIs(t, err, ErrOption)
		_, err = NewBinary(dim)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := TrainProduct(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	vectors := randomVectors(3, 6)
	for _, o := range []ProductOptions{{Parts: 4}, {Parts: -1}, {Parts: 7}, {Iterations: -1}} {
		_, err := TrainProduct(vectors, &o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = TrainProduct([][]float32{{}}, nil)
	require.ErrorIs(t, err, ErrDimension)
	_, err = TrainProduct(append(vectors, []float32{1}), nil)
	require.ErrorIs(t, err, ErrDimension)
	_, err = TrainProduct([][]float32{{1, float32(math.NaN())}}, nil)
	require.ErrorIs(t, err, ErrNotFinite)
}

// TestFewDifferentVectors: copies and constant elements work.
func TestFewDifferentVectors(t *testing.T) {
	vectors := make([][]float32, 300)
	for i := range vectors {
		vectors[i] = []float32{1, 0, float32(i % 3), 5}
	}
	for _, rotate := range []bool{false, true} {
		x, err := TrainProduct(vectors, &ProductOptions{Parts: 2, Rotate: rotate})
		require.NoError(t, err)
		for _, v := range vectors[:3] {
			code, err := x.Encode(nil, v)
			require.NoError(t, err)
			back, err := x.Decode(nil, code)
			require.NoError(t, err)
			require.InDelta(t, 0, vec.L2(v, back), 1e-6)
		}
	}
}

// TestSameVectorsSameCodebooks: the same vectors give the same codebooks, and the
// learned matrix is a rotation.
func TestSameVectorsSameCodebooks(t *testing.T) {
	vectors := randomVectors(400, 12)
	o := &ProductOptions{Parts: 3, Rotate: true}
	a, err := TrainProduct(vectors, o)
	require.NoError(t, err)
	b, err := TrainProduct(vectors, o)
	require.NoError(t, err)
	require.Equal(t, a, b)
	for i := range 12 {
		for j := range 12 {
			want := 0.0
			if i == j {
				want = 1
			}
			require.InDelta(t, want, vec.Dot(a.rotation[i*12:][:12], a.rotation[j*12:][:12]), 1e-5)
		}
	}
}

// FuzzCodes: no bytes make a quantizer panic, and a code that decodes has finite
// scores.
func FuzzCodes(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 1, 2, 3, 4, 5}, uint8(0))
	f.Add([]byte{255, 255, 255, 255, 0, 0, 0, 0, 0, 0}, uint8(1))
	f.Add([]byte{31}, uint8(2))
	f.Add([]byte{3, 200}, uint8(3))
	kinds := all(f, 5, randomVectors(20, 5))
	f.Fuzz(func(t *testing.T, code []byte, kind uint8) {
		x := kinds[int(kind)%len(kinds)]
		v, err := x.Decode(nil, code)
		s, qerr := x.Query([]float32{.1, -.2, .3, -.4, .5}, MetricDot)
		require.NoError(t, qerr)
		out := make([]float32, 1)
		if err != nil {
			require.ErrorIs(t, err, ErrCode)
			return
		}
		require.NoError(t, s.Scores(code, out))
		for _, e := range v {
			if !finite(e) {
				return // a scale near the largest float32
			}
		}
		again, err := x.Encode(nil, v)
		if err == nil {
			back, err := x.Decode(nil, again)
			require.NoError(t, err)
			require.Len(t, back, len(v))
		}
	})
}

func ExampleInt8() {
	x, err := NewInt8(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := x.Encode(nil, []float32{0.1, -0.2, 0.3, 1.27})
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := x.Decode(nil, code)
	fmt.Printf("%d bytes instead of 16: %.2f %v\n", len(code), back, err)
	// Output: 8 bytes instead of 16: [0.10 -0.20 0.30 1.27] <nil>
}

// Find the nearest by short codes, then rank the best few by the vectors themselves.
func ExampleScorer() {
	vectors := [][]float32{{1, .1, .2}, {.9, .3, -.1}, {-1, .2, .1}, {.8, .1, .3}}
	x, err := NewBinary(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	var codes []byte
	for _, v := range vectors {
		codes, _ = x.Encode(codes, v) // these are finite
	}
	query := []float32{.8, .1, .2}
	s, err := x.Query(query, MetricDot)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores := make([]float32, len(vectors))
	if err := s.Scores(codes, scores); err != nil {
		fmt.Println(err)
		return
	}
	for i, score := range scores {
		if score == 1 { // all bits are equal: compare exactly
			fmt.Printf("%d: %.2f\n", i, vec.Dot(query, vectors[i]))
		}
	}
	// Output:
	// 0: 0.85
	// 3: 0.71
}

// BenchmarkScores compares one query with 50,000 codes of 384 dimensions.
func BenchmarkScores(b *testing.B) {
	const dim, n = 384, 50_000
	vectors := randomVectors(1000, dim)
	q := randomVectors(1, dim)[0]
	a, _ := NewInt8(dim)
	h, _ := NewFloat16(dim)
	c, _ := NewBinary(dim)
	p, _ := TrainProduct(vectors, &ProductOptions{Parts: 96, Iterations: 2})
	for _, x := range []Quantizer{a, h, c, p} {
		b.Run(fmt.Sprintf("%T", x), func(b *testing.B) {
			var codes []byte
			for i := range n {
				codes, _ = x.Encode(codes, vectors[i%len(vectors)])
			}
			s, err := x.Query(q, MetricDot)
			require.NoError(b, err)
			out := make([]float32, n)
			for b.Loop() {
				require.NoError(b, s.Scores(codes, out))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/code")
		})
	}
}

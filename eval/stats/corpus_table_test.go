package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The streams are sources of math/rand/v2, for simulations.
var _, _ rand.Source = (*Generator)(nil), (*RandomState)(nil)

// slowSwaps is swappedDifferences without tables.
func slowSwaps(baseline, system []float64, n, width, samples int, seed uint64, score func([]float64) float64) []float64 {
	g := NewGenerator(seed)
	flips := make([]bool, n*samples)
	g.Bools(flips)
	out := make([]float64, samples)
	for i := range out {
		a, b := make([]float64, width), make([]float64, width)
		for k := range n {
			x, y := baseline[k*width:][:width], system[k*width:][:width]
			if !flips[i*n+k] {
				x, y = y, x
			}
			for j := range width {
				a[j] += x[j]
				b[j] += y[j]
			}
		}
		out[i] = math.Abs(score(a) - score(b))
	}
	return out
}

// weigh is a score in which every column has another weight.
func weigh(sum []float64) float64 {
	total := 0.0
	for j, x := range sum {
		total += x * float64(j*j+1)
	}
	return total
}

// FuzzResampling compares the packed sums and the sums by tables with the slow
// ones: equal if the statistics are whole numbers, and equal up to rounding
// otherwise.
func FuzzResampling(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint8(10), uint8(70), uint8(1))
	f.Add(uint64(2), uint8(1), uint8(1), uint8(1), uint8(3))
	f.Add(uint64(3), uint8(33), uint8(2), uint8(65), uint8(0))
	f.Add(uint64(4), uint8(200), uint8(19), uint8(9), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, n8, width8, samples8, scale uint8) {
		n, width, samples := int(n8)+1, int(width8)%20+1, int(samples8)+1
		r := rand.New(rand.NewPCG(seed, 1))
		rows := func() []float64 {
			xs := make([]float64, n*width)
			for i := range xs {
				switch scale % 4 {
				case 0: // not whole
					xs[i] = r.NormFloat64()
				case 1: // counts
					xs[i] = float64(r.IntN(50))
				case 2: // counts too large to share a word
					xs[i] = float64(r.Int64N(1 << 40))
				default: // counts of very different size, and columns of zeros
					xs[i] = math.Floor(r.ExpFloat64() * math.Pow(10, float64(i%width%8)) / 10)
				}
			}
			return xs
		}
		a, b := rows(), rows()
		tolerance := 0.0
		if scale%4 == 0 {
			tolerance = 1e-9
		}
		seed |= 1
		for _, workers := range []int{1, 2} {
			got := resampledScores([][]float64{a, b}, n, width, samples, workers, NewGenerator(seed), weigh)
			for s, system := range [][]float64{a, b} {
				for i, want := range plainBootstrap(system, n, width, samples, seed, weigh) {
					require.InDelta(t, want, got[s][i], tolerance*(1+math.Abs(want)))
				}
			}
			got2 := swappedDifferences(a, b, n, width, samples, workers, NewGenerator(seed), weigh)
			for i, want := range slowSwaps(a, b, n, width, samples, seed, weigh) {
				require.InDelta(t, want, got2[i], tolerance*(1+math.Abs(weigh(totals(a, width)))+float64(n*width*width*width)))
			}
		}
	})
}

func TestCountDrawsReadsTheStreamAsIntegersDoes(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 1000, 65537} {
		fast, slow := NewGenerator(5), NewGenerator(5)
		for range 3 {
			counts := make([]uint16, n)
			fast.countDraws(counts)
			index := make([]int64, n)
			slow.Integers(index, uint64(n))
			want := make([]uint16, n)
			for _, i := range index {
				want[i]++
			}
			require.Equal(t, want, counts)
			require.Equal(t, slow.Uint32(), fast.Uint32())
		}
	}
}

// TestDrawsInOrder uses a range that rejects about sixty draws. After each of them
// all goroutines have to draw again.
func TestDrawsInOrder(t *testing.T) {
	const n, samples = 64_001, 61
	slow := NewGenerator(8)
	want := make([]uint64, samples)
	fingerprint := func(counts []uint16) (f uint64) {
		for i, c := range counts {
			f += uint64(c) * uint64(i) * 0x9e3779b97f4a7c15
		}
		return f
	}
	rejected := uint64(0)
	for i := range want {
		counts := make([]uint16, n)
		before := *slow
		slow.countDraws(counts)
		if before.skip(n); !before.at(slow) {
			rejected++
		}
		want[i] = fingerprint(counts)
	}
	require.Greater(t, rejected, uint64(10), "the test needs rejections")
	for _, workers := range []int{1, 2, 5} {
		g := NewGenerator(8)
		got := make([]uint64, samples)
		drawInOrder(g, n, samples, workers, func(i, _ int, counts []uint16) { got[i] = fingerprint(counts) })
		require.Equal(t, want, got)
		require.True(t, g.at(slow))
	}
}

func TestSkipIsManyDraws(t *testing.T) {
	for _, n := range []uint64{0, 1, 2, 3, 7, 64, 1001} {
		for _, odd := range []bool{false, true} {
			fast := NewGenerator(3)
			if odd {
				fast.Uint32()
			}
			slow := *fast
			fast.skip(n)
			for range n {
				slow.Uint32()
			}
			require.True(t, fast.at(&slow), "%d draws", n)
		}
	}
}

func TestResultsDontDependOnWorkers(t *testing.T) {
	r := rand.New(NewGenerator(2))
	a, b := ones(normals(r, 101, 0.5, 1)), ones(normals(r, 101, 0.7, 1))
	for _, test := range []func(base, system []float64, width int, score func([]float64) float64, o *CorpusOptions) (*PairedResult, error){
		PairedBootstrap, ApproximateRandomization,
	} {
		one, err := test(a, b, 2, ratio, &CorpusOptions{Workers: 1, Resamples: 333, ConfidenceResamples: 77})
		require.NoError(t, err)
		for _, workers := range []int{2, 3, 16} {
			many, err := test(a, b, 2, ratio, &CorpusOptions{Workers: workers, Resamples: 333, ConfidenceResamples: 77})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(*one), fmt.Sprint(*many)) // as text: NaN equals NaN
		}
	}
}

// The exact permutation test and the distribution of the signed ranks, compared
// with enumeration.
func TestExactLawsAgainstEnumeration(t *testing.T) {
	r := rand.New(NewGenerator(21))
	for range 50 {
		n := 1 + r.IntN(10)
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			a[i], b[i] = float64(r.IntN(5)), float64(r.IntN(5))
		}
		d, _ := differences(a, b)
		magnitude := make([]float64, n)
		for i := range d {
			magnitude[i] = math.Abs(d[i])
		}
		ranks := Ranks(magnitude)
		var observed, observedRanks float64
		for i, v := range d {
			observed += v
			if v > 0 {
				observedRanks += ranks[i]
			}
		}
		atLeast, ranksAtLeast := 0, 0
		for m := range 1 << n {
			s, w := 0.0, 0.0
			for i, v := range d {
				if m>>i&1 == 1 {
					v = -v
				}
				s += v
				if v > 0 {
					w += ranks[i]
				}
			}
			if s >= observed {
				atLeast++
			}
			if w >= observedRanks {
				ranksAtLeast++
			}
		}
		all := float64(int(1) << n)
		perm, err := PairedPermutation(a, b, &PermutationOptions{Alternative: AlternativeGreater})
		require.NoError(t, err)
		require.InDelta(t, float64(atLeast)/all, perm.P, 1e-12)
		rank, err := Wilcoxon(a, b, &WilcoxonOptions{Alternative: AlternativeGreater, Zeros: ZerosRank, Method: RankMethodPermutation})
		require.NoError(t, err)
		require.InDelta(t, float64(ranksAtLeast)/all, rank.P, 1e-12)
	}
}

func BenchmarkPairedBootstrap(b *testing.B) {
	x, y, score := corpusOf(10_000)
	for _, workers := range []int{1, 2} {
		b.Run([]string{"", "1core", "2cores"}[workers], func(b *testing.B) {
			for b.Loop() {
				if _, err := PairedBootstrap(x, y, 10, score, &CorpusOptions{Resamples: 1000, Workers: workers}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApproximateRandomization(b *testing.B) {
	x, y, score := corpusOf(10_000)
	for _, workers := range []int{1, 2} {
		b.Run([]string{"", "1core", "2cores"}[workers], func(b *testing.B) {
			for b.Loop() {
				if _, err := ApproximateRandomization(x, y, 10, score, &CorpusOptions{Resamples: 1000, Workers: workers}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// corpusOf makes statistics like BLEU's for two systems: lengths, matches and
// totals of four orders.
func corpusOf(n int) (a, b []float64, score func([]float64) float64) {
	r := rand.New(NewGenerator(1))
	row := func(easy int) []float64 {
		length := 12 + r.IntN(20)
		out := []float64{float64(length), float64(12 + r.IntN(20))}
		for k := range 4 {
			out = append(out, math.Floor(float64(length-k)*float64(r.IntN(60)+easy)/100))
		}
		for k := range 4 {
			out = append(out, float64(length-k))
		}
		return out
	}
	for range n {
		a, b = append(a, row(20)...), append(b, row(21)...)
	}
	return a, b, func(s []float64) float64 {
		logs := 0.0
		for k := range 4 {
			logs += math.Log(s[2+k] / s[6+k])
		}
		return 100 * math.Exp(logs/4+math.Min(0, 1-s[1]/s[0]))
	}
}

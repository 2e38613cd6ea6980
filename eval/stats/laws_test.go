package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of this file are simulations with fixed seeds: a procedure is run on
// data whose truth is known, and its errors are counted. The bounds leave four
// standard errors for chance.

func normals(r *rand.Rand, n int, mean, sd float64) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = mean + sd*r.NormFloat64()
	}
	return xs
}

func rate(runs int, event func(run int) bool) float64 {
	n := 0
	for i := range runs {
		if event(i) {
			n++
		}
	}
	return float64(n) / float64(runs)
}

// ratedRuns is how many runs a rate that atMost bounds is taken over.
const ratedRuns = 2000

// atMost is alpha plus four standard errors of a rate of alpha.
func atMost(alpha float64) float64 {
	return alpha + 4*math.Sqrt(alpha*(1-alpha)/ratedRuns)
}

func TestFalsePositiveRates(t *testing.T) {
	const alpha = 0.05
	tests := map[string]struct {
		exact bool // the rate must be near alpha, not only below it
		p     func(r *rand.Rand) (float64, error)
	}{
		"paired t": {true, func(r *rand.Rand) (float64, error) {
			res, err := PairedT(normals(r, 20, 1, 1), normals(r, 20, 1, 2), AlternativeTwoSided)
			return res.P, err
		}},
		"welch": {true, func(r *rand.Rand) (float64, error) {
			res, err := WelchT(normals(r, 12, 0, 1), normals(r, 40, 0, 4), AlternativeTwoSided)
			return res.P, err
		}},
		"wilcoxon": {true, func(r *rand.Rand) (float64, error) {
			res, err := Wilcoxon(normals(r, 25, 0, 1), normals(r, 25, 0, 1), nil)
			return res.P, err
		}},
		"mann-whitney": {true, func(r *rand.Rand) (float64, error) {
			res, err := MannWhitney(normals(r, 25, 0, 1), normals(r, 30, 0, 1), nil)
			return res.P, err
		}},
		"permutation, exact": {true, func(r *rand.Rand) (float64, error) {
			res, err := PairedPermutation(normals(r, 12, 0, 1), normals(r, 12, 0, 1), nil)
			return res.P, err
		}},
		"permutation, sampled": {true, func(r *rand.Rand) (float64, error) {
			res, err := PairedPermutation(normals(r, 50, 0, 1), normals(r, 50, 0, 1),
				&PermutationOptions{Resamples: 199, Seed: r.Uint64()})
			return res.P, err
		}},
		"approximate randomization": {true, func(r *rand.Rand) (float64, error) {
			res, err := ApproximateRandomization(ones(normals(r, 40, 0, 1)), ones(normals(r, 40, 0, 1)), 2, ratio,
				&CorpusOptions{Resamples: 199, Seed: r.Uint64() | 1, Workers: 1})
			return res.P, err
		}},
		"sign": {false, func(r *rand.Rand) (float64, error) {
			res, err := SignTest(normals(r, 25, 0, 1), normals(r, 25, 0, 1), AlternativeTwoSided)
			return res.P, err
		}},
		"mcnemar, exact": {false, func(r *rand.Rand) (float64, error) {
			b := r.IntN(30)
			res, err := McNemar(coin(r, b), 0, McNemarExact)
			if err == nil {
				k := coin(r, 30)
				res, err = McNemar(k, 30-k, McNemarExact)
			}
			return res.P, err
		}},
		"mcnemar, mid-p": {false, func(r *rand.Rand) (float64, error) {
			k := coin(r, 30)
			res, err := McNemar(k, 30-k, McNemarMidP)
			return res.P, err
		}},
		"fisher": {false, func(r *rand.Rand) (float64, error) {
			a, c := coin(r, 20), coin(r, 25)
			res, err := FisherExact([2][2]int{{a, 20 - a}, {c, 25 - c}}, AlternativeTwoSided)
			return res.P, err
		}},
		"two proportions": {true, func(r *rand.Rand) (float64, error) {
			res, err := TwoProportionZ(coin(r, 400), 400, coin(r, 300), 300, AlternativeTwoSided)
			return res.P, err
		}},
		"kendall": {true, func(r *rand.Rand) (float64, error) {
			res, err := Kendall(normals(r, 40, 0, 1), normals(r, 40, 0, 1), nil)
			return res.P, err
		}},
		"sample ratio": {true, func(r *rand.Rand) (float64, error) {
			n := coin(r, 2000)
			res, err := SampleRatioMismatch([]int{n, 2000 - n}, []float64{1, 1})
			return res.P, err
		}},
		"kolmogorov-smirnov": {false, func(r *rand.Rand) (float64, error) {
			res, err := KolmogorovSmirnov(normals(r, 40, 0, 1), normals(r, 60, 0, 1), KSExact)
			return res.P, err
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(NewGenerator(7))
			got := rate(ratedRuns, func(int) bool {
				p, err := test.p(r)
				require.NoError(t, err)
				return p <= alpha
			})
			require.LessOrEqual(t, got, atMost(alpha))
			if test.exact {
				require.GreaterOrEqual(t, got, 2*alpha-atMost(alpha))
			}
		})
	}
}

// ones makes rows [score, 1] of scores, and ratio is their mean.
func ones(xs []float64) []float64 {
	rows := make([]float64, 0, 2*len(xs))
	for _, x := range xs {
		rows = append(rows, x, 1)
	}
	return rows
}

func ratio(sum []float64) float64 { return sum[0] / sum[1] }

func coin(r *rand.Rand, n int) int {
	heads := 0
	for range n {
		heads += r.IntN(2)
	}
	return heads
}

func TestIntervalCoverage(t *testing.T) {
	const runs = 1000
	exponentials := func(r *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = r.ExpFloat64()
		}
		return xs
	}
	boot := func(read func(*BootstrapDistribution) (Interval, error)) func(r *rand.Rand) (Interval, float64, error) {
		return func(r *rand.Rand) (Interval, float64, error) {
			b, err := Bootstrap(exponentials(r, 80), plainMean, &BootstrapOptions{Resamples: 499, Seed: r.Uint64() | 1})
			if err != nil {
				return Interval{}, 0, err
			}
			i, err := read(b)
			return i, 1, err
		}
	}
	share := func(method ProportionMethod) func(r *rand.Rand) (Interval, float64, error) {
		return func(r *rand.Rand) (Interval, float64, error) {
			k := 0
			for range 40 {
				if r.Float64() < 0.15 {
					k++
				}
			}
			i, err := ProportionInterval(k, 40, 0.95, method)
			return i, 0.15, err
		}
	}
	tests := map[string]struct {
		low, high float64
		interval  func(r *rand.Rand) (i Interval, truth float64, err error)
	}{
		"percentile": {0.92, 0.97, boot(func(b *BootstrapDistribution) (Interval, error) { return b.Percentile(0.95) })},
		"BCa":        {0.93, 0.97, boot(func(b *BootstrapDistribution) (Interval, error) { return b.BCa(0.95) })},
		"paired t": {0.93, 0.97, func(r *rand.Rand) (Interval, float64, error) {
			i, err := PairedTInterval(normals(r, 15, 2, 1), normals(r, 15, 1.5, 1), 0.95)
			return i, 0.5, err
		}},
		"welch": {0.93, 0.97, func(r *rand.Rand) (Interval, float64, error) {
			i, err := WelchInterval(normals(r, 15, 2, 1), normals(r, 30, 1.5, 3), 0.95)
			return i, 0.5, err
		}},
		"wilson":          {0.92, 0.98, share(ProportionWilson)},
		"jeffreys":        {0.92, 0.98, share(ProportionJeffreys)},
		"clopper-pearson": {0.95, 1, share(ProportionClopperPearson)},
		"newcombe": {0.93, 0.98, func(r *rand.Rand) (Interval, float64, error) {
			i, err := NewcombeInterval(coin(r, 40), 40, coin(r, 60), 60, 0.95)
			return i, 0, err
		}},
		"pearson": {0.93, 0.97, func(r *rand.Rand) (Interval, float64, error) {
			x, y := normals(r, 40, 0, 1), normals(r, 40, 0, 0.8)
			for i := range y {
				y[i] += 0.6 * x[i]
			}
			i, err := PearsonInterval(x, y, 0.95)
			return i, 0.6, err
		}},
		"clustered": {0.92, 0.97, func(r *rand.Rand) (Interval, float64, error) {
			var xs []float64
			var cluster []int
			for c := range 60 {
				shared := r.NormFloat64()
				for range 5 {
					xs, cluster = append(xs, shared+0.5*r.NormFloat64()), append(cluster, c)
				}
			}
			e, err := ClusteredEstimate(xs, cluster)
			if err != nil {
				return Interval{}, 0, err
			}
			i, err := e.Interval(0.95)
			return i, 0, err
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(NewGenerator(11))
			got := rate(runs, func(int) bool {
				i, truth, err := test.interval(r)
				require.NoError(t, err)
				return i.Contains(truth)
			})
			require.GreaterOrEqual(t, got, test.low)
			require.LessOrEqual(t, got, test.high)
		})
	}
}

func plainMean(xs []float64) float64 {
	total := 0.0
	for _, x := range xs {
		total += x
	}
	return total / float64(len(xs))
}

func TestCUPEDIsUnbiasedAndSharper(t *testing.T) {
	r := rand.New(NewGenerator(13))
	var raw, adjusted []float64
	for range 400 {
		x := normals(r, 100, 0, 1)
		y := normals(r, 100, 0, 0.5)
		treated := make([]bool, 100)
		var t1, t0 []float64
		for i := range y {
			y[i] += x[i]
			treated[i] = r.IntN(2) == 0
			if treated[i] {
				y[i] += 0.3
				t1 = append(t1, y[i])
			} else {
				t0 = append(t0, y[i])
			}
		}
		res, err := CUPED(x, y, treated)
		require.NoError(t, err)
		raw, adjusted = append(raw, Mean(t1)-Mean(t0)), append(adjusted, res.Effect.Value)
	}
	require.InDelta(t, 0.3, Mean(adjusted), 0.03)
	require.Less(t, Variance(adjusted), Variance(raw)/3)
}

func TestAssignmentIsEvenAndIndependent(t *testing.T) {
	arms := []Arm{{"control", 2}, {"a", 1}, {"none", 0}, {"b", 1}}
	first, err := NewExperiment("first", arms...)
	require.NoError(t, err)
	second, err := NewExperiment("second", arms...)
	require.NoError(t, err)
	index := map[string]int{"control": 0, "a": 1, "none": 2, "b": 3}
	counts := make([]int, 4)
	table := [][]int{make([]int, 2), make([]int, 2)}
	for i := range 20000 {
		unit := string(rune('a'+i%26)) + string(rune('0'+i/26%10)) + string(rune(0x4e00+i))
		arm := first.Assign(unit)
		require.Equal(t, arm, first.Assign(unit))
		counts[index[arm.Name]]++
		other := second.Assign(unit)
		table[min(1, index[arm.Name])][min(1, index[other.Name])]++
	}
	res, err := SampleRatioMismatch(counts, []float64{2, 1, 0, 1})
	require.NoError(t, err)
	require.Greater(t, res.P, 0.001)
	require.Zero(t, counts[2])
	independent, err := ChiSquaredTable(table, nil)
	require.NoError(t, err)
	require.Greater(t, independent.P, 0.001)

	broken, err := SampleRatioMismatch([]int{10000, 9000}, []float64{1, 1})
	require.NoError(t, err)
	require.Less(t, broken.P, 1e-10)
}

// Forty experiments run, ten of them with an effect, and each is stopped when its
// evidence looks good. The share of false discoveries stays below alpha.
func TestEvidenceOfManyExperiments(t *testing.T) {
	const runs, alpha = 200, 0.1
	r := rand.New(NewGenerator(15))
	var falseShare, found float64
	for range runs {
		es := make([]float64, 40)
		for i := range es {
			m, err := NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: 0.09, Alpha: 0.05})
			require.NoError(t, err)
			effect := 0.0
			if i < 10 {
				effect = 0.4
			}
			for range 200 {
				s, err := m.Add(effect + r.NormFloat64())
				require.NoError(t, err)
				if es[i] = s.E; s.E > 100 { // stop while it looks good
					break
				}
			}
		}
		reject, err := RejectByEvidence(es, alpha)
		require.NoError(t, err)
		rejected, wrong := 0.0, 0.0
		for i, yes := range reject {
			if yes {
				rejected++
				if i >= 10 {
					wrong++
				}
			}
		}
		falseShare += wrong / math.Max(1, rejected) / runs
		found += (rejected - wrong) / 10 / runs
	}
	require.LessOrEqual(t, falseShare, alpha)
	require.Greater(t, found, 0.8)
}

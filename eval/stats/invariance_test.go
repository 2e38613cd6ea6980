package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What must not change when the data are renamed, reordered or mirrored.
func TestInvariances(t *testing.T) {
	r := rand.New(NewGenerator(16))
	near := func(t *testing.T, want, got TestResult, err error) {
		t.Helper()
		require.NoError(t, err)
		require.InDelta(t, want.P, got.P, 1e-9)
		require.InDelta(t, want.Statistic, got.Statistic, 1e-9)
	}
	for range 40 {
		n := 5 + r.IntN(20)
		a, b := normals(r, n, 0, 1), normals(r, n, 0.4, 1)
		for i := range a { // with ties
			a[i], b[i] = math.Round(2*a[i])/2, math.Round(2*b[i])/2
		}
		a[0] = b[0] + 1 // never all equal
		pa, pb := make([]float64, n), make([]float64, n)
		for i, j := range r.Perm(n) {
			pa[i], pb[i] = a[j], b[j]
		}
		type pairTest func(a, b []float64, alt Alternative) (TestResult, error)
		for name, test := range map[string]pairTest{
			"paired t": PairedT, "sign": SignTest,
			"wilcoxon": func(a, b []float64, alt Alternative) (TestResult, error) {
				return Wilcoxon(a, b, &WilcoxonOptions{Alternative: alt})
			},
			"permutation": func(a, b []float64, alt Alternative) (TestResult, error) {
				return PairedPermutation(a, b, &PermutationOptions{Alternative: alt})
			},
		} {
			want, err := test(a, b, AlternativeTwoSided)
			require.NoError(t, err, name)
			got, err := test(pa, pb, AlternativeTwoSided)
			if n <= 36 {
				near(t, want, got, err)
			}
			swapped, err := test(b, a, AlternativeTwoSided)
			require.NoError(t, err)
			require.InDelta(t, want.P, swapped.P, 1e-9, name)
			greater, err := test(a, b, AlternativeGreater)
			require.NoError(t, err)
			less, err := test(b, a, AlternativeLess)
			require.NoError(t, err)
			require.InDelta(t, greater.P, less.P, 1e-9, name)
			require.InDelta(t, math.Min(1, 2*math.Min(greater.P, mustP(t, test, a, b, AlternativeLess))), want.P, 1e-9, name)
		}
		u, err := MannWhitney(a, b, nil)
		require.NoError(t, err)
		v, err := MannWhitney(b, a, nil)
		require.NoError(t, err)
		require.InDelta(t, u.P, v.P, 1e-12)
		require.InDelta(t, float64(n*n), u.Statistic+v.Statistic, 1e-9)

		tau, err := Kendall(a, b, nil)
		require.NoError(t, err)
		monotone := make([]float64, n)
		for i := range b {
			monotone[i] = math.Exp(b[i])
		}
		same, err := Kendall(a, monotone, nil)
		near(t, tau, same, err)
		rho, err := Spearman(a, b)
		require.NoError(t, err)
		same, err = Spearman(monotone, a)
		near(t, rho, same, err)
	}
}

func mustP(t *testing.T, test func(a, b []float64, alt Alternative) (TestResult, error), a, b []float64, alt Alternative) float64 {
	res, err := test(a, b, alt)
	require.NoError(t, err)
	return res.P
}

func TestAgreementLaws(t *testing.T) {
	r := rand.New(NewGenerator(17))
	for range 50 {
		n, k := 5+r.IntN(40), 2+r.IntN(4)
		a, b := make([]int, n), make([]int, n)
		for i := range a {
			a[i], b[i] = r.IntN(k), r.IntN(k)
			if r.IntN(2) == 0 {
				b[i] = a[i]
			}
		}
		a[0], b[0], a[1], b[1] = 0, 0, 1, 1
		for w := WeightingNone; w <= WeightingQuadratic; w++ {
			one, err := CohenKappa(a, b, k, w)
			require.NoError(t, err)
			two, err := CohenKappa(b, a, k, w)
			require.NoError(t, err)
			require.InDelta(t, one.Value, two.Value, 1e-12)
			require.LessOrEqual(t, one.Value, 1+1e-12)
			full, err := CohenKappa(a, a, k, w)
			require.NoError(t, err)
			require.InDelta(t, 1, full.Value, 1e-12)
			require.InDelta(t, 0, full.SE, 1e-7)
		}
		// For two raters without gaps alpha is Scott's pi with a small-sample term.
		pi, err := ScottPi(a, b, k)
		require.NoError(t, err)
		fa, fb := make([]float64, n), make([]float64, n)
		for i := range a {
			fa[i], fb[i] = float64(a[i]), float64(b[i])
		}
		alpha, err := KrippendorffAlpha([][]float64{fa, fb}, ScaleNominal)
		require.NoError(t, err)
		require.InDelta(t, 1-(1-pi)*(1-1/float64(2*n)), alpha, 1e-12)
	}
}

func TestAdjustmentsKeepTheirOrder(t *testing.T) {
	r := rand.New(NewGenerator(18))
	for range 100 {
		ps := make([]float64, 1+r.IntN(20))
		for i := range ps {
			ps[i] = r.Float64() * r.Float64()
		}
		adjust := func(m Adjustment) []float64 {
			adj, _, err := Adjust(ps, 0.05, m)
			require.NoError(t, err)
			return adj
		}
		bonferroni, holm, hochberg, hommel := adjust(AdjustmentBonferroni), adjust(AdjustmentHolm), adjust(AdjustmentHochberg), adjust(AdjustmentHommel)
		bh, by := adjust(AdjustmentBenjaminiHochberg), adjust(AdjustmentBenjaminiYekutieli)
		for i, p := range ps {
			require.LessOrEqual(t, p, bh[i]+1e-15)
			require.LessOrEqual(t, bh[i], hommel[i]+1e-12)
			require.LessOrEqual(t, hommel[i], hochberg[i]+1e-12)
			require.LessOrEqual(t, hochberg[i], holm[i]+1e-12)
			require.LessOrEqual(t, holm[i], bonferroni[i]+1e-12)
			require.LessOrEqual(t, bh[i], by[i]+1e-12)
		}
	}
}

// TestExactRankSumOfUnequalSamples: the distribution is computed for the smaller
// sample, and swapping the two swaps the tails.
func TestExactRankSumOfUnequalSamples(t *testing.T) {
	r := rand.New(NewGenerator(73))
	for range 30 {
		a, b := normals(r, 1+r.IntN(30), 0.3, 1), normals(r, 1+r.IntN(6), 0, 1)
		for _, method := range []RankMethod{RankMethodExact, RankMethodPermutation} {
			if method == RankMethodPermutation {
				for i := range a {
					a[i] = math.Round(a[i])
				}
			}
			greater, err := MannWhitney(a, b, &MannWhitneyOptions{Method: method, Alternative: AlternativeGreater})
			require.NoError(t, err)
			less, err := MannWhitney(b, a, &MannWhitneyOptions{Method: method, Alternative: AlternativeLess})
			require.NoError(t, err)
			require.InDelta(t, less.P, greater.P, 1e-12)
			law := rankSumLaw(Ranks(append(a[:len(a):len(a)], b...)), len(a))
			require.InDelta(t, 1, Mean(law)*float64(len(law)), 1e-12)
		}
	}
}

package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/growth"
)

func TestGoldenAgreement(t *testing.T) {
	type row struct {
		Raters       [][]int
		K            int
		Cohen        map[string]num
		CohenSE      *[3]num `json:"cohen_se_ci"`
		Fleiss       num
		Randolph     num
		Data         [][]num `json:"data_missing"`
		Krippendorff map[string]any
		Raw          num `json:"raw_agreement"`
		Scott        num `json:"scott_pi"`
		Gwet         num `json:"gwet_ac1"`
	}
	golden.Rows(t, "eval", "agreement.jsonl", func(r row) error {
		var c checks
		a, b := r.Raters[0], r.Raters[1]
		for name, w := range map[string]Weighting{"none": WeightingNone, "linear": WeightingLinear, "quadratic": WeightingQuadratic} {
			got, err := CohenKappa(a, b, r.K, w)
			c.value("cohen "+name, c.orNaN("cohen", got.Value, err), float64(r.Cohen[name]))
			if w == WeightingNone && r.CohenSE != nil {
				c.value("cohen se", got.SE, float64(r.CohenSE[0]))
				ci, err := got.Interval(0.95)
				c.value("cohen low", c.orNaN("cohen interval", ci.Low, err), float64(r.CohenSE[1]))
				c.value("cohen high", ci.High, float64(r.CohenSE[2]))
			}
		}
		number := func(name string, want num) func(float64, error) {
			return func(got float64, err error) {
				c.value(name, c.orNaN(name, got, err), float64(want))
			}
		}
		number("raw", r.Raw)(PercentAgreement(a, b))
		number("scott", r.Scott)(ScottPi(a, b, r.K))
		number("fleiss", r.Fleiss)(FleissKappa(r.Raters, r.K))
		number("randolph", r.Randolph)(RandolphKappa(r.Raters, r.K))
		number("gwet", r.Gwet)(GwetAC([][]int{a, b}, r.K, WeightingNone))
		data := make([][]float64, len(r.Data))
		for i := range data {
			data[i] = floats(r.Data[i])
		}
		for name, scale := range map[string]Scale{"nominal": ScaleNominal, "ordinal": ScaleOrdinal,
			"interval": ScaleInterval, "ratio": ScaleRatio} {
			want := math.NaN() // "ValueError"
			switch v := r.Krippendorff[name].(type) {
			case float64:
				want = v
			case string:
			default:
				return fmt.Errorf("krippendorff %s: %T", name, v)
			}
			number("krippendorff "+name, num(want))(KrippendorffAlpha(data, scale))
		}
		return c.err()
	})
}

// credit is the weight as papers define it: 1 for the same category, 0 for the two
// farthest of k.
func credit(w Weighting, i, j, k int) float64 {
	return 1 - w.distance(float64(i), float64(j))/w.far(k)
}

// kappaByTable is the definition over the whole k x k table, with the standard
// error of Fleiss, Cohen and Everitt.
func kappaByTable(a, b []int, k int, w Weighting) Estimate {
	n := float64(len(a))
	joint := make([]float64, k*k)
	rows, cols := make([]float64, k), make([]float64, k)
	for i := range a {
		joint[a[i]*k+b[i]] += 1 / n
		rows[a[i]] += 1 / n
		cols[b[i]] += 1 / n
	}
	var observed, chance float64
	rowMean, colMean := make([]float64, k), make([]float64, k)
	for i := range k {
		for j := range k {
			c := credit(w, i, j, k)
			observed += c * joint[i*k+j]
			chance += c * rows[i] * cols[j]
			rowMean[i] += c * cols[j]
			colMean[j] += c * rows[i]
		}
	}
	kappa := (observed - chance) / (1 - chance)
	variance := -math.Pow(kappa-chance*(1-kappa), 2)
	for i := range k {
		for j := range k {
			variance += joint[i*k+j] * math.Pow(credit(w, i, j, k)-(rowMean[i]+colMean[j])*(1-kappa), 2)
		}
	}
	return Estimate{Value: kappa, SE: math.Sqrt(math.Max(0, variance)/n) / (1 - chance)}
}

// gwetByTable is the definition over all k categories.
func gwetByTable(raters [][]int, k int, w Weighting) float64 {
	shares := make([]float64, k)
	agreement, rated, paired := 0.0, 0.0, 0.0
	for i := range raters[0] {
		counts, total := make([]float64, k), 0.0
		for _, ratings := range raters {
			if ratings[i] != MissingRating {
				counts[ratings[i]]++
				total++
			}
		}
		if total == 0 {
			continue
		}
		rated++
		for c := range counts {
			shares[c] += counts[c] / total
		}
		if total < 2 {
			continue
		}
		paired++
		for c := range counts {
			for d := range counts {
				agreement += credit(w, c, d, k) * counts[c] * counts[d] / (total * (total - 1))
			}
			agreement -= counts[c] / (total * (total - 1))
		}
	}
	credits, spread := 0.0, 0.0
	for i := range k {
		spread += shares[i] / rated * (1 - shares[i]/rated)
		for j := range k {
			credits += credit(w, i, j, k)
		}
	}
	chance := credits * spread / float64(k*(k-1))
	return (agreement/paired - chance) / (1 - chance)
}

func TestAgreementIsItsDefinition(t *testing.T) {
	r := rand.New(NewGenerator(45))
	for range 60 {
		n, k := 3+r.IntN(40), 2+r.IntN(7)
		raters := make([][]int, 2+r.IntN(4))
		for m := range raters {
			raters[m] = make([]int, n)
			for i := range raters[m] {
				raters[m][i] = r.IntN(k)
				if m > 0 && r.IntN(2) == 0 {
					raters[m][i] = raters[0][i]
				}
			}
		}
		raters[0][0], raters[1][0] = 0, 1 // never all equal
		for w := WeightingNone; w <= WeightingQuadratic; w++ {
			want := kappaByTable(raters[0], raters[1], k, w)
			got, err := CohenKappa(raters[0], raters[1], k, w)
			require.NoError(t, err)
			require.InDelta(t, want.Value, got.Value, 1e-12)
			require.InDelta(t, want.SE, got.SE, 1e-9)
		}
		for m := range raters {
			if i := r.IntN(n); i > 0 {
				raters[m][i] = MissingRating
			}
		}
		for w := WeightingNone; w <= WeightingQuadratic; w++ {
			got, err := GwetAC(raters, k, w)
			require.NoError(t, err)
			require.InDelta(t, gwetByTable(raters, k, w), got, 1e-12)
		}
	}
}

// TestAgreementOfManyCategories: the work grows with the categories that occur, not
// with the possible ones. A k by k table of these has 8 TB.
func TestAgreementOfManyCategories(t *testing.T) {
	const k = 1_000_001
	a, b := []int{0, 500_000, 1_000_000, 7, 7}, []int{0, 500_003, 999_999, 7, 9}
	for w := WeightingNone; w <= WeightingQuadratic; w++ {
		kappa, err := CohenKappa(a, b, k, w)
		require.NoError(t, err)
		gwet, err := GwetAC([][]int{a, b}, k, w)
		require.NoError(t, err)
		if w == WeightingNone {
			require.InDelta(t, 0.4, gwet, 1e-5)
		} else {
			require.InDelta(t, 1, kappa.Value, 1e-4)
			require.InDelta(t, 1, gwet, 1e-4)
		}
	}
	fleiss, err := FleissKappa([][]int{a, b}, k)
	require.NoError(t, err)
	require.Less(t, fleiss, 0.4)
	random, err := RandolphKappa([][]int{a, b}, k)
	require.NoError(t, err)
	require.InDelta(t, 0.4, random, 1e-5)

	// Quadratic credit of close categories isn't full agreement.
	_, err = CohenKappa([]int{1, 2, 3}, []int{1, 3, 2}, 100_000_000, WeightingQuadratic)
	require.NoError(t, err)
}

func TestGrowthOfAgreement(t *testing.T) {
	for w := WeightingNone; w <= WeightingQuadratic; w++ {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			growth.Test(t, 2000, 3, func(n int) func() {
				r := rand.New(NewGenerator(46))
				a, b := r.Perm(n), r.Perm(n)
				return func() {
					_, err := CohenKappa(a, b, n, w)
					require.NoError(t, err)
					_, err = GwetAC([][]int{a, b}, n, w)
					require.NoError(t, err)
				}
			})
		})
	}
}

package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/growth"
)

func TestGoldenCorrelation(t *testing.T) {
	type row struct {
		X, Y              []float64
		Pearson, Spearman [2]num
		TauB              [2]num    `json:"tau_b"`
		TauC              [2]num    `json:"tau_c"`
		TauBNormal        *[2]num   `json:"tau_b_asym"`
		PearsonCI         *[2]num   `json:"pearson_ci"`
		RanksX            []float64 `json:"ranks_x"`
		WeightedTau       num
	}
	golden.Rows(t, "eval", "correlation.jsonl", func(r row) error {
		var c checks
		test := func(name string, got TestResult, err error, want [2]num) {
			c.value(name, c.orNaN(name, got.Statistic, err), float64(want[0]))
			c.p(name+" p", c.orNaN(name, got.P, err), float64(want[1]))
		}
		got, err := Pearson(r.X, r.Y)
		test("pearson", got, err, r.Pearson)
		got, err = Spearman(r.X, r.Y)
		test("spearman", got, err, r.Spearman)
		got, err = Kendall(r.X, r.Y, nil)
		test("tau-b", got, err, r.TauB)
		got, err = Kendall(r.X, r.Y, &KendallOptions{TauC: true})
		test("tau-c", got, err, r.TauC)
		if r.TauBNormal != nil {
			got, err = Kendall(r.X, r.Y, &KendallOptions{Method: RankMethodNormal})
			test("tau-b normal", got, err, *r.TauBNormal)
		}
		if r.PearsonCI != nil {
			ci, err := PearsonInterval(r.X, r.Y, 0.95)
			c.value("pearson low", c.orNaN("pearson interval", ci.Low, err), float64(r.PearsonCI[0]))
			c.value("pearson high", c.orNaN("pearson interval", ci.High, err), float64(r.PearsonCI[1]))
		}
		for i, rank := range Ranks(r.X) {
			c.value("rank", rank, r.RanksX[i])
		}
		tau, err := WeightedKendall(r.X, r.Y)
		c.value("weighted tau", c.orNaN("weighted tau", tau, err), float64(r.WeightedTau))
		return c.err()
	})
}

func TestGoldenMultipleComparisons(t *testing.T) {
	type outcome struct {
		Adj    []float64
		Reject []bool
	}
	type row struct {
		P                 []float64
		Alpha             float64
		Bonferroni, Sidak outcome
		Holm, Hommel      outcome
		HolmSidak         outcome `json:"holm-sidak"`
		Hochberg          outcome `json:"simes-hochberg"`
		BH                outcome `json:"fdr_bh"`
		BY                outcome `json:"fdr_by"`
		TSBH              outcome `json:"fdr_tsbh"`
	}
	golden.Rows(t, "eval", "multitest.jsonl", func(r row) error {
		var c checks
		for method, want := range map[Adjustment]outcome{
			AdjustmentBonferroni: r.Bonferroni, AdjustmentSidak: r.Sidak, AdjustmentHolm: r.Holm, AdjustmentHolmSidak: r.HolmSidak, AdjustmentHochberg: r.Hochberg,
			AdjustmentHommel: r.Hommel, AdjustmentBenjaminiHochberg: r.BH, AdjustmentBenjaminiYekutieli: r.BY, AdjustmentTwoStageBH: r.TSBH,
		} {
			adj, reject, err := Adjust(r.P, r.Alpha, method)
			if err != nil {
				return err
			}
			for i := range r.P {
				c.p("adjusted", adj[i], want.Adj[i])
				if reject[i] != want.Reject[i] {
					c.add("method %d, p %v: reject %v, want %v", method, r.P[i], reject[i], want.Reject[i])
				}
			}
		}
		return c.err()
	})
}

// weightedTauByPairs is the definition of one half of WeightedKendall.
func weightedTauByPairs(x, y []float64) float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(x[j], x[i]), cmp.Compare(y[j], y[i]), cmp.Compare(j, i))
	})
	weight := make([]float64, len(x))
	for r, i := range order {
		weight[i] = 1 / float64(r+1)
	}
	var both, xx, yy float64
	for i := range x {
		for j := range i {
			w := weight[i] + weight[j]
			sx, sy := float64(cmp.Compare(x[i], x[j])), float64(cmp.Compare(y[i], y[j]))
			both += w * sx * sy
			xx += w * sx * sx
			yy += w * sy * sy
		}
	}
	return both / math.Sqrt(xx) / math.Sqrt(yy)
}

func TestWeightedKendallIsItsDefinition(t *testing.T) {
	r := rand.New(NewGenerator(48))
	for range 200 {
		n := 2 + r.IntN(40)
		x, y := make([]float64, n), make([]float64, n)
		values := 2 + r.IntN(2*n)
		for i := range x {
			x[i], y[i] = float64(r.IntN(values)), float64(r.IntN(values))
		}
		x[0], x[1], y[0], y[1] = 0, 1, 1, 0
		got, err := WeightedKendall(x, y)
		require.NoError(t, err)
		require.InDelta(t, (weightedTauByPairs(x, y)+weightedTauByPairs(y, x))/2, got, 1e-12)
	}
}

func TestGrowthOfCorrelation(t *testing.T) {
	for name, f := range map[string]func(x, y []float64) error{
		"pearson":  func(x, y []float64) error { _, err := Pearson(x, y); return err },
		"spearman": func(x, y []float64) error { _, err := Spearman(x, y); return err },
		"kendall":  func(x, y []float64) error { _, err := Kendall(x, y, nil); return err },
		"weighted": func(x, y []float64) error { _, err := WeightedKendall(x, y); return err },
	} {
		t.Run(name, func(t *testing.T) {
			growth.Test(t, 4000, 3, func(n int) func() {
				r := rand.New(NewGenerator(49))
				x, y := normals(r, n, 0, 1), normals(r, n, 0, 1)
				return func() { require.NoError(t, f(x, y)) }
			})
		})
	}
}

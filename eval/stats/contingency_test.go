package stats

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/dist"
	"github.com/prodailabs/prodai/internal/golden"
)

// A tableRow is a row of stats_tables.jsonl. Values that the reference refuses are
// absent.
type tableRow struct {
	Table      [2][2]int
	Exact      num
	Chi2True   *[2]num `json:"chi2_corr_True"`
	Chi2False  *[2]num `json:"chi2_corr_False"`
	MidP       *num
	Fisher     [2]num
	YatesTrue  *[3]num `json:"chi2_cont_True"`
	YatesFalse *[3]num `json:"chi2_cont_False"`
	ChiError   any     `json:"chi2_cont_error"` // the reference refuses a margin of zero
	CI         map[string][2]num
	Z          *[2]num `json:"ztest_p1_p2"`
	Newcombe   *[2]num `json:"newcombe_diff"`
}

func TestGoldenTables(t *testing.T) { golden.Rows(t, "eval", "stats_tables.jsonl", checkTable) }

func checkTable(r tableRow) error {
	methods := map[string]ProportionMethod{"wilson": ProportionWilson, "beta": ProportionClopperPearson, "normal": ProportionWald,
		"agresti_coull": ProportionAgrestiCoull, "jeffreys": ProportionJeffreys}
	var k checks
	a, b, c, d := r.Table[0][0], r.Table[0][1], r.Table[1][0], r.Table[1][1]
	mcnemar := func(name string, v McNemarVariant, stat, p float64) {
		got, err := McNemar(b, c, v)
		k.p(name, k.orNaN(name, got.P, err), p)
		if !math.IsNaN(stat) {
			k.value(name+" statistic", got.Statistic, stat)
		}
	}
	mcnemar("mcnemar exact", McNemarExact, math.NaN(), float64(r.Exact))
	if r.MidP != nil {
		mcnemar("mcnemar mid-p", McNemarMidP, math.NaN(), float64(*r.MidP))
		mcnemar("mcnemar corrected", McNemarCorrected, float64(r.Chi2True[0]), float64(r.Chi2True[1]))
		mcnemar("mcnemar chi2", McNemarChiSquared, float64(r.Chi2False[0]), float64(r.Chi2False[1]))
	}
	fisher, err := FisherExact([2][2]int{{a, b}, {c, d}}, AlternativeTwoSided)
	if err != nil {
		return err
	}
	k.value("odds ratio", fisher.Statistic, float64(r.Fisher[0]))
	k.p("fisher", fisher.P, float64(r.Fisher[1]))
	for yates, want := range map[bool]*[3]num{true: r.YatesTrue, false: r.YatesFalse} {
		got, err := ChiSquaredTable([][]int{r.Table[0][:], r.Table[1][:]}, &ChiSquaredOptions{Yates: yates})
		switch {
		case want == nil && r.ChiError == nil:
			k.add("chi2, yates %t: the row has neither a value nor an error", yates)
		case want == nil || math.IsNaN(float64(want[0])):
			if !errors.Is(err, ErrUndefined) {
				k.add("chi2, yates %t: got %v and the error %v, want ErrUndefined", yates, got, err)
			}
			continue
		}
		if want == nil {
			continue
		}
		k.value("chi2", k.orNaN("chi2", got.Statistic, err), float64(want[0]))
		k.p("chi2 p", k.orNaN("chi2", got.P, err), float64(want[1]))
	}
	for name, want := range r.CI {
		method, ok := methods[name]
		if !ok {
			k.add("unknown interval %s", name)
		}
		got, err := ProportionInterval(a, a+b, 0.95, method)
		k.value(name+" low", k.orNaN(name, got.Low, err), float64(want[0]))
		k.value(name+" high", k.orNaN(name, got.High, err), float64(want[1]))
	}
	if r.Z != nil {
		got, err := TwoProportionZ(a, a+b, c, c+d, AlternativeTwoSided)
		k.value("z", k.orNaN("z", got.Statistic, err), float64(r.Z[0]))
		k.p("z p", k.orNaN("z", got.P, err), float64(r.Z[1]))
	}
	if r.Newcombe != nil {
		got, err := NewcombeInterval(a, a+b, c, c+d, 0.95)
		k.value("newcombe low", k.orNaN("newcombe", got.Low, err), float64(r.Newcombe[0]))
		k.value("newcombe high", k.orNaN("newcombe", got.High, err), float64(r.Newcombe[1]))
	}
	return k.err()
}

// TestTablesWithAnEmptyMargin: the reference refuses them, and so does
// ChiSquaredTable. A row of the golden file that has neither a value nor the
// reference's error is broken, not a row that expects 0.
func TestTablesWithAnEmptyMargin(t *testing.T) {
	check := func(text string) error {
		var r tableRow
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		return checkTable(r)
	}
	const refused = `,"chi2_cont_error":"The internally computed table of expected frequencies has a zero element at (0, 1)."}`
	for _, row := range []string{
		`{"table":[[3,0],[5,0]],"exact":0.0625,"fisher":["NaN",1.0]`,
		`{"table":[[0,0],[5,2]],"exact":0.0625,"fisher":["NaN",1.0]`,
		`{"table":[[0,3],[0,5]],"exact":0.25,"fisher":["NaN",1.0]`,
		`{"table":[[7,3],[0,0]],"exact":0.25,"fisher":["NaN",1.0]`,
	} {
		require.NoError(t, check(row+refused), row)
		require.ErrorContains(t, check(row+"}"), "neither a value nor an error", row)
	}
	const full = `{"table":[[10,2],[3,9]],"exact":1.0,"fisher":[15.0,0.012287375035577756]`
	require.ErrorContains(t, check(full+refused), "want ErrUndefined")
}

// TestFisherIsItsDefinition compares with a sum over all tables.
func TestFisherIsItsDefinition(t *testing.T) {
	r := rand.New(NewGenerator(47))
	for range 400 {
		var table [2][2]int
		for i := range 4 {
			table[i/2][i%2] = 1 + r.IntN(1<<r.IntN(8))
		}
		a, marked, drawn := table[0][0], table[0][0]+table[0][1], table[0][0]+table[1][0]
		total := marked + table[1][0] + table[1][1]
		observed := dist.HypergeometricPMF(a, total, marked, drawn)
		var want [3]float64
		for k := max(0, drawn+marked-total); k <= min(drawn, marked); k++ {
			p := dist.HypergeometricPMF(k, total, marked, drawn)
			if p <= observed*(1+1e-7) {
				want[AlternativeTwoSided] += p
			}
			if k >= a {
				want[AlternativeGreater] += p
			}
			if k <= a {
				want[AlternativeLess] += p
			}
		}
		for alt := AlternativeTwoSided; alt <= AlternativeLess; alt++ {
			got, err := FisherExact(table, alt)
			require.NoError(t, err)
			require.InEpsilon(t, want[alt], got.P, 1e-10, "%v, alternative %d", table, alt)
		}
	}
}

// TestFisherOfLargeCounts: an earlier version computed every possible table, and
// took minutes.
func TestFisherOfLargeCounts(t *testing.T) {
	table := [2][2]int{{1_000_050_000, 1_000_000_000}, {1_000_000_000, 1_000_000_000}}
	got, err := FisherExact(table, AlternativeTwoSided)
	require.NoError(t, err)
	chi, err := ChiSquaredTable([][]int{table[0][:], table[1][:]}, &ChiSquaredOptions{Yates: true})
	require.NoError(t, err)
	require.InEpsilon(t, chi.P, got.P, 1e-3)
	less, err := FisherExact(table, AlternativeLess)
	require.NoError(t, err)
	greater, err := FisherExact(table, AlternativeGreater)
	require.NoError(t, err)
	require.InDelta(t, 1, less.P+greater.P, 1e-4)

	for _, huge := range []int{math.MaxInt, 1 << 53} {
		_, err = FisherExact([2][2]int{{huge, 1}, {1, 1}}, AlternativeTwoSided)
		require.ErrorIs(t, err, ErrRange)
		_, err = McNemar(huge, huge, McNemarExact)
		require.ErrorIs(t, err, ErrRange)
	}
}

func TestMcNemarDefault(t *testing.T) {
	var none McNemarVariant
	got, err := McNemar(3, 9, none)
	require.NoError(t, err)
	want, err := McNemar(3, 9, McNemarMidP)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.InDelta(t, 0.09228515625, got.P, 1e-12)
}

package stats

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/growth"
)

func TestGoldenQuantiles(t *testing.T) {
	type row struct {
		X                             []float64
		Mean, Var1, Median, MAD, Skew num
		Trim10                        num
		Quantiles                     map[string]map[string]num
	}
	methods := map[string]QuantileMethod{
		"linear": QuantileLinear, "hazen": QuantileHazen, "weibull": QuantileWeibull, "median_unbiased": QuantileMedianUnbiased,
		"inverted_cdf": QuantileInvertedCDF, "lower": QuantileLower, "higher": QuantileHigher, "nearest": QuantileNearest, "midpoint": QuantileMidpoint,
	}
	golden.Rows(t, "eval", "quantiles.jsonl", func(r row) error {
		var c checks
		c.value("mean", Mean(r.X), float64(r.Mean))
		c.value("var", Variance(r.X), float64(r.Var1))
		c.value("median", Median(r.X), float64(r.Median))
		c.value("mad", MedianAbsoluteDeviation(r.X), float64(r.MAD))
		c.value("skew", Skewness(r.X), float64(r.Skew))
		c.value("trimmed", TrimmedMean(r.X, 0.1), float64(r.Trim10))
		for name, want := range r.Quantiles {
			method, ok := methods[name]
			if !ok {
				c.add("unknown method %s", name)
			}
			for q, w := range want {
				var level float64
				if _, err := fmt.Sscan(q, &level); err != nil {
					return err
				}
				got, err := Quantile(r.X, level, method)
				c.value(name+" "+q, c.orNaN(name, got, err), float64(w))
			}
		}
		return c.err()
	})
}

// numpyMean adds in NumPy's order (eight running sums, for up to 128 values). The
// BCa interval counts resamples equal to the estimate. Whether two means of the
// same values in another order are equal depends on rounding, so a comparison with
// SciPy must round in the same way. [Mean] treats them as equal.
func numpyMean(xs []float64) float64 {
	n := len(xs)
	total, i := 0.0, 0
	if n >= 8 {
		var r [8]float64
		for ; i+8 <= n; i += 8 {
			for k := range r {
				r[k] += xs[i+k]
			}
		}
		total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	}
	for ; i < n; i++ {
		total += xs[i]
	}
	return total / float64(n)
}

func TestGoldenBootstrap(t *testing.T) {
	type row struct {
		X          []float64
		Seed       uint64
		Resamples  int `json:"n_resamples"`
		Statistic  string
		Index      [][]int64
		Percentile [2]num    `json:"percentile_0.95"`
		Percent90  [2]num    `json:"percentile_0.9"`
		Basic      [2]num    `json:"basic_0.95"`
		Basic90    [2]num    `json:"basic_0.9"`
		BCa        [2]num    `json:"BCa_0.95"`
		BCa90      [2]num    `json:"BCa_0.9"`
		Dist       []float64 `json:"boot_dist"`
		SE         num
	}
	golden.Rows(t, "eval", "stats_bootstrap.jsonl", func(r row) error {
		var c checks
		statistic, ok := map[string]func([]float64) float64{"mean": numpyMean, "median": Median}[r.Statistic]
		if !ok {
			return fmt.Errorf("statistic %q", r.Statistic)
		}
		g := NewGenerator(r.Seed)
		for i, want := range r.Index {
			got := make([]int64, len(want))
			g.Integers(got, uint64(len(r.X)))
			if fmt.Sprint(got) != fmt.Sprint(want) {
				c.add("resample %d: got %v, want %v", i, got, want)
			}
		}
		for _, workers := range []int{1, 3} {
			b, err := Bootstrap(r.X, statistic, &BootstrapOptions{Resamples: r.Resamples, Seed: r.Seed, Workers: workers})
			if err != nil {
				return err
			}
			for i, want := range r.Dist {
				c.value(fmt.Sprintf("value %d", i), b.Values[i], want)
			}
			c.value("se", b.SE(), float64(r.SE))
			check := func(name string, level float64, f func(float64) (Interval, error), want [2]num) {
				got, err := f(level)
				c.value(name+" low", c.orNaN(name, got.Low, err), float64(want[0]))
				c.value(name+" high", c.orNaN(name, got.High, err), float64(want[1]))
			}
			check("percentile 0.95", 0.95, b.Percentile, r.Percentile)
			check("percentile 0.9", 0.9, b.Percentile, r.Percent90)
			check("basic 0.95", 0.95, b.Basic, r.Basic)
			check("basic 0.9", 0.9, b.Basic, r.Basic90)
			check("BCa 0.95", 0.95, b.BCa, r.BCa)
			check("BCa 0.9", 0.9, b.BCa, r.BCa90)
		}
		return c.err()
	})
}

func TestGoldenRougeAggregator(t *testing.T) {
	type row struct {
		Confidence  float64
		Samples     int `json:"n_samples"`
		Items       []map[string][]float64
		IndexMetric string `json:"index_metric"`
		Index       [][]int64
		Aggregate   map[string]map[string][]float64
		Seed        uint32 `json:"mt_seed"`
	}
	// The order of the metrics in rouge-score, and so their order in the random
	// stream.
	order := []string{"rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"}
	golden.Rows(t, "eval", "rouge_bootstrap.jsonl", func(r row) error {
		var c checks
		source := NewRandomState(r.Seed)
		for _, name := range order {
			want, ok := r.Aggregate[name]
			if !ok {
				continue
			}
			rows := make([][]float64, len(r.Items))
			for i, item := range r.Items {
				rows[i] = item[name]
			}
			o := &BootstrapOptions{Resamples: r.Samples, Source: source}
			got, err := BootstrapMeans(rows, r.Confidence, o)
			if err != nil {
				return err
			}
			for i, m := range got {
				c.value(name+" low", m.Low, want["low"][i])
				c.value(name+" mid", m.Mid, want["mid"][i])
				c.value(name+" high", m.High, want["high"][i])
			}
		}
		if _, ok := r.Aggregate[r.IndexMetric]; !ok || len(r.Index) != r.Samples {
			c.add("the row has no resamples of %q", r.IndexMetric)
		}
		return c.err()
	})
}

// TestBootstrapMeansUsesItsWorkers: more than one goroutine reads the rows, and the
// result doesn't depend on how many.
func TestBootstrapMeansUsesItsWorkers(t *testing.T) {
	r := rand.New(NewGenerator(65))
	rows := make([][]float64, 200)
	for i := range rows {
		rows[i] = normals(r, 3, 0, 1)
	}
	for _, workers := range []int{1, 2, 7} {
		most, deadline := 0, time.Now().Add(time.Minute)
		stream := NewGenerator(defaultSeed)
		got, err := BootstrapMeans(rows, 0.95, &BootstrapOptions{Workers: workers, Source: sourceFunc(func(dst []int64, n uint64) {
			stream.Integers(dst, n) // one call at a time: the others wait for it
			for most < workers && time.Now().Before(deadline) {
				runtime.Gosched()
				most = max(most, teamSize())
			}
		})})
		require.NoError(t, err)
		require.Equal(t, workers, most)
		want, err := BootstrapMeans(rows, 0.95, &BootstrapOptions{Workers: 1})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// teamSize returns how many goroutines of a team run at this moment.
func teamSize() int {
	stacks := make([]byte, 1<<20)
	return len(inTeam.FindAll(stacks[:runtime.Stack(stacks, true)], -1))
}

var inTeam = regexp.MustCompile(`\(\*team\)\.start\.func\d+\(`)

// TestGrowthOfBootstrap: only BCa computes the statistic without each value in
// turn, which takes quadratic time.
func TestGrowthOfBootstrap(t *testing.T) {
	growth.Test(t, 4000, 3, func(n int) func() {
		xs := normals(rand.New(NewGenerator(50)), n, 0, 1)
		return func() {
			b, err := Bootstrap(xs, plainMean, &BootstrapOptions{Resamples: 100})
			require.NoError(t, err)
			_, err = b.Percentile(0.95)
			require.NoError(t, err)
		}
	})
}

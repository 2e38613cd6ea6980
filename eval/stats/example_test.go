package stats_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/eval/stats"
)

// Two systems answered the same twelve questions. The averages differ little; the
// paired difference is clear.
func Example() {
	before := []float64{0.61, 0.35, 0.80, 0.44, 0.72, 0.15, 0.90, 0.55, 0.38, 0.66, 0.27, 0.83}
	after := []float64{0.66, 0.41, 0.82, 0.52, 0.75, 0.24, 0.91, 0.60, 0.37, 0.73, 0.33, 0.88}

	unpaired, _ := stats.WelchT(after, before, stats.AlternativeTwoSided)
	paired, _ := stats.PairedPermutation(after, before, nil)
	interval, _ := stats.PairedTInterval(after, before, 0.95)
	fmt.Printf("unpaired p = %.2f\n", unpaired.P)
	fmt.Printf("paired   p = %.4f, gain %.3f, 95%% interval [%.3f, %.3f]\n",
		paired.P, paired.Statistic, interval.Low, interval.High)
	// Output:
	// unpaired p = 0.63
	// paired   p = 0.0015, gain 0.047, 95% interval [0.028, 0.065]
}

// How many questions does an evaluation need? Ask before writing them.
func ExampleDesign() {
	d := stats.Design{Alpha: 0.05, Power: 0.8}
	independent, _ := d.SampleSizeProportions(0.71, 0.745)
	paired, _ := d.SampleSizePairedT(0.2)
	smallest, _ := d.DetectablePairedT(200)
	fmt.Printf("71 %% against 74.5 %%, two sets of questions: %.0f each\n", math.Ceil(independent))
	fmt.Printf("a small effect (dz = 0.2), paired: %.0f\n", math.Ceil(paired))
	fmt.Printf("200 pairs detect dz = %.2f\n", smallest)
	// Output:
	// 71 % against 74.5 %, two sets of questions: 2540 each
	// a small effect (dz = 0.2), paired: 199
	// 200 pairs detect dz = 0.20
}

// A corpus metric is given as rows that add up: here correct and asked, so that the
// score is micro-averaged accuracy.
func ExamplePairedBootstrap() {
	var baseline, system []float64
	r := rand.New(stats.NewGenerator(1))
	for range 300 { // 300 documents with 1 to 8 questions each
		asked := 1 + r.IntN(8)
		var b, s float64
		for range asked {
			easy := r.Float64()
			if easy > 0.45 {
				b++
			}
			if easy+0.1*r.NormFloat64() > 0.42 {
				s++
			}
		}
		baseline = append(baseline, b, float64(asked))
		system = append(system, s, float64(asked))
	}
	accuracy := func(sum []float64) float64 { return 100 * sum[0] / sum[1] }
	res, err := stats.PairedBootstrap(baseline, system, 2, accuracy, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f -> %.1f ± %.1f, p = %.3f\n", res.Baseline, res.Score, res.HalfWidth, res.P)
	fmt.Printf("difference: [%.1f, %.1f]\n", res.Delta.Low, res.Delta.High)
	// Output:
	// 53.7 -> 57.7 ± 2.5, p = 0.001
	// difference: [2.5, 5.7]
}

// Right or wrong on the same items: only those on which the systems differ count.
func ExampleMcNemar() {
	onlyOldRight, onlyNewRight := 9, 22 // of 500; on the other 469 they agree
	res, _ := stats.McNemar(onlyNewRight, onlyOldRight, stats.McNemarMidP)
	fmt.Printf("p = %.3f\n", res.P)
	// Output:
	// p = 0.020
}

// Look after every observation and stop when it is clear: the promise of at
// most 5 % false alarms holds for all looks together.
func ExampleMixtureSPRT() {
	r := rand.New(stats.NewGenerator(42))
	test, err := stats.NewMixtureSPRT(1, &stats.MixtureSPRTOptions{EffectVariance: 0.04, Alpha: 0.05})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		state, err := test.Add(0.25 + r.NormFloat64()) // a real effect of 0.25
		if err != nil {
			fmt.Println(err)
			return
		}
		if state.Reject {
			fmt.Printf("stopped after %d: p = %.3f, effect in [%.2f, %.2f]\n",
				state.N, state.P, state.Interval.Low, state.Interval.High)
			return
		}
	}
	// Output:
	// stopped after 129: p = 0.041, effect in [0.01, 0.54]
}

// A canary: 1 % of errors is allowed, 3 % alarming.
func ExampleSPRT() {
	canary, _ := stats.NewSPRT(0.01, 0.03, &stats.SPRTOptions{Alpha: 0.05, Beta: 0.1})
	r := rand.New(stats.NewGenerator(5))
	for canary.Verdict == stats.VerdictUndecided {
		canary.Add(r.Float64() < 0.05) // it fails in 5 %
	}
	fmt.Printf("%v after %d requests\n", canary.Verdict, canary.DecidedAt)
	// Output:
	// H1 after 131 requests
}

// Kappa's paradox: the same 92 % agreement, with balanced and with rare
// categories.
func ExampleCohenKappa() {
	ratings := func(bothYes, onlyA, onlyB, bothNo int) (a, b []int) {
		add := func(n, x, y int) {
			for range n {
				a, b = append(a, x), append(b, y)
			}
		}
		add(bothYes, 1, 1)
		add(onlyA, 1, 0)
		add(onlyB, 0, 1)
		add(bothNo, 0, 0)
		return a, b
	}
	for _, table := range [][4]int{{46, 4, 4, 46}, {91, 4, 4, 1}} {
		a, b := ratings(table[0], table[1], table[2], table[3])
		raw, _ := stats.PercentAgreement(a, b)
		kappa, _ := stats.CohenKappa(a, b, 2, stats.WeightingNone)
		gwet, _ := stats.GwetAC([][]int{a, b}, 2, stats.WeightingNone)
		fmt.Printf("agreement %.2f, kappa %.2f, AC1 %.2f\n", raw, kappa.Value, gwet)
	}
	// Output:
	// agreement 0.92, kappa 0.84, AC1 0.84
	// agreement 0.92, kappa 0.16, AC1 0.91
}

// Twenty slices, nothing changed but one.
func ExampleAdjust() {
	ps := []float64{0.0004, 0.012, 0.03, 0.04, 0.049, 0.2, 0.31, 0.44, 0.47, 0.5,
		0.52, 0.58, 0.61, 0.66, 0.7, 0.74, 0.81, 0.88, 0.93, 0.97}
	unadjusted := 0
	for _, p := range ps {
		if p <= 0.05 {
			unadjusted++
		}
	}
	holm, reject, _ := stats.Adjust(ps, 0.05, stats.AdjustmentHolm)
	fmt.Println("below 0.05:", unadjusted)
	fmt.Printf("after Holm: first %v (p = %.3f), second %v\n", reject[0], holm[0], reject[1])
	// Output:
	// below 0.05: 5
	// after Holm: first true (p = 0.008), second false
}

// Users are assigned by hash: no table, the same arm on every machine.
func ExampleExperiment() {
	e, _ := stats.NewExperiment("prompt-v2", stats.Arm{Name: "old", Weight: 1}, stats.Arm{Name: "new", Weight: 1})
	counts := map[string]int{}
	for user := range 10_000 {
		counts[e.Assign(fmt.Sprint("user-", user)).Name]++
	}
	check, _ := stats.SampleRatioMismatch([]int{counts["old"], counts["new"]}, []float64{1, 1})
	fmt.Println(counts["old"]+counts["new"], check.P > 0.001)
	// Output:
	// 10000 true
}

// Errors say what was wrong. A number that doesn't exist is not replaced by
// another.
func ExampleInputError() {
	_, err := stats.Pearson([]float64{1, 2, 3}, []float64{5, 5, 5})
	fmt.Println(err)
	fmt.Println(errors.Is(err, stats.ErrUndefined))
	// Output:
	// stats: undefined for these data: Pearson: one side is constant
	// true
}

// The bootstrap of any statistic of one sample.
func ExampleBootstrap() {
	latencies := []float64{310, 290, 400, 350, 1200, 330, 280, 310, 360, 900, 300, 340, 320, 310, 2100}
	b, err := stats.Bootstrap(latencies, stats.Median, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	i, _ := b.Percentile(0.95)
	fmt.Printf("median %.0f ms, 95%% interval [%.0f, %.0f]\n", b.Estimate, i.Low, i.High)
	// Output:
	// median 330 ms, 95% interval [310, 400]
}

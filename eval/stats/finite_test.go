package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/internal/race"
)

// everyStatistic calls each function that takes samples. The names of results that
// may be infinite or NaN by their comment end in "!".
func everyStatistic(a, b []float64) map[string]func() (any, error) {
	positive := func(xs []float64) []float64 {
		out := make([]float64, len(xs))
		for i, x := range xs {
			out[i] = math.Abs(x)
		}
		return out
	}
	treated, cluster := make([]bool, len(a)), make([]int, len(a))
	for i := range a {
		treated[i], cluster[i] = i%2 == 0, i/2
	}
	rows := make([][]float64, len(a))
	for i := range a {
		rows[i] = []float64{a[i], b[i]}
	}
	few := &BootstrapOptions{Resamples: 20}
	corpus := &CorpusOptions{Resamples: 40, ConfidenceResamples: 20}
	one := func(v any, err error) (any, error) { return v, err }
	distribution := func(read func(*BootstrapDistribution) (Interval, error)) func() (any, error) {
		return func() (any, error) {
			d, err := Bootstrap(a, Mean, few)
			if err != nil {
				return nil, err
			}
			i, err := read(d)
			return []any{i, d.SE(), d.Estimate, d.Values}, err
		}
	}
	calls := map[string]func() (any, error){
		"mean":               func() (any, error) { return Mean(a), nil },
		"variance!":          func() (any, error) { return Variance(a), nil },
		"covariance!":        func() (any, error) { return Covariance(a, b), nil },
		"median":             func() (any, error) { return Median(a), nil },
		"deviation!":         func() (any, error) { return MedianAbsoluteDeviation(a), nil },
		"trimmed":            func() (any, error) { return TrimmedMean(a, 0.1), nil },
		"mean estimate":      func() (any, error) { return one(MeanEstimate(a)) },
		"clustered":          func() (any, error) { return one(ClusteredEstimate(a, cluster)) },
		"paired estimate":    func() (any, error) { return one(PairedEstimate(a, b)) },
		"prediction!":        func() (any, error) { return one(PredictionPowered(a, b, b, nil)) },
		"components!":        func() (any, error) { return one(VarianceComponents(rows)) },
		"unpaired estimate":  func() (any, error) { return one(UnpairedEstimate(a, b)) },
		"dz":                 func() (any, error) { return one(CohenDz(a, b)) },
		"d":                  func() (any, error) { return one(CohenD(a, b)) },
		"g":                  func() (any, error) { return one(HedgesG(a, b)) },
		"cliff":              func() (any, error) { return one(CliffsDelta(a, b)) },
		"paired t":           func() (any, error) { return one(PairedT(a, b, AlternativeTwoSided)) },
		"paired t interval":  func() (any, error) { return one(PairedTInterval(a, b, 0.95)) },
		"welch":              func() (any, error) { return one(WelchT(a, b, AlternativeGreater)) },
		"welch interval":     func() (any, error) { return one(WelchInterval(a, b, 0.95)) },
		"student":            func() (any, error) { return one(StudentT(a, b, AlternativeLess)) },
		"sign":               func() (any, error) { return one(SignTest(a, b, AlternativeTwoSided)) },
		"wilcoxon":           func() (any, error) { return one(Wilcoxon(a, b, nil)) },
		"mann-whitney":       func() (any, error) { return one(MannWhitney(a, b, nil)) },
		"permutation":        func() (any, error) { return one(PairedPermutation(a, b, &PermutationOptions{Resamples: 50})) },
		"pearson":            func() (any, error) { return one(Pearson(a, b)) },
		"pearson interval":   func() (any, error) { return one(PearsonInterval(a, b, 0.95)) },
		"spearman":           func() (any, error) { return one(Spearman(a, b)) },
		"kendall":            func() (any, error) { return one(Kendall(a, b, nil)) },
		"tau-c":              func() (any, error) { return one(Kendall(a, b, &KendallOptions{TauC: true})) },
		"weighted kendall":   func() (any, error) { return one(WeightedKendall(a, b)) },
		"ks":                 func() (any, error) { return one(KolmogorovSmirnov(a, b, KSSciPy)) },
		"ks limit":           func() (any, error) { return one(KolmogorovSmirnov(a, b, KSLimit)) },
		"wasserstein":        func() (any, error) { return one(Wasserstein(a, b)) },
		"anderson":           func() (any, error) { return one(AndersonDarling(a, b)) },
		"edges":              func() (any, error) { return one(QuantileEdges(a, 4)) },
		"shares":             func() (any, error) { return one(BinShares(a, []float64{-1, 0, b[0] + 0})) },
		"psi":                func() (any, error) { return one(PSI(positive(a), positive(b), 1e-4)) },
		"psi 0!":             func() (any, error) { return one(PSI(positive(a), positive(b), 0)) },
		"kl":                 func() (any, error) { return one(KLDivergence(positive(a), positive(b), 1e-4)) },
		"js":                 func() (any, error) { return one(JensenShannon(positive(a), positive(b), 0)) },
		"hellinger":          func() (any, error) { return one(Hellinger(positive(a), positive(b))) },
		"tv":                 func() (any, error) { return one(TotalVariation(positive(a), positive(b))) },
		"cuped":              func() (any, error) { return one(CUPED(a, b, treated)) },
		"percentile":         distribution(func(d *BootstrapDistribution) (Interval, error) { return d.Percentile(0.95) }),
		"basic":              distribution(func(d *BootstrapDistribution) (Interval, error) { return d.Basic(0.95) }),
		"bca":                distribution(func(d *BootstrapDistribution) (Interval, error) { return d.BCa(0.95) }),
		"bootstrap means":    func() (any, error) { return one(BootstrapMeans(rows, 0.95, few)) },
		"paired bootstrap":   func() (any, error) { return one(PairedBootstrap(ones(a), ones(b), 2, ratio, corpus)) },
		"corpus bootstrap":   func() (any, error) { return one(CorpusBootstrap(ones(a), 2, ratio, corpus)) },
		"randomization!":     func() (any, error) { return one(ApproximateRandomization(ones(a), ones(b), 2, ratio, corpus)) }, // Delta
		"alpha, nominal":     func() (any, error) { return one(KrippendorffAlpha([][]float64{a, b}, ScaleNominal)) },
		"alpha, ordinal":     func() (any, error) { return one(KrippendorffAlpha([][]float64{a, b}, ScaleOrdinal)) },
		"alpha, interval":    func() (any, error) { return one(KrippendorffAlpha([][]float64{a, b}, ScaleInterval)) },
		"alpha, ratio":       func() (any, error) { return one(KrippendorffAlpha([][]float64{a, b}, ScaleRatio)) },
		"mixture":            func() (any, error) { return mixture(a, 1) },
		"mixture, own scale": func() (any, error) { return mixture(a, math.Max(math.Abs(a[0]), 1e-300)) },
		"cusum": func() (any, error) {
			c, err := NewCUSUM(0.5)
			for _, x := range a {
				if err == nil {
					_, _, err = c.Add(x)
				}
			}
			return []float64{c.High, c.Low}, err
		},
		"ewma": func() (any, error) {
			e, err := NewEWMA(0.3)
			for _, x := range a {
				if err == nil {
					_, err = e.Add(x)
				}
			}
			return e.Value, err
		},
		"sample ratio!": func() (any, error) { return one(SampleRatioMismatch([]int{5, 7, 1}, positive(a[:3]))) },
		"experiment": func() (any, error) {
			w := positive(a)
			e, err := NewExperiment("e", Arm{"a", w[0]}, Arm{"b", w[1]}, Arm{"c", w[2]})
			if err != nil {
				return nil, err
			}
			for i, l := range e.limits {
				if l > 1<<53 || i > 0 && l < e.limits[i-1] {
					return nil, fmt.Errorf("the limits are %v", e.limits)
				}
			}
			return nil, nil
		},
	}
	for m := QuantileLinear; m <= QuantileMidpoint; m++ {
		calls[fmt.Sprint("quantile ", m)] = func() (any, error) { return one(Quantile(a, 0.37, m)) }
	}
	return calls
}

func mixture(xs []float64, variance float64) (any, error) {
	m, err := NewMixtureSPRT(variance, nil)
	if err != nil {
		return nil, err
	}
	for _, x := range xs {
		if _, err = m.Add(x); err != nil {
			break
		}
	}
	s := m.State()
	if s.N == 0 {
		return nil, err
	}
	s.E = 0 // may overflow
	return s, err
}

// notFinite returns the first number in a result that is NaN, or infinite unless
// that is allowed.
func notFinite(v reflect.Value, infinite bool) string {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) && !infinite {
			return fmt.Sprint(f)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return notFinite(v.Elem(), infinite)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if s := notFinite(v.Field(i), infinite); s != "" {
					return v.Type().Field(i).Name + " " + s
				}
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if s := notFinite(v.Index(i), infinite); s != "" {
				return s
			}
		}
	}
	return ""
}

// scales are powers of two near which sums, squares or cubes overflow or underflow.
var scales = []int{0, 1023, 1022, 1000, 700, 664, 520, 350, 201, -201, -350, -520, -664, -1000, -1060}

func TestFiniteInputsGiveFiniteResults(t *testing.T) {
	r := rand.New(NewGenerator(71))
	sentinels := []error{ErrTooFew, ErrUndefined, ErrOverflow, ErrOption, ErrRange}
	check := func(a, b []float64) {
		t.Helper()
		for name, call := range everyStatistic(a, b) {
			got, err := call()
			if err != nil {
				known := false
				for _, s := range sentinels {
					known = known || errors.Is(err, s)
				}
				require.True(t, known, "%s: %v", name, err)
				continue
			}
			if got == nil {
				continue
			}
			if name == "randomization!" {
				got = got.(*PairedResult).CorpusEstimate
			}
			infinite := name[len(name)-1] == '!'
			if res, ok := got.(TestResult); ok && (res.P == 0 || res.P == 1) {
				infinite = true // a difference without variance
			}
			bad := notFinite(reflect.ValueOf(got), infinite)
			require.Empty(t, bad, "%s of %v and %v", name, a, b)
		}
	}
	for _, sa := range scales {
		for _, sb := range []int{sa, 0, min(-sa, 1022)} {
			n := 5 + r.IntN(40)
			a, b := normals(r, n, 0.5, 1), normals(r, n, 0, 1)
			for i := range a {
				a[i] = math.Ldexp(math.Max(-1.9, math.Min(1.9, a[i])), sa)
				b[i] = math.Ldexp(math.Max(-1.9, math.Min(1.9, b[i])), sb)
			}
			check(a, b)
			for i := range a { // few values, many ties
				a[i], b[i] = math.Copysign(a[0], a[i]), math.Copysign(b[0], b[i])
			}
			check(a, b)
			a[0], b[0] = math.MaxFloat64, -math.MaxFloat64
			check(a, b)
			a[1], a[2], b[1] = math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64
			check(a, b)
		}
	}
	constant := []float64{1e200, 1e200, 1e200, 1e200, 1e200}
	check(constant, constant)
	check(constant, []float64{0, 0, 0, 0, 0})
	check(make([]float64, 5), make([]float64, 5))
	check([]float64{1, 2, 3, 4, 5}, constant)
}

// TestResultsDontDependOnTheUnit: results without a unit stay the same, and results
// with a unit are multiplied, from 2^-900 to 2^900.
func TestResultsDontDependOnTheUnit(t *testing.T) {
	r := rand.New(NewGenerator(72))
	for range 10 {
		n := 6 + r.IntN(30)
		a, b := normals(r, n, 0.5, 1), normals(r, n, 0, 2)
		for _, unit := range []int{-900, -600, -350, 350, 600, 900} {
			x, y := make([]float64, n), make([]float64, n)
			for i := range a {
				x[i], y[i] = math.Ldexp(a[i], unit), math.Ldexp(b[i], unit)
			}
			want, got := everyStatistic(a, b), everyStatistic(x, y)
			for _, name := range []string{"dz", "d", "g", "cliff", "paired t", "welch", "student", "sign", "wilcoxon", "mann-whitney",
				"pearson", "pearson interval", "spearman", "kendall", "tau-c", "weighted kendall", "ks", "anderson",
				"alpha, nominal", "alpha, ordinal", "alpha, interval", "alpha, ratio", "hellinger", "tv", "js"} {
				w, err := want[name]()
				require.NoError(t, err, name)
				g, err := got[name]()
				require.NoError(t, err, name)
				require.Equal(t, fmt.Sprintf("%.9v", w), fmt.Sprintf("%.9v", g), name)
			}
			wantMean, err := MeanEstimate(a)
			require.NoError(t, err)
			gotMean, err := MeanEstimate(x)
			require.NoError(t, err)
			require.InEpsilon(t, wantMean.SE, math.Ldexp(gotMean.SE, -unit), 1e-12)
			wantInterval, err := PairedTInterval(a, b, 0.95)
			require.NoError(t, err)
			gotInterval, err := PairedTInterval(x, y, 0.95)
			require.NoError(t, err)
			require.InDelta(t, wantInterval.High, math.Ldexp(gotInterval.High, -unit), 1e-12)
			wantCUPED, err := want["cuped"]()
			require.NoError(t, err)
			gotCUPED, err := got["cuped"]()
			require.NoError(t, err)
			require.InEpsilon(t, wantCUPED.(*CUPEDResult).Test.Statistic, gotCUPED.(*CUPEDResult).Test.Statistic, 1e-9)
			require.InEpsilon(t, wantCUPED.(*CUPEDResult).Theta, gotCUPED.(*CUPEDResult).Theta, 1e-9)
		}
	}
	// The mean and the standard deviation of values whose sum and squares overflow.
	top := []float64{1.5e308, 1.7e308, 1.6e308}
	require.InEpsilon(t, 1.6e308, Mean(top), 1e-12)
	e, err := MeanEstimate(top)
	require.NoError(t, err)
	require.InEpsilon(t, 1e307/math.Sqrt(3), e.SE, 1e-9)
	require.Zero(t, Mean([]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64}))
	require.True(t, math.IsInf(Variance(top), 1))
	_, err = UnpairedEstimate([]float64{1.7e308, 1.7e308}, []float64{-1.7e308, -1.7e308})
	require.ErrorIs(t, err, ErrOverflow)
}

// TestExtremeParameters: levels next to 0 and 1, and effects, rates and variances
// of any size, give a result or a typed error; where growth is tested, in less than
// a minute of processor time.
func TestExtremeParameters(t *testing.T) {
	a, b := []float64{1, 2, 4, 3, 7}, []float64{2, 2, 5, 1, 3}
	timed, start := os.Getenv(growth.Env) != "" && !race.Enabled, growth.ProcessorTime()
	check := func(name string, v any, err error) {
		t.Helper()
		if timed {
			require.Less(t, growth.ProcessorTime()-start, time.Minute, name)
		}
		if err != nil {
			var input *InputError
			require.ErrorAs(t, err, &input, name)
			return
		}
		require.Empty(t, notFinite(reflect.ValueOf(v), false), "%s: %v", name, v)
	}
	d, err := Bootstrap(a, Mean, &BootstrapOptions{Resamples: 99})
	require.NoError(t, err)
	for _, level := range []float64{5e-324, 1e-300, 1e-17, 0.5, 1 - 1e-10, math.Nextafter(1, 0)} {
		for name, f := range map[string]func() (any, error){
			"percentile": func() (any, error) { return d.Percentile(level) },
			"basic":      func() (any, error) { return d.Basic(level) },
			"bca":        func() (any, error) { return d.BCa(level) },
			"paired t":   func() (any, error) { return PairedTInterval(a, b, level) },
			"welch":      func() (any, error) { return WelchInterval(a, b, level) },
			"pearson":    func() (any, error) { return PearsonInterval(a, b, level) },
			"estimate":   func() (any, error) { return Estimate{Value: 1}.Interval(level) },
			"newcombe":   func() (any, error) { return NewcombeInterval(1, 3, 2, 4, level) },
			"wilson":     func() (any, error) { return ProportionInterval(1, 3, level, ProportionWilson) },
			"clopper":    func() (any, error) { return ProportionInterval(1, 3, level, ProportionClopperPearson) },
			"wald":       func() (any, error) { return ProportionInterval(3, 3, level, ProportionWald) },
			"agresti":    func() (any, error) { return ProportionInterval(0, 3, level, ProportionAgrestiCoull) },
			"jeffreys":   func() (any, error) { return ProportionInterval(0, 3, level, ProportionJeffreys) },
			"means":      func() (any, error) { return BootstrapMeans([][]float64{{1}, {2}}, level, nil) },
			"bernoulli":  func() (any, error) { return bernoulli(level, level) },
			"bounded": func() (any, error) {
				s, err := NewBoundedSequence(&SequenceOptions{Alpha: level})
				if err != nil {
					return nil, err
				}
				_, err = s.Add(0.3)
				return s.Interval(), err
			},
			"sprt": func() (any, error) {
				s, err := NewSPRT(level, 0.25, &SPRTOptions{Alpha: level, Beta: level})
				if err == nil {
					s.Add(true)
					s.Add(false)
				}
				return s, err
			},
			"adjust": func() (any, error) {
				p, _, err := Adjust([]float64{0, level, 1}, level, AdjustmentHolmSidak)
				return p, err
			},
			"size t": func() (any, error) { return Design{Alpha: level, Power: 0.9}.SampleSizeT(0.5) },
			"size p": func() (any, error) { return Design{Alpha: level, Power: 0.9}.SampleSizeProportions(0.5, 0.6) },
		} {
			v, err := f()
			check(fmt.Sprint(name, " at level ", level), v, err)
		}
	}
	for _, x := range []float64{5e-324, 1e-200, 1e-9, 1e9, 1e200, math.MaxFloat64} {
		for name, f := range map[string]func() (any, error){
			"power t":        func() (any, error) { return Design{}.PowerT(x, 20) },
			"power t, n":     func() (any, error) { return Design{}.PowerT(0.5, x) },
			"power paired":   func() (any, error) { return Design{}.PowerPairedT(-x, 20) },
			"power paired n": func() (any, error) { return Design{}.PowerPairedT(0.1, x) },
			"size t":         func() (any, error) { return Design{}.SampleSizeT(x) },
			"size paired":    func() (any, error) { return Design{}.SampleSizePairedT(x) },
			"size h":         func() (any, error) { return Design{}.SampleSizeH(x) },
			"detectable":     func() (any, error) { return Design{}.DetectableT(x) },
			"detectable 2":   func() (any, error) { return Design{}.DetectablePairedT(x) },
			"ratio":          func() (any, error) { return Design{Ratio: x}.SampleSizeT(0.5) },
			"mixture":        func() (any, error) { return mixture(a, x) },
			"mixture 2": func() (any, error) {
				m, err := NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: x})
				if err != nil {
					return nil, err
				}
				s, err := m.Add(1)
				s.E = 0
				return s, err
			},
		} {
			v, err := f()
			check(fmt.Sprint(name, " of ", x), v, err)
		}
	}
}

func bernoulli(p0, alpha float64) (any, error) {
	s, err := NewBernoulliSequence(p0, &SequenceOptions{Alpha: alpha})
	if err != nil {
		return nil, err
	}
	for i := range 20 {
		s.Add(i%3 == 0)
	}
	state := s.State()
	state.E = 0 // may overflow
	return state, nil
}

package stats

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadInputs(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ok, ok2 := []float64{1, 2, 4, 3}, []float64{2, 2, 5, 1}
	short, none := []float64{1, 2}, []float64{}
	bad := []float64{1, nan, 3, 4}
	score := func(s []float64) float64 { return s[0] }
	stat := func(xs []float64) float64 { return xs[0] }
	one := func(_ any, err error) error { return err }
	pair := func(_ any, _ any, err error) error { return err }

	tests := map[string]struct {
		err  error
		want error
	}{
		"quantile of nothing":          {one(Quantile(none, 0.5, QuantileLinear)), ErrTooFew},
		"quantile 1.1":                 {one(Quantile(ok, 1.1, QuantileLinear)), ErrOption},
		"quantile NaN":                 {one(Quantile(ok, nan, QuantileLinear)), ErrOption},
		"quantile method":              {one(Quantile(ok, 0.5, 99)), ErrOption},
		"bootstrap of nothing":         {one(Bootstrap(none, stat, nil)), ErrTooFew},
		"bootstrap of one":             {one(Bootstrap([]float64{1}, stat, nil)), ErrTooFew},
		"paired bootstrap of one":      {one(PairedBootstrap(short, short, 2, score, nil)), ErrTooFew},
		"corpus bootstrap of one":      {one(CorpusBootstrap(short, 2, score, nil)), ErrTooFew},
		"randomization of one":         {one(ApproximateRandomization(short, short, 2, score, nil)), ErrTooFew},
		"share of one":                 {one(ShareEstimate([]float64{1})), ErrTooFew},
		"clusters, only one":           {one(ClusteredEstimate(ok, []int{7, 7, 7, 7})), ErrTooFew},
		"bootstrap NaN":                {one(Bootstrap(bad, stat, nil)), ErrNotFinite},
		"bootstrap resamples":          {one(Bootstrap(ok, stat, &BootstrapOptions{Resamples: -1})), ErrOption},
		"bootstrap means, no rows":     {one(BootstrapMeans(nil, 0.95, nil)), ErrTooFew},
		"bootstrap means, ragged":      {one(BootstrapMeans([][]float64{{1}, {1, 2}}, 0.95, nil)), ErrLength},
		"bootstrap means, level":       {one(BootstrapMeans([][]float64{{1}}, 95, nil)), ErrOption},
		"paired bootstrap, lengths":    {one(PairedBootstrap(ok, short, 2, score, nil)), ErrLength},
		"paired bootstrap, rows":       {one(PairedBootstrap(ok, ok, 3, score, nil)), ErrLength},
		"paired bootstrap, width":      {one(PairedBootstrap(ok, ok, 0, score, nil)), ErrOption},
		"paired bootstrap, empty":      {one(PairedBootstrap(none, none, 2, score, nil)), ErrTooFew},
		"paired bootstrap, NaN":        {one(PairedBootstrap(ok, bad, 2, score, nil)), ErrNotFinite},
		"randomization, lengths":       {one(ApproximateRandomization(ok, short, 1, score, nil)), ErrLength},
		"randomization, samples":       {one(ApproximateRandomization(ok, ok, 1, score, &CorpusOptions{Resamples: -1})), ErrOption},
		"corpus bootstrap, empty":      {one(CorpusBootstrap(none, 1, score, nil)), ErrTooFew},
		"paired t, lengths":            {one(PairedT(ok, short, AlternativeTwoSided)), ErrLength},
		"paired t, one pair":           {one(PairedT(ok[:1], ok[:1], AlternativeTwoSided)), ErrTooFew},
		"paired t, NaN":                {one(PairedT(ok, bad, AlternativeTwoSided)), ErrNotFinite},
		"paired t, infinite":           {one(PairedT(ok, []float64{1, 2, 3, inf}, AlternativeTwoSided)), ErrNotFinite},
		"paired t, alternative":        {one(PairedT(ok, ok2, 7)), ErrOption},
		"paired t, same":               {one(PairedT(ok, ok, AlternativeTwoSided)), ErrUndefined},
		"paired t interval, level":     {one(PairedTInterval(ok, ok2, 1)), ErrOption},
		"welch, one value":             {one(WelchT(ok, ok[:1], AlternativeTwoSided)), ErrTooFew},
		"dz, constant difference":      {one(CohenDz(ok, ok)), ErrUndefined},
		"d, constant":                  {one(CohenD([]float64{1, 1}, []float64{1, 1})), ErrUndefined},
		"h, no proportion":             {one(CohenH(0.5, 1.5)), ErrRange},
		"wilcoxon, empty":              {one(Wilcoxon(none, none, nil)), ErrTooFew},
		"wilcoxon, method":             {one(Wilcoxon(ok, ok2, &WilcoxonOptions{Method: 9})), ErrOption},
		"wilcoxon, no difference":      {one(Wilcoxon(ok, ok, &WilcoxonOptions{Method: RankMethodNormal})), ErrUndefined},
		"wilcoxon, too many for exact": {one(Wilcoxon(untied(501), make([]float64, 501), &WilcoxonOptions{Method: RankMethodExact})), ErrOption},
		"mann-whitney, empty":          {one(MannWhitney(ok, none, nil)), ErrTooFew},
		"mann-whitney, method":         {one(MannWhitney(ok, ok2, &MannWhitneyOptions{Method: 4})), ErrOption},
		"sign test, lengths":           {one(SignTest(ok, short, AlternativeTwoSided)), ErrLength},
		"permutation, samples":         {one(PairedPermutation(ok, ok2, &PermutationOptions{Resamples: -5})), ErrOption},
		"proportion, no trials":        {one(ProportionInterval(0, 0, 0.95, ProportionWilson)), ErrTooFew},
		"proportion, k > n":            {one(ProportionInterval(5, 4, 0.95, ProportionWilson)), ErrRange},
		"proportion, level 0":          {one(ProportionInterval(1, 4, 0, ProportionWilson)), ErrOption},
		"proportion, method":           {one(ProportionInterval(1, 4, 0.9, 50)), ErrOption},
		"two proportions, all":         {one(TwoProportionZ(5, 5, 4, 4, AlternativeTwoSided)), ErrUndefined},
		"newcombe":                     {one(NewcombeInterval(1, 4, -1, 4, 0.95)), ErrRange},
		"mcnemar, negative":            {one(McNemar(-1, 2, McNemarMidP)), ErrRange},
		"mcnemar, nothing differs":     {one(McNemar(0, 0, McNemarChiSquared)), ErrUndefined},
		"mcnemar, variant":             {one(McNemar(1, 2, 17)), ErrOption},
		"fisher, negative":             {one(FisherExact([2][2]int{{1, -2}, {3, 4}}, AlternativeTwoSided)), ErrRange},
		"table, one row":               {one(ChiSquaredTable([][]int{{1, 2}}, &ChiSquaredOptions{Yates: true})), ErrTooFew},
		"table, ragged":                {one(ChiSquaredTable([][]int{{1, 2}, {1}}, &ChiSquaredOptions{Yates: true})), ErrLength},
		"table, empty column":          {one(ChiSquaredTable([][]int{{0, 2}, {0, 3}}, &ChiSquaredOptions{Yates: true})), ErrUndefined},
		"adjust nothing":               {pair(Adjust(nil, 0.05, AdjustmentHolm)), ErrTooFew},
		"adjust p = 2":                 {pair(Adjust([]float64{2}, 0.05, AdjustmentHolm)), ErrRange},
		"adjust p = NaN":               {pair(Adjust([]float64{nan}, 0.05, AdjustmentHolm)), ErrRange},
		"adjust alpha":                 {pair(Adjust([]float64{0.1}, 0, AdjustmentHolm)), ErrOption},
		"adjust method":                {pair(Adjust([]float64{0.1}, 0.05, 42)), ErrOption},
		"kappa, one category":          {one(CohenKappa([]int{0}, []int{0}, 1, WeightingNone)), ErrOption},
		"kappa, always the same":       {one(CohenKappa([]int{1, 1}, []int{1, 1}, 2, WeightingNone)), ErrUndefined},
		"kappa, lengths":               {one(CohenKappa([]int{1}, []int{1, 0}, 2, WeightingNone)), ErrLength},
		"kappa, category":              {one(CohenKappa([]int{2}, []int{1}, 2, WeightingNone)), ErrRange},
		"kappa, missing":               {one(CohenKappa([]int{MissingRating}, []int{1}, 2, WeightingNone)), ErrRange},
		"fleiss, one rater":            {one(FleissKappa([][]int{{1, 0}}, 2)), ErrTooFew},
		"gwet, nothing rated twice":    {one(GwetAC([][]int{{1, MissingRating}, {MissingRating, 0}}, 2, WeightingNone)), ErrTooFew},
		"gwet, no items":               {one(GwetAC([][]int{{}, {}}, 2, WeightingNone)), ErrTooFew},
		"percent, lengths":             {one(PercentAgreement([]int{1}, nil)), ErrLength},
		"alpha, one rater":             {one(KrippendorffAlpha([][]float64{{1, 2}}, ScaleNominal)), ErrTooFew},
		"alpha, ragged":                {one(KrippendorffAlpha([][]float64{{1, 2}, {1}}, ScaleNominal)), ErrLength},
		"alpha, infinite":              {one(KrippendorffAlpha([][]float64{{1, inf}, {1, 2}}, ScaleNominal)), ErrNotFinite},
		"alpha, all equal":             {one(KrippendorffAlpha([][]float64{{1, 1}, {1, 1}}, ScaleNominal)), ErrUndefined},
		"alpha, all missing":           {one(KrippendorffAlpha([][]float64{{nan}, {nan}}, ScaleNominal)), ErrTooFew},
		"alpha, scale":                 {one(KrippendorffAlpha([][]float64{{1, 2}, {1, 2}}, 12)), ErrOption},
		"pearson, constant":            {one(Pearson(ok, []float64{1, 1, 1, 1})), ErrUndefined},
		"pearson interval, 3 pairs":    {one(PearsonInterval(ok[:3], ok2[:3], 0.95)), ErrTooFew},
		"spearman, lengths":            {one(Spearman(ok, short)), ErrLength},
		"kendall, constant":            {one(Kendall(ok, []float64{1, 1, 1, 1}, nil)), ErrUndefined},
		"kendall, exact with ties":     {one(Kendall(ok, ok2, &KendallOptions{Method: RankMethodExact})), ErrUndefined},
		"kendall, method":              {one(Kendall(ok, ok2, &KendallOptions{Method: RankMethodPermutation})), ErrOption},
		"weighted kendall, constant":   {one(WeightedKendall(ok, []float64{1, 1, 1, 1})), ErrUndefined},
		"mean error of one":            {one(MeanEstimate(ok[:1])), ErrTooFew},
		"share error of a 2":           {one(ShareEstimate([]float64{0, 2})), ErrRange},
		"clusters, lengths":            {one(ClusteredEstimate(ok, []int{1})), ErrLength},
		"interval level":               {one(Estimate{}.Interval(2)), ErrOption},
		"cuped, lengths":               {one(CUPED(ok, ok2, []bool{true})), ErrLength},
		"cuped, constant":              {one(CUPED([]float64{1, 1, 1, 1}, ok2, make([]bool, 4))), ErrUndefined},
		"cuped, one arm":               {one(CUPED(ok, ok2, make([]bool, 4))), ErrTooFew},
		"power, alpha":                 {one(Design{Alpha: 2}.PowerT(0.5, 20)), ErrOption},
		"power, n":                     {one(Design{}.PowerT(0.5, 0)), ErrOption},
		"power, no degree of freedom":  {one(Design{}.PowerT(0.5, 1)), ErrTooFew},
		"size, no effect":              {one(Design{}.SampleSizeT(0)), ErrOption},
		"size, equal proportions":      {one(Design{}.SampleSizeProportions(0.2, 0.2)), ErrOption},
		"size, power below alpha":      {one(Design{Alpha: 0.1, Power: 0.05}.SampleSizePairedT(1)), ErrOption},
		"mde, one pair":                {one(Design{}.DetectablePairedT(1)), ErrTooFew},
		"evidence, negative":           {one(EvidenceP(-1)), ErrRange},
		"evidence, none":               {one(RejectByEvidence(nil, 0.05)), ErrTooFew},
		"evidence, NaN":                {one(RejectByEvidence([]float64{nan}, 0.05)), ErrRange},
		"evidence, alpha":              {one(RejectByEvidence([]float64{1}, 1)), ErrOption},
		"mixture, variance":            {one(NewMixtureSPRT(0, &MixtureSPRTOptions{EffectVariance: 1, Alpha: 0.05})), ErrOption},
		"mixture, tau2":                {one(NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: inf, Alpha: 0.05})), ErrOption},
		"mixture, alpha":               {one(NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: 1, Alpha: 1})), ErrOption},
		"bernoulli sequence":           {one(NewBernoulliSequence(0, &SequenceOptions{Alpha: 0.05})), ErrOption},
		"bounded sequence":             {one(NewBoundedSequence(&SequenceOptions{Alpha: nan})), ErrOption},
		"sprt, p0 = p1":                {one(NewSPRT(0.1, 0.1, &SPRTOptions{Alpha: 0.05, Beta: 0.1})), ErrOption},
		"sprt, alpha + beta":           {one(NewSPRT(0.1, 0.2, &SPRTOptions{Alpha: 0.5, Beta: 0.5})), ErrOption},
		"ks, empty":                    {one(KolmogorovSmirnov(ok, none, KSExact)), ErrTooFew},
		"ks, method":                   {one(KolmogorovSmirnov(ok, ok2, 9)), ErrOption},
		"wasserstein, NaN":             {one(Wasserstein(bad, ok)), ErrNotFinite},
		"anderson, one sample":         {one(AndersonDarling(ok)), ErrTooFew},
		"anderson, equal":              {one(AndersonDarling([]float64{1, 1}, []float64{1, 1})), ErrUndefined},
		"edges, one bin":               {one(QuantileEdges(ok, 1)), ErrOption},
		"shares, unsorted edges":       {one(BinShares(ok, []float64{2, 1})), ErrOption},
		"psi, lengths":                 {one(PSI([]float64{1}, []float64{0.5, 0.5}, 1e-4)), ErrLength},
		"psi, no bins":                 {one(PSI(nil, nil, 1e-4)), ErrTooFew},
		"psi, negative":                {one(PSI([]float64{-1, 2}, []float64{0.5, 0.5}, 0)), ErrRange},
		"js, floor":                    {one(JensenShannon(ok, ok2, 1)), ErrOption},
		"experiment, one arm":          {one(NewExperiment("x", Arm{"a", 1})), ErrOption},
		"experiment, no weight":        {one(NewExperiment("x", Arm{"a", 0}, Arm{"b", 0})), ErrOption},
		"experiment, NaN weight":       {one(NewExperiment("x", Arm{"a", 1}, Arm{"b", nan})), ErrOption},
		"bootstrap, nil statistic":     {one(Bootstrap(ok, nil, nil)), ErrOption},
		"bootstrap, workers":           {one(Bootstrap(ok, stat, &BootstrapOptions{Workers: -1})), ErrOption},
		"paired bootstrap, nil score":  {one(PairedBootstrap(ok, ok, 1, nil, nil)), ErrOption},
		"corpus bootstrap, nil score":  {one(CorpusBootstrap(ok, 1, nil, nil)), ErrOption},
		"corpus bootstrap, workers":    {one(CorpusBootstrap(ok, 1, score, &CorpusOptions{Workers: -1})), ErrOption},
		"randomization, nil score":     {one(ApproximateRandomization(ok, ok, 1, nil, nil)), ErrOption},
		"randomization, confidence":    {one(ApproximateRandomization(ok, ok, 1, score, &CorpusOptions{ConfidenceResamples: -1})), ErrOption},
		"empty distribution, interval": {one((&BootstrapDistribution{}).Percentile(0.9)), ErrTooFew},
		"empty distribution, mirrored": {one((&BootstrapDistribution{}).Basic(0.9)), ErrTooFew},
		"empty distribution, BCa":      {one((&BootstrapDistribution{}).BCa(0.9)), ErrTooFew},
		"generator, nil seed":          {one(NewGeneratorBig(nil)), ErrOption},
		"generator, negative seed":     {one(NewGeneratorBig(big.NewInt(-1))), ErrOption},
		"wilcoxon, zeros":              {one(Wilcoxon(ok, ok2, &WilcoxonOptions{Zeros: 3})), ErrOption},
		"mixture, negative alpha":      {one(NewMixtureSPRT(1, &MixtureSPRTOptions{Alpha: -1})), ErrOption},
		"sprt, beta":                   {one(NewSPRT(0.1, 0.2, &SPRTOptions{Beta: 1})), ErrOption},
		"cusum, slack":                 {one(NewCUSUM(-0.5)), ErrOption},
		"ewma, no lambda":              {one(NewEWMA(0)), ErrOption},
		"sample ratio, lengths":        {one(SampleRatioMismatch([]int{1}, []float64{1, 1})), ErrLength},
		"sample ratio, no unit":        {one(SampleRatioMismatch([]int{0, 0}, []float64{1, 1})), ErrTooFew},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var input *InputError
			require.ErrorIs(t, test.err, test.want)
			require.True(t, errors.As(test.err, &input))
			require.NotEmpty(t, input.Func)
			require.NotEmpty(t, input.Detail)
		})
	}
}

func TestBadObservationsLeaveSequencesAsTheyWere(t *testing.T) {
	m, err := NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: 1, Alpha: 0.05})
	require.NoError(t, err)
	_, err = m.Add(1)
	require.NoError(t, err)
	before := m.State()
	_, err = m.Add(math.NaN())
	require.ErrorIs(t, err, ErrNotFinite)
	require.Equal(t, before, m.State())

	b, err := NewBoundedSequence(&SequenceOptions{Alpha: 0.05})
	require.NoError(t, err)
	was := b.Interval()
	_, err = b.Add(1.5)
	require.ErrorIs(t, err, ErrRange)
	require.Equal(t, was, b.Interval())

	cusum, err := NewCUSUM(0.5)
	require.NoError(t, err)
	ewma, err := NewEWMA(0.2)
	require.NoError(t, err)
	_, _, err = cusum.Add(2)
	require.NoError(t, err)
	_, err = ewma.Add(2)
	require.NoError(t, err)
	high, low, err := cusum.Add(math.NaN())
	require.ErrorIs(t, err, ErrNotFinite)
	require.Equal(t, []float64{1.5, 0}, []float64{high, low})
	average, err := ewma.Add(math.Inf(1))
	require.ErrorIs(t, err, ErrNotFinite)
	require.InDelta(t, 0.4, average, 1e-12)
}

// TestDefaults: nil options and the zero value are the defaults that the
// comments state.
func TestDefaults(t *testing.T) {
	mixture, err := NewMixtureSPRT(4, nil)
	require.NoError(t, err)
	set, err := NewMixtureSPRT(4, &MixtureSPRTOptions{EffectVariance: 0.04, Alpha: 0.05})
	require.NoError(t, err)
	require.Equal(t, set, mixture)

	sprt, err := NewSPRT(0.1, 0.2, nil)
	require.NoError(t, err)
	spelled, err := NewSPRT(0.1, 0.2, &SPRTOptions{Alpha: 0.05, Beta: 0.2})
	require.NoError(t, err)
	require.Equal(t, spelled, sprt)

	bernoulli, err := NewBernoulliSequence(0.5, &SequenceOptions{})
	require.NoError(t, err)
	require.InDelta(t, 0.95, bernoulli.State().Interval.Level, 1e-12)
	bounded, err := NewBoundedSequence(nil)
	require.NoError(t, err)
	require.InDelta(t, 0.95, bounded.Interval().Level, 1e-12)

	var none Adjustment
	require.Equal(t, AdjustmentHolm, none)
	require.Equal(t, "Verdict(9)", Verdict(9).String())
}

// FuzzFloats gives extreme numbers to all functions that take samples: they don't
// panic, and a p-value is a probability.
func FuzzFloats(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 255, 254, 7, 8}, uint8(1))
	f.Add([]byte{}, uint8(0))
	f.Add([]byte{9, 9, 9, 9, 9, 9}, uint8(3))
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64,
		math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1), 1e300, 1e-300}
	f.Fuzz(func(t *testing.T, data []byte, shape uint8) {
		xs := make([]float64, len(data))
		for i, b := range data {
			xs[i] = float64(int8(b)) / 4
			if shape%4 == 1 && b%8 == 0 {
				xs[i] = special[int(b/8)%len(special)]
			}
		}
		half := len(xs) / 2
		a, b := xs[:half], xs[half:half+half]
		probability := func(res TestResult, err error) {
			if err == nil && !(res.P >= 0 && res.P <= 1) && !math.IsNaN(res.P) {
				t.Fatalf("p-value %v", res.P)
			}
		}
		for alt := AlternativeTwoSided; alt <= AlternativeLess; alt++ {
			probability(PairedT(a, b, alt))
			probability(WelchT(a, b, alt))
			probability(StudentT(a, b, alt))
			probability(SignTest(a, b, alt))
			if half <= 20 {
				probability(PairedPermutation(a, b, &PermutationOptions{Alternative: alt, Resamples: 50}))
			}
			for m := RankMethodAuto; m <= RankMethodPermutation; m++ {
				for z := ZerosDrop; z <= ZerosSplit; z++ {
					probability(Wilcoxon(a, b, &WilcoxonOptions{Alternative: alt, Method: m, Zeros: z, Continuity: shape%2 == 0}))
				}
				if half <= 20 {
					probability(MannWhitney(a, b, &MannWhitneyOptions{Alternative: alt, Method: m}))
				}
			}
		}
		probability(Pearson(a, b))
		probability(Spearman(a, b))
		probability(Kendall(a, b, nil))
		probability(KolmogorovSmirnov(a, b, KSSciPy))
		probability(KolmogorovSmirnov(a, b, KSExact))
		_, _ = AndersonDarling(a, b)
		_, _ = Wasserstein(a, b)
		_, _ = KrippendorffAlpha([][]float64{a, b}, Scale(shape%4))
		if half >= 5 && half <= 20 && allFinite(xs) {
			for name, call := range everyStatistic(a, b) {
				got, err := call()
				if res, ok := got.(TestResult); err != nil || got == nil || name == "randomization!" || ok && (res.P == 0 || res.P == 1) {
					continue
				}
				if bad := notFinite(reflect.ValueOf(got), name[len(name)-1] == '!'); bad != "" {
					t.Fatalf("%s of %v and %v is %s", name, a, b, bad)
				}
			}
		}
		if d, err := Bootstrap(xs, Median, &BootstrapOptions{Resamples: 20}); err == nil {
			_, _ = d.BCa(0.95)
		}
	})
}

// TestErrorsNameThePackage: the sentinels and the errors that wrap them begin
// with the package's name, once.
func TestErrorsNameThePackage(t *testing.T) {
	for _, err := range []error{ErrOption, ErrLength, ErrTooFew, ErrNotFinite, ErrRange, ErrOverflow, ErrUndefined} {
		require.True(t, strings.HasPrefix(err.Error(), "stats: "), err)
	}
	_, err := PairedT(nil, nil, AlternativeTwoSided)
	require.EqualError(t, err, "stats: too few observations: PairedT: first sample has 0, needs at least 2")
}

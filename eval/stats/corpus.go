package stats

import (
	"math"
	"slices"
)

// A corpus metric such as BLEU isn't the mean of its segments' scores, so its
// significance can't be computed from a list of scores. It has sufficient
// statistics: numbers per segment (matches, totals, lengths) that add up, and a
// score that is a function of the sums. A resample is then a weighted sum of rows,
// and the same code works for every metric. For a metric that is a mean, the row is
// [score, 1] and the score is sum[0]/sum[1].

// CorpusOptions sets how [PairedBootstrap], [ApproximateRandomization] and
// [CorpusBootstrap] resample; nil means the defaults.
type CorpusOptions struct {
	// Resamples is the number of resamples or trials. Default: 1000 for the
	// bootstrap and 10000 for approximate randomization, as in sacreBLEU.
	Resamples int
	// ConfidenceResamples is for approximate randomization only: the number of
	// bootstrap resamples for Mean and HalfWidth. Default: none, which leaves
	// them NaN.
	ConfidenceResamples int
	// Seed starts the random stream, NumPy's default_rng(Seed). Default: 12345,
	// sacreBLEU's.
	Seed uint64
	// Workers is the number of goroutines. The result doesn't depend on it.
	// Default: one a processor.
	Workers int
}

// A CorpusEstimate is a corpus score with its bootstrap uncertainty.
type CorpusEstimate struct {
	// Score is the score of the whole corpus.
	Score float64
	// Mean is the mean of the resamples' scores.
	Mean float64
	// HalfWidth is half the width of their central 95 %, the ± of sacreBLEU.
	HalfWidth float64
}

// A PairedResult compares a system with a baseline on the same segments.
type PairedResult struct {
	// Baseline is the baseline's score.
	Baseline float64
	// CorpusEstimate is the system's score, with Mean and HalfWidth.
	CorpusEstimate
	// P is the two-sided p-value of no difference between the two.
	P float64
	// Delta is the central 95 % of the resampled differences, system minus
	// baseline: what to report beside P. NaN after approximate randomization, which
	// doesn't estimate it.
	Delta Interval
}

// PairedBootstrap tests whether a system and a baseline differ, by resampling
// segments with replacement for both at once (Koehn, "Statistical Significance
// Tests for Machine Translation Evaluation", 2004).
//
// baseline and system are the sufficient statistics, row after row of width
// numbers a segment, and score computes the metric from their sums; it must
// not keep its argument and must be safe for concurrent use. With d the
// observed and d* the resampled |differences|,
//
//	p = (1 + #{ d* - mean(d*) > d }) / (1 + Resamples)
//
// which is sacreBLEU's, and with the same seed the same number: the stream is
// NumPy's. sacreBLEU sums in float32; the sums here are float64, so Mean and
// HalfWidth differ from its in the seventh digit.
func PairedBootstrap(baseline, system []float64, width int, score func(sum []float64) float64, o *CorpusOptions) (*PairedResult, error) {
	const fn = "PairedBootstrap"
	n, samples, o, err := checkCorpus(fn, o, score, 1000, width, baseline, system)
	if err != nil {
		return nil, err
	}
	out := &PairedResult{Baseline: score(totals(baseline, width))}
	out.Score = score(totals(system, width))
	scores := resampledScores([][]float64{baseline, system}, n, width, samples, o.Workers,
		NewGenerator(seedOr(o.Seed)), score)
	if err := checkScores(fn, scores, out.Baseline, out.Score); err != nil {
		return nil, err
	}
	deltas := make([]float64, samples)
	absolute := make([]float64, samples)
	for i := range deltas {
		deltas[i] = scores[1][i] - scores[0][i]
		absolute[i] = math.Abs(deltas[i])
	}
	center, observed := Mean(absolute), math.Abs(out.Baseline-out.Score)
	beyond := 0
	for _, d := range absolute {
		if d-center > observed {
			beyond++
		}
	}
	out.P = float64(beyond+1) / float64(samples+1)
	out.Mean, out.HalfWidth = central(scores[1])
	slices.Sort(deltas)
	out.Delta = Interval{Low: sortedQuantile(deltas, 0.025, QuantileLinear), High: sortedQuantile(deltas, 0.975, QuantileLinear), Level: 0.95}
	if err := checkResult(fn, observed, center, out.Mean, out.HalfWidth, out.Delta.Low, out.Delta.High); err != nil {
		return nil, err
	}
	return out, nil
}

// CorpusBootstrap puts a 95 % range around one system's corpus score.
func CorpusBootstrap(system []float64, width int, score func(sum []float64) float64, o *CorpusOptions) (*CorpusEstimate, error) {
	const fn = "CorpusBootstrap"
	n, samples, o, err := checkCorpus(fn, o, score, 1000, width, system)
	if err != nil {
		return nil, err
	}
	out := &CorpusEstimate{Score: score(totals(system, width))}
	scores := resampledScores([][]float64{system}, n, width, samples, o.Workers,
		NewGenerator(seedOr(o.Seed)), score)
	if err := checkScores(fn, scores, out.Score); err != nil {
		return nil, err
	}
	out.Mean, out.HalfWidth = central(scores[0])
	return out, nil
}

// checkScores refuses scores of a corpus, or of its resamples, that aren't finite.
func checkScores(fn string, resampled [][]float64, corpus ...float64) error {
	for _, scores := range append(resampled, corpus) {
		if err := checkStatistic(fn, scores); err != nil {
			return err
		}
	}
	return nil
}

// ApproximateRandomization tests the same null hypothesis as [PairedBootstrap]
// without resampling: if the systems are equal, it doesn't matter which of them
// wrote which output, so each trial swaps the outputs of each segment with
// probability one half (Riezler and Maxwell, "On Some Pitfalls in Automatic
// Evaluation and Significance Testing for MT", 2005).
//
//	p = (1 + #{ |difference of a trial| > |observed difference| }) / (1 + Resamples)
//
// It assumes less than the bootstrap and is the better default. P is
// sacreBLEU's for the same seed, as are Mean and HalfWidth (to float32) when
// ConfidenceResamples asks for them.
func ApproximateRandomization(baseline, system []float64, width int, score func(sum []float64) float64, o *CorpusOptions) (*PairedResult, error) {
	const fn = "ApproximateRandomization"
	n, samples, o, err := checkCorpus(fn, o, score, 10000, width, baseline, system)
	if err != nil {
		return nil, err
	}
	confidence, err := countOr(fn, "CorpusOptions.ConfidenceResamples", o.ConfidenceResamples, 0)
	if err != nil {
		return nil, err
	}
	nan := math.NaN()
	out := &PairedResult{Baseline: score(totals(baseline, width)), Delta: Interval{Low: nan, High: nan, Level: 0.95}}
	out.CorpusEstimate = CorpusEstimate{Score: score(totals(system, width)), Mean: nan, HalfWidth: nan}
	g := NewGenerator(seedOr(o.Seed))
	observed := math.Abs(out.Baseline - out.Score)
	beyond := 0
	swapped := swappedDifferences(baseline, system, n, width, samples, o.Workers, g, score)
	if err := checkScores(fn, [][]float64{swapped}, out.Baseline, out.Score, observed); err != nil {
		return nil, err
	}
	for _, d := range swapped {
		if d > observed {
			beyond++
		}
	}
	out.P = float64(beyond+1) / float64(samples+1)
	if confidence > 0 {
		scores := resampledScores([][]float64{system}, n, width, confidence, o.Workers, g, score)
		if err := checkScores(fn, scores); err != nil {
			return nil, err
		}
		out.Mean, out.HalfWidth = central(scores[0])
	}
	return out, nil
}

// checkCorpus returns the number of segments and of resamples, and the options with
// their defaults.
func checkCorpus(fn string, o *CorpusOptions, score func([]float64) float64, samples, width int, systems ...[]float64) (int, int, *CorpusOptions, error) {
	n, err := checkRows(fn, width, systems...)
	if err != nil {
		return 0, 0, nil, err
	}
	if err := checkFunc(fn, "score", score); err != nil {
		return 0, 0, nil, err
	}
	if o == nil {
		o = &CorpusOptions{}
	}
	if _, err := countOr(fn, "CorpusOptions.Workers", o.Workers, 0); err != nil {
		return 0, 0, nil, err
	}
	samples, err = countOr(fn, "CorpusOptions.Resamples", o.Resamples, samples)
	return n, samples, o, err
}

func checkRows(fn string, width int, systems ...[]float64) (n int, err error) {
	if width < 1 {
		return 0, fail(fn, ErrOption, "width is %d: want 1 or more", width)
	}
	for i, rows := range systems {
		switch {
		case len(rows)%width != 0:
			return 0, fail(fn, ErrLength, "%d numbers are not whole rows of %d", len(rows), width)
		case len(rows) != len(systems[0]):
			return 0, fail(fn, ErrLength, "%d and %d segments; a paired test needs the same ones", len(systems[0])/width, len(rows)/width)
		}
		if err := checkSample(fn, []string{"first system", "second system"}[i], rows, width); err != nil {
			return 0, err
		}
	}
	n = len(systems[0]) / width
	if n < 2 {
		return 0, fail(fn, ErrTooFew, "1 segment, needs at least 2: one shows no spread")
	}
	if n > math.MaxInt32 {
		return 0, fail(fn, ErrRange, "%d segments: want a number that fits in 32 bits", n)
	}
	return n, nil
}

func totals(rows []float64, width int) []float64 {
	out := make([]float64, width)
	for i := 0; i < len(rows); i += width {
		for j, x := range rows[i : i+width] {
			out[j] += x
		}
	}
	return out
}

// central returns the mean of the scores and half the width of the middle 95 %
// by sacreBLEU's rule, n/40 scores cut off at each end.
func central(scores []float64) (mean, half float64) {
	s := slices.Sorted(slices.Values(scores))
	cut := len(s) / 40
	return Mean(s), s[len(s)-1-cut]/2 - s[cut]/2
}

// resampledScores scores every resample: result[s][i] is system s on resample i. A
// resample is stored as how often each segment was drawn, so it is a weighted sum
// of rows in memory order.
func resampledScores(systems [][]float64, n, width, samples, workers int, g *Generator, score func([]float64) float64) [][]float64 {
	out := make([][]float64, len(systems))
	for s := range out {
		out[s] = make([]float64, samples)
	}
	t := newTable(systems, n, width, 2)
	workers = workersFor((samples+drawn-1)/drawn, workers)
	sums := make([][]float64, workers)
	for w := range workers {
		sums[w] = make([]float64, len(t.columns))
	}
	drawInOrder(g, n, samples, workers, func(i, w int, counts []uint16) {
		t.weightedSums(counts, sums[w])
		for s := range out {
			out[s][i] = score(sums[w][s*width : (s+1)*width])
		}
	})
	return out
}

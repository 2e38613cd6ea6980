package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prodailabs/prodai/internal/dist"
	"github.com/prodailabs/prodai/internal/drift"
)

// CompareOptions are the settings of [Compare].
type CompareOptions struct {
	// MinValues is the smallest size of a sample. Default: 30.
	MinValues int
	// Bins is how many bins of equal share the reference is cut into. Default: 10.
	Bins int
	// Effect is the smallest PSI that counts as a shift. Default: 0.25. With
	// thousands of values a shift without meaning has a tiny p-value, so an alarm
	// needs both.
	Effect float64
	// Alpha is the largest p-value of an alarm, for all features of [CompareAll]
	// together. Default: 0.01.
	Alpha float64
}

func (o *CompareOptions) full() (CompareOptions, error) {
	var c CompareOptions
	if o != nil {
		c = *o
	}
	c.MinValues, c.Bins = cmp.Or(c.MinValues, 30), cmp.Or(c.Bins, 10)
	c.Effect, c.Alpha = cmp.Or(c.Effect, 0.25), cmp.Or(c.Alpha, 0.01)
	if c.MinValues < 1 || c.Bins < 2 || !(c.Effect > 0 && c.Alpha > 0 && c.Alpha < 1) {
		return c, optionError("CompareOptions %v: want 2 Bins or more, and an Alpha between 0 and 1", c)
	}
	return c, nil
}

// A Comparison says how two samples differ.
type Comparison struct {
	KS float64 // largest distance of the distribution functions
	P  float64 // of KS; of CompareAll: adjusted for the number of features

	// PSI is the population stability index of equal-share bins, a share of 0 counting
	// as 1e-4. JensenShannon is the divergence of the same bins in nats, at most ln 2.
	PSI, JensenShannon float64

	Missing float64 // share of values of the new sample that are NaN
	State   State   // StateLearning without enough data, StateStable, StateAlarm
	Err     error   // [ErrNoData], of CompareAll
}

// psiFloor is what an empty bin's share counts as in a PSI.
const psiFloor = 1e-4

// Compare tests whether a sample has another distribution than a reference, for
// example the lengths of a day's answers and those of the week before. NaN stands for
// a missing value: it is counted, and left out. It fails with [ErrNoData] if a sample
// is too small, with [ErrValue] on an infinity, and with [ErrOption].
func Compare(reference, now []float64, o *CompareOptions) (Comparison, error) {
	set, err := o.full()
	if err != nil {
		return Comparison{}, err
	}
	var c Comparison
	ref, _, err := present(reference)
	if err != nil {
		return c, err
	}
	xs, missing, err := present(now)
	if err != nil {
		return c, err
	}
	c.Missing = missing
	if len(ref) < set.MinValues || len(xs) < set.MinValues {
		return c, fmt.Errorf("%w: samples of %d and %d values: want %d", ErrNoData, len(ref), len(xs), set.MinValues)
	}
	c.KS = drift.KS(ref, xs)
	c.P = ksP(len(ref), len(xs), c.KS)
	edges := quantileEdges(ref, set.Bins)
	p, q := drift.BinShares(ref, edges), drift.BinShares(xs, edges)
	c.JensenShannon = drift.JensenShannon(p, q)
	c.PSI = drift.PSI(floored(p), floored(q))
	c.State = StateStable
	if c.P <= set.Alpha && c.PSI >= set.Effect {
		c.State = StateAlarm
	}
	return c, nil
}

// ksP is exact for small samples, where the limit law is wrong by up to a half.
func ksP(m, n int, d float64) float64 {
	if m*n <= 10_000 {
		return dist.KSTwoSampleSF(m, n, d)
	}
	return drift.KSLikeSciPy(m, n, d)
}

func present(xs []float64) (kept []float64, missing float64, err error) {
	for _, x := range xs {
		if math.IsInf(x, 0) {
			return nil, 0, checkValue(x)
		}
		if !math.IsNaN(x) {
			kept = append(kept, x)
		}
	}
	if len(xs) > 0 {
		missing = float64(len(xs)-len(kept)) / float64(len(xs))
	}
	return kept, missing, nil
}

// quantileEdges cuts a sample into bins of equal share. Equal edges are merged, so
// that a constant has one bin for itself.
func quantileEdges(xs []float64, bins int) []float64 {
	sorted := slices.Sorted(slices.Values(xs))
	var edges []float64
	for i := 1; i < bins; i++ {
		at := float64(len(sorted)-1) * float64(i) / float64(bins)
		lo := int(at)
		hi := min(lo+1, len(sorted)-1)
		part := at - float64(lo)
		edges = append(edges, sorted[lo]*(1-part)+sorted[hi]*part)
	}
	edges = slices.Compact(edges)
	if len(edges) == 1 { // a constant, or nearly: values above it fall into a bin of their own
		edges = append(edges, math.Nextafter(edges[0], math.Inf(1)))
	}
	return edges
}

func floored(shares []float64) []float64 {
	out := slices.Clone(shares)
	for i := range out {
		out[i] = max(out[i], psiFloor)
	}
	return out
}

// PSI is the population stability index of counts against reference counts, a share
// of 0 counting as 1e-4. Less than 0.1 is called stable, more than 0.25 shifted. It
// fails with [ErrNoData] if a side has no counts, and with [ErrValue].
func PSI(reference, now []float64) (float64, error) {
	p, q, err := shares(reference, now)
	if err != nil {
		return math.NaN(), err
	}
	return drift.PSI(floored(p), floored(q)), nil
}

// JensenShannon is the divergence of counts from reference counts, in nats, at most
// ln 2. Its errors are those of [PSI].
func JensenShannon(reference, now []float64) (float64, error) {
	p, q, err := shares(reference, now)
	if err != nil {
		return math.NaN(), err
	}
	return drift.JensenShannon(p, q), nil
}

func shares(a, b []float64) (p, q []float64, err error) {
	if len(a) != len(b) {
		return nil, nil, fmt.Errorf("%w: %d and %d counts: want as many", ErrValue, len(a), len(b))
	}
	var out [2][]float64
	for i, counts := range [][]float64{a, b} {
		total := 0.0
		for _, n := range counts {
			if !(n >= 0) || !finite(total+n) {
				return nil, nil, fmt.Errorf("%w: count %v", ErrValue, n)
			}
			total += n
		}
		if total == 0 {
			return nil, nil, fmt.Errorf("%w: all counts are 0", ErrNoData)
		}
		for _, n := range counts {
			out[i] = append(out[i], n/total)
		}
	}
	return out[0], out[1], nil
}

// CompareAll compares many features. The p-values are adjusted by Holm's method, so
// that Alpha is the chance of any false alarm, however many features there are. A
// feature without data has Err set and does not hide the others. It fails with
// [ErrOption].
func CompareAll(reference, now map[string][]float64, o *CompareOptions) (map[string]Comparison, error) {
	set, err := o.full()
	if err != nil {
		return nil, err
	}
	out := map[string]Comparison{}
	var tested []string
	for _, name := range slices.Sorted(maps.Keys(reference)) {
		c, err := Compare(reference[name], now[name], &set)
		c.Err = err
		out[name] = c
		if err == nil {
			tested = append(tested, name)
		}
	}
	slices.SortStableFunc(tested, func(a, b string) int { return cmp.Compare(out[a].P, out[b].P) })
	least := 0.0
	for i, name := range tested {
		c := out[name]
		least = max(least, min(c.P*float64(len(tested)-i), 1))
		c.P, c.State = least, StateStable
		if c.P <= set.Alpha && c.PSI >= set.Effect {
			c.State = StateAlarm
		}
		out[name] = c
	}
	return out, nil
}

// MMDResult is the squared maximum mean discrepancy of two samples of vectors.
type MMDResult struct {
	Biased, Unbiased float64
	Gamma            float64 // of the kernel
}

// MMD is the squared maximum mean discrepancy with the kernel exp(-gamma |x-y|²)
// (Gretton et al., 2012), for drift of embeddings. With a gamma of 0 the kernel's
// width is the median rule: gamma = 1 / the median of the squared distances of all
// pairs. It needs O((n+m)²) time. Its errors wrap [ErrNoData] (fewer than two
// vectors, or all equal with gamma 0) and [ErrValue].
func MMD(x, y [][]float64, gamma float64) (MMDResult, error) {
	if len(x) < 2 || len(y) < 2 {
		return MMDResult{}, fmt.Errorf("%w: %d and %d vectors: want two", ErrNoData, len(x), len(y))
	}
	all := slices.Concat(x, y)
	for _, v := range all {
		if len(v) != len(all[0]) {
			return MMDResult{}, fmt.Errorf("%w: vectors of %d and %d numbers", ErrValue, len(all[0]), len(v))
		}
	}
	var distances []float64
	for i := range all {
		for j := range i {
			d := 0.0
			for k := range all[i] {
				d += (all[i][k] - all[j][k]) * (all[i][k] - all[j][k])
			}
			if err := checkValue(d); err != nil {
				return MMDResult{}, err
			}
			distances = append(distances, d) // pair i, j is at i(i-1)/2 + j
		}
	}
	if gamma == 0 {
		sorted := slices.Sorted(slices.Values(distances))
		median := (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
		if median == 0 {
			return MMDResult{}, fmt.Errorf("%w: most vectors are equal: state a gamma", ErrNoData)
		}
		gamma = 1 / median
	}
	if !(gamma > 0) || !finite(gamma) {
		return MMDResult{}, fmt.Errorf("%w: gamma %v: want a positive number", ErrValue, gamma)
	}
	var xx, yy, xy float64
	for i := range all {
		for j := range i {
			k := math.Exp(-gamma * distances[i*(i-1)/2+j])
			switch {
			case i < len(x):
				xx += 2 * k
			case j >= len(x):
				yy += 2 * k
			default:
				xy += k
			}
		}
	}
	m, n := float64(len(x)), float64(len(y))
	return MMDResult{
		Biased:   (xx+m)/(m*m) + (yy+n)/(n*n) - 2*xy/(m*n),
		Unbiased: xx/(m*(m-1)) + yy/(n*(n-1)) - 2*xy/(m*n),
		Gamma:    gamma,
	}, nil
}

package stats

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/prodailabs/prodai/internal/dist"
)

// An Arm is one variant of an experiment and its share of the units.
type Arm struct {
	Name string
	// Weight is relative to the other arms'; an arm of weight 0 gets no units.
	Weight float64
}

// An Experiment assigns units to arms by hashing. The same unit always gets the
// same arm, on every machine and without a table. Two experiments of different
// names assign independently. If shares are changed, only the units at the moved
// borders change their arm.
type Experiment struct {
	name   string
	arms   []Arm
	limits []uint64 // arm i gets the hashes from limits[i-1] up to limits[i]
}

// NewExperiment makes an experiment. Give it a new name when it is run again
// with the same users: the old one would give each the old arm.
func NewExperiment(name string, arms ...Arm) (*Experiment, error) {
	const fn = "NewExperiment"
	if len(arms) < 2 {
		return nil, fail(fn, ErrOption, "the number of arms is %d: want 2 or more", len(arms))
	}
	total, unit := 0.0, 0
	for _, a := range arms {
		if !(a.Weight >= 0) || math.IsInf(a.Weight, 1) {
			return nil, fail(fn, ErrOption, "Arm.Weight of %q is %v: want a finite number of at least 0", a.Name, a.Weight)
		}
		_, exp := math.Frexp(a.Weight)
		unit = max(unit, exp)
	}
	for _, a := range arms { // divided by a power of two, so that no sum overflows
		total += math.Ldexp(a.Weight, -unit)
	}
	if !(total > 0) {
		return nil, fail(fn, ErrOption, "Arm.Weight is 0 for every arm: want a positive one")
	}
	e := &Experiment{name: name, arms: append([]Arm(nil), arms...)}
	sum := 0.0
	for _, a := range arms {
		sum += math.Ldexp(a.Weight, -unit)
		e.limits = append(e.limits, uint64(math.Min(sum/total, 1)*(1<<53)))
	}
	return e, nil
}

// Assign returns the arm of a unit. The unit is what must always see the same
// variant: a user or a session, rarely a request.
func (e *Experiment) Assign(unit string) Arm {
	h := sha256.New()
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(e.name))) // so that different pairs (name, unit) hash different bytes
	h.Write(size[:])
	h.Write([]byte(e.name))
	h.Write([]byte(unit))
	point := binary.BigEndian.Uint64(h.Sum(nil)[:8]) >> 11
	for i, limit := range e.limits {
		if point < limit {
			return e.arms[i]
		}
	}
	return e.arms[len(e.arms)-1]
}

// SampleRatioMismatch tests whether the arms got the units they should have: the
// chi-squared test of counts against weights. A small P (below 0.001, say) means
// that assignment or logging is broken, by a redirect that loses users or a crash
// in one arm, and that all other numbers of the experiment are unreliable (Fabijan
// and others, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments",
// 2019). Arms of weight 0 must have no units.
func SampleRatioMismatch(counts []int, weights []float64) (TestResult, error) {
	const fn = "SampleRatioMismatch"
	if len(counts) != len(weights) {
		return TestResult{}, fail(fn, ErrLength, "%d counts, %d weights", len(counts), len(weights))
	}
	if err := checkCounts(fn, counts...); err != nil {
		return TestResult{}, err
	}
	_, scaled := inUnit(weights)
	total, weight, arms := 0, 0.0, 0
	for i, n := range counts {
		w := weights[i]
		if n < 0 || !(w >= 0) || math.IsInf(w, 1) {
			return TestResult{}, fail(fn, ErrRange, "arm %d has count %d and weight %v", i, n, w)
		}
		if w == 0 && n > 0 {
			return TestResult{Statistic: math.Inf(1), P: 0}, nil
		}
		if w > 0 {
			arms++
		}
		total += n
		weight += scaled[0][i]
	}
	if total == 0 || arms < 2 {
		return TestResult{}, fail(fn, ErrTooFew, "%d units in %d arms", total, arms)
	}
	res := TestResult{DF: float64(arms - 1)}
	for i, n := range counts {
		if weights[i] == 0 {
			continue
		}
		expected := float64(total) * (scaled[0][i] / weight)
		switch d := float64(n) - expected; {
		case expected > 0:
			res.Statistic += d * (d / expected)
		case n > 0: // the weight is so small that the expected count is 0
			return TestResult{Statistic: math.Inf(1), P: 0, DF: res.DF}, nil
		}
	}
	res.P = dist.ChiSquaredSF(res.Statistic, res.DF)
	return res, nil
}

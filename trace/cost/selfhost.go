package cost

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A Range is a number that is not known exactly: the lowest and highest values that
// are plausible, and the likeliest. A Range with Likely alone is a known number.
type Range struct {
	Low, Likely, High float64
}

func (r Range) full() Range {
	if r.Low == 0 && r.High == 0 {
		return Range{r.Likely, r.Likely, r.Likely}
	}
	return r
}

// draw returns a value of the triangular distribution with these three corners.
func (r Range) draw(rng *rand.Rand) float64 {
	width := r.High - r.Low
	if width == 0 {
		return r.Likely
	}
	u, peak := rng.Float64(), (r.Likely-r.Low)/width
	if u < peak {
		return r.Low + math.Sqrt(u*width*(r.Likely-r.Low))
	}
	return r.High - math.Sqrt((1-u)*width*(r.High-r.Likely))
}

// HoursPerMonth is the mean length of a month.
const HoursPerMonth = 730

// A SelfHost is a model on GPUs of one's own, rented by the hour. Tokens are input
// and output together, in the mix of the workload, as in APIUSDPerMillion.
type SelfHost struct {
	// GPUHourUSD is the price of an hour of the GPUs of one replica.
	GPUHourUSD Range

	// TokensPerSecond is what a replica processes when it is busy. Measure it with
	// your mix of input and output: input is many times faster than output.
	TokensPerSecond Range

	// Utilization is the share of time in which a replica that is paid for is
	// busy, above 0 and at most 1. Users sleep at night: 0.2 to 0.5 is usual.
	Utilization Range

	// FixedMonthUSD is what does not depend on the number of replicas: hours of
	// people, monitoring, storage.
	FixedMonthUSD Range

	// MinReplicas is how many replicas run always; two survive the loss of one.
	// Default: 1.
	MinReplicas int

	// APIUSDPerMillion is what an API charges for a million tokens of the mix.
	APIUSDPerMillion Range
}

// A BreakEven is from how many tokens a month self-hosting is cheaper.
type BreakEven struct {
	// Likely is the number for the likeliest values; infinite if the API is always
	// cheaper.
	Likely float64

	// P5, P50 and P95 are quantiles of the number when the values vary within
	// their ranges: with a probability of 90 % it is between P5 and P95. Each may
	// be infinite.
	P5, P50, P95 float64

	// Never is the probability that the API is always cheaper.
	Never float64

	sorted []float64
	inputs []drawn
}

type drawn struct{ gpuMonth, capacity, fixed, api, replicas float64 }

// breakEven returns the smallest number of tokens a month at which n replicas are
// paid for by what the API would charge, and can process it.
//
// n replicas cost n·g + F and have the capacity n·c. The API charges p for a token,
// so V = (n·g + F)/p, and V <= n·c needs n >= F/(c·p - g). If a replica at its full
// capacity costs more than the API, no number of them pays.
func (d drawn) breakEven() float64 {
	gain := d.capacity*d.api - d.gpuMonth
	if gain <= 0 {
		return math.Inf(1)
	}
	n := max(d.replicas, math.Ceil(d.fixed/gain))
	return (n*d.gpuMonth + d.fixed) / d.api
}

// month returns what tokens a month cost on replicas of one's own.
func (d drawn) month(tokens float64) float64 {
	return max(d.replicas, math.Ceil(tokens/d.capacity))*d.gpuMonth + d.fixed
}

func (s *SelfHost) drawn(value func(Range) float64) drawn {
	return drawn{
		gpuMonth: value(s.GPUHourUSD) * HoursPerMonth,
		capacity: value(s.TokensPerSecond) * value(s.Utilization) * 3600 * HoursPerMonth,
		fixed:    value(s.FixedMonthUSD), api: value(s.APIUSDPerMillion) / 1e6, replicas: float64(max(s.MinReplicas, 1)),
	}
}

// BreakEven computes the break-even, and its uncertainty by 10,000 draws from the
// ranges, each a triangular distribution, independent of each other. rng is
// required. The error wraps [ErrOption].
func (s SelfHost) BreakEven(rng *rand.Rand) (*BreakEven, error) {
	if rng == nil {
		return nil, fmt.Errorf("%w: rng is nil", ErrOption)
	}
	for _, f := range []struct {
		name      string
		r         *Range
		low, high float64
	}{
		{"GPUHourUSD", &s.GPUHourUSD, math.SmallestNonzeroFloat64, 1e6}, {"TokensPerSecond", &s.TokensPerSecond, 1e-6, 1e9}, {"Utilization", &s.Utilization, 1e-6, 1},
		{"FixedMonthUSD", &s.FixedMonthUSD, 0, 1e12}, {"APIUSDPerMillion", &s.APIUSDPerMillion, 1e-9, 1e9},
	} {
		*f.r = f.r.full()
		if r := *f.r; !(f.low <= r.Low && r.Low <= r.Likely && r.Likely <= r.High && r.High <= f.high) {
			return nil, fmt.Errorf("%w: SelfHost.%s is %+v: want Low <= Likely <= High from %g to %g", ErrOption, f.name, r, f.low, f.high)
		}
	}
	if s.MinReplicas < 0 || s.MinReplicas > 1e6 {
		return nil, fmt.Errorf("%w: SelfHost.MinReplicas is %d: want 0 (one) to a million", ErrOption, s.MinReplicas)
	}
	out := &BreakEven{Likely: s.drawn(func(r Range) float64 { return r.Likely }).breakEven()}
	const draws = 10_000
	for range draws {
		d := s.drawn(func(r Range) float64 { return r.draw(rng) })
		v := d.breakEven()
		if math.IsInf(v, 1) {
			out.Never += 1.0 / draws
		}
		out.sorted = append(out.sorted, v)
		out.inputs = append(out.inputs, d)
	}
	slices.Sort(out.sorted)
	out.P5, out.P50, out.P95 = out.sorted[draws/20], out.sorted[draws/2], out.sorted[draws*19/20]
	return out, nil
}

// Cheaper returns the probability that self-hosting costs less than the API for a
// number of tokens a month. It is not always higher for more tokens: each replica
// that is added has to be filled.
func (b *BreakEven) Cheaper(tokens float64) float64 {
	n := 0
	for _, d := range b.inputs {
		if d.month(tokens) < d.api*tokens {
			n++
		}
	}
	return float64(n) / float64(max(len(b.inputs), 1))
}

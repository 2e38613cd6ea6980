package stats

import (
	"cmp"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/internal/dist"
	"github.com/prodailabs/prodai/internal/drift"
)

// A SequentialState is the state of a sequential test after some observations.
// Unlike the p-value and interval of a fixed-size test, P and Interval are valid at
// all moments together. A test that is read after each observation and stopped at
// the first P <= alpha gives a false alarm in at most a share alpha of experiments.
type SequentialState struct {
	// N is the number of observations.
	N int
	// Mean is their mean.
	Mean float64
	// E is the evidence against the null hypothesis: a nonnegative process that
	// is at most 1 on average under it, so that by Ville's inequality it ever
	// reaches 1/alpha with probability at most alpha. For the mixture SPRT it is
	// the likelihood ratio. It may overflow to +Inf; LogE doesn't.
	E, LogE float64
	// P is the smallest 1/E so far, at most 1.
	P float64
	// Interval is this moment's member of the confidence sequence.
	Interval Interval
	// Reject reports whether P is at most the test's Alpha.
	Reject bool
}

// defaultAlpha is the level of the sequential tests where none is set.
const defaultAlpha = 0.05

func (s *SequentialState) see(logE, alpha float64) {
	s.LogE, s.E = logE, math.Exp(logE)
	s.P = math.Min(s.P, math.Exp(-logE))
	s.Reject = s.P <= alpha
}

// A MixtureSPRT tests whether the mean of a stream of differences is zero, and may
// be read after every value: the mixture sequential probability ratio test
// (Robbins, 1970; Johari, Koomen, Pekelis and Walsh, "Peeking at A/B Tests", 2017).
// With V the variance of a difference and a distribution N(0, τ²) of the effect,
// after n differences of mean m,
//
//	Λ = √(V/(V+nτ²)) · exp( n²τ²m² / (2V(V+nτ²)) )
//	p = min(p before, 1/Λ)
//	m ± √( V(V+nτ²)/(n²τ²) · ln((V+nτ²)/(Vα²)) )
//
// The price of peeking is a wider interval: about 1.5 times the fixed one at
// the size τ² is tuned for.
type MixtureSPRT struct {
	variance, tau2, alpha, sum float64
	state                      SequentialState
}

// MixtureSPRTOptions tunes a [MixtureSPRT]; nil means the defaults.
type MixtureSPRTOptions struct {
	// EffectVariance is τ², the variance of the expected effects: about the square
	// of the effect that you hope to find. A wrong value costs observations and
	// never breaks the promise. Default: a hundredth of the variance of a
	// difference, for an effect of a tenth of its standard deviation.
	EffectVariance float64
	// Alpha is the false-positive rate. Default: 0.05.
	Alpha float64
}

// NewMixtureSPRT returns a test for differences of this variance: 2σ² where a
// difference is that of two arms' values of variance σ² each.
//
// The promise depends on the variance: take it from earlier data, and rather too
// large than too small. Without a known variance use [BoundedSequence] for scores
// in [0, 1]: give it (1 + new - old)/2. As long as its interval contains 1/2, there
// is no evidence of a difference.
func NewMixtureSPRT(variance float64, o *MixtureSPRTOptions) (*MixtureSPRT, error) {
	const fn = "NewMixtureSPRT"
	if err := checkPositive(fn, "variance", variance); err != nil {
		return nil, err
	}
	if o == nil {
		o = &MixtureSPRTOptions{}
	}
	tau2 := cmp.Or(o.EffectVariance, variance/100)
	if err := checkPositive(fn, "MixtureSPRTOptions.EffectVariance", tau2); err != nil {
		return nil, err
	}
	alpha := cmp.Or(o.Alpha, defaultAlpha)
	if err := checkOpen(fn, "MixtureSPRTOptions.Alpha", alpha); err != nil {
		return nil, err
	}
	if r := tau2 / variance; !(r > 0) || !finite(r) {
		return nil, fail(fn, ErrOption, "MixtureSPRTOptions.EffectVariance is %v for a variance of %v: want sizes that can be compared", tau2, variance)
	}
	m := &MixtureSPRT{variance: variance, tau2: tau2, alpha: alpha}
	m.state = SequentialState{P: 1, E: 1, Interval: Interval{Low: math.Inf(-1), High: math.Inf(1), Level: 1 - alpha}}
	return m, nil
}

// Add takes the next difference, new minus old, and returns the state after it. A
// difference that is not finite, or with which the evidence would be too large for
// a float64, is an error and leaves the state as it was.
func (m *MixtureSPRT) Add(difference float64) (SequentialState, error) {
	if math.IsNaN(difference) || math.IsInf(difference, 0) {
		return m.state, fail("MixtureSPRT.Add", ErrNotFinite, "difference %v", difference)
	}
	s := m.state
	s.N++
	total := m.sum + difference
	// In units of the variance, so that no power of it overflows or underflows.
	n, sd := float64(s.N), math.Sqrt(m.variance)
	z := total / sd
	relative := m.tau2 / m.variance // τ²/V
	growth := 1 + n*relative        // (V+nτ²)/V
	s.Mean = total / n
	logE := z*z*relative/(2*growth) - math.Log1p(n*relative)/2
	radius := sd * math.Sqrt(growth/relative*(math.Log1p(n*relative)-2*math.Log(m.alpha))) / n
	s.Interval = Interval{Low: s.Mean - radius, High: s.Mean + radius, Level: 1 - m.alpha}
	if err := checkResult("MixtureSPRT.Add", total, growth, logE, s.Interval.Low, s.Interval.High); err != nil {
		return m.state, err
	}
	s.see(logE, m.alpha)
	m.sum, m.state = total, s
	return s, nil
}

// State returns the state after the last observation.
func (m *MixtureSPRT) State() SequentialState { return m.state }

// A BernoulliSequence tests a success probability, may be read after every outcome,
// and needs no variance. The evidence is the likelihood under a uniform mixture
// over all probabilities, divided by that under p0,
//
//	E = ∫ p^s (1-p)^(n-s) dp / ( p0^s (1-p0)^(n-s) )
//
// (Robbins and Siegmund, 1972). With p0 = 1/2 and an observation for each pair
// on which two systems differ, it is a sequential sign or McNemar test.
type BernoulliSequence struct {
	p0, alpha float64
	successes int
	state     SequentialState
}

// SequenceOptions sets the level of a [BernoulliSequence] or a
// [BoundedSequence]; nil means the defaults.
type SequenceOptions struct {
	// Alpha is the false-positive rate; intervals have the level 1-Alpha.
	// Default: 0.05.
	Alpha float64
}

func (o *SequenceOptions) alpha(fn string) (float64, error) {
	if o == nil {
		return defaultAlpha, nil
	}
	alpha := cmp.Or(o.Alpha, defaultAlpha)
	return alpha, checkOpen(fn, "SequenceOptions.Alpha", alpha)
}

// NewBernoulliSequence returns a test of the success probability p0.
func NewBernoulliSequence(p0 float64, o *SequenceOptions) (*BernoulliSequence, error) {
	const fn = "NewBernoulliSequence"
	if err := checkOpen(fn, "p0", p0); err != nil {
		return nil, err
	}
	alpha, err := o.alpha(fn)
	if err != nil {
		return nil, err
	}
	b := &BernoulliSequence{p0: p0, alpha: alpha}
	b.state = SequentialState{P: 1, E: 1, Interval: Interval{Low: 0, High: 1, Level: 1 - alpha}}
	return b, nil
}

// Add takes the next outcome and returns the state after it, with the
// confidence sequence of the success probability: all p0 that the evidence
// doesn't reject.
func (b *BernoulliSequence) Add(success bool) SequentialState {
	s := &b.state
	s.N++
	if success {
		b.successes++
	}
	s.Mean = float64(b.successes) / float64(s.N)
	s.see(b.logE(b.p0), b.alpha)
	s.Interval.Low = lowest(b.successes, s.N, b.alpha)
	s.Interval.High = 1 - lowest(s.N-b.successes, s.N, b.alpha)
	return *s
}

// State returns the state after the last observation.
func (b *BernoulliSequence) State() SequentialState { return b.state }

func (b *BernoulliSequence) logE(p float64) float64 {
	k, f := float64(b.successes), float64(b.state.N-b.successes)
	return dist.LogBeta(k+1, f+1) - k*math.Log(p) - f*math.Log1p(-p)
}

// lowest is the smallest p that the evidence of k successes in n doesn't
// reject: the root of ln E(p) = ln 1/alpha below k/n. ln E is convex there, so
// Newton's method descends to the root from any point beyond it, and two such
// points are known: one since ln E(p) >= ln B - k ln p, one by Pinsker's
// inequality, ln E(p) >= ln E(k/n) + 2n(k/n - p)².
func lowest(successes, trials int, alpha float64) float64 {
	if successes == 0 {
		return 0
	}
	k, n := float64(successes), float64(trials)
	f := n - k
	lb := dist.LogBeta(k+1, f+1) + math.Log(alpha)
	excess := func(p float64) float64 { return lb - k*math.Log(p) - f*math.Log1p(-p) }
	mean := k / n
	p := math.Exp(lb / k)
	if f > 0 {
		p = math.Max(p, mean-math.Sqrt(math.Max(0, -excess(mean))/(2*n)))
	}
	for range 50 {
		step := -excess(p) / (-k/p + f/(1-p))
		if !(step > 0) || p+step >= mean {
			break
		}
		p += step
		if step < 1e-8*p { // the error is the square of that now
			break
		}
	}
	return p
}

// A BoundedSequence is a confidence sequence for the mean of values in [0, 1], such
// as judge scores, for an unknown distribution and variance: the predictable
// plug-in empirical Bernstein sequence of Waudby-Smith and Ramdas, "Estimating
// Means of Bounded Random Variables by Betting" (2023), theorem 2. Each value is
// weighted by a bet λ that uses only the values before it.
type BoundedSequence struct {
	alpha                   float64
	n                       int
	sum, squares            float64 // of the values; of deviations from the running mean
	lambda, weighted, spent float64 // Σλ, Σλx, Σ v ψ(λ)
	low, high               float64
}

// NewBoundedSequence returns a confidence sequence that has seen no value.
func NewBoundedSequence(o *SequenceOptions) (*BoundedSequence, error) {
	alpha, err := o.alpha("NewBoundedSequence")
	if err != nil {
		return nil, err
	}
	return &BoundedSequence{alpha: alpha, high: 1}, nil
}

// Add takes the next value and returns the interval after it. Intervals only
// shrink: each is the intersection with those before it, which keeps the level.
func (b *BoundedSequence) Add(x float64) (Interval, error) {
	if !(x >= 0 && x <= 1) {
		return b.Interval(), fail("BoundedSequence.Add", ErrRange, "value %v is not in [0, 1]", x)
	}
	before := (0.5 + b.sum) / float64(b.n+1)
	variance := (0.25 + b.squares) / float64(b.n+1)
	b.n++
	n := float64(b.n)
	lambda := math.Min(0.5, math.Sqrt(2*math.Log(2/b.alpha)/(variance*n*math.Log(n+1))))
	b.sum += x
	after := (0.5 + b.sum) / (n + 1)
	b.squares += (x - after) * (x - after)
	b.lambda += lambda
	b.weighted += lambda * x
	b.spent += (x - before) * (x - before) * (-math.Log1p(-lambda) - lambda)
	center := b.weighted / b.lambda
	radius := (math.Log(2/b.alpha) + b.spent) / b.lambda
	b.low = math.Max(b.low, center-radius)
	b.high = math.Min(b.high, center+radius)
	return b.Interval(), nil
}

// Interval returns the interval after the last value.
func (b *BoundedSequence) Interval() Interval {
	return Interval{Low: b.low, High: b.high, Level: 1 - b.alpha}
}

// A Verdict is a sequential test's decision.
type Verdict uint8

// The decisions of [SPRT]: continue, or one of the hypotheses.
const (
	VerdictUndecided Verdict = iota
	VerdictAcceptH0
	VerdictAcceptH1
)

// String is "undecided", "H0" or "H1".
func (v Verdict) String() string {
	if names := [...]string{"undecided", "H0", "H1"}; int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// An SPRT is Wald's sequential probability ratio test of two success probabilities
// (Wald, "Sequential Tests of Statistical Hypotheses", 1945): it needs fewer
// observations on average than any other test with the same error rates, about half
// as many as a test of fixed size. Use it where both hypotheses are known, as for a
// canary with an allowed and an alarming error rate.
type SPRT struct {
	// Upper and Lower are the limits of the log-likelihood ratio,
	// ln((1-β)/α) and ln(β/(1-α)).
	Upper, Lower float64
	// LLR is the log-likelihood ratio of H1 against H0 so far.
	LLR float64
	// N is the number of observations; DecidedAt is the number of the observation
	// that decided, 0 before that. The verdict doesn't change later.
	N, DecidedAt int
	// Verdict is the decision so far.
	Verdict Verdict

	ratio drift.Ratio
}

// SPRTOptions sets the error rates of an [SPRT]; nil means the defaults.
type SPRTOptions struct {
	// Alpha is the chance to accept H1 where H0 is true. Default: 0.05.
	Alpha float64
	// Beta is the chance to accept H0 where H1 is true. Default: 0.2, a power of
	// 0.8 as in [Design].
	Beta float64
}

// NewSPRT returns a test of the success probability p0 (H0) against p1 (H1).
func NewSPRT(p0, p1 float64, o *SPRTOptions) (*SPRT, error) {
	const fn = "NewSPRT"
	if o == nil {
		o = &SPRTOptions{}
	}
	alpha, beta := cmp.Or(o.Alpha, defaultAlpha), cmp.Or(o.Beta, 0.2)
	names := []string{"p0", "p1", "SPRTOptions.Alpha", "SPRTOptions.Beta"}
	for i, v := range []float64{p0, p1, alpha, beta} {
		if err := checkOpen(fn, names[i], v); err != nil {
			return nil, err
		}
	}
	if p0 == p1 {
		return nil, fail(fn, ErrOption, "p0 and p1 are both %v: want different ones", p0)
	}
	if alpha+beta >= 1 {
		return nil, fail(fn, ErrOption, "SPRTOptions.Alpha and Beta sum to %v: want less than 1", alpha+beta)
	}
	ratio := drift.NewRatio(p0, p1, alpha, beta)
	return &SPRT{Upper: ratio.Upper, Lower: ratio.Lower, ratio: ratio}, nil
}

// Add takes the next outcome and returns the verdict so far.
func (s *SPRT) Add(success bool) Verdict {
	s.N++
	s.LLR = s.ratio.Next(s.LLR, success)
	if s.Verdict == VerdictUndecided {
		switch {
		case s.LLR >= s.Upper:
			s.Verdict, s.DecidedAt = VerdictAcceptH1, s.N
		case s.LLR <= s.Lower:
			s.Verdict, s.DecidedAt = VerdictAcceptH0, s.N
		}
	}
	return s.Verdict
}

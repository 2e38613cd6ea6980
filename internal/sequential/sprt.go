// Package sequential has Wald's sequential probability ratio test, on which the
// experiments of eval/stats and the canaries of retry/route decide.
package sequential

import (
	"fmt"

	"github.com/prodailabs/prodai/internal/drift"
)

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

// NewSPRT returns a test of the success probability p0 (H0) against p1 (H1), with
// the chance alpha to accept H1 where H0 is true, and beta to accept H0 where H1
// is. The caller has checked that all are in (0, 1), that p0 and p1 differ, and
// that alpha+beta < 1.
func NewSPRT(p0, p1, alpha, beta float64) *SPRT {
	ratio := drift.NewRatio(p0, p1, alpha, beta)
	return &SPRT{Upper: ratio.Upper, Lower: ratio.Lower, ratio: ratio}
}

// Add takes the next outcome and returns the verdict so far.
func (s *SPRT) Add(success bool) Verdict {
	s.N++
	s.LLR = s.ratio.Next(s.LLR, success)
	return s.decide()
}

// AddMany takes successes and failures whose order isn't known, such as the counts
// of another process, and returns the verdict so far.
func (s *SPRT) AddMany(successes, failures int) Verdict {
	s.N += successes + failures
	s.LLR += float64(successes)*s.ratio.Success + float64(failures)*s.ratio.Failure
	return s.decide()
}

func (s *SPRT) decide() Verdict {
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

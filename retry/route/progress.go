package route

// A Phase is where a rollout is.
type Phase uint8

// The phases.
const (
	PhaseProgressing Phase = iota // the canary has a part of the traffic
	PhasePromoted                 // it has all of it
	PhaseFailed                   // it was rolled back, and has none
	PhasePaused                   // a person has stopped the steps; the weight stays
)

// String returns "progressing", "promoting", "failed" or "paused"; "unknown" for
// another value.
func (p Phase) String() string {
	return [...]string{"progressing", "promoting", "failed", "paused", "unknown"}[min(p, PhasePaused+1)]
}

// Progress is the state of a rollout in steps. A check that is good leads to the
// next step, and one more after the last step promotes. A check that fails holds the
// weight and counts; when Threshold have failed, in all, the weight is 0. Checks
// after the end change nothing. Without data there is no check.
type Progress struct {
	// Weights are the steps, in percent and rising. Required.
	Weights []int `json:"weights"`
	// Threshold is how many checks must fail. 0 is 1.
	Threshold int `json:"threshold"`

	Step   int   `json:"step"`   // good checks so far; 0 is before the first step
	Failed int   `json:"failed"` // checks that failed
	Phase  Phase `json:"phase"`
}

// Weight returns the canary's share of the traffic in percent.
func (p Progress) Weight() int {
	switch {
	case p.Phase == PhasePromoted:
		return 100
	case p.Phase == PhaseFailed, p.Step == 0 || len(p.Weights) == 0:
		return 0
	}
	return p.Weights[min(p.Step, len(p.Weights))-1]
}

// Check takes the result of a check.
func (p *Progress) Check(good bool) {
	switch {
	case p.Phase != PhaseProgressing:
	case !good:
		if p.Failed++; p.Failed >= max(p.Threshold, 1) {
			p.Phase = PhaseFailed
		}
	case p.Step >= len(p.Weights):
		p.Phase = PhasePromoted
	default:
		p.Step++
	}
}

package route

import (
	"math"
	"time"

	"github.com/prodailabs/prodai/internal/sequential"
)

// Counts are the results of calls of one version.
type Counts struct {
	Good   int `json:"good"`
	Failed int `json:"failed"`
}

// N is the number of results.
func (c Counts) N() int { return c.Good + c.Failed }

func (c *Counts) add(d Counts) { c.Good, c.Failed = c.Good+d.Good, c.Failed+d.Failed }

// Results are what was seen since some moment. They can be added, so replicas can
// exchange them.
type Results struct {
	Canary Counts `json:"canary"`
	Stable Counts `json:"stable"`
	// Latency counts the canary's good calls by latency: bucket i is those of up to
	// 2^(i/4) ms.
	Latency [latencies]int `json:"latency"`
}

// latencies is the number of buckets: the last is of 2^16 ms, about a minute, and more.
const latencies = 65

func (r *Results) add(d Results) {
	r.Canary.add(d.Canary)
	r.Stable.add(d.Stable)
	for i, n := range d.Latency {
		r.Latency[i] += n
	}
}

func bucketOf(d time.Duration) int {
	ms := float64(d) / float64(time.Millisecond)
	if !(ms > 1) {
		return 0
	}
	return min(int(math.Ceil(4*math.Log2(ms))), latencies-1)
}

// quantile returns the upper end of the bucket with the q-quantile of the latencies,
// at most 19 % too large.
func (r *Results) quantile(q float64) time.Duration {
	n := 0
	for _, c := range r.Latency {
		n += c
	}
	rank := int(math.Ceil(q * float64(n)))
	for i, c := range r.Latency {
		if rank -= c; rank <= 0 && n > 0 {
			return time.Duration(math.Exp2(float64(i)/4) * float64(time.Millisecond))
		}
	}
	return 0
}

// A CanaryState is all that is known of a rollout. It is what replicas share.
type CanaryState struct {
	// Version is the name of the version that is rolled out.
	Version string `json:"version"`
	Progress
	// Total are the results of the rollout, and Now those of its present step.
	Total Results `json:"total"`
	Now   Results `json:"now"`
	// Since is when the present step began, and Checked when its gates were last
	// looked at.
	Since   time.Time `json:"since"`
	Checked time.Time `json:"checked"`
	// LLR is the log-likelihood ratio of "the canary fails as often as Alarming"
	// against "as rarely as Allowed"; StableLLR is the stable version's.
	LLR       float64 `json:"llr"`
	StableLLR float64 `json:"stable_llr"`
	// Accepted means that the test has found the canary good. It goes on: a canary
	// that becomes bad is still rolled back.
	Accepted bool `json:"accepted"`
	// Held means that the stable version fails as well; HeldCanary and HeldStable are the
	// results since then.
	Held       bool   `json:"held,omitempty"`
	HeldCanary Counts `json:"held_canary,omitzero"`
	HeldStable Counts `json:"held_stable,omitzero"`
	// Reason is why the rollout is where it is.
	Reason string `json:"reason"`
}

// add takes results into the state, and rolls back at once if the test says so.
func (s *CanaryState) add(o *CanaryOptions, d Results) {
	if s.Phase == PhaseFailed || s.Phase == PhasePromoted {
		s.Total.add(d)
		return
	}
	s.Total.add(d)
	s.Now.add(d)
	t := o.test(s.StableLLR)
	t.AddMany(d.Stable.Failed, d.Stable.Good)
	s.StableLLR = min(max(t.LLR, t.Lower), t.Upper)
	if s.Held {
		s.compare(o, d)
		return
	}
	t = o.test(s.LLR)
	switch t.AddMany(d.Canary.Failed, d.Canary.Good) {
	case sequential.VerdictAcceptH1:
		s.LLR = t.LLR
		if s.StableLLR > 0 {
			// The cause may be elsewhere: at the provider, or in the questions.
			s.Held, s.HeldCanary, s.HeldStable, s.Reason = true, Counts{}, Counts{}, "held: the stable version fails as well"
			return
		}
		s.fail("rolled back: the canary fails more often than allowed")
		return
	case sequential.VerdictAcceptH0:
		// From here the test is a CUSUM: it waits at the lower limit for a change.
		s.Accepted = true
	}
	s.LLR = max(t.LLR, t.Lower)
}

// compare looks at a canary while the stable version fails as well. It is rolled back
// only if it fails more often than that one, by the ratio of Alarming to Allowed. The
// likelihood ratio ever exceeds 1/Alpha in a share of Alpha at most, however long the
// outage is (Ville's inequality). When the stable version is well again, the test begins
// again.
func (s *CanaryState) compare(o *CanaryOptions, d Results) {
	if s.StableLLR <= 0 {
		s.Held, s.LLR, s.Accepted, s.Reason = false, 0, false, "the stable version is well again, and the test begins again"
		return
	}
	s.HeldCanary.add(d.Canary)
	s.HeldStable.add(d.Stable)
	rate := max((float64(s.HeldStable.Failed)+0.5)/float64(s.HeldStable.N()+1), o.Allowed)
	worse := min(rate*o.Alarming/o.Allowed, 0.99)
	if worse <= rate {
		return // nothing can be worse
	}
	t := sequential.NewSPRT(rate, worse, o.Alpha, o.Beta)
	if t.AddMany(s.HeldCanary.Failed, s.HeldCanary.Good); t.LLR >= -math.Log(o.Alpha) {
		s.fail("rolled back: the canary fails more often than the stable version, which fails as well")
	}
}

func (s *CanaryState) fail(reason string) { s.Phase, s.Reason = PhaseFailed, reason }

// test returns Wald's test with a ratio so far. In it a failure is an event.
func (o *CanaryOptions) test(llr float64) *sequential.SPRT {
	t := sequential.NewSPRT(o.Allowed, o.Alarming, o.Alpha, o.Beta)
	t.LLR = llr
	return t
}

// check looks whether the present step is over: by its gates, its evidence and its
// time.
func (s *CanaryState) check(o *CanaryOptions, now time.Time) {
	if s.Phase != PhaseProgressing {
		return
	}
	if now.Sub(s.Checked) < o.Interval {
		return
	}
	if gate := o.gate(s); gate != "" {
		s.Checked = now
		s.Progress.Check(false)
		s.Reason = "held: " + gate
		if s.Phase == PhaseFailed {
			s.fail("rolled back: " + gate)
		}
		return
	}
	if missing := o.missing(s); missing != "" {
		if o.StepTimeout > 0 && now.Sub(s.Since) >= o.StepTimeout && o.OnTimeout == TimeoutRollback {
			s.fail("rolled back: the step has taken too long, and " + missing)
			return
		}
		s.Reason = "held: " + missing
		return
	}
	s.Progress.Check(true)
	s.Now, s.Since, s.Checked, s.Reason = Results{}, now, now, "the step was good"
}

// gate returns which service level the canary has missed, or "". Few results are no
// reason, and neither is a failing stable version.
func (o *CanaryOptions) gate(s *CanaryState) string {
	c := s.Now.Canary
	if c.N() < o.MinSamples {
		return ""
	}
	switch {
	case o.MaxFailureRate > 0 && s.StableLLR <= 0 && float64(c.Failed) > o.MaxFailureRate*float64(c.N()):
		return "the share of failures is above MaxFailureRate"
	case o.MaxLatency > 0 && s.Now.quantile(0.95) > o.MaxLatency:
		return "the 95th percentile of latency is above MaxLatency"
	}
	return ""
}

// missing returns what a step still needs, or "". With each step more of the test's
// evidence must be there, and all of it for the last.
func (o *CanaryOptions) missing(s *CanaryState) string {
	steps := len(s.Weights)
	need := o.test(0).Lower * float64(s.Step) / float64(steps)
	switch {
	case s.Held:
		return "the stable version fails as well"
	case s.Now.Canary.N() < o.MinSamples:
		return "the step has too few results"
	case !s.Accepted && s.Step >= steps, !s.Accepted && s.LLR > need:
		return "the results are not enough evidence"
	}
	return ""
}

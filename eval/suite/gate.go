package suite

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/eval"
)

// A Gate is a condition that a run has to satisfy, and whether it did.
type Gate struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"`
	// Compared is set on the gates of a baseline.
	Compared *Comparison `json:"compared,omitempty"`
}

// judge fills in the report's gates. before contains what the baseline measured.
func (r *Report) judge(o Options, before map[caseKey]*Record) error {
	r.Gates = append(r.Gates, Gate{
		Name:   fmt.Sprintf("errors <= %d", o.AllowErrors),
		Passed: r.Errors <= o.AllowErrors,
		Detail: fmt.Sprintf("the system failed on %d of %d cases", r.Errors, r.Cases),
	})
	r.Gates = append(r.Gates, r.unmeasured()...)
	for _, t := range o.Thresholds {
		r.Gates = append(r.Gates, r.gate(t))
	}
	if o.Baseline == nil {
		return nil
	}
	compared, err := r.compare(o.Baseline, before)
	if err != nil {
		return err
	}
	for i := range compared {
		c := &compared[i]
		g := Gate{Name: r.shortName(i) + " not worse than the baseline", Passed: !(c.Worse && c.Significant), Compared: c}
		if c.N == 0 {
			g.Passed, g.Detail = false, "no case to compare"
		} else {
			verdict := "no significant change"
			if c.Significant && c.Worse {
				verdict = "significantly worse"
			} else if c.Significant {
				verdict = "significantly better"
			}
			g.Detail = fmt.Sprintf("%.4g -> %.4g on %d cases, p = %.3g: %s", c.Before, c.After, c.N, c.P, verdict)
		}
		r.Gates = append(r.Gates, g)
	}
	return nil
}

// unmeasured returns a failed gate for each reason why the run isn't evidence: no
// case was scored by any metric, or a metric failed on every case that it applied
// to. A metric that was skipped on all cases, while others scored, doesn't apply to
// the dataset and gives no gate.
func (r *Report) unmeasured() []Gate {
	var gates []Gate
	scored := false
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Signature.N > 0 {
			scored = true
		} else if m.Failed > 0 {
			gates = append(gates, Gate{Name: r.shortName(i) + " is measured", Detail: nothingScored(m.Score)})
		}
	}
	if scored {
		return gates
	}
	detail := "the suite has no cases"
	if r.Cases > 0 {
		detail = fmt.Sprintf("no metric scored any of %d cases", r.Cases)
	}
	return append([]Gate{{Name: "a case is scored", Detail: detail}}, gates...)
}

func nothingScored(s eval.Score) string {
	return fmt.Sprintf("no case was scored (%d skipped, %d failed)", s.Skipped, s.Failed)
}

// shortName is the metric's name without its options, or the full name if several
// metrics have the short one.
func (r *Report) shortName(i int) string {
	sig := r.Metrics[i].Signature
	if _, unique := r.Metric(sig.Metric); unique {
		return sig.Metric
	}
	return sig.Name()
}

// gate compares the report with one threshold. A metric that scored nothing doesn't
// pass, because its value isn't known.
func (r *Report) gate(t Threshold) Gate {
	g := Gate{Name: t.String()}
	m, ok := r.Metric(t.Metric)
	if !ok {
		g.Detail = "no such metric"
		return g
	}
	score := m.Score
	if t.Slice != "" {
		i, ok := slices.BinarySearchFunc(m.Slices, t.Slice, func(s SliceScore, name string) int { return cmp.Compare(s.Slice, name) })
		if !ok {
			g.Detail = "no case is in the slice"
			return g
		}
		score = m.Slices[i].Score
	}
	if score.Signature.N == 0 {
		g.Detail = nothingScored(score)
		return g
	}
	g.Passed = t.Met(score.Value) && score.Failed == 0
	g.Detail = fmt.Sprintf("%.4g over %d cases", score.Value, score.Signature.N)
	if score.Failed > 0 {
		g.Detail += fmt.Sprintf("; the metric failed on %d", score.Failed)
	}
	return g
}

package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/prodailabs/prodai/eval/stats"
)

// An Aggregate is how a [Panel] turns the scores of its judges into one.
type Aggregate uint8

// The aggregates. The zero value means [AggregateMedian].
const (
	AggregateUnset  Aggregate = iota
	AggregateMedian           // one judge that is far off changes little
	AggregateMean
	AggregateMin // an answer is as good as its strictest judge says
)

// PanelOptions are the settings of [NewPanel].
type PanelOptions struct {
	// Aggregate makes one score of several. Default: [AggregateMedian].
	Aggregate Aggregate
	// MinScored is how many judges must give a score. With fewer, the outcome is
	// that of the first judge without one. Default: more than half.
	MinScored int
}

// A Panel asks several judges, one after the other. A panel of judges of different
// model families has less of each family's bias. A panel of one judge, repeated, is
// self-consistency: it removes the variance of one run and no bias.
type Panel struct {
	judges []*Judge
	o      PanelOptions
}

// NewPanel returns a panel of at least two judges. The same judge may be in it
// several times if its temperature is above 0; see [Repeat].
func NewPanel(judges []*Judge, o *PanelOptions) (*Panel, error) {
	p := &Panel{judges: slices.Clone(judges)}
	if o != nil {
		p.o = *o
	}
	if len(judges) < 2 {
		return nil, fmt.Errorf("%w: %d judges: want at least 2", ErrOption, len(judges))
	}
	seen := map[Version]bool{}
	for i, j := range judges {
		if j == nil {
			return nil, fmt.Errorf("%w: judge %d is nil", ErrOption, i)
		}
		if seen[j.version] && j.o.Temperature == 0 {
			return nil, fmt.Errorf("%w: judge %d is in the panel twice at a temperature of 0: want Options.Temperature above 0 for repeated samples", ErrOption, i)
		}
		seen[j.version] = true
	}
	if p.o.Aggregate == AggregateUnset {
		p.o.Aggregate = AggregateMedian
	}
	if p.o.Aggregate > AggregateMin {
		return nil, fmt.Errorf("%w: PanelOptions.Aggregate is %d: want one of the constants", ErrOption, p.o.Aggregate)
	}
	if p.o.MinScored == 0 {
		p.o.MinScored = len(judges)/2 + 1
	}
	if p.o.MinScored < 1 || p.o.MinScored > len(judges) {
		return nil, fmt.Errorf("%w: PanelOptions.MinScored is %d: want 1 to %d", ErrOption, p.o.MinScored, len(judges))
	}
	return p, nil
}

// Repeat returns a judge n times, for a [Panel] that measures self-consistency.
func Repeat(j *Judge, n int) []*Judge { return slices.Repeat([]*Judge{j}, max(n, 0)) }

// A PanelResult is what came of [Panel.Grade].
type PanelResult struct {
	Outcome Outcome `json:"outcome"`
	Score   float64 `json:"score"` // 0 to 1, if Outcome is [OutcomeScored]
	// Disagreement is the mean difference between the scores of two judges: 0 if
	// all agree. An item with a high one is for people to read.
	Disagreement float64  `json:"disagreement"`
	Members      []Result `json:"members"` // in the order of the judges
	Spent        Spent    `json:"spent"`
}

// Grade asks each judge and aggregates the scores. An error of one judge ends it.
func (p *Panel) Grade(ctx context.Context, item Item) (PanelResult, error) {
	var r PanelResult
	var scores []float64
	first := OutcomeUnset
	for _, j := range p.judges {
		m, err := j.Grade(ctx, item)
		r.Spent.Add(m.Spent)
		r.Members = append(r.Members, m)
		if err != nil {
			return r, fmt.Errorf("panel: %s: %w", j.version, err)
		}
		if m.Outcome == OutcomeScored {
			scores = append(scores, m.Score)
		} else if first == OutcomeUnset {
			first = m.Outcome
		}
	}
	if len(scores) < p.o.MinScored {
		r.Outcome = first
		return r, nil
	}
	r.Outcome = OutcomeScored
	r.Score = aggregate(scores, p.o.Aggregate)
	pairs := 0.0
	for i, a := range scores {
		for _, b := range scores[:i] {
			r.Disagreement += math.Abs(a - b)
			pairs++
		}
	}
	if pairs > 0 {
		r.Disagreement /= pairs
	}
	return r, nil
}

func aggregate(scores []float64, how Aggregate) float64 {
	sorted := slices.Sorted(slices.Values(scores))
	switch how {
	case AggregateMin:
		return sorted[0]
	case AggregateMean:
		sum := 0.0
		for _, s := range sorted {
			sum += s
		}
		return sum / float64(len(sorted))
	}
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// A PanelComparison is what came of [Panel.Compare].
type PanelComparison struct {
	Outcome Outcome `json:"outcome"`
	// Verdict is the most frequent one; if two are equally frequent, a tie.
	Verdict      Verdict      `json:"verdict"`
	Value        float64      `json:"value"`        // the mean of the members' values
	Disagreement float64      `json:"disagreement"` // the share of judges without the most frequent verdict
	Members      []Comparison `json:"members"`
	Spent        Spent        `json:"spent"`
}

// Compare lets each judge compare the answers in both orders, and counts the
// verdicts. An error of one judge ends it.
func (p *Panel) Compare(ctx context.Context, item Item, a, b string) (PanelComparison, error) {
	var r PanelComparison
	var votes [VerdictTie + 1]int
	first, scored := OutcomeUnset, 0
	for _, j := range p.judges {
		m, err := j.Compare(ctx, item, a, b)
		r.Spent.Add(m.Spent)
		r.Members = append(r.Members, m)
		if err != nil {
			return r, fmt.Errorf("panel: %s: %w", j.version, err)
		}
		if m.Outcome == OutcomeScored {
			scored++
			votes[m.Verdict]++
			r.Value += m.Value
		} else if first == OutcomeUnset {
			first = m.Outcome
		}
	}
	if scored < p.o.MinScored {
		r.Outcome, r.Value = first, 0
		return r, nil
	}
	r.Outcome, r.Verdict = OutcomeScored, VerdictTie
	r.Value /= float64(scored)
	most := slices.Max(votes[:])
	switch {
	case votes[VerdictA] == most && votes[VerdictB] < most && votes[VerdictTie] < most:
		r.Verdict = VerdictA
	case votes[VerdictB] == most && votes[VerdictA] < most && votes[VerdictTie] < most:
		r.Verdict = VerdictB
	}
	r.Disagreement = 1 - float64(most)/float64(scored)
	return r, nil
}

// Agreement returns Krippendorff's alpha (interval scale) of a panel's members over
// many items: 1 if the judges always agree, 0 if as often as by chance. A member
// without a score is a missing rating. It is undefined if all scores are equal.
func Agreement(results []PanelResult) (float64, error) {
	var raters [][]float64
	for i, r := range results {
		for m, member := range r.Members {
			if m == len(raters) {
				raters = append(raters, slices.Repeat([]float64{math.NaN()}, len(results)))
			}
			if member.Outcome == OutcomeScored {
				raters[m][i] = member.Score
			}
		}
	}
	alpha, err := stats.KrippendorffAlpha(raters, stats.ScaleInterval)
	if errors.Is(err, stats.ErrUndefined) || errors.Is(err, stats.ErrTooFew) {
		return 0, fmt.Errorf("%w: %w", ErrUndefined, err)
	}
	return alpha, err
}

// RunVariance separates how much the scores differ between items and between runs, for
// a panel of one judge, repeated; see [Repeat]. A member without a score is left out.
// For a panel of different judges, the runs' part is that of the judges.
func RunVariance(results []PanelResult) (stats.Components, error) {
	var scores [][]float64
	for _, r := range results {
		var runs []float64
		for _, m := range r.Members {
			if m.Outcome == OutcomeScored {
				runs = append(runs, m.Score)
			}
		}
		if len(runs) > 0 {
			scores = append(scores, runs)
		}
	}
	c, err := stats.VarianceComponents(scores)
	if errors.Is(err, stats.ErrTooFew) {
		return c, fmt.Errorf("%w: %w", ErrUndefined, err)
	}
	return c, err
}

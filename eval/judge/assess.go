package judge

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/eval/stats"
)

// A Labeled is an item that a judge scored and people labeled.
type Labeled struct {
	ID      string
	Outcome Outcome   // of the judge
	Score   float64   // the judge's, 0 to 1, if Outcome is [OutcomeScored]
	People  []float64 // one label a person, 0 to 1, in the same order for each item; NaN for none
}

// AssessOptions set what a judge must reach; nil means the defaults.
type AssessOptions struct {
	// Pass is the score or label from which an item passes. Default: 0.5.
	Pass float64
	// MinKappa is the Cohen's kappa with people that the lower end of the interval
	// must reach. Default: 0.6, "substantial" in Landis and Koch's words.
	MinKappa float64
	// MinCoverage is the share of items that must have a score. Default: 0.95.
	MinCoverage float64
	// MaxBias is how far the mean score may be from the mean label, in either
	// direction, its interval included. Default: 0.1.
	MaxBias float64
	// Level of the intervals. Default: 0.95.
	Level float64
}

func (o *AssessOptions) filled() (AssessOptions, error) {
	var out AssessOptions
	if o != nil {
		out = *o
	}
	for _, f := range []struct {
		name  string
		value *float64
		unset float64
	}{{"Pass", &out.Pass, 0.5}, {"MinKappa", &out.MinKappa, 0.6}, {"MinCoverage", &out.MinCoverage, 0.95}, {"MaxBias", &out.MaxBias, 0.1}, {"Level", &out.Level, 0.95}} {
		if *f.value == 0 {
			*f.value = f.unset
		}
		if !(*f.value > 0 && *f.value <= 1) || f.name == "Level" && *f.value == 1 {
			return out, fmt.Errorf("%w: AssessOptions.%s is %v: want above 0 and at most 1", ErrOption, f.name, *f.value)
		}
	}
	return out, nil
}

// A Trust is the answer to "is this judge good enough?".
type Trust uint8

// The answers.
const (
	TrustUnset   Trust = iota
	TrustYes           // each requirement is shown to be reached
	TrustNo            // one is shown to be missed
	TrustUnknown       // the labels show neither: label more items
)

// String returns "unset", "yes", "no" or "unknown".
func (t Trust) String() string {
	names := [...]string{"unset", "yes", "no", "unknown"}
	if int(t) >= len(names) {
		t = TrustUnset
	}
	return names[t]
}

// An Assessment is the report of [Assess].
type Assessment struct {
	Trust   Trust
	Reasons []string // what is missed or not shown, and notes

	Items, Scored int     // items with a label, and those of them with a score
	Coverage      float64 // Scored / Items
	// Agreement is the share of scored items where judge and people both pass or
	// both fail.
	Agreement float64
	Kappa     float64
	KappaIn   stats.Interval // of Kappa
	// KappaUndefined means that both always gave the same answer, so chance explains
	// it all.
	KappaUndefined bool
	// PeopleKappa is the mean kappa of two people over the items that both labeled,
	// NaN with one person or without variance. If it is low, the criteria are unclear.
	PeopleKappa float64
	Correlation float64        // Spearman's, NaN if one side is constant
	Bias        float64        // mean of score - label
	BiasIn      stats.Interval // of Bias
	// Spread and PeopleSpread are the standard deviations of scores and labels. A
	// judge that gives the same grade to all has none.
	Spread, PeopleSpread float64
	// Brier, BrierPlatt and BrierIsotonic are the mean squared errors to the labels:
	// as it is, and calibrated on the other folds of five. NaN if there are too few.
	Brier, BrierPlatt, BrierIsotonic float64
}

// Assess compares a judge with people's labels, and reports whether it is good enough.
// A requirement counts as reached or missed only if its whole interval is on one
// side. An item without a label is left out, one without a score counts against the
// coverage.
func Assess(items []Labeled, o *AssessOptions) (*Assessment, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	a := &Assessment{}
	var scores, labels []float64
	for i, item := range items {
		label, n := 0.0, 0.0
		for _, v := range item.People {
			if math.IsNaN(v) {
				continue
			}
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("%w: a label of item %d (%q) is %v: want 0 to 1, or NaN for none", ErrOption, i, item.ID, v)
			}
			label, n = label+v, n+1
		}
		if n == 0 {
			continue
		}
		a.Items++
		if item.Outcome != OutcomeScored {
			continue
		}
		if !(item.Score >= 0 && item.Score <= 1) {
			return nil, fmt.Errorf("%w: the score of item %d (%q) is %v: want 0 to 1", ErrOption, i, item.ID, item.Score)
		}
		scores, labels = append(scores, item.Score), append(labels, label/n)
	}
	a.Scored = len(scores)
	if a.Scored < 2 {
		return nil, fmt.Errorf("%w: %d items have a score and a label: want at least 2", ErrUndefined, a.Scored)
	}
	a.Coverage = float64(a.Scored) / float64(a.Items)
	if err := a.agree(scores, labels, opts); err != nil {
		return nil, err
	}
	a.PeopleKappa = peopleKappa(items, opts.Pass)
	a.errors(scores, labels)
	a.decide(opts)
	return a, nil
}

func passes(xs []float64, cut float64) []int {
	out := make([]int, len(xs))
	for i, x := range xs {
		if x >= cut {
			out[i] = 1
		}
	}
	return out
}

func labels01(x []int) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func (a *Assessment) agree(scores, labels []float64, o AssessOptions) error {
	x, y := passes(scores, o.Pass), passes(labels, o.Pass)
	var err error
	if a.Agreement, err = stats.PercentAgreement(x, y); err != nil {
		return fmt.Errorf("judge: assess: %w", err)
	}
	kappa, err := stats.CohenKappa(x, y, 2, stats.WeightingNone)
	switch {
	case errors.Is(err, stats.ErrUndefined):
		a.KappaUndefined = true
	case err != nil:
		return fmt.Errorf("judge: assess: %w", err)
	default:
		a.Kappa = kappa.Value
		if a.KappaIn, err = kappa.Interval(o.Level); err != nil {
			return fmt.Errorf("judge: assess: %w", err)
		}
		a.KappaIn.High = min(a.KappaIn.High, 1)
		if a.Agreement == 1 {
			// The standard error is 0, however few items there are. Up to 3/n of all
			// items could still be judged differently (the rule of three).
			p := stats.Mean(labels01(x))
			a.KappaIn.Low = max(-1, 1-3/float64(len(x))/(2*p*(1-p)))
		}
	}
	a.Correlation = math.NaN()
	if r, err := stats.Spearman(scores, labels); err == nil {
		a.Correlation = r.Statistic
	}
	bias, err := stats.PairedEstimate(scores, labels)
	if err != nil {
		return fmt.Errorf("judge: assess: %w", err)
	}
	a.Bias = bias.Value
	if a.BiasIn, err = stats.PairedTInterval(scores, labels, o.Level); err != nil {
		return fmt.Errorf("judge: assess: %w", err)
	}
	a.Spread, a.PeopleSpread = math.Sqrt(stats.Variance(scores)), math.Sqrt(stats.Variance(labels))
	return nil
}

// peopleKappa is the mean of Cohen's kappa over pairs of people.
func peopleKappa(items []Labeled, cut float64) float64 {
	people := 0
	for _, i := range items {
		people = max(people, len(i.People))
	}
	sum, pairs := 0.0, 0.0
	for p := range people {
		for q := range p {
			var x, y []float64
			for _, i := range items {
				if p < len(i.People) && !math.IsNaN(i.People[p]) && !math.IsNaN(i.People[q]) {
					x, y = append(x, i.People[p]), append(y, i.People[q])
				}
			}
			if k, err := stats.CohenKappa(passes(x, cut), passes(y, cut), 2, stats.WeightingNone); err == nil {
				sum, pairs = sum+k.Value, pairs+1
			}
		}
	}
	return sum / pairs // NaN without a pair
}

const folds = 5

// errors sets the squared errors, those of calibrators by cross-validation: the error
// on the labels that a calibrator was fitted to is too small.
func (a *Assessment) errors(scores, labels []float64) {
	a.BrierPlatt, a.BrierIsotonic = math.NaN(), math.NaN()
	for i := range scores {
		a.Brier += (scores[i] - labels[i]) * (scores[i] - labels[i]) / float64(len(scores))
	}
	if len(scores) < 4*folds {
		return
	}
	platt, isotonic := 0.0, 0.0
	for fold := range folds {
		var x, y []float64
		for i := range scores {
			if i%folds != fold {
				x, y = append(x, scores[i]), append(y, labels[i])
			}
		}
		p, err := FitPlatt(x, y)
		if err != nil {
			return // all scores are equal: nothing to calibrate
		}
		f, err := FitIsotonic(x, y)
		if err != nil {
			return
		}
		for i := fold; i < len(scores); i += folds {
			platt += math.Pow(p.Calibrate(scores[i])-labels[i], 2)
			isotonic += math.Pow(f.Calibrate(scores[i])-labels[i], 2)
		}
	}
	a.BrierPlatt, a.BrierIsotonic = platt/float64(len(scores)), isotonic/float64(len(scores))
}

func (a *Assessment) decide(o AssessOptions) {
	a.Trust = TrustYes
	add := func(t Trust, format string, args ...any) {
		a.Reasons = append(a.Reasons, fmt.Sprintf(format, args...))
		if a.Trust != TrustNo {
			a.Trust = t
		}
	}
	if a.Coverage < o.MinCoverage {
		add(TrustNo, "it scored %d of %d items, want %.0f %%", a.Scored, a.Items, 100*o.MinCoverage)
	}
	switch {
	case a.Spread < a.PeopleSpread/10:
		add(TrustNo, "its scores have no spread (%.3f beside the labels' %.3f)", a.Spread, a.PeopleSpread)
	case a.KappaUndefined:
		add(TrustUnknown, "all items pass or all fail for both: add items of the other kind")
	case a.KappaIn.High < o.MinKappa:
		add(TrustNo, "its kappa with people is %.2f (%.2f to %.2f), want %.2f", a.Kappa, a.KappaIn.Low, a.KappaIn.High, o.MinKappa)
	case a.KappaIn.Low < o.MinKappa:
		add(TrustUnknown, "its kappa with people is %.2f (%.2f to %.2f): the labels don't show that it reaches %.2f", a.Kappa, a.KappaIn.Low, a.KappaIn.High, o.MinKappa)
	}
	switch worst := max(-a.BiasIn.Low, a.BiasIn.High); {
	case a.BiasIn.Low > o.MaxBias || a.BiasIn.High < -o.MaxBias:
		add(TrustNo, "its mean is %+.2f from people's (%+.2f to %+.2f), want ±%.2f: calibrate it", a.Bias, a.BiasIn.Low, a.BiasIn.High, o.MaxBias)
	case worst > o.MaxBias:
		add(TrustUnknown, "its mean is %+.2f from people's (%+.2f to %+.2f): the labels don't show that it is within ±%.2f", a.Bias, a.BiasIn.Low, a.BiasIn.High, o.MaxBias)
	}
	if a.PeopleKappa < o.MinKappa {
		a.Reasons = append(a.Reasons, fmt.Sprintf("note: two people agree with a kappa of %.2f only: the criteria are not clear", a.PeopleKappa))
	}
}

// String returns the report as text.
func (a *Assessment) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "good enough: %s\n", a.Trust)
	for _, r := range a.Reasons {
		fmt.Fprintf(&b, "  %s\n", r)
	}
	kappa := "undefined"
	if !a.KappaUndefined {
		kappa = fmt.Sprintf("%.2f (%.2f to %.2f)", a.Kappa, a.KappaIn.Low, a.KappaIn.High)
	}
	for _, line := range [][2]string{
		{"scored", fmt.Sprintf("%d of %d (%.0f %%)", a.Scored, a.Items, 100*a.Coverage)},
		{"agreement", fmt.Sprintf("%.0f %%", 100*a.Agreement)},
		{"kappa with people", kappa},
		{"kappa of people", known(a.PeopleKappa, "%.2f")},
		{"rank correlation", known(a.Correlation, "%.2f")},
		{"score - label", fmt.Sprintf("%+.2f (%+.2f to %+.2f)", a.Bias, a.BiasIn.Low, a.BiasIn.High)},
		{"spread", fmt.Sprintf("%.2f, labels %.2f", a.Spread, a.PeopleSpread)},
		{"squared error", fmt.Sprintf("%.3f, Platt %s, isotonic %s", a.Brier, known(a.BrierPlatt, "%.3f"), known(a.BrierIsotonic, "%.3f"))},
	} {
		fmt.Fprintf(&b, "  %-18s %s\n", line[0], line[1])
	}
	return b.String()
}

func known(v float64, format string) string {
	if math.IsNaN(v) {
		return "unknown"
	}
	return fmt.Sprintf(format, v)
}

// Calibrated returns the items with calibrated scores, for a second [Assess] on
// labels that the calibrator was not fitted to.
func Calibrated(items []Labeled, c Calibrator) []Labeled {
	out := slices.Clone(items)
	for i := range out {
		if out[i].Outcome == OutcomeScored {
			out[i].Score = min(1, max(0, c.Calibrate(out[i].Score)))
		}
	}
	return out
}

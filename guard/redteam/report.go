package redteam

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/prodailabs/prodai/guard/threat"
)

// The kinds of results.
const (
	KindAttack   = "attack"
	KindOrdinary = "ordinary"
)

// A Result is what became of one try. Of an ordinary request, OutcomeSucceeded means
// that it was answered, and OutcomeResisted that it was blocked or refused.
type Result struct {
	Attack   string   `json:"attack"`
	Mutator  string   `json:"mutator,omitempty"` // "" for the plain form, "adaptive" for an attacker
	Kind     string   `json:"kind"`
	Try      int      `json:"try,omitempty"`
	Threats  []string `json:"threats"`
	Outcome  Outcome  `json:"outcome"`
	By       string   `json:"by,omitempty"` // what blocked, or the sign of success
	Reason   string   `json:"reason,omitempty"`
	Document string   `json:"document,omitempty"`
	Talk     []Turn   `json:"talk,omitempty"` // excerpts
}

// A Turn is an excerpt of one exchange.
type Turn struct {
	User   string   `json:"user"`
	Answer string   `json:"answer"`
	Calls  []string `json:"calls,omitempty"`
}

// name is what a result has in common with that of another run.
func (r *Result) name() string {
	if r.Mutator == "" {
		return r.Attack
	}
	return r.Attack + " / " + r.Mutator
}

// A Report is the results of a run. It has excerpts of prompts and answers, so treat
// it as you treat the data of the target.
type Report struct {
	Version int      `json:"version"`
	Results []Result `json:"results"`
}

// A Rate is how many tries succeeded, of those that could be assessed, with its 95 %
// interval (Wilson).
type Rate struct {
	Name      string // a threat's id, a mutator's name
	Succeeded int
	Assessed  int // succeeded or resisted
	Unscored  int
	Failed    int
	Value     float64 // NaN if nothing was assessed
	Low, High float64
}

func (r *Rate) add(o Outcome) {
	switch o {
	case OutcomeSucceeded:
		r.Succeeded++
		r.Assessed++
	case OutcomeResisted:
		r.Assessed++
	case OutcomeFailed:
		r.Failed++
	default:
		r.Unscored++
	}
}

func (r *Rate) end() Rate {
	r.Value, r.Low, r.High = math.NaN(), 0, 1
	if r.Assessed > 0 {
		r.Value = float64(r.Succeeded) / float64(r.Assessed)
		r.Low, r.High = wilson(r.Succeeded, r.Assessed)
	}
	return *r
}

// String returns "3/40 = 7.5 % [2.6, 19.9]", with what was not assessed.
func (r Rate) String() string {
	s := "not tested"
	if r.Assessed > 0 {
		s = fmt.Sprintf("%d/%d = %.1f %% [%.1f, %.1f]", r.Succeeded, r.Assessed, 100*r.Value, 100*r.Low, 100*r.High)
	}
	if r.Unscored+r.Failed > 0 {
		s += fmt.Sprintf(", %d unscored, %d failed", r.Unscored, r.Failed)
	}
	return s
}

// wilson returns the 95 % interval of a rate: E. B. Wilson, 1927.
func wilson(k, n int) (low, high float64) {
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	center := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	low, high = (center-half)/(1+z*z/m), (center+half)/(1+z*z/m)
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return low, high
}

// Total returns the attack success rate over all tries. Forms of one attack are not
// independent, so read [Report.Breached] beside it.
func (r *Report) Total() Rate { return r.rate("total", KindAttack, func(*Result) bool { return true }) }

// Blocking returns the rate of ordinary requests that were blocked or refused.
func (r *Report) Blocking() Rate {
	out := Rate{Name: "over-blocking"}
	for i := range r.Results {
		if x := &r.Results[i]; x.Kind == KindOrdinary {
			switch x.Outcome {
			case OutcomeSucceeded:
				out.add(OutcomeResisted)
			case OutcomeResisted:
				out.add(OutcomeSucceeded)
			default:
				out.add(x.Outcome)
			}
		}
	}
	return out.end()
}

func (r *Report) rate(name, kind string, keep func(*Result) bool) Rate {
	out := Rate{Name: name}
	for i := range r.Results {
		if x := &r.Results[i]; x.Kind == kind && keep(x) {
			out.add(x.Outcome)
		}
	}
	return out.end()
}

// ByThreat returns the rates of the OWASP and ATLAS ids, in the order of their lists.
// One try counts for each of its ids.
func (r *Report) ByThreat() []Rate {
	var out []Rate
	for t := range threat.All() {
		rate := r.rate(t.ID, KindAttack, func(x *Result) bool { return slices.Contains(x.Threats, t.ID) })
		if rate.Assessed+rate.Unscored+rate.Failed > 0 {
			out = append(out, rate)
		}
	}
	return out
}

// ByMutator returns the rates of the forms, the most successful first. "" is the plain
// form.
func (r *Report) ByMutator() []Rate {
	names := map[string]bool{}
	for _, x := range r.Results {
		if x.Kind == KindAttack {
			names[x.Mutator] = true
		}
	}
	var out []Rate
	for name := range names {
		out = append(out, r.rate(name, KindAttack, func(x *Result) bool { return x.Mutator == name }))
	}
	slices.SortFunc(out, func(a, b Rate) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Breached returns the rate of attacks that succeeded in at least one form and try:
// what an attacker gets who tries everything. An attack counts as assessed if it
// succeeded once, or if every try was assessed.
func (r *Report) Breached() Rate {
	type state struct{ hit, open, failed bool }
	attacks := map[string]state{}
	for _, x := range r.Results {
		if x.Kind != KindAttack {
			continue
		}
		s := attacks[x.Attack]
		s.hit = s.hit || x.Outcome == OutcomeSucceeded
		s.open = s.open || x.Outcome == OutcomeUnscored || x.Outcome == OutcomeUnset
		s.failed = s.failed || x.Outcome == OutcomeFailed
		attacks[x.Attack] = s
	}
	out := Rate{Name: "breached"}
	for _, s := range attacks {
		switch {
		case s.hit:
			out.add(OutcomeSucceeded)
		case s.failed:
			out.add(OutcomeFailed)
		case s.open:
			out.add(OutcomeUnscored)
		default:
			out.add(OutcomeResisted)
		}
	}
	return out.end()
}

// HitAt returns the probability that at least one of k tries of a form succeeds,
// averaged over the forms with at least k assessed tries: the unbiased estimate
// 1 - C(n-c, k)/C(n, k) of Chen et al., Evaluating Large Language Models Trained on Code,
// 2021. It is NaN if no form has k tries.
func (r *Report) HitAt(k int) float64 {
	type count struct{ n, c int }
	forms := map[string]count{}
	for i := range r.Results {
		x := &r.Results[i]
		if x.Kind != KindAttack || x.Outcome != OutcomeSucceeded && x.Outcome != OutcomeResisted {
			continue
		}
		f := forms[x.name()]
		f.n++
		if x.Outcome == OutcomeSucceeded {
			f.c++
		}
		forms[x.name()] = f
	}
	sum, n := 0.0, 0
	for _, f := range forms {
		if f.n < k || k < 1 {
			continue
		}
		miss := 1.0
		for i := range k {
			miss *= float64(max(0, f.n-f.c-i)) / float64(f.n-i)
		}
		sum += 1 - miss
		n++
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// ErrReport reports a report that can't be read.
var ErrReport = errors.New("redteam: the report is not valid")

// WriteTo writes the report as JSON, for [ReadReport] and as the baseline of
// [Compare].
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return 0, err
	}
	n, err := w.Write(append(data, '\n'))
	return int64(n), err
}

// ReadReport reads what [Report.WriteTo] wrote.
func ReadReport(r io.Reader) (*Report, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	var out Report
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if out.Version != 1 {
		return nil, fmt.Errorf("%w: version %d: want 1", ErrReport, out.Version)
	}
	for _, x := range out.Results {
		if x.Attack == "" || x.Kind != KindAttack && x.Kind != KindOrdinary || x.Outcome == OutcomeUnset {
			return nil, fmt.Errorf("%w: a result has no attack, kind or outcome", ErrReport)
		}
	}
	return &out, nil
}

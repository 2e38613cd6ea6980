package detect

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// A Detector finds the values of its rules. It is safe for concurrent use. Make one
// with [New]: the zero value finds nothing.
type Detector struct {
	rules []Rule
	asked []asked // what is read of each rule at each place, close together in memory
	// Rules by the byte that a value starts with: those asked everywhere, and
	// those asked at the start of a word.
	inside, word [256][]uint16
	maxHold      int
}

// asked is the part of a rule that decides.
type asked struct {
	prefix string
	max    int
	match  func(text string, at int, atEOF bool) int
}

// ErrOption is wrapped by every error about a wrong rule, option or key.
var ErrOption = errors.New("detect: invalid option")

// New returns a detector with the rules given. Of two rules that match the same
// bytes the earlier one wins. A rule without Kind, Match or Max is an error that
// wraps [ErrOption], and so is an empty list of rules.
func New(rules ...Rule) (*Detector, error) {
	if len(rules) == 0 {
		return nil, fmt.Errorf("%w: there are no rules: want 1 or more", ErrOption)
	}
	d := &Detector{rules: slices.Clone(rules)}
	for i, r := range d.rules {
		switch {
		case r.Kind == "":
			return nil, fmt.Errorf("%w: the Kind of rule %d is empty: want a name", ErrOption, i)
		case r.Match == nil:
			return nil, fmt.Errorf("%w: the Match of rule %d (%q) is nil: want a function", ErrOption, i, r.Kind)
		case r.Max <= 0:
			return nil, fmt.Errorf("%w: the Max of rule %d (%q) is %d: want 1 or more", ErrOption, i, r.Kind, r.Max)
		}
		d.maxHold = max(d.maxHold, r.Max)
		d.asked = append(d.asked, asked{r.Prefix, r.Max, r.Match})
		for b, ok := range r.starts() {
			if !ok {
				continue
			}
			d.word[b] = append(d.word[b], uint16(i))
			if r.Inside {
				d.inside[b] = append(d.inside[b], uint16(i))
			}
		}
	}
	return d, nil
}

// starts returns the bytes that a value of the rule can start with.
func (r *Rule) starts() *Class {
	starts := &Class{}
	switch {
	case r.Starts != "":
		for _, b := range []byte(r.Starts) {
			starts[b] = true
		}
	case r.Prefix != "":
		starts[r.Prefix[0]] = true
	default:
		for b := range starts {
			starts[b] = true
		}
	}
	return starts
}

// Kinds returns the kinds of the rules, in their order, each once.
func (d *Detector) Kinds() []string {
	var kinds []string
	for _, r := range d.rules {
		if !slices.Contains(kinds, r.Kind) {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}

// MaxHold returns the number of bytes that a stream holds back at most, not
// counting an incomplete rune and the chunk in hand.
func (d *Detector) MaxHold() int { return d.maxHold }

// Find returns the findings in text, in order, none overlapping another.
func (d *Detector) Find(text string) []Finding {
	var all []Finding
	for f := range d.All(text) {
		all = append(all, f)
	}
	return all
}

// All yields the findings in text as the scan meets them.
func (d *Detector) All(text string) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for at := 0; at < len(text); {
			f, next := d.next(text, at, true)
			if f.End > f.Start && !yield(f) {
				return
			}
			at = next
		}
	}
}

// next scans text from at to the first finding. It returns the finding and the
// position where the scan goes on: after the finding, or, without one, at the
// first undecided position or the end.
func (d *Detector) next(text string, at int, atEOF bool) (Finding, int) {
	for ; at < len(text); at++ {
		rules := d.word[text[at]]
		if at > 0 && Word[text[at-1]] {
			rules = d.inside[text[at]]
		}
		if len(rules) == 0 {
			continue
		}
		rule, n := d.match(text, at, rules, atEOF)
		if n == NeedMore {
			return Finding{}, at
		}
		if n > 0 {
			r := &d.rules[rule]
			return Finding{Kind: r.Kind, Start: at, End: at + n, Score: r.Score, Reason: r.Reason, Threats: r.Threats}, at + n
		}
	}
	return Finding{}, at
}

func (d *Detector) match(text string, at int, rules []uint16, atEOF bool) (rule uint16, longest int) {
	from := max(0, at-LookbehindBytes)
	for _, i := range rules {
		r := &d.asked[i]
		if r.prefix != "" {
			switch Literal(text, at, r.prefix, atEOF) {
			case NeedMore:
				return 0, NeedMore
			case 0:
				continue
			}
		}
		end, whole := len(text), atEOF
		if end-at >= r.max {
			end, whole = at+r.max, true
		}
		n := r.match(text[from:end], at-from, whole)
		if n == NeedMore && !whole {
			return 0, NeedMore
		}
		if n > longest && n <= end-at {
			rule, longest = i, n
		}
	}
	return rule, longest
}

package judge

import (
	"context"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/eval/stats"
)

// A Change rewrites an answer without changing what it states, so a judge of content
// has no reason to prefer the changed answer. [ProbeChange] measures whether it does.
type Change struct {
	Name  string
	Apply func(answer string) string
}

// ChangeVerbose repeats the answer in other frames: more words, no more content.
func ChangeVerbose() Change {
	return Change{"verbosity", func(a string) string {
		a = strings.TrimSpace(a)
		return "To begin with, here is the answer to the question that was asked. " + a +
			"\n\nIn other words, and to say the same once more: " + a +
			"\n\nTo sum up what was said above, the answer is the following. " + a
	}}
}

// ChangeStyle puts the sentences into a Markdown list with a heading.
func ChangeStyle() Change {
	return Change{"style", func(a string) string {
		var b strings.Builder
		b.WriteString("## Answer\n\n")
		for line := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(a), ". ", ".\n"), "\n") {
			if line = strings.TrimSpace(line); line != "" {
				b.WriteString("- **" + line + "**\n")
			}
		}
		return b.String()
	}}
}

// ChangeAuthority adds sources that don't exist and a claim of expertise.
func ChangeAuthority() Change {
	return Change{"authority", func(a string) string {
		return strings.TrimSpace(a) + "\n\n(Reviewed by three professors of the subject. Source: Handbook of the Subject, 4th edition, p. 212; Journal of Results 18 (2021), 33-41.)"
	}}
}

// A Bias is a measured preference for something that should not count. Effect is the
// mean over items of the shift, in units of the score from 0 to 1.
type Bias struct {
	Name     string
	Items    int            // with a score
	Unscored int            // items without one, left out
	Effect   float64        // above 0: the judge prefers it
	Interval stats.Interval // of the effect
	FlipRate float64        // of position only: pairs where the place decided
	Spent    Spent
}

// Shown reports whether the interval excludes 0: the items show a bias.
func (b *Bias) Shown() bool { return b.Interval.Low > 0 || b.Interval.High < 0 }

// ProbeOptions are the settings of the probes of bias.
type ProbeOptions struct {
	// Level of the intervals. Default: 0.95.
	Level float64
}

func (o *ProbeOptions) level() (float64, error) {
	if o == nil || o.Level == 0 {
		return 0.95, nil
	}
	if !(o.Level > 0 && o.Level < 1) {
		return 0, fmt.Errorf("%w: ProbeOptions.Level is %v: want between 0 and 1", ErrOption, o.Level)
	}
	return o.Level, nil
}

// An AnswerPair is two answers to compare. People's value is needed by
// [ProbeSelfPreference] only.
type AnswerPair struct {
	Item   Item
	A, B   string
	People float64 // A's part by people: 1 won, ½ tie, 0 lost
}

// ProbePosition measures the preference for the first place: the mean over pairs of
// how often the first answer won less how often the second did, in both orders. It is
// 0 without position bias, and 1 if the first answer always wins.
func ProbePosition(ctx context.Context, j *Judge, pairs []AnswerPair, o *ProbeOptions) (Bias, error) {
	b := Bias{Name: "position"}
	flips := 0.0
	err := b.run(ctx, j, len(pairs), o, func(i int) (float64, bool, error) {
		c, err := j.Compare(ctx, pairs[i].Item, pairs[i].A, pairs[i].B)
		b.Spent.Add(c.Spent)
		if err != nil || c.Outcome != OutcomeScored {
			return 0, false, err
		}
		if c.Flipped {
			flips++
		}
		return (points(c.Orders[0]) - points(c.Orders[1])) / 2, true, nil
	})
	if b.Items > 0 {
		b.FlipRate = flips / float64(b.Items)
	}
	return b, err
}

// points is 1 for A, 0 for a tie, -1 for B.
func points(v Verdict) float64 {
	switch v {
	case VerdictA:
		return 1
	case VerdictB:
		return -1
	}
	return 0
}

// ProbeChange compares each item's answer with its changed form, in both orders. The
// effect is 2·value - 1: 0 without a preference, 1 if the changed answer always
// wins. The effect of a change that a criterion names is not a bias.
func ProbeChange(ctx context.Context, j *Judge, items []Item, change Change, o *ProbeOptions) (Bias, error) {
	b := Bias{Name: change.Name}
	if change.Apply == nil {
		return b, fmt.Errorf("%w: Change.Apply is nil", ErrOption)
	}
	err := b.run(ctx, j, len(items), o, func(i int) (float64, bool, error) {
		c, err := j.Compare(ctx, items[i], change.Apply(items[i].Output), items[i].Output)
		b.Spent.Add(c.Spent)
		return 2*c.Value - 1, c.Outcome == OutcomeScored, err
	})
	return b, err
}

// ProbeGrades grades each item's answer and its changed form. The effect is the mean
// difference of the scores.
func ProbeGrades(ctx context.Context, j *Judge, items []Item, change Change, o *ProbeOptions) (Bias, error) {
	b := Bias{Name: change.Name + ", grades"}
	if change.Apply == nil {
		return b, fmt.Errorf("%w: Change.Apply is nil", ErrOption)
	}
	err := b.run(ctx, j, len(items), o, func(i int) (float64, bool, error) {
		plain, err := j.Grade(ctx, items[i])
		b.Spent.Add(plain.Spent)
		if err != nil || plain.Outcome != OutcomeScored {
			return 0, false, err
		}
		item := items[i]
		item.Output = change.Apply(item.Output)
		changed, err := j.Grade(ctx, item)
		b.Spent.Add(changed.Spent)
		return changed.Score - plain.Score, changed.Outcome == OutcomeScored, err
	})
	return b, err
}

// ProbeSelfPreference measures the preference of a judge for answers of its own
// model. In each pair A is the judge's own model's answer and B another model's, with
// people's value. The effect is the mean of 2·(judge's value - people's value): an
// own answer that people prefer as well is not a bias.
func ProbeSelfPreference(ctx context.Context, j *Judge, pairs []AnswerPair, o *ProbeOptions) (Bias, error) {
	b := Bias{Name: "self-preference"}
	for i, p := range pairs {
		if !(p.People >= 0 && p.People <= 1) {
			return b, fmt.Errorf("%w: People of pair %d is %v: want 0 to 1", ErrOption, i, p.People)
		}
	}
	err := b.run(ctx, j, len(pairs), o, func(i int) (float64, bool, error) {
		c, err := j.Compare(ctx, pairs[i].Item, pairs[i].A, pairs[i].B)
		b.Spent.Add(c.Spent)
		return 2 * (c.Value - pairs[i].People), c.Outcome == OutcomeScored, err
	})
	return b, err
}

// run measures n items and sets the effect and its interval, by Student's t.
func (b *Bias) run(ctx context.Context, j *Judge, n int, o *ProbeOptions, measure func(i int) (float64, bool, error)) error {
	level, err := o.level()
	if err != nil {
		return err
	}
	if j == nil {
		return fmt.Errorf("%w: the judge is nil", ErrOption)
	}
	var effects []float64
	for i := range n {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("judge: %s: %w", b.Name, err)
		}
		v, scored, err := measure(i)
		if err != nil {
			return fmt.Errorf("judge: %s: item %d: %w", b.Name, i, err)
		}
		if !scored {
			b.Unscored++
			continue
		}
		effects = append(effects, v)
	}
	b.Items = len(effects)
	if b.Items < 2 {
		return fmt.Errorf("%w: %s: %d items have a score: want at least 2", ErrUndefined, b.Name, b.Items)
	}
	b.Effect = stats.Mean(effects)
	b.Interval, err = stats.PairedTInterval(effects, make([]float64, len(effects)), level)
	if err != nil {
		return fmt.Errorf("judge: %s: %w", b.Name, err)
	}
	return nil
}

// BiasTable returns biases as text, a line each.
func BiasTable(biases []Bias) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "bias\titems\teffect\tinterval\tshown")
	for _, x := range biases {
		word := "no"
		if x.Shown() {
			word = "yes"
		}
		fmt.Fprintf(t, "%s\t%d\t%+.3f\t%+.3f to %+.3f\t%s\n", x.Name, x.Items, zero(x.Effect), zero(x.Interval.Low), zero(x.Interval.High), word)
	}
	t.Flush()
	return b.String()
}

// zero keeps "-0.000" out of tables.
func zero(x float64) float64 {
	if math.Abs(x) < 0.0005 {
		return 0
	}
	return x
}

package judge

import (
	"context"
	"fmt"
)

// A Verdict is which of two answers a judge prefers.
type Verdict uint8

// The verdicts.
const (
	VerdictUnset Verdict = iota
	VerdictA
	VerdictB
	VerdictTie
)

// String returns "unset", "A", "B" or "tie".
func (v Verdict) String() string {
	names := [...]string{"unset", "A", "B", "tie"}
	if int(v) >= len(names) {
		v = VerdictUnset
	}
	return names[v]
}

// swapped returns the verdict for the answers in the other order.
func (v Verdict) swapped() Verdict {
	switch v {
	case VerdictA:
		return VerdictB
	case VerdictB:
		return VerdictA
	}
	return v
}

// A Comparison is what came of [Judge.Compare].
type Comparison struct {
	Outcome Outcome `json:"outcome"` // of the first order that has no verdict, else scored
	// Verdict follows the strict rule: A or B if both orders agree, else a tie.
	Verdict Verdict `json:"verdict"`
	// Value is A's part of the win: the mean of the two orders' 1 for A, ½ for a
	// tie, 0 for B. So a win and a tie are ¾, where Verdict is a tie. Its mean over
	// pairs doesn't depend on a constant preference for a place.
	Value float64 `json:"value"`
	// Orders are the verdicts with A first and with B first, both about A and B.
	Orders [2]Verdict `json:"orders"`
	// Flipped means that the judge preferred the same place in both orders.
	Flipped bool      `json:"flipped,omitempty"`
	Reasons [2]string `json:"reasons"`
	Judge   Version   `json:"judge"`
	Spent   Spent     `json:"spent"`
}

const pairTask = `You compare two answers, FIRST ANSWER and SECOND ANSWER, of AI systems to the same question by the criteria below. The order is random. Length and style count only where a criterion names them. If neither is better, the verdict is "tie". Give the reason first, then the verdict:
{"check": "...", "reason": "one or two sentences", "verdict": "first", "second" or "tie"}
`

// Compare asks the model twice which of two answers is better, in both orders.
// item.Output is not used. A judge with position bias prefers a place, which the
// second order shows. Outcomes and errors are those of [Judge.Grade].
func (j *Judge) Compare(ctx context.Context, item Item, a, b string) (Comparison, error) {
	c := Comparison{Judge: j.version}
	for i, order := range [2][2]string{{a, b}, {b, a}} {
		v, outcome, reason, spent, err := j.compareOnce(ctx, &item, order)
		c.Spent.Add(spent)
		if err != nil {
			c.Outcome = OutcomeUnset
			return c, err
		}
		c.Reasons[i] = reason
		if outcome != OutcomeScored {
			c.Outcome = outcome
			return c, nil
		}
		if i == 1 {
			v = v.swapped()
		}
		c.Orders[i] = v
	}
	c.Outcome = OutcomeScored
	c.Verdict = VerdictTie
	if c.Orders[0] == c.Orders[1] {
		c.Verdict = c.Orders[0]
	}
	c.Flipped = c.Orders[0] != VerdictTie && c.Orders[1] == c.Orders[0].swapped()
	for _, v := range c.Orders {
		switch v {
		case VerdictA:
			c.Value += 0.5
		case VerdictTie:
			c.Value += 0.25
		}
	}
	return c, nil
}

func (j *Judge) compareOnce(ctx context.Context, item *Item, answers [2]string) (v Verdict, outcome Outcome, why string, spent Spent, err error) {
	p := prompt{
		system: pairTask + j.rubric.String(),
		parts:  append(item.shared(), Part{"FIRST ANSWER", answers[0]}, Part{"SECOND ANSWER", answers[1]}),
		ending: "Compare the FIRST ANSWER and the SECOND ANSWER now.",
	}
	var detail string
	outcome, detail, spent, err = j.o.ask(ctx, j.model, p, func(object map[string]jsonValue) error {
		for key := range object {
			if key != "verdict" && key != "reason" {
				return unreadable("the key %.40q is unknown", key)
			}
		}
		word, err := textAt(object, "verdict")
		if err != nil {
			return err
		}
		switch word {
		case "first":
			v = VerdictA
		case "second":
			v = VerdictB
		case "tie":
			v = VerdictTie
		default:
			return unreadable("the verdict is %.40q, want first, second or tie", word)
		}
		why, _ = textAt(object, "reason")
		return nil
	})
	if outcome != OutcomeScored {
		why = detail
	}
	if err != nil {
		err = fmt.Errorf("judge: compare: %w", err)
	}
	return v, outcome, why, spent, err
}

package guard

import (
	"context"
	"fmt"
	"time"
)

// A Finding is one thing that a check found in a text.
type Finding struct {
	Kind    string   // what it is: EMAIL, override, tool_tainted, …
	Start   int      // byte offset in the text that was checked
	End     int      // byte offset behind it
	Score   float64  // how sure the check is, 0 to 1; the check says what it means
	Reason  string   // why, in words that hold nothing of the text
	Threats []string // OWASP LLM 2025 and MITRE ATLAS ids: "LLM01:2025", "AML.T0051"
}

// A Policy is what happens when a check finds something.
type Policy uint8

// The policies.
const (
	PolicyBlock  Policy = iota // the call ends with a [BlockedError]
	PolicyRedact               // the finding is replaced, the call goes on
	PolicyFlag                 // the verdict is reported, the text stays
	PolicyShadow               // the verdict is logged and nothing else: a check on trial
)

// String returns the policy's name, as events carry it.
func (p Policy) String() string {
	switch p {
	case PolicyBlock:
		return "block"
	case PolicyRedact:
		return "redact"
	case PolicyFlag:
		return "flag"
	case PolicyShadow:
		return "shadow"
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// acts reports whether the policy changes what passes: such a check must have
// seen a text before any of it is released.
func (p Policy) acts() bool { return p <= PolicyRedact }

// A Check looks for one sort of trouble in one text at a time. It needs a Name
// and at least one of Find and Scan.
type Check struct {
	// Name is how verdicts and events call the check.
	Name string

	// Find returns what is wrong with text. It must return when ctx is done,
	// and be safe for concurrent use. [ProvenanceFrom] of ctx tells where the
	// words of the request came from.
	Find func(ctx context.Context, text string) ([]Finding, error)

	// Scan starts the check on a text that comes in pieces, so that a stream
	// is released as early as can be. nil: Find is run on overlapping windows
	// of Hold bytes.
	Scan func(ctx context.Context) Scanner

	// Hold is how many bytes Find must see on both sides of a position to
	// decide it, where Scan is nil; a finding longer than Hold may be missed
	// in a stream. 0: the whole text, so a stream is released at its end.
	Hold int

	// Policy is what happens when something is found. The zero value blocks.
	Policy Policy

	// Replace says what stands in a finding's place under Redact; nil:
	// "[KIND]".
	Replace func(f Finding, value string) string

	// MinScore drops findings that score lower.
	MinScore float64

	// Cost orders the checks of a stage: those of equal cost run at the same
	// time, the cheaper ones first, and if one of these blocks, the dearer ones
	// don't run. A check of cost 0 runs on the caller's goroutine, so it must
	// be fast: no time limit can end it.
	Cost int

	// Timeout is how long a check of Cost > 0 may take; 0: as long as the
	// stage's [Options].Budget.
	Timeout time.Duration

	// FailOpen lets the text pass when the check fails or is too slow. The
	// default is to block: an attacker who can break a check must not gain by
	// it. Checks that only flag or shadow always fail open.
	FailOpen bool
}

// A Scanner is a check at work on one text that comes in pieces, cut anywhere,
// inside a rune too. Offsets are in the whole text.
type Scanner interface {
	// Write takes the next piece. It returns findings, each once, and how many
	// bytes of the text so far are decided: no finding will be reported later
	// that starts before decided.
	Write(piece string) (found []Finding, decided int, err error)

	// Close says that the text has ended, and returns the findings left.
	Close() ([]Finding, error)
}

func (c *Check) validate(stage Stage) error {
	switch {
	case c.Name == "":
		return fmt.Errorf("guard: a check of stage %s has no Name", stage)
	case c.Find == nil && c.Scan == nil:
		return fmt.Errorf("guard: check %q of stage %s needs a Find or a Scan", c.Name, stage)
	case c.Policy > PolicyShadow:
		return fmt.Errorf("guard: check %q of stage %s has the unknown policy %d", c.Name, stage, c.Policy)
	case c.Hold < 0 || c.Cost < 0 || c.Timeout < 0:
		return fmt.Errorf("guard: check %q of stage %s has a negative Hold, Cost or Timeout", c.Name, stage)
	}
	return nil
}

// find runs the check on a whole text. A panic is a failure of the check, not
// of the program.
func (c *Check) find(ctx context.Context, text string) (found []Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("guard: check %q panicked: %v", c.Name, p)
		}
	}()
	if c.Find != nil {
		found, err = c.Find(ctx, text)
	} else {
		s := c.Scan(ctx)
		var rest []Finding
		if found, _, err = s.Write(text); err == nil {
			rest, err = s.Close()
			found = append(found, rest...)
		}
	}
	if err != nil {
		return nil, err
	}
	return c.keep(found, len(text)), nil
}

// keep drops what scores too low, and spans that aren't in the text.
func (c *Check) keep(found []Finding, size int) []Finding {
	kept := found[:0:0]
	for _, f := range found {
		if f.Score < c.MinScore && c.MinScore > 0 {
			continue
		}
		f.Start = min(max(f.Start, 0), size)
		f.End = min(max(f.End, f.Start), size)
		kept = append(kept, f)
	}
	return kept
}

func (c *Check) replacement(f Finding, value string) string {
	if c.Replace != nil {
		return c.Replace(f, value)
	}
	return "[" + f.Kind + "]"
}

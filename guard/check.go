package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/prodailabs/prodai/guard/detect"
)

// A Finding is one thing that a check found in a text. Its offsets are in the
// text that was checked.
type Finding = detect.Finding

// A Policy is what happens when a check finds something. The zero value means
// "not set". It stands for the default of its field. The default is to block unless
// the field's comment names another.
type Policy uint8

// The policies.
const (
	PolicyBlock  Policy = iota + 1 // the call ends with a [BlockedError]
	PolicyRedact                   // the finding is replaced, the call goes on
	PolicyFlag                     // the verdict is reported, the text stays
	PolicyShadow                   // the verdict is logged and nothing else: a check on trial
)

// String returns the policy's name, as events carry it.
func (p Policy) String() string {
	switch p {
	case 0:
		return "unset"
	case PolicyBlock:
		return "block"
	case PolicyRedact:
		return "redact"
	case PolicyFlag:
		return "flag"
	case PolicyShadow:
		return "shadow"
	}
	return "unknown"
}

// acts reports whether the policy changes what passes: such a check must have
// seen a text before any of it is released. The pipeline has set every policy.
func (p Policy) acts() bool { return p == PolicyBlock || p == PolicyRedact }

// A Check looks for one kind of problem, in one text at a time. It needs a Name
// and at least one of Find and Scan.
type Check struct {
	// Name is the check's name in verdicts and events. It is required.
	Name string

	// Find returns what is wrong with text. It must return when ctx is done,
	// and be safe for concurrent use. [ProvenanceFrom] of ctx returns where the
	// words of the request came from.
	Find func(ctx context.Context, text string) ([]Finding, error)

	// Scan starts the check on a text that comes in pieces, so that a stream
	// is released as early as possible. Default: Find runs on overlapping
	// windows of Hold bytes.
	Scan func(ctx context.Context) Scanner

	// Hold is how many bytes Find must see on both sides of a position to
	// decide it, where Scan is nil. A finding longer than Hold may be missed
	// in a stream. Default: the whole text, so a stream is released at its end.
	Hold int

	// Policy is what happens when something is found. Default: PolicyBlock, so
	// that a policy that was forgotten lets nothing pass.
	Policy Policy

	// Replace returns the text that replaces a finding under PolicyRedact.
	// Default: the finding's kind, as in "[EMAIL]".
	Replace func(f Finding, value string) string

	// MinScore drops findings that score lower. Default: 0, which keeps all.
	MinScore float64

	// Rank orders the checks of a stage. Lower ranks run first, and checks of
	// equal rank run at the same time. If one blocks, those of higher rank don't
	// run, so give expensive checks the higher rank. A check of rank 0 runs on
	// the caller's goroutine, and no time limit can end it, so it must be fast.
	// Default: 0.
	Rank int

	// Timeout is how long a check of Rank > 0 may take. Default: as long as
	// the stage's [Options].Budget.
	Timeout time.Duration

	// FailOpen lets the text pass when the check fails or is too slow. Checks
	// that only flag or shadow always fail open. Default: false, which blocks:
	// an attacker who can break a check must not gain by it.
	FailOpen bool
}

// A Scanner is a check of one text that comes in pieces. The pieces may be cut
// anywhere, inside a rune too. Offsets are in the whole text.
type Scanner interface {
	// Write takes the next piece. It returns findings, each once, and how many
	// bytes of the text so far are decided. No finding that is reported later
	// starts before decided.
	Write(piece string) (found []Finding, decided int, err error)

	// Close ends the text and returns the findings left.
	Close() ([]Finding, error)
}

// validate reports what is wrong with the check at options, such as
// "Options.Output[1]".
func (c *Check) validate(options string) error {
	switch {
	case c.Name == "":
		return fmt.Errorf("%w: %s.Name is empty: want a name", ErrOption, options)
	case c.Find == nil && c.Scan == nil:
		return fmt.Errorf("%w: %s (%q) has neither Find nor Scan: want one of them", ErrOption, options, c.Name)
	case c.Hold < 0:
		return fmt.Errorf("%w: %s.Hold (%q) is %d: want 0 or more", ErrOption, options, c.Name, c.Hold)
	case c.Rank < 0:
		return fmt.Errorf("%w: %s.Rank (%q) is %d: want 0 or more", ErrOption, options, c.Name, c.Rank)
	case c.Timeout < 0:
		return fmt.Errorf("%w: %s.Timeout (%q) is %v: want 0 or more", ErrOption, options, c.Name, c.Timeout)
	}
	return c.Policy.validate(options + ".Policy")
}

// validate reports an unknown policy of an option.
func (p Policy) validate(option string) error {
	if p > PolicyShadow {
		return fmt.Errorf("%w: %s is %d: want one of the policies", ErrOption, option, p)
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

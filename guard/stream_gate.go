package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A gate releases a text as far as every acting check has decided it, with findings
// replaced. What it emits doesn't depend on how the text was cut, as long as the
// checks' findings don't depend on that.
//
//	0          pos      decided          end
//	│ released │ decided │ held back      │
//	           └ next    └ the slowest check has decided up to here
type gate struct {
	lanes   []*lane
	text    strings.Builder // the original, all of it
	pos     int             // next byte to release
	end     int             // bytes written
	pending []edit          // findings not yet passed, in order
	maxHold int
}

// A lane is one check of the gate's text.
type lane struct {
	check   *Check
	scanner Scanner
	found   []Finding
	failed  error // why it failed open
	decided int
}

// An edit is a finding to replace.
type edit struct {
	f     Finding
	check *Check
}

// A halt is why a gate closed for good: a finding of a blocking check, or a
// check that failed.
type halt struct {
	lane *lane
	err  error
}

func (h *halt) Error() string { return "guard: stream stopped by check " + h.lane.check.Name }

// write takes the next piece of text and returns what may be released.
func (g *gate) write(piece string) (string, error) {
	g.text.WriteString(piece)
	g.end += len(piece)
	decided := g.end
	for _, l := range g.lanes {
		if l.scanner == nil {
			continue // it failed open
		}
		found, upTo, err := l.write(piece)
		if err := g.take(l, found, err); err != nil {
			return "", err
		}
		if l.scanner != nil {
			l.decided = min(max(l.decided, upTo), g.end)
			decided = min(decided, l.decided)
		}
	}
	if g.maxHold > 0 && g.end-decided > g.maxHold {
		return "", &halt{g.slowest(), ErrTooLarge}
	}
	return g.release(decided), nil
}

// close ends the text and returns the rest of it.
func (g *gate) close() (string, error) {
	for _, l := range g.lanes {
		if l.scanner == nil {
			continue
		}
		found, err := l.close()
		if err := g.take(l, found, err); err != nil {
			return "", err
		}
	}
	return g.release(g.end), nil
}

// write and close treat a scanner's panic as a failure of the check.
func (l *lane) write(piece string) (found []Finding, decided int, err error) {
	defer l.recover(&err)
	return l.scanner.Write(piece)
}

func (l *lane) close() (found []Finding, err error) {
	defer l.recover(&err)
	return l.scanner.Close()
}

func (l *lane) recover(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("guard: check %q panicked: %v", l.check.Name, p)
	}
}

// take files a lane's findings, or its failure.
func (g *gate) take(l *lane, found []Finding, err error) error {
	if err != nil {
		if l.check.FailOpen {
			l.scanner, l.failed = nil, err
			return nil
		}
		return &halt{l, err}
	}
	found = l.check.keep(found, g.end)
	l.found = append(l.found, found...)
	if len(found) == 0 {
		return nil
	}
	if l.check.Policy == PolicyBlock {
		return &halt{l, nil}
	}
	for _, f := range found {
		g.pending = append(g.pending, edit{f, l.check})
	}
	slices.SortStableFunc(g.pending, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.f.Start, b.f.Start), cmp.Compare(b.f.End, a.f.End))
	})
	return nil
}

func (g *gate) slowest() *lane {
	return slices.MinFunc(g.lanes, func(a, b *lane) int { return cmp.Compare(a.decided, b.decided) })
}

// release emits the text before decided. Of findings that overlap, the one that
// starts first wins, then the longer one. The rest of the other one is replaced too.
func (g *gate) release(decided int) string {
	text := g.text.String()
	if g.pos < decided && (len(g.pending) == 0 || g.pending[0].f.Start >= decided) {
		from := g.pos
		g.pos = decided
		return text[from:decided]
	}
	var out strings.Builder
	n := 0
	for _, e := range g.pending {
		if e.f.Start >= decided {
			break
		}
		n++
		if e.f.End <= g.pos {
			continue
		}
		start := max(e.f.Start, g.pos)
		out.WriteString(text[g.pos:start])
		out.WriteString(e.check.replacement(e.f, text[start:e.f.End]))
		g.pos = e.f.End
	}
	g.pending = g.pending[n:]
	if g.pos < decided {
		out.WriteString(text[g.pos:decided])
		g.pos = decided
	}
	return out.String()
}

// rewrite replaces findings in a whole text as a gate does.
func rewrite(text string, edits []edit) string {
	if len(edits) == 0 {
		return text
	}
	g := gate{pending: edits, end: len(text)}
	g.text.WriteString(text)
	slices.SortStableFunc(g.pending, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.f.Start, b.f.Start), cmp.Compare(b.f.End, a.f.End))
	})
	return g.release(len(text))
}

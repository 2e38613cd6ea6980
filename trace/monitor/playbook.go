package monitor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A Check finds something out for a playbook: "the provider answers", "the last
// deployment was 12 minutes ago". It is written in Go, so that a playbook, which is
// text that is edited in a hurry, runs no commands.
type Check func(ctx context.Context) (finding string, err error)

// A Playbook is what to do in a kind of incident, in Markdown. An item of the form
//
//   - [ ] Does the provider answer? (check: provider)
//
// is a step that the program can take itself.
type Playbook struct {
	lines  []string
	checks []checkLine
}

type checkLine struct {
	at   int // its line
	text string
	name string
}

// maxPlaybook is the longest playbook, in bytes.
const maxPlaybook = 1 << 20

var checkItem = regexp.MustCompile(`^\s*[-*] \[ \] (.+?) \(check: ([a-zA-Z0-9_-]+)\)\s*$`)

// ReadPlaybook reads a playbook of at most 1 MiB. It fails with [ErrValue] and with
// the error of r.
func ReadPlaybook(r io.Reader) (*Playbook, error) {
	if r == nil {
		return nil, optionError("the reader is nil")
	}
	sc := bufio.NewScanner(io.LimitReader(r, maxPlaybook+1))
	sc.Buffer(nil, maxPlaybook+2)
	p := &Playbook{}
	size := 0
	for sc.Scan() {
		line := sc.Text()
		if size += len(line) + 1; size > maxPlaybook {
			return nil, fmt.Errorf("%w: the playbook is longer than %d bytes", ErrValue, maxPlaybook)
		}
		if m := checkItem.FindStringSubmatch(line); m != nil {
			p.checks = append(p.checks, checkLine{len(p.lines), m[1], m[2]})
		}
		p.lines = append(p.lines, line)
	}
	return p, sc.Err()
}

// Checks returns the names of the checks that the playbook needs, in order.
func (p *Playbook) Checks() []string {
	var out []string
	for _, c := range p.checks {
		out = append(out, c.name)
	}
	return out
}

// A Finding is the result of a step.
type Finding struct {
	Step, Check string
	Text        string
	Err         error
}

// Run runs the checks one after another, and writes the playbook with what they found.
// A check that fails does not stop the others. A name without a check is an error
// before any check runs, [ErrOption]. When ctx is done, the rest is not run and its
// findings have the error of ctx.
func (p *Playbook) Run(ctx context.Context, w io.Writer, checks map[string]Check) ([]Finding, error) {
	for _, c := range p.checks {
		if checks[c.name] == nil {
			return nil, optionError("the playbook's check %q is not there", c.name)
		}
	}
	lines := append([]string(nil), p.lines...)
	var out []Finding
	for _, c := range p.checks {
		f := Finding{Step: c.text, Check: c.name, Err: ctx.Err()}
		if f.Err == nil {
			f.Text, f.Err = runCheck(ctx, checks[c.name])
		}
		mark, text := "[x]", f.Text
		if f.Err != nil {
			mark, text = "[!]", "failed: "+f.Err.Error()
		}
		lines[c.at] = fmt.Sprintf("- %s %s: %s", mark, c.text, inline(text))
		out = append(out, f)
	}
	return out, write(w, strings.Join(lines, "\n")+"\n")
}

// runCheck runs a check; one that panics must not end the response to an incident.
func runCheck(ctx context.Context, check Check) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(err, fmt.Errorf("monitor: the check panicked: %v", p))
		}
	}()
	return check(ctx)
}

package modeltest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tmc/langchaingo/llms"
)

// ErrOption is wrapped by every error about a bad option or a required argument
// that is nil.
var ErrOption = errors.New("modeltest: invalid option")

// Options say what a wrapper does by design, so that the suite doesn't report it as
// a fault. The zero Options, and nil, are for a wrapper that passes everything on
// unchanged.
type Options struct {
	// MayCache: an equal request may be answered without asking next. The suite
	// then also checks the replay: it is streamed, complete and not shared.
	// Default: every request reaches next.
	MayCache bool

	// MayRetry: a failed call of next may be repeated. What is streamed may
	// still reach the callback only once, and a caller's own error is never
	// retried. Default: one call of next for each call.
	MayRetry bool

	// MayRewrite: texts of messages and answers may be changed, and messages
	// added, as a guard does. Roles, order and parts that aren't text, choices,
	// tool calls and GenerationInfo still survive, and the chunks still add up
	// to the answer that is returned. Default: texts stay as they are.
	MayRewrite bool

	// MayRechunk: the boundaries of chunks may move and empty ones may go, as in a
	// wrapper that needs a whole sentence before it passes it on. The text of each
	// kind and choice stays the same. The wrapper's documentation must state that
	// it does so. Default: the chunks are those of next.
	MayRechunk bool

	// MaySet names the fields of [llms.CallOptions] that the wrapper sets
	// itself, such as "Model" for a router. They aren't compared. Default: none.
	MaySet []string
}

func (o *Options) check() error {
	fields := reflect.TypeFor[llms.CallOptions]()
	for _, name := range o.MaySet {
		if _, ok := fields.FieldByName(name); !ok {
			return fmt.Errorf("%w: Options.MaySet has %q: want names of fields of llms.CallOptions", ErrOption, name)
		}
	}
	return nil
}

// Run checks a wrapper against the wrapper contract; the package comment states
// it. Each rule is a subtest, named as there, so that one can be run alone:
//
//	go test -run 'TestWrapper/ctx-hidden'
//
// wrap returns the wrapper under test around next. It is called several times per
// rule, and what it starts must end by tb.Cleanup. Each rule runs in a
// testing/synctest bubble: time is virtual, a goroutine that doesn't end is found,
// and so is a call that never returns. (A call that waits for a sync.Mutex forever
// isn't found: the timeout of go test ends it, and its report names the subtest.)
// So Run can't be called inside a bubble, and a wrapper that connects to a server
// over the network must be tested over an in-memory connection, such as
// [Server.Client] gives.
//
// The requests are short and harmless sentences that differ from each other.
func Run(t *testing.T, wrap func(tb testing.TB, next llms.Model) llms.Model, o *Options) {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	if wrap == nil {
		t.Fatal(fmt.Errorf("%w: wrap is nil", ErrOption))
	}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.applies(o) {
			failed := t.Failed()
			t.Run(r.name, func(t *testing.T) {
				if failed && r.name == panicRule.name {
					t.Skip("it may end the process: correct the other rules first")
				}
				r.run(t, nil, wrap, o)
			})
		}
	}
}

// A rule is a sentence of the contract and how to check it.
type rule struct {
	name  string
	law   string
	when  func(*Options) bool // nil: always
	check func(*checker)
}

// rules are in the order of the package comment.
var rules = slices.Concat(shapeRules, answerRules, requestRules, streamRules, errorRules, contextRules, cacheRules, []rule{panicRule})

func (r *rule) applies(o *Options) bool { return r.when == nil || r.when(o) }

// reporter is what a check needs of a test. The suite's own tests have one that
// records what was found.
type reporter interface {
	Errorf(format string, args ...any)
}

// run checks the rule in a bubble and reports to rep, or to t if rep is nil.
func (r *rule) run(t *testing.T, rep reporter, wrap func(testing.TB, llms.Model) llms.Model, o *Options) {
	c := &checker{rep: rep, rule: r, wrap: wrap, o: *o}
	defer func() {
		// The bubble panics if no goroutine in it can continue.
		p := recover()
		if p == nil {
			return
		}
		err, ok := p.(error)
		if !ok || !strings.HasPrefix(err.Error(), "deadlock:") {
			panic(p)
		}
		if rep == nil {
			c.rep = t
		}
		switch {
		case !strings.Contains(err.Error(), "has exited"):
			c.broken("a call that never returned: every goroutine waits for another", "an answer or an error")
		case !c.failed: // else this is what was reported with its stack
			c.broken("goroutines that wait forever after the call returned", "every goroutine that a call starts has ended by then, and the others at tb.Cleanup")
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		c.tb = t
		if rep == nil {
			c.rep = t
		}
		defer func() {
			if p := recover(); p != nil && p != any(stop{}) {
				panic(p)
			}
		}()
		r.check(c)
	})
}

// stop ends a check early.
type stop struct{}

// A checker checks one rule of one wrapper.
type checker struct {
	tb   testing.TB
	rep  reporter
	rule *rule
	wrap func(testing.TB, llms.Model) llms.Model
	o    Options

	failed bool // the rule was broken already
}

// broken reports that the rule was broken, with what came and what is right.
func (c *checker) broken(came, right string) {
	c.failed = true
	c.rep.Errorf("rule %s: %s\n\tcame:  %s\n\tright: %s", c.rule.name, c.rule.law, came, right)
}

// model wraps next.
func (c *checker) model(next llms.Model) llms.Model {
	m := c.wrap(c.tb, next)
	if m == nil {
		c.broken("wrap returned nil", "the wrapper around the model it was given")
		panic(stop{})
	}
	return m
}

// equal reports a difference between what came and what is right.
func (c *checker) equal(what string, came, right any) bool {
	if reflect.DeepEqual(came, right) {
		return true
	}
	c.broken(fmt.Sprintf("%s %s", what, show(came)), show(right))
	return false
}

// text compares texts that a rewriting wrapper may change.
func (c *checker) text(what, came, right string) {
	if !c.o.MayRewrite {
		c.equal(what, came, right)
	}
}

func show(v any) string {
	s := fmt.Sprintf("%+v", v)
	if v, ok := v.(string); ok {
		s = fmt.Sprintf("%q", v)
	}
	if err, ok := v.(error); ok {
		s = fmt.Sprintf("%T: %v", err, err)
	}
	if len(s) > 600 {
		s = s[:600] + " …"
	}
	return s
}

package guard

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
)

// Options configure a [Model], a [Retriever], a [Handler] or a [Pipeline]. The zero
// value checks nothing, and still marks untrusted text for the model: tool results
// and registered passages.
//
// Lists of this package and of its subpackages follow one rule: nil means the
// documented default, and a list that is empty and not nil means none.
type Options struct {
	// Input checks the caller's messages: human, AI and generic ones, since a
	// client that sends the history may have invented it. System messages are
	// the application's own. Default: no checks.
	Input []Check

	// Documents checks passages registered with [Untrusted], wherever they
	// appear in the messages, and what a [Retriever] returns. Default: no checks.
	Documents []Check

	// ToolResults checks the results of tools. Default: no checks.
	ToolResults []Check

	// ToolCalls checks each string in the arguments of the model's tool calls.
	// Default: no checks.
	ToolCalls []Check

	// Output checks the model's text and reasoning. Default: no checks.
	Output []Check

	// Unread is what happens to a part that no check reads: a picture, sound, a
	// file. It may contain instructions that no check has seen, so it also
	// taints the request. PolicyRedact puts "[unread]" in its place. Default:
	// PolicyFlag, since blocking would forbid every picture.
	Unread Policy

	// CheckImageURL returns why the provider may not fetch a picture from an
	// address, nil if it may; guard/sink's CheckURL does. Such a request is
	// blocked. Default: every address may be fetched.
	CheckImageURL func(address string) error

	// Tools are the tools that the model may call, and what taint means for
	// them. A list that is empty and not nil allows none. Default: nil, so calls
	// are checked by ToolCalls only.
	Tools []Tool

	// ToolPolicy is what happens to a call that Tools forbid: PolicyBlock ends
	// the request, PolicyRedact takes the call out of the answer. Default:
	// PolicyBlock.
	ToolPolicy Policy

	// Approve is called for a call that taint forbids, if its tool is listed. Show
	// the user what would be done, with which values, and return the decision. The
	// call is as it would be made, after the checks of ToolCalls. why points at
	// the first argument in doubt, if there is one. Approve runs on the call's
	// goroutine, outside of the budgets, and must return when ctx is done. An
	// error blocks. A person who is asked about every call approves every call,
	// so ask rarely. Default: such calls don't pass.
	Approve func(ctx context.Context, call llms.FunctionCall, why Finding) (bool, error)

	// Spotlight is how tool results are marked, and passages that were
	// registered but appear unmarked in a message. Default: SpotlightDelimit.
	Spotlight Spotlight

	// Hierarchy adds to the prompt how messages rank ([ChainOfCommand]) and puts
	// the system's and the developer's messages first. In all other messages it
	// quotes text that poses as one of these ([RoleClaimCheck]). Default: false.
	Hierarchy bool

	// Key is the key from which the marks' nonces are made. Keep it secret: with
	// it a mark can be forged. With a key that stays the same, a conversation's
	// marks stay the same, so a provider's prompt cache still fits after a
	// restart. An empty key counts as nil, since any text could forge its marks.
	// Default: nil, which means a random key for this pipeline alone.
	Key []byte

	// Budget is how long each stage of a call may take, and each window of a
	// stream. A negative one means no limit. Default: a second.
	Budget time.Duration

	// MaxBytes is the longest text that is checked. A longer one is blocked,
	// whatever the policies are. A negative value means no limit. Default: 1 MiB.
	MaxBytes int

	// MaxHold is how many bytes of a streamed answer may be held back. An answer
	// that would need more is blocked. A negative value means no limit. Default:
	// 1 MiB.
	MaxHold int

	// OnVerdict receives every verdict but the shadow ones, on the call's own
	// goroutine. Default: only the log has them.
	OnVerdict func(context.Context, Verdict)

	// Tenant returns the tenant of a call, for the log. Default: "".
	Tenant func(context.Context) string

	// Logger receives a guard.verdict for each verdict. Default: discards them.
	Logger *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// ErrOption is wrapped by every error about an invalid option, check or tool, and
// about a required argument that is nil.
var ErrOption = errors.New("guard: invalid option")

// The defaults of the zero Options.
const (
	defaultBudget = time.Second
	defaultBytes  = 1 << 20
)

// A Pipeline runs the checks of [Options] on texts. [Model], [Retriever] and
// [Handler] are built on it; use it alone where text passes in another way.
// It is safe for concurrent use. Make one with [NewPipeline].
type Pipeline struct {
	o      Options
	checks [stages][]Check // by stage and rank
	unread Check           // what no check reads
}

// NewPipeline returns a Pipeline. An invalid option or check is an error that
// wraps [ErrOption].
func NewPipeline(o *Options) (*Pipeline, error) {
	p := &Pipeline{}
	if o != nil {
		p.o = *o
	}
	if err := p.setChecks(); err != nil {
		return nil, err
	}
	if err := validTools(p.o.Tools); err != nil {
		return nil, err
	}
	if err := p.o.Unread.validate("Options.Unread"); err != nil {
		return nil, err
	}
	if err := p.o.ToolPolicy.validate("Options.ToolPolicy"); err != nil {
		return nil, err
	}
	if p.o.Spotlight > SpotlightPlain {
		return nil, fmt.Errorf("%w: Options.Spotlight is %d: want one of the spotlights", ErrOption, p.o.Spotlight)
	}
	p.setDefaults()
	return p, nil
}

// setChecks copies the checks of every stage, sorted by rank.
func (p *Pipeline) setChecks() error {
	for _, list := range []struct {
		stage  Stage
		option string
		checks []Check
	}{
		{StageInput, "Input", p.o.Input}, {StageDocument, "Documents", p.o.Documents}, {StageToolResult, "ToolResults", p.o.ToolResults},
		{StageToolCall, "ToolCalls", p.o.ToolCalls}, {StageOutput, "Output", p.o.Output},
	} {
		checks := slices.Clone(list.checks)
		for i := range checks {
			if err := checks[i].validate(fmt.Sprintf("Options.%s[%d]", list.option, i)); err != nil {
				return err
			}
			checks[i].Policy = cmp.Or(checks[i].Policy, PolicyBlock)
		}
		if p.o.Hierarchy && list.stage <= StageToolResult {
			checks = append(checks, RoleClaimCheck())
		}
		slices.SortStableFunc(checks, func(a, b Check) int { return a.Rank - b.Rank })
		p.checks[list.stage] = checks
	}
	return nil
}

// setDefaults sets what the caller left out, and copies what the caller may change.
func (p *Pipeline) setDefaults() {
	p.o.Tools = slices.Clone(p.o.Tools)
	p.o.ToolPolicy = cmp.Or(p.o.ToolPolicy, PolicyBlock)
	p.unread = Check{Name: "unread", Policy: cmp.Or(p.o.Unread, PolicyFlag)}
	p.o.Key = slices.Clone(p.o.Key)
	if len(p.o.Key) == 0 { // with an empty one every author could forge a mark
		p.o.Key = make([]byte, 32)
		rand.Read(p.o.Key)
	}
	if p.o.Budget == 0 {
		p.o.Budget = defaultBudget
	}
	if p.o.MaxBytes == 0 {
		p.o.MaxBytes = defaultBytes
	}
	if p.o.MaxHold == 0 {
		p.o.MaxHold = defaultBytes
	}
	if p.o.Now == nil {
		p.o.Now = time.Now
	}
	p.o.Logger = event.Logger(p.o.Logger)
}

// Inspect runs a stage's checks on text. It returns the text with what is to be
// redacted replaced, and the verdicts but the shadow ones. The error is a
// [*BlockedError], wraps ctx.Err(), or wraps [ErrOption] if there is no such
// stage.
func (p *Pipeline) Inspect(ctx context.Context, stage Stage, text string) (string, []Verdict, error) {
	if stage == 0 || stage >= stages {
		return "", nil, fmt.Errorf("%w: the stage is %d: want one of the stages", ErrOption, stage)
	}
	s := p.start(ctx, stage)
	defer s.end()
	return s.inspect(text, nowhere("text"))
}

// CheckOutput runs the checks of Output on a text that leaves beside the model's
// answer: a passage that the answer cites, a quote, a heading, a file name. Without
// this check, such a text shows what was redacted from the answer. It returns what
// [Pipeline.Inspect] does. Passages that were registered on ctx taint the text, as
// they taint the answer, so the same rule applies to its links. A text that was
// changed has other offsets than the original one.
func (p *Pipeline) CheckOutput(ctx context.Context, text string) (string, []Verdict, error) {
	if _, ok := ctx.Value(provenanceKey{}).(*Provenance); !ok {
		prov := &Provenance{}
		list, urls := passagesOf(ctx).snapshot()
		for _, q := range list {
			prov.distrust(q.text)
		}
		for _, u := range urls {
			prov.sources = append(prov.sources, normal(u))
		}
		ctx = context.WithValue(ctx, provenanceKey{}, prov)
	}
	s := p.start(ctx, StageOutput)
	defer s.end()
	return s.inspect(text, nowhere("evidence"))
}

// A session is one stage of one call, under one budget.
type session struct {
	p     *Pipeline
	stage Stage
	ctx   context.Context // the caller's
	limit context.Context // ends with the budget
	end   context.CancelFunc
}

func (p *Pipeline) start(ctx context.Context, stage Stage) *session {
	s := &session{p: p, stage: stage, ctx: ctx, limit: ctx, end: func() {}}
	if p.o.Budget > 0 && slices.ContainsFunc(p.checks[stage], func(c Check) bool { return c.Rank > 0 }) {
		s.limit, s.end = context.WithTimeout(ctx, p.o.Budget)
	}
	return s
}

// inspect runs the stage's checks on one text and returns it with what is to be
// redacted replaced.
func (s *session) inspect(text string, where Location) (string, []Verdict, error) {
	edits, verdicts, err := s.run(text, where)
	if err != nil {
		return "", verdicts, err
	}
	return rewrite(text, edits), verdicts, nil
}

// run runs the stage's checks on one text and returns what to redact.
func (s *session) run(text string, where Location) ([]edit, []Verdict, error) {
	return s.runChecks(s.p.checks[s.stage], text, where, nil)
}

// runChecks runs checks on a text. If the text is an excerpt of another one, findings
// are moved to their places in that one.
func (s *session) runChecks(checks []Check, text string, where Location, from *excerpt) ([]edit, []Verdict, error) {
	if len(checks) == 0 || text == "" {
		return nil, nil, nil
	}
	if s.p.o.MaxBytes > 0 && len(text) > s.p.o.MaxBytes {
		return nil, nil, s.block(Verdict{Stage: s.stage, Check: "size", Location: where, Err: ErrTooLarge})
	}
	var verdicts []Verdict
	var edits []edit
	for len(checks) > 0 {
		tier := 1
		for tier < len(checks) && checks[tier].Rank == checks[0].Rank {
			tier++
		}
		for i, r := range s.tier(checks[:tier], text) {
			c := &checks[i]
			if err := s.ctx.Err(); err != nil {
				return nil, verdicts, err
			}
			from.place(r.found)
			v, stop := verdictOf(c, r.found, r.err)
			if v == nil {
				continue
			}
			v.Stage, v.Location, v.Elapsed = s.stage, where, r.elapsed
			if stop {
				return nil, verdicts, s.block(*v)
			}
			s.p.report(s.ctx, *v)
			if v.Policy != PolicyShadow {
				verdicts = append(verdicts, *v)
			}
			if v.Policy == PolicyRedact {
				for _, f := range r.found {
					edits = append(edits, edit{f, c})
				}
			}
		}
		checks = checks[tier:]
	}
	return edits, verdicts, nil
}

// verdictOf returns the verdict that follows from a check's result, nil for none, and
// whether it ends the call.
func verdictOf(c *Check, found []Finding, err error) (v *Verdict, stop bool) {
	switch {
	case err != nil && c.Policy.acts() && !c.FailOpen:
		return &Verdict{Check: c.Name, Policy: PolicyBlock, Err: err}, true
	case err != nil && c.Policy == PolicyShadow:
		return &Verdict{Check: c.Name, Policy: PolicyShadow, Err: err}, false
	case err != nil:
		return &Verdict{Check: c.Name, Policy: PolicyFlag, Err: err}, false
	case len(found) == 0:
		return nil, false
	}
	return &Verdict{Check: c.Name, Policy: c.Policy, Findings: found}, c.Policy == PolicyBlock
}

// block reports the verdict that ends the call.
func (s *session) block(v Verdict) error {
	v.Policy = PolicyBlock
	s.p.report(s.ctx, v)
	return &BlockedError{Verdict: v}
}

// A result is what one check returned.
type result struct {
	found   []Finding
	err     error
	elapsed time.Duration
}

// tier runs checks of equal rank. Those above rank 0 run at the same time. When their
// time is over, tier returns without them.
func (s *session) tier(checks []Check, text string) []result {
	results := make([]result, len(checks))
	one := func(ctx context.Context, c *Check) result {
		began := s.p.o.Now()
		found, err := c.find(ctx, text)
		return result{found, err, s.p.o.Now().Sub(began)}
	}
	if checks[0].Rank == 0 {
		for i := range checks {
			if s.ctx.Err() != nil {
				return results
			}
			results[i] = one(s.ctx, &checks[i])
		}
		return results
	}
	type finished struct {
		i int
		r result
	}
	all := make(chan finished, len(checks)) // room for those that tier returns without
	ctx, cancel := context.WithCancel(s.limit)
	defer cancel()
	began := s.p.o.Now()
	for i := range checks {
		go func() {
			ctx, cancel := ctx, func() {}
			if t := checks[i].Timeout; t > 0 {
				ctx, cancel = context.WithTimeout(ctx, t)
			}
			defer cancel()
			done := make(chan result, 1)
			go func() { done <- one(ctx, &checks[i]) }()
			select {
			case r := <-done:
				all <- finished{i, r}
			case <-ctx.Done():
				all <- finished{i, result{err: ctx.Err(), elapsed: s.p.o.Now().Sub(began)}}
			}
		}()
	}
	for range checks {
		f := <-all
		results[f.i] = f.r
	}
	return results
}

// scanner starts a check on a stream.
func (s *session) scanner(c *Check) Scanner {
	if c.Scan != nil {
		return c.Scan(s.ctx)
	}
	return &window{hold: c.Hold, find: func(text string) ([]Finding, error) {
		w := s.p.start(s.ctx, s.stage)
		defer w.end()
		r := w.tier([]Check{*c}, text)[0]
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		return r.found, r.err
	}}
}

// gate returns a gate with the acting checks of the stage.
func (s *session) gate() *gate {
	g := &gate{maxHold: s.p.o.MaxHold}
	for i := range s.p.checks[s.stage] {
		if c := &s.p.checks[s.stage][i]; c.Policy.acts() {
			g.lanes = append(g.lanes, &lane{check: c, scanner: s.scanner(c)})
		}
	}
	return g
}

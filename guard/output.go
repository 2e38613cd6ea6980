package guard

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// An answer checks the answer of one call.
type answer struct {
	p           *Pipeline
	ctx         context.Context // with the request's provenance
	o           *llms.CallOptions
	prov        *Provenance
	output      *session
	calls       *session
	streams     []*stream
	passedCalls map[callID]*llms.FunctionCall // as they may pass, nil for those taken out
	rewrote     bool                          // a part of the choices was redacted
	stopped     error                         // why the stream was ended
}

// A callID identifies a call in an answer. The same call a second time has another
// ID, since the approval of one mail is not the approval of two.
type callID struct {
	choice int
	call   llms.FunctionCall
	nth    int
}

// A tally counts the calls of one list that are the same.
type tally map[llms.FunctionCall]int

func (p *Pipeline) newAnswer(ctx context.Context, o *llms.CallOptions) *answer {
	a := &answer{p: p, ctx: ctx, o: o, prov: ProvenanceFrom(ctx), passedCalls: map[callID]*llms.FunctionCall{}}
	// The budget of these stages begins when the answer is complete: see finish.
	a.output = &session{p: p, stage: StageOutput, ctx: ctx, limit: ctx, end: func() {}}
	a.calls = &session{p: p, stage: StageToolCall, ctx: ctx, limit: ctx, end: func() {}}
	return a
}

func (a *answer) end() {
	a.output.end()
	a.calls.end()
}

func (a *answer) checksCalls() bool { return a.p.o.Tools != nil || len(a.p.checks[StageToolCall]) > 0 }

// finish checks the whole answer and releases what streams still hold back.
func (a *answer) finish(r *llms.ContentResponse) (*llms.ContentResponse, error) {
	a.output, a.calls = a.p.start(a.ctx, StageOutput), a.p.start(a.ctx, StageToolCall)
	var out *llms.ContentResponse
	if r != nil {
		copied := *r
		copied.Choices = slices.Clone(r.Choices)
		out = &copied
		for i, c := range r.Choices {
			if c == nil {
				continue
			}
			checked, err := a.choice(i, c)
			if err != nil {
				return nil, err
			}
			out.Choices[i] = checked
		}
	}
	for _, s := range a.streams {
		if err := s.settle(); err != nil {
			return nil, err
		}
	}
	for _, s := range a.streams {
		if err := s.finish(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// The keys under which providers put text of the model into GenerationInfo. Some of
// this text is a copy, and some is only there.
const (
	thinkingContent = "ThinkingContent"
	refusal         = "Refusal"
)

// choice checks one choice and returns a copy with what was redacted.
func (a *answer) choice(i int, c *llms.ContentChoice) (*llms.ContentChoice, error) {
	out := *c
	var err error
	if out.ReasoningContent, err = a.checkText(i, delta.Reasoning, c.ReasoningContent); err != nil {
		return nil, err
	}
	if out.Content, err = a.checkText(i, delta.Text, c.Content); err != nil {
		return nil, err
	}
	for _, more := range []struct {
		key          string
		kind         delta.Kind
		said, passed string // what it may repeat
	}{{thinkingContent, delta.Reasoning, c.ReasoningContent, out.ReasoningContent}, {refusal, delta.Text, c.Content, out.Content}} {
		text, _ := c.GenerationInfo[more.key].(string)
		if text == "" {
			continue
		}
		if text != more.said {
			if more.passed, err = a.checkText(i, more.kind, text); err != nil {
				return nil, err
			}
		}
		if more.passed != text {
			out.GenerationInfo = maps.Clone(out.GenerationInfo)
			out.GenerationInfo[more.key] = more.passed
		}
	}
	if err := a.toolCalls(i, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// checkText checks a text of a choice. If the text was streamed, the checks that act
// have seen it already. Their findings count then, and the text that they released.
func (a *answer) checkText(choice int, kind delta.Kind, text string) (string, error) {
	where := nowhere(kind.String())
	where.Choice = choice
	checks := a.p.checks[StageOutput]
	s := a.streamed(choice, kind, text)
	if s == nil {
		edits, _, err := a.output.run(text, where)
		if err != nil {
			return "", err
		}
		a.rewrote = a.rewrote || len(edits) > 0
		return rewrite(text, edits), nil
	}
	if err := s.close(); err != nil {
		return "", err
	}
	for _, l := range s.gate.lanes {
		if v, _ := verdictOf(l.check, l.found, l.failed); v != nil {
			v.Stage, v.Location = StageOutput, where
			a.p.report(a.ctx, *v)
		}
	}
	var watching []Check
	for _, c := range checks {
		if !c.Policy.acts() {
			watching = append(watching, c)
		}
	}
	if _, _, err := a.output.runChecks(watching, text, where, nil); err != nil {
		return "", err
	}
	passed := s.passed.String()
	a.rewrote = a.rewrote || passed != text
	return passed, nil
}

// streamed returns the stream that carried exactly this text.
func (a *answer) streamed(choice int, kind delta.Kind, text string) *stream {
	for _, s := range a.streams {
		if s.gate != nil && s.id.d.Kind == kind && s.id.d.Choice == choice && s.gate.text.String() == text {
			return s
		}
	}
	return nil
}

// toolCalls checks a choice's tool calls and rewrites out's.
func (a *answer) toolCalls(i int, out *llms.ContentChoice) error {
	if !a.checksCalls() {
		return nil
	}
	if len(out.ToolCalls) == 0 {
		if out.FuncCall == nil {
			return nil
		}
		call, err := a.toolCall(i, out.FuncCall, tally{})
		out.FuncCall = call
		return err
	}
	var kept []llms.ToolCall
	seen := tally{}
	for _, t := range out.ToolCalls {
		if t.FunctionCall != nil {
			call, err := a.toolCall(i, t.FunctionCall, seen)
			if err != nil {
				return err
			}
			if call == nil {
				continue
			}
			t.FunctionCall = call
		}
		kept = append(kept, t)
	}
	out.ToolCalls = kept
	if out.FuncCall != nil {
		// The older field repeats the first call.
		out.FuncCall = nil
		if len(kept) > 0 && kept[0].FunctionCall != nil {
			first := *kept[0].FunctionCall
			out.FuncCall = &first
		}
	}
	return nil
}

// toolCall checks the next call of a list. It does so once, although the answer and
// its streams both contain the call. It returns the call as it may pass, nil if it
// is to be taken out.
func (a *answer) toolCall(choice int, call *llms.FunctionCall, seen tally) (*llms.FunctionCall, error) {
	j := callID{choice, *call, seen[*call]}
	seen[*call]++
	passed, ok := a.passedCalls[j]
	if !ok {
		var err error
		if passed, err = a.checkCall(choice, call); err != nil {
			return nil, err
		}
		a.passedCalls[j] = passed
	}
	if passed == nil {
		return nil, nil
	}
	own := *passed
	return &own, nil
}

// checkCall checks a call against the tools and by the checks of tool calls. It
// returns the call as it may pass, nil if it is to be taken out.
func (a *answer) checkCall(choice int, call *llms.FunctionCall) (*llms.FunctionCall, error) {
	where := nowhere("arguments")
	where.Choice, where.Tool = choice, call.Name
	passed, checked := *call, false
	if a.p.o.Tools != nil {
		rule := &Check{Name: "tools", Policy: a.p.o.ToolPolicy}
		found := toolFindings(a.p.o.Tools, a.prov, a.o, call)
		var err error
		if a.mayApprove(found) {
			// The user is to see the call as it would be made.
			if passed.Arguments, err = a.arguments(call.Arguments, where); err != nil {
				return nil, err
			}
			checked = true
			if found = toolFindings(a.p.o.Tools, a.prov, a.o, &passed); a.mayApprove(found) {
				var approved bool
				if approved, err = a.approved(&passed, found[0]); approved {
					rule.Policy = PolicyFlag
				}
			}
		}
		if v, stop := verdictOf(rule, found, err); v != nil {
			v.Stage, v.Location = StageToolCall, where
			if stop {
				return nil, a.calls.block(*v)
			}
			a.p.report(a.ctx, *v)
			if v.Policy == PolicyRedact {
				return nil, nil
			}
		}
	}
	if checked {
		return &passed, nil
	}
	arguments, err := a.arguments(call.Arguments, where)
	if err != nil {
		return nil, err
	}
	passed.Arguments = arguments
	return &passed, nil
}

// mayApprove reports whether the user is to be asked about a call with these
// findings.
func (a *answer) mayApprove(found []Finding) bool {
	return a.p.o.Approve != nil && a.p.o.ToolPolicy.acts() && len(found) > 0 && (found[0].Kind == KindToolUnasked || found[0].Kind == KindToolTainted)
}

// approved asks the user about a call that taint forbids. The time of the question
// is not a part of any budget.
func (a *answer) approved(call *llms.FunctionCall, why Finding) (bool, error) {
	a.calls.end()
	ok, err := a.p.o.Approve(a.ctx, *call, why)
	a.calls = a.p.start(a.ctx, StageToolCall)
	if ctxErr := a.ctx.Err(); ctxErr != nil {
		err = ctxErr
	}
	return ok && err == nil, err
}

// arguments runs the checks on each string in a call's arguments. The strings are
// decoded first, so that no escape hides anything. Arguments that aren't JSON are
// one text. Those that look like JSON and can be read in two ways are blocked.
func (a *answer) arguments(text string, where Location) (string, error) {
	trimmed := strings.TrimSpace(text)
	if len(a.p.checks[StageToolCall]) == 0 || trimmed == "" {
		return text, nil
	}
	leaves, err := readLeaves(text)
	if err != nil && strings.IndexByte("{[\"", trimmed[0]) >= 0 {
		return "", a.calls.block(Verdict{Stage: StageToolCall, Check: "tools", Location: where, Findings: []Finding{{
			Kind: KindToolMalformed, End: len(text), Score: 1, Reason: "the arguments can't be read in one way only", Threats: threatsOf(KindToolMalformed)}}})
	}
	if err != nil {
		checked, _, err := a.calls.inspect(text, where)
		return checked, err
	}
	return mapLeaves(text, leaves, func(value string) (string, error) {
		checked, _, err := a.calls.inspect(value, where)
		return checked, err
	})
}

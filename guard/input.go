package guard

import (
	"context"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// checkRequest checks a call's messages. It returns them as the model is to see
// them, and a context that carries their provenance. What changes is copied, so the
// caller's messages stay as they are.
func (p *Pipeline) checkRequest(ctx context.Context, messages []llms.MessageContent) (context.Context, []llms.MessageContent, error) {
	r := &requester{p: p, prov: &Provenance{}}
	var urls []string
	r.passages, urls = passagesOf(ctx).snapshot()
	r.prov.allowed, _ = ctx.Value(allowedKey{}).([]string)
	for _, u := range urls {
		r.prov.sources = append(r.prov.sources, normal(u))
	}
	for _, m := range messages {
		r.read(m)
	}
	ctx = context.WithValue(ctx, provenanceKey{}, r.prov)
	for stage := StageInput; stage <= StageToolResult; stage++ {
		r.sessions[stage] = p.start(ctx, stage)
		defer r.sessions[stage].end()
	}
	out, changed := messages, false
	for i, m := range messages {
		parts, err := r.message(i, m)
		if err != nil {
			return ctx, nil, err
		}
		if parts == nil {
			continue
		}
		if !changed {
			out, changed = slices.Clone(messages), true
		}
		out[i] = llms.MessageContent{Role: m.Role, Parts: parts}
	}
	if r.explain && p.o.Spotlight != SpotlightPlain {
		out = explain(out, p.o.Spotlight.Explain())
	}
	if p.o.Hierarchy {
		out = explain(byPrivilege(out), ChainOfCommand())
	}
	return ctx, out, nil
}

// A requester checks one request.
type requester struct {
	p        *Pipeline
	passages []passage
	prov     *Provenance
	sessions [StageToolResult + 1]*session
	explain  bool // something is marked, so the prompt must explain the marks
}

func untrustedRole(role llms.ChatMessageType) bool {
	return role == llms.ChatMessageTypeTool || role == llms.ChatMessageTypeFunction
}

// read notes where a message's words come from.
func (r *requester) read(m llms.MessageContent) {
	trusted := PrivilegeOf(m.Role) >= PrivilegeUser
	var said []string
	for _, part := range m.Parts {
		part, _ = bare(part)
		text, ok := part.(llms.TextContent)
		if !ok {
			if result, ok := part.(llms.ToolCallResponse); ok {
				r.prov.distrust(result.Content)
				r.prov.endorse(r.p.o.Tools, result.Name, result.Content)
			}
			r.prov.unread = r.prov.unread || unreadable(part) && PrivilegeOf(m.Role) < PrivilegeDeveloper
			continue
		}
		if untrustedRole(m.Role) {
			r.prov.distrust(text.Text)
			continue
		}
		all := segments(text.Text, r.passages)
		for _, s := range all {
			r.prov.distrust(s.text)
		}
		if trusted {
			own := blank(text.Text, all)
			r.prov.trust(own)
			said = append(said, own)
		}
	}
	if m.Role == llms.ChatMessageTypeHuman {
		r.prov.request = normal(strings.Join(said, " "))
	}
}

// message returns a message's parts as the model is to see them, nil if they
// stay.
func (r *requester) message(i int, m llms.MessageContent) ([]llms.ContentPart, error) {
	var out []llms.ContentPart
	set := func(j int, part llms.ContentPart) {
		if out == nil {
			out = slices.Clone(m.Parts)
		}
		out[j] = part
	}
	for j, part := range m.Parts {
		where := nowhere("text")
		where.Message, where.Part = i, j
		inner, dress := bare(part)
		switch part := inner.(type) {
		case llms.TextContent:
			text, err := r.text(m.Role, part.Text, where)
			if err != nil {
				return nil, err
			}
			if text != part.Text {
				set(j, dress(llms.TextContent{Text: text}))
			}
		case llms.ToolCallResponse:
			where.Tool = part.Name
			text, err := r.outside(part.Content, where)
			if err != nil {
				return nil, err
			}
			if text != part.Content {
				part.Content = text
				set(j, dress(part))
			}
		default:
			stay, err := r.notRead(m.Role, part, where)
			if err != nil {
				return nil, err
			}
			if !stay {
				set(j, dress(llms.TextContent{Text: "[" + KindUnread + "]"}))
			}
		}
	}
	return out, nil
}

// bare returns a part without its cache control, and a function that puts that
// back.
func bare(part llms.ContentPart) (llms.ContentPart, func(llms.ContentPart) llms.ContentPart) {
	if c, ok := part.(llms.CachedContent); ok && c.ContentPart != nil {
		inner, dress := bare(c.ContentPart)
		return inner, func(p llms.ContentPart) llms.ContentPart {
			c.ContentPart = dress(p)
			return c
		}
	}
	return part, func(p llms.ContentPart) llms.ContentPart { return p }
}

// outside checks and marks a tool's result.
func (r *requester) outside(text string, where Location) (string, error) {
	checked, _, err := r.sessions[StageToolResult].inspect(text, where)
	if err != nil || strings.TrimSpace(checked) == "" {
		return checked, err
	}
	r.explain = true
	if all := segments(text, r.passages); checked == text && len(all) == 1 && all[0].registered && all[0].marked && all[0].start == 0 && all[0].end == len(text) {
		return text, nil // the tool is a retriever that marked it
	}
	return r.mark(checked), nil
}

// text checks a text part: the passages in it as documents, the rest as input
// unless it is the application's own.
func (r *requester) text(role llms.ChatMessageType, text string, where Location) (string, error) {
	if untrustedRole(role) {
		return r.outside(text, where)
	}
	all := segments(text, r.passages)
	var edits []edit
	if PrivilegeOf(role) < PrivilegeDeveloper {
		var err error
		own := without(text, all)
		in := r.sessions[StageInput]
		if edits, _, err = in.runChecks(in.p.checks[StageInput], own.text, where, own); err != nil {
			return "", err
		}
	}
	for _, s := range all {
		r.explain = true
		shown, err := r.passage(role, s, where)
		if err != nil {
			return "", err
		}
		if shown != "" {
			replace := &Check{Replace: func(Finding, string) string { return shown }}
			edits = append(edits, edit{Finding{Start: s.start, End: s.end}, replace})
		}
	}
	return rewrite(text, edits), nil
}

// passage checks a passage and returns what is to replace it, "" if it stays.
func (r *requester) passage(role llms.ChatMessageType, s segment, where Location) (string, error) {
	where.Kind, where.Passage = "passage", s.index
	text, _, err := r.sessions[StageDocument].inspect(s.text, where)
	if err != nil {
		return "", err
	}
	if !s.registered && PrivilegeOf(role) < PrivilegeDeveloper {
		// The caller may have written the marks, so the text must pass as input too.
		if text, _, err = r.sessions[StageInput].inspect(text, where); err != nil {
			return "", err
		}
	}
	if text == s.text && s.marked {
		return "", nil
	}
	return r.mark(text), nil
}

// mark marks a text, and notes it for [Unmark].
func (r *requester) mark(text string) string {
	style := r.p.o.Spotlight
	shown := style.mark(r.p.o.Key, text)
	if shown != text {
		r.prov.marked = append(r.prov.marked, markedPassage{text, shown, style})
	}
	return shown
}

// explain adds what the marks mean to the first system message, or adds such a
// message as the first one.
func explain(messages []llms.MessageContent, note string) []llms.MessageContent {
	for i, m := range messages {
		if PrivilegeOf(m.Role) != PrivilegeSystem {
			continue
		}
		out := slices.Clone(messages)
		out[i].Parts = append(slices.Clip(m.Parts), llms.TextContent{Text: "\n\n" + note})
		return out
	}
	return slices.Insert(slices.Clip(messages), 0, llms.TextParts(llms.ChatMessageTypeSystem, note))
}

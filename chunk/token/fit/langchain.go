package fit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// TrimOptions configure [TrimMessages]; the names are langchain's.
type TrimOptions struct {
	// First keeps the first messages, as strategy "first" does. Default: false, the
	// last are kept.
	First bool

	// IncludeSystem keeps a system message that comes first. Default: false.
	IncludeSystem bool

	// StartOn and EndOn are the roles with which the kept messages may begin and
	// end. Default: any.
	StartOn, EndOn []llms.ChatMessageType

	// AllowPartial cuts the message that doesn't fit at a line break. Default:
	// false, it is left out.
	AllowPartial bool
}

// TrimMessages does what trim_messages of langchain-core 1.7 does, with equal
// results, for programs that move from Python. count counts messages as their
// tokens in a prompt. Unlike [History] it may leave a tool's answer without its
// call, returns nothing at all where the newest message doesn't fit, and doesn't
// report what it dropped.
//
// StartOn or IncludeSystem together with First is an [ErrOption], as it is an error
// there; so is a nil count.
func TrimMessages(messages []llms.MessageContent, maxTokens int, count func([]llms.MessageContent) int, o *TrimOptions) ([]llms.MessageContent, error) {
	if o == nil {
		o = &TrimOptions{}
	}
	if count == nil {
		return nil, fmt.Errorf("%w: the count of TrimMessages is nil", ErrOption)
	}
	t := trimmer{count: count, partial: o.AllowPartial}
	if o.First {
		if len(o.StartOn) > 0 || o.IncludeSystem {
			return nil, fmt.Errorf("%w: TrimOptions.StartOn or IncludeSystem is set with First: want them only for keeping the last messages", ErrOption)
		}
		return t.first(messages, maxTokens, o.EndOn), nil
	}
	in := slices.Clone(messages)
	if len(o.EndOn) > 0 {
		for len(in) > 0 && !slices.Contains(o.EndOn, in[len(in)-1].Role) {
			in = in[:len(in)-1]
		}
	}
	var system []llms.MessageContent
	if o.IncludeSystem && len(in) > 0 && in[0].Role == llms.ChatMessageTypeSystem {
		system, in = in[:1:1], slices.Clone(in[1:])
		maxTokens = max(0, maxTokens-count(system))
	}
	// The last messages are the first ones backwards.
	t.backwards = true
	slices.Reverse(in)
	out := slices.Clone(t.first(in, maxTokens, o.StartOn))
	slices.Reverse(out)
	return append(system, out...), nil
}

type trimmer struct {
	count     func([]llms.MessageContent) int
	partial   bool
	backwards bool // the end of a partial message is kept
}

// first keeps messages from the beginning and then drops those at the end that
// are not of the roles in endOn.
func (t *trimmer) first(messages []llms.MessageContent, maxTokens int, endOn []llms.ChatMessageType) []llms.MessageContent {
	if len(messages) == 0 {
		return nil
	}
	kept := messages
	if t.count(messages) > maxTokens {
		n := largest(len(messages), func(n int) bool { return t.count(messages[:n]) <= maxTokens })
		kept = slices.Clone(messages[:n])
		if t.partial && n < len(messages) {
			if m, ok := t.part(messages[n], maxTokens-t.count(messages[:n])); ok {
				kept = append(kept, m)
			}
		}
	}
	for len(endOn) > 0 && len(kept) > 0 && !slices.Contains(endOn, kept[len(kept)-1].Role) {
		kept = kept[:len(kept)-1]
	}
	return kept
}

// part cuts the first text of a message down to whole lines that fit.
func (t *trimmer) part(m llms.MessageContent, room int) (llms.MessageContent, bool) {
	at := slices.IndexFunc(m.Parts, func(p llms.ContentPart) bool { _, ok := textOf(p); return ok })
	if at < 0 {
		return m, false
	}
	text, _ := textOf(m.Parts[at])
	if text == "" {
		return m, false
	}
	lines := strings.SplitAfter(text, "\n")
	with := func(n int) llms.MessageContent {
		kept := lines[:n]
		if t.backwards {
			kept = lines[len(lines)-n:]
		}
		c := m
		c.Parts = slices.Clone(m.Parts)
		c.Parts[at] = withText(c.Parts[at], strings.Join(kept, ""))
		return c
	}
	n := largest(len(lines), func(n int) bool {
		// While it searches, the reference counts the lines it keeps from the
		// end in reversed order.
		c := with(n)
		if t.backwards {
			rev := slices.Clone(lines[len(lines)-n:])
			slices.Reverse(rev)
			c.Parts[at] = withText(c.Parts[at], strings.Join(rev, ""))
		}
		return t.count([]llms.MessageContent{c}) <= room
	})
	return with(n), n > 0
}

func textOf(p llms.ContentPart) (string, bool) {
	switch p := p.(type) {
	case llms.TextContent:
		return p.Text, true
	case llms.ToolCallResponse:
		return p.Content, true
	}
	return "", false
}

func withText(p llms.ContentPart, text string) llms.ContentPart {
	if r, ok := p.(llms.ToolCallResponse); ok {
		r.Content = text
		return r
	}
	return llms.TextContent{Text: text}
}

// largest finds the largest n up to high for which fits holds, by the
// reference's bisection: where fits isn't monotonic, it errs in the same way.
func largest(high int, fits func(n int) bool) int {
	low := 0
	for low < high {
		mid := (low + high + 1) / 2
		if fits(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

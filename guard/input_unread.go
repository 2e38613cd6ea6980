package guard

import (
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// The kinds of finding about parts that aren't text.
const (
	KindUnread   = "unread"    // no check reads it
	KindImageURL = "image_url" // its address may not be fetched
)

// unreadable reports whether a part contains something that the model reads and the
// guard doesn't. A tool call is the model's own, and was checked when it was made.
func unreadable(part llms.ContentPart) bool {
	switch part.(type) {
	case llms.TextContent, llms.ToolCallResponse, llms.ToolCall:
		return false
	}
	return true
}

// notRead decides about a part that isn't text, and reports whether it stays. The
// application's own parts do.
func (r *requester) notRead(role llms.ChatMessageType, part llms.ContentPart, where Location) (stay bool, err error) {
	if !unreadable(part) || PrivilegeOf(role) >= PrivilegeDeveloper {
		return true, nil
	}
	where.Kind = "part"
	s := r.sessions[StageInput]
	if image, ok := part.(llms.ImageURLContent); ok && r.p.o.CheckImageURL != nil && !inline(image.URL) {
		if why := r.p.o.CheckImageURL(image.URL); why != nil {
			return false, s.block(Verdict{Stage: StageInput, Check: "image url", Location: where, Findings: []Finding{{
				Kind: KindImageURL, Score: 1, Reason: "the picture's address may not be fetched", Threats: []string{"LLM06:2025"}}}})
		}
	}
	v, stop := verdictOf(&r.p.unread, []Finding{{Kind: KindUnread, Score: 1, Reason: "no check reads this part", Threats: []string{"LLM01:2025", "AML.T0051"}}}, nil)
	v.Stage, v.Location = StageInput, where
	if stop {
		return false, s.block(*v)
	}
	r.p.report(s.ctx, *v)
	return v.Policy != PolicyRedact, nil
}

// inline reports whether an address is the picture itself, so that nothing is
// fetched.
func inline(address string) bool {
	return len(address) > 5 && strings.EqualFold(address[:5], "data:")
}

package service

import (
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/trace/cost"
)

// usage is the answer's token counts: the provider's, or, where it gives none,
// our own count.
func (s *Service) usage(messages []llms.MessageContent, r *llms.ContentResponse) (in, out int) {
	if u, err := cost.UsageOf(r); err == nil {
		return int(u.Input), int(u.Output)
	}
	in = 3 // what the protocol adds to a chat
	for _, m := range messages {
		in += 4
		for _, p := range m.Parts {
			if t, ok := p.(llms.TextContent); ok {
				in += s.Count(t.Text)
			}
		}
	}
	for _, c := range r.Choices {
		if c != nil {
			out += s.Count(c.Content)
		}
	}
	return in, out
}

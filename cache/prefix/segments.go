package prefix

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
)

// Segments returns a prompt as a provider reads it: the tools, then the parts of each
// message. Marks of llms.WithCacheControl become breakpoints. The tokens of a part are
// counted by the function; nil means a quarter of its bytes.
func Segments(messages []llms.MessageContent, tools []llms.Tool, tokens func(text string) int) []Segment {
	if tokens == nil {
		tokens = func(text string) int { return (len(text) + 3) / 4 }
	}
	var out []Segment
	for _, t := range tools {
		name := "tool"
		if t.Function != nil {
			name = "tool " + t.Function.Name
		}
		text, err := json.Marshal(t)
		if err != nil { // a function among the parameters: no provider could be sent it
			text = fmt.Appendf(nil, "%#v", t)
		}
		out = append(out, segment(name, string(text), tokens))
	}
	for _, m := range messages {
		for _, p := range m.Parts {
			mark := false
			for {
				marked, ok := p.(llms.CachedContent)
				if !ok {
					break
				}
				p, mark = marked.ContentPart, mark || marked.CacheControl != nil
			}
			text, ok := p.(llms.TextContent)
			if !ok {
				data, err := json.Marshal(p)
				if err != nil {
					data = fmt.Appendf(nil, "%#v", p)
				}
				text.Text = string(data)
			}
			s := segment(string(m.Role), text.Text, tokens)
			s.Breakpoint = mark
			out = append(out, s)
		}
	}
	return out
}

func segment(name, text string, tokens func(string) int) Segment {
	sum := sha256.Sum256([]byte(text))
	return Segment{Name: name, ID: hex.EncodeToString(sum[:]), Tokens: max(tokens(text), 0), Text: text}
}

// Observed returns what the provider reports about a response, in the form of a
// simulated bill, so that the two can be compared. The usage of all providers is
// normalized. Its error is that of a response without token counts.
func (r Rule) Observed(response *llms.ContentResponse) (Bill, error) {
	u, err := usage.Of(response)
	if err != nil {
		return Bill{}, fmt.Errorf("prefix: %w", err)
	}
	b := Bill{Read: int(u.CacheRead), Written: int(u.CacheWrite), Uncached: int(u.Input - u.CacheRead - u.CacheWrite)}
	if b.Uncached < 0 {
		return Bill{}, fmt.Errorf("prefix: %w", usage.ErrInvalid)
	}
	b.Units = float64(b.Read)*r.Read + float64(b.Written)*r.Write + float64(b.Uncached)
	return b, nil
}

package llama

import (
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/engine/llama/internal/jinja"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// A Turn is a message as a chat template sees it.
type Turn struct {
	Role, Content string
}

// A Chat turns messages into the one text that a model was trained on: each model has
// its own marks for the begin and the end of a turn, and its file carries the template.
type Chat struct {
	template *jinja.Template
	tok      *Tokenizer
}

// ReadChat reads the template of a GGUF file. A construct that the template uses and
// this package does not know is an error that wraps [ErrModel] and names it; so is a
// file without a template, unless fallback is one.
func ReadChat(f *weights.File, tok *Tokenizer, fallback string) (*Chat, error) {
	if f == nil || tok == nil {
		return nil, fmt.Errorf("%w: no file, or no tokenizer", ErrOption)
	}
	source := f.Text("tokenizer.chat_template")
	if source == "" {
		source = fallback
	}
	if source == "" {
		return nil, fmt.Errorf("%w: the file has no chat template: set Options.Template", ErrModel)
	}
	t, err := jinja.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%w: the chat template: %w", ErrModel, err)
	}
	return &Chat{template: t, tok: tok}, nil
}

// guard marks, in a rendered template, the place of a message that contains the name of a
// special token. Unicode assigns no character to it.
const guard = "\ufdd0"

// Tokens renders the turns, and the begin of the answer, and returns the tokens. The
// name of a special token in a message is text: a user can't end its own turn and begin
// the system's.
func (c *Chat) Tokens(turns []Turn) ([]int32, error) {
	list := make([]any, len(turns))
	var texts []string
	for i, t := range turns {
		content := t.Content
		if c.containsMark(content) {
			texts = append(texts, content)
			content = fmt.Sprintf("%s%d%s", guard, len(texts)-1, guard)
		}
		list[i] = map[string]any{"role": t.Role, "content": content}
	}
	name := func(id int32) string {
		if id < 0 {
			return ""
		}
		return c.tok.display[id]
	}
	text, err := c.template.Render(map[string]any{
		"messages": list, "add_generation_prompt": true, "bos_token": name(c.tok.bos), "eos_token": name(c.tok.eos),
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrompt, err)
	}
	if texts == nil {
		return c.tok.Prompt(text, SpecialTokens), nil
	}
	return c.guarded(text, texts), nil
}

// guarded encodes a text in which numbers between guards stand for messages.
func (c *Chat) guarded(text string, texts []string) []int32 {
	var out []int32
	for i, part := range strings.Split(text, guard) {
		var n int
		if i%2 == 0 {
			out = append(out, c.tok.Encode(part, SpecialTokens)...)
		} else if _, err := fmt.Sscan(part, &n); err == nil && n >= 0 && n < len(texts) {
			out = append(out, c.tok.Encode(texts[n], SpecialText)...)
		}
	}
	if c.tok.addBOS && c.tok.bos >= 0 && (len(out) == 0 || out[0] != c.tok.bos) {
		out = append([]int32{c.tok.bos}, out...)
	}
	return out
}

// containsMark reports whether a text contains a special token's name, or the guard.
func (c *Chat) containsMark(text string) bool {
	if strings.Contains(text, guard) {
		return true
	}
	_, found := c.tok.nextSpecial(text, func(s *special) bool { return s.control })
	return found != nil
}

var roles = map[llms.ChatMessageType]string{
	llms.ChatMessageTypeSystem: "system", llms.ChatMessageTypeHuman: "user", llms.ChatMessageTypeGeneric: "user",
	llms.ChatMessageTypeAI: "assistant", llms.ChatMessageTypeTool: "tool",
}

// turnsOf takes the texts of messages. A part that is not text is an error: a model that
// ignores an image answers another question.
func turnsOf(messages []llms.MessageContent) ([]Turn, error) {
	out := make([]Turn, 0, len(messages))
	for i, m := range messages {
		role, ok := roles[m.Role]
		if !ok {
			return nil, fmt.Errorf("%w: message %d has the role %q", ErrPrompt, i, m.Role)
		}
		var text []string
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				text = append(text, p.Text)
			case llms.CachedContent:
				t, ok := p.ContentPart.(llms.TextContent)
				if !ok {
					return nil, fmt.Errorf("%w: message %d has a part of type %T", ErrPrompt, i, p.ContentPart)
				}
				text = append(text, t.Text)
			case llms.ToolCallResponse:
				text = append(text, p.Content)
			default:
				return nil, fmt.Errorf("%w: message %d has a part of type %T", ErrPrompt, i, p)
			}
		}
		out = append(out, Turn{role, strings.Join(text, "\n")})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no message", ErrPrompt)
	}
	return out, nil
}

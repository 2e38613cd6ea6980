package bedrock

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// A turn is a message as text.
type turn struct{ role, text string }

// A piece is an answer, or a part of a streamed one.
type piece struct {
	text, stop    string
	input, output int // tokens; -1: not reported
}

// A family is the JSON of one provider's models.
type family struct {
	request func(turns []turn, o *callopt.Options) map[string]any
	answer  func(data []byte) (piece, error)
	event   func(data []byte) (piece, error) // nil: the family has no stream here
}

var families = map[string]family{
	"anthropic": {anthropicRequest, anthropicAnswer, anthropicEvent},
	"meta":      {metaRequest, metaPiece, metaPiece},
	"cohere":    {cohereRequest, cohereAnswer, cohereEvent},
	"ai21":      {ai21Request, ai21Answer, nil},
	"amazon":    {titanRequest, titanAnswer, titanEvent},
	"nova":      {novaRequest, novaAnswer, novaEvent},
}

// familyOf finds the family of a model's id, such as "anthropic.claude-…" or
// "eu.amazon.nova-lite-v1:0".
func familyOf(model string) (family, error) {
	for _, part := range strings.Split(model, ".") {
		if part == "amazon" && strings.Contains(model, "amazon.nova") {
			part = "nova"
		}
		if f, ok := families[part]; ok {
			return f, nil
		}
	}
	return family{}, fmt.Errorf("the model %q is of no known family: want an id with anthropic, meta, cohere, ai21 or amazon", model)
}

// turns makes texts of messages.
func turns(messages []llms.MessageContent) ([]turn, error) {
	var out []turn
	for i, m := range messages {
		t := turn{role: "user"}
		switch m.Role {
		case llms.ChatMessageTypeSystem:
			t.role = "system"
		case llms.ChatMessageTypeAI:
			t.role = "assistant"
		}
		for _, part := range m.Parts {
			text, ok := part.(llms.TextContent)
			if !ok {
				return nil, fmt.Errorf("bedrock: message %d has a %T: want texts only", i, part)
			}
			t.text += text.Text
		}
		if t.text != "" {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("bedrock: the prompt is empty")
	}
	return out, nil
}

// put sets the numbers that the caller has set, under a family's names.
func put(body map[string]any, o *callopt.Options, names map[callopt.Field]string) {
	for field, value := range map[callopt.Field]any{
		callopt.MaxTokens: o.MaxTokens, callopt.Temperature: o.Temperature, callopt.TopP: o.TopP, callopt.TopK: o.TopK,
	} {
		if name := names[field]; name != "" && o.Has(field) {
			body[name] = value
		}
	}
}

// stops sets the stop words, if there are any.
func stops(body map[string]any, name string, o *callopt.Options) {
	if len(o.StopWords) > 0 {
		body[name] = o.StopWords
	}
}

// plain is the prompt of families without messages.
func plain(turns []turn) string {
	if len(turns) == 1 {
		return turns[0].text
	}
	var b strings.Builder
	for _, t := range turns {
		name := map[string]string{"system": "system", "assistant": "AI"}[t.role]
		if name == "" {
			name = "human"
		}
		b.WriteString("\n" + name + ": " + t.text)
	}
	return b.String() + "\nAI: "
}

// merged joins turns of one role that follow one another, and splits off the system
// prompt: Anthropic and Nova ask for turns that alternate.
func merged(all []turn) (system string, out []turn) {
	for _, t := range all {
		switch {
		case t.role == "system" && system == "":
			system = t.text
		case t.role == "system":
			system += "\n" + t.text
		case len(out) > 0 && out[len(out)-1].role == t.role:
			out[len(out)-1].text += "\n" + t.text
		default:
			out = append(out, t)
		}
	}
	return system, out
}

func known(n *int) int {
	if n == nil || *n < 0 {
		return -1
	}
	return *n
}

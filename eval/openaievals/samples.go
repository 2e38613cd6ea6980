package openaievals

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
)

// A Message is one of a chat prompt. Name is empty or, as in few-shot examples,
// example_user or example_assistant.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
	Name    string `json:"name,omitempty"`
}

// A Prompt is a chat prompt, or a text. In files it is a list or a string.
type Prompt struct {
	Text     string
	Messages []Message // if not nil, Text is not used
}

// UnmarshalJSON reads a text or a list of messages.
func (p *Prompt) UnmarshalJSON(data []byte) error {
	*p = Prompt{}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) > 0 && data[0] == '"':
		return json.Unmarshal(data, &p.Text)
	case len(data) == 0 || data[0] != '[':
		return fmt.Errorf("%w: the prompt is %.40s: want a text or a list of messages", ErrFormat, data)
	}
	p.Messages = []Message{}
	if err := json.Unmarshal(data, &p.Messages); err != nil {
		return fmt.Errorf("%w: the prompt: %w", ErrFormat, err)
	}
	for i, m := range p.Messages {
		if m.Role == "" {
			return fmt.Errorf("%w: message %d of the prompt has no role", ErrFormat, i)
		}
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (p Prompt) MarshalJSON() ([]byte, error) {
	if p.Messages != nil {
		return json.Marshal(p.Messages)
	}
	return json.Marshal(p.Text)
}

// String returns the prompt as one text, as the framework puts a chat into a grader's
// prompt: a single message is its content, else each has a line with its role.
func (p Prompt) String() string {
	switch {
	case p.Messages == nil:
		return p.Text
	case len(p.Messages) == 1:
		return p.Messages[0].Content
	}
	var b strings.Builder
	for _, m := range p.Messages {
		role := m.Role
		if m.Name != "" {
			role = m.Name
		}
		switch role {
		case "system":
		case "example_user":
			b.WriteString("User: ")
		case "example_assistant":
			b.WriteString("Assistant: ")
		default:
			b.WriteString(strings.ToUpper(role[:1]) + strings.ToLower(role[1:]) + ": ")
		}
		b.WriteString(m.Content + "\n")
	}
	return strings.TrimLeft(b.String(), " \t\r\n")
}

func (p Prompt) messages() []llms.MessageContent {
	if p.Messages == nil {
		return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, p.Text)}
	}
	var out []llms.MessageContent
	for _, m := range p.Messages {
		role := llms.ChatMessageTypeHuman
		switch {
		case m.Name == "example_assistant" || m.Role == "assistant":
			role = llms.ChatMessageTypeAI
		case m.Name == "example_user":
		case m.Role == "system" || m.Role == "developer":
			role = llms.ChatMessageTypeSystem
		}
		out = append(out, llms.TextParts(role, m.Content))
	}
	return out
}

// A Sample is a line of a samples file. Fields has everything, input and ideal
// included, since a model-graded eval may name any key.
type Sample struct {
	Fields map[string]json.RawMessage
}

// Input returns the prompt under a key, "input" in most files.
func (s *Sample) Input(key string) (Prompt, error) {
	var p Prompt
	raw, ok := s.Fields[key]
	if !ok {
		return p, fmt.Errorf("%w: the sample has no key %q", ErrFormat, key)
	}
	return p, json.Unmarshal(raw, &p)
}

// Ideals returns the ideal answers: one text, or a list of texts.
func (s *Sample) Ideals() ([]string, error) {
	raw, ok := s.Fields["ideal"]
	var one *string
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return []string{*one}, nil
	}
	var list []*string
	if !ok || json.Unmarshal(raw, &list) != nil || list == nil || slices.Contains(list, nil) {
		return nil, fmt.Errorf("%w: ideal is %.40s: want a text or a list of texts", ErrFormat, raw)
	}
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = *t
	}
	return out, nil
}

// text returns a field as the framework puts it into a grader's prompt.
func (s *Sample) text(key string) (string, error) {
	p, err := s.Input(key)
	if err == nil {
		return p.String(), nil
	}
	raw, ok := s.Fields[key]
	if !ok {
		return "", err
	}
	return string(raw), nil // a number, or a list of texts: as it is in the file
}

// ReadSamples reads a samples file, one JSON object a line. Empty lines are skipped.
func ReadSamples(r io.Reader) ([]Sample, error) {
	var out []Sample
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, fmt.Errorf("openaievals: read samples: %w", err)
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			var s Sample
			if !utf8.Valid(text) {
				return nil, fmt.Errorf("%w: line %d is not valid UTF-8", ErrFormat, n)
			}
			if jerr := json.Unmarshal(text, &s.Fields); jerr != nil || s.Fields == nil {
				return nil, fmt.Errorf("%w: line %d is not a JSON object", ErrFormat, n)
			}
			out = append(out, s)
		}
		if last {
			return out, nil
		}
	}
}

// WriteSamples writes a samples file, with input first and the other keys sorted.
func WriteSamples(w io.Writer, samples []Sample) error {
	var b bytes.Buffer
	for i, s := range samples {
		b.WriteByte('{')
		keys := slices.Sorted(maps.Keys(s.Fields))
		if at := slices.Index(keys, "input"); at > 0 {
			keys = slices.Insert(slices.Delete(keys, at, at+1), 0, "input")
		}
		for k, key := range keys {
			if k > 0 {
				b.WriteString(", ")
			}
			name, err := json.Marshal(key)
			if err != nil {
				return fmt.Errorf("openaievals: sample %d: %w", i, err)
			}
			b.Write(name)
			b.WriteString(": ")
			if err := json.Compact(&b, s.Fields[key]); err != nil {
				return fmt.Errorf("%w: sample %d: the value of %q: %w", ErrFormat, i, key, err)
			}
		}
		b.WriteString("}\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// FromCase returns the sample of a case: its input as a user's message after the
// system message, if there is one, and its references as ideal answers. The case's id
// and tags are kept under "prodai".
func FromCase(c *eval.Case, system string) (Sample, error) {
	if c == nil || len(c.References) == 0 {
		return Sample{}, fmt.Errorf("%w: a sample needs a case with a reference", ErrOption)
	}
	p := Prompt{Messages: []Message{{Role: "user", Content: c.Input}}}
	if system != "" {
		p.Messages = slices.Insert(p.Messages, 0, Message{Role: "system", Content: system})
	}
	s := Sample{Fields: map[string]json.RawMessage{}}
	for key, v := range map[string]any{"input": p, "ideal": c.References, "prodai": c} {
		data, err := json.Marshal(v)
		if err != nil {
			return Sample{}, fmt.Errorf("openaievals: %w", err)
		}
		s.Fields[key] = data
	}
	return s, nil
}

// Case returns the case of a sample. What [FromCase] wrote comes back whole; of other
// samples the input is [Prompt.String] and the ideal answers are the references.
func (s *Sample) Case() (eval.Case, error) {
	var c eval.Case
	if raw, ok := s.Fields["prodai"]; ok {
		if err := json.Unmarshal(raw, &c); err != nil {
			return c, fmt.Errorf("%w: the key prodai: %w", ErrFormat, err)
		}
		return c, nil
	}
	p, err := s.Input("input")
	if err != nil {
		return c, err
	}
	c.Input = p.String()
	c.References, err = s.Ideals()
	return c, err
}

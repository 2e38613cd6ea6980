package openai

import (
	"encoding/json"
	"errors"
	"fmt"
)

// decode reads an answer or a chunk of one. Content is a string in all of the
// protocol but where Mistral's reasoning models speak it: there it is a list of
// parts, of the kinds that a request has and of thoughts.
func decode(data []byte, into *completion) error {
	err := json.Unmarshal(data, into)
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) || mismatch.Value != "array" {
		return err
	}
	var listed struct {
		completion
		Choices []struct {
			wireChoice
			Message *listedDelta `json:"message"`
			Delta   *listedDelta `json:"delta"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(data, &listed); err != nil {
		return err
	}
	*into = listed.completion
	into.Choices = make([]wireChoice, len(listed.Choices))
	for i, c := range listed.Choices {
		if c.wireChoice.Message, err = c.Message.delta(); err != nil {
			return err
		}
		if c.wireChoice.Delta, err = c.Delta.delta(); err != nil {
			return err
		}
		into.Choices[i] = c.wireChoice
	}
	return nil
}

// A listedDelta is a delta whose content may be a list.
type listedDelta struct {
	wireDelta
	Content json.RawMessage `json:"content"`
}

// A contentPart is a part of an answer's content. A thought holds parts of
// text again.
type contentPart struct {
	Type     string        `json:"type"`
	Text     string        `json:"text"`
	Refusal  string        `json:"refusal"`
	Thinking []contentPart `json:"thinking"`
}

// delta puts the parts where other engines have their texts. Parts of another
// kind (a reference to a source, an image) are kept as they came.
func (l *listedDelta) delta() (*wireDelta, error) {
	if l == nil {
		return nil, nil
	}
	d := &l.wireDelta
	switch {
	case len(l.Content) == 0:
		return d, nil
	case l.Content[0] != '[':
		return d, json.Unmarshal(l.Content, &d.Content)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(l.Content, &raw); err != nil {
		return nil, err
	}
	for i, r := range raw {
		var p contentPart
		if err := json.Unmarshal(r, &p); err != nil {
			return nil, fmt.Errorf("part %d of the content: %w", i, err)
		}
		switch p.Type {
		case "text":
			grow(&d.Content, p.Text)
		case "refusal":
			grow(&d.Refusal, p.Refusal)
		case "thinking":
			for _, t := range p.Thinking {
				grow(&d.ReasoningContent, t.Text)
			}
		default:
			var other any
			if err := json.Unmarshal(r, &other); err != nil { // what was just read can be read
				return nil, err
			}
			d.parts = append(d.parts, other)
		}
	}
	return d, nil
}

// grow appends to a text that may not be there yet.
func grow(text **string, more string) {
	if *text != nil {
		more = **text + more
	}
	*text = &more
}

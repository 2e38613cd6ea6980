package openai

import (
	"encoding/json"
	"fmt"
)

// A contentPart is a part of an answer's content. A thought contains parts of text
// again.
type contentPart struct {
	Type     string        `json:"type"`
	Text     string        `json:"text"`
	Refusal  string        `json:"refusal"`
	Thinking []contentPart `json:"thinking"`
}

// content reads content that is a string or a list of parts. It puts texts and
// thoughts where other engines have them. Parts of another kind (a reference to a
// source, an image) are kept as they came.
func (d *wireDelta) content(data json.RawMessage) error {
	switch {
	case len(data) == 0:
		return nil
	case data[0] != '[':
		return json.Unmarshal(data, &d.Content)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for i, r := range raw {
		var p contentPart
		if err := json.Unmarshal(r, &p); err != nil {
			return fmt.Errorf("part %d of the content: %w", i, err)
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
				return err
			}
			d.parts = append(d.parts, other)
		}
	}
	return nil
}

// grow appends to a text that may not be there yet.
func grow(text **string, more string) {
	if *text != nil {
		more = **text + more
	}
	*text = &more
}

package hf

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode"
)

// A metaspace marks the spaces of a text and cuts it, as the pre-tokenizers do that
// imitate SentencePiece. The zero value leaves a text whole.
type metaspace struct {
	scheme string // prepend_scheme: "always", "first" or "never"; "": no marks
	words  bool   // white space is dropped first
	split  bool   // each mark begins a piece
}

// newMetaspace reads Metaspace, or WhitespaceSplit and Metaspace.
func newMetaspace(raw json.RawMessage) (m metaspace, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return m, nil
	}
	type step struct {
		Type        string  `json:"type"`
		Replacement string  `json:"replacement"`
		Scheme      *string `json:"prepend_scheme"`
		AddPrefix   *bool   `json:"add_prefix_space"`
		Split       *bool   `json:"split"`
		Steps       []step  `json:"pretokenizers"`
	}
	var p step
	if err := json.Unmarshal(raw, &p); err != nil {
		return m, fmt.Errorf("hf: tokenizer.json: pre_tokenizer: %w", err)
	}
	if p.Type == "Sequence" && len(p.Steps) == 2 && p.Steps[0].Type == "WhitespaceSplit" {
		m.words = true
		p = p.Steps[1]
	}
	switch {
	case p.Scheme != nil:
		m.scheme = *p.Scheme
	case p.AddPrefix != nil && !*p.AddPrefix: // the older form
		m.scheme = "never"
	default:
		m.scheme = "always"
	}
	m.split = p.Split == nil || *p.Split
	known := m.scheme == "always" || m.scheme == "never" || m.scheme == "first" && !m.words
	if p.Type != "Metaspace" || p.Replacement != mark || !known {
		return m, &UnsupportedError{"pre_tokenizer", fmt.Sprintf("the type %q, or its settings,", p.Type)}
	}
	return m, nil
}

// pieces yields the pieces of a text. first is true if the text is at the beginning
// of the whole text.
func (m *metaspace) pieces(text string, first bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		if m.scheme == "" {
			yield(text)
			return
		}
		var b strings.Builder
		ends := make([]int, 0, 1+len(text)/4) // of words
		b.Grow(len(text) + len(mark)*cap(ends))
		if m.words {
			for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
				m.write(&b, word, false)
				ends = append(ends, b.Len())
			}
		} else {
			m.write(&b, text, first)
			ends = append(ends, b.Len())
		}
		marked, start := b.String(), 0
		for _, end := range ends {
			if !m.cut(marked[start:end], yield) {
				return
			}
			start = end
		}
	}
}

// write writes a text with marks for its spaces.
func (m *metaspace) write(b *strings.Builder, text string, first bool) {
	if (m.scheme == "always" || m.scheme == "first" && first) && !strings.HasPrefix(text, mark) && !strings.HasPrefix(text, " ") {
		b.WriteString(mark)
	}
	for {
		word, rest, more := strings.Cut(text, " ")
		b.WriteString(word)
		if !more {
			return
		}
		b.WriteString(mark)
		text = rest
	}
}

// cut yields the pieces of a marked text.
func (m *metaspace) cut(text string, yield func(string) bool) bool {
	for m.split && text != "" {
		end := strings.Index(text[1:], mark) + 1
		if end == 0 {
			break
		}
		if !yield(text[:end]) {
			return false
		}
		text = text[end:]
	}
	return yield(text)
}

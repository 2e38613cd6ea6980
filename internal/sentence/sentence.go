// Package sentence finds the sentences of a text.
//
// It uses Unicode's default rules (UAX #29) and corrects their mistakes on real
// documents. A full stop doesn't end a sentence after an abbreviation or an item's
// number, or inside a name such as utf8.RuneStart. The end of a wrapped line
// doesn't end a sentence either, but a blank line, a list item or a heading does.
package sentence

import (
	"strings"
	"unicode"
)

// A Span is bytes [Start, End) of a text.
type Span struct{ Start, End int }

// Split returns the sentences of a text in order, without the blanks around
// them. Every byte that isn't a blank is in one of them.
func Split(text string) []Span {
	out := make([]Span, 0, 1+len(text)/100)
	offset := 0
	for block := range blocks(text) {
		base := offset
		offset += len(block)
		start, end := 0, 0
		for s := range unicodeSentences(block) {
			end += len(s)
			// Blanks belong to the text before them, and aren't read again.
			if end < len(block) && (strings.TrimSpace(s) == "" || endsInside(block[start:end], block[end:])) {
				continue
			}
			out = AppendTrimmed(out, text, base+start, base+end)
			start = end
		}
		out = AppendTrimmed(out, text, base+start, base+len(block))
	}
	return out
}

// Plain returns the sentences of a text by Unicode's default rules (UAX #29)
// alone, each with the blanks after it: the spans cover the text.
func Plain(text string) []Span {
	var out []Span
	at := 0
	for s := range unicodeSentences(text) {
		out = append(out, Span{at, at + len(s)})
		at += len(s)
	}
	return out
}

// bom is the byte order mark. Before a text it is a part of the first sentence.
const bom = "\ufeff"

// blocks yields the parts of a text that no sentence crosses.
func blocks(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, pos := 0, 0
		head := len(text) - len(strings.TrimLeftFunc(strings.TrimPrefix(text, bom), unicode.IsSpace))
		for line := range strings.Lines(text) {
			bare := strings.TrimSpace(line)
			if pos == 0 {
				bare = strings.TrimSpace(strings.TrimPrefix(line, bom))
			}
			if (bare == "" || beginsItem(bare)) && pos > max(start, head) {
				if !yield(text[start:pos]) {
					return
				}
				start = pos
			}
			pos += len(line)
			if strings.HasPrefix(bare, "#") { // a heading is alone on its line
				if !yield(text[start:pos]) {
					return
				}
				start = pos
			}
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// beginsItem reports whether a line begins a list item or a heading.
func beginsItem(line string) bool {
	for _, mark := range []string{"- ", "* ", "+ ", "#", "|", "```"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	digits := strings.TrimLeft(line, "0123456789")
	return len(digits) < len(line) && (strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ") "))
}

// AppendTrimmed appends text[start:end] without the blanks around it, if anything
// is left.
func AppendTrimmed(out []Span, text string, start, end int) []Span {
	part := text[start:end]
	trimmed := strings.TrimLeftFunc(part, unicode.IsSpace)
	start += len(part) - len(trimmed)
	trimmed = strings.TrimRightFunc(trimmed, unicode.IsSpace)
	if trimmed == "" {
		return out
	}
	return append(out, Span{start, start + len(trimmed)})
}

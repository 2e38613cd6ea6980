package rag

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// A span is bytes [start, end) of a text.
type span struct{ start, end int }

// split returns the sentences of a text in order, without the blanks around
// them: those of Unicode's UAX #29, cut also at blank lines and at lines that
// begin a list item or a heading, and joined where a line of prose was only
// wrapped or a known abbreviation ends in a full stop.
func split(text string) []span {
	var out []span
	offset := 0
	for block := range blocks(text) {
		base := offset
		offset += len(block)
		start, end := 0, 0
		for it := sentences.FromString(block); it.Next(); {
			end += len(it.Value())
			if endsInside(block[start:end]) && end < len(block) {
				continue
			}
			out = appendTrimmed(out, text, base+start, base+end)
			start = end
		}
		out = appendTrimmed(out, text, base+start, base+len(block))
	}
	return out
}

// blocks yields the stretches of a text that no sentence crosses.
func blocks(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, pos := 0, 0
		for line := range strings.Lines(text) {
			bare := strings.TrimSpace(line)
			if (bare == "" || beginsItem(bare)) && pos > start {
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

// endsInside reports whether what looks like a sentence goes on: it ends in a
// wrapped line without a full stop, or in an abbreviation.
func endsInside(s string) bool {
	bare := strings.TrimRightFunc(s, unicode.IsSpace)
	last, _ := utf8.DecodeLastRuneInString(bare)
	if !strings.ContainsRune(".!?…。！？\"”)]»", last) {
		return true
	}
	word := bare[strings.LastIndexFunc(bare, unicode.IsSpace)+1:]
	switch strings.ToLower(strings.TrimLeft(word, "(\"")) {
	case "e.g.", "i.e.", "cf.", "vs.", "dr.", "mr.", "mrs.", "prof.", "fig.", "sec.", "no.", "approx.", "al.":
		return true
	}
	return false
}

func appendTrimmed(out []span, text string, start, end int) []span {
	part := text[start:end]
	trimmed := strings.TrimLeftFunc(part, unicode.IsSpace)
	start += len(part) - len(trimmed)
	trimmed = strings.TrimRightFunc(trimmed, unicode.IsSpace)
	if trimmed == "" {
		return out
	}
	return append(out, span{start, start + len(trimmed)})
}

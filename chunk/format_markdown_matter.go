package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// frontMatter returns the end of the metadata that a text begins with at a place,
// or that place: YAML between lines of "---", TOML between lines of "+++".
// CommonMark doesn't have it: there the end of YAML makes a heading of the text
// before it.
//
// A line across the page begins a text as well, so what follows has to look like
// metadata, and the end must be there.
func frontMatter(text string, at int) int {
	s := lineScanner{text: text}
	fence, next := s.line(at)
	fence = strings.TrimRight(fence, " \t")
	if fence != "---" && fence != "+++" {
		return at
	}
	blank, known := false, false // the last line; a line of metadata was there
	for next < len(text) {
		var line string
		line, next = s.line(next)
		bare := strings.TrimRight(line, " \t")
		switch {
		case bare == fence, bare == "..." && fence == "---":
			return next
		case bare == "":
			if !known {
				return at
			}
		case bare[0] == '#':
		case isMatter(bare, fence == "+++"):
			known = true
		case !known || blank: // prose
			return at
		}
		blank = bare == ""
	}
	return at
}

// isMatter reports whether a line of metadata can look like this.
func isMatter(line string, toml bool) bool {
	switch line[0] {
	case ' ', '\t', '{', '}', '[', ']', '"', '\'', '%', '&', '?':
		return true
	case '-':
		return line == "-" || strings.HasPrefix(line, "- ")
	}
	mark := ":"
	if toml {
		mark = "="
	}
	key, value, ok := strings.Cut(line, mark)
	if !ok || !toml && value != "" && value[0] != ' ' && value[0] != '\t' {
		return false
	}
	for _, r := range key {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune(" _-.$@/<", r) {
			return false
		}
	}
	return utf8.RuneCountInString(key) <= 64
}

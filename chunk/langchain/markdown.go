package langchain

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A Section is a passage as langchain's structured splitters make it:
// its text is rewritten, so it has no place in the source.
type Section struct {
	Text string
	Meta map[string]string // heading titles by the names that a Header gave
}

// A Header is a kind of heading and the name under which its title is kept: {"##", "H2"} for
// markdown, {"h2", "H2"} for HTML.
type Header struct{ Mark, Name string }

// MarkdownOptions configure [Markdown].
type MarkdownOptions struct {
	// KeepHeaders leaves the headings in the text. Default: false.
	KeepHeaders bool

	// EachLine returns each block by itself. Default: false, neighbors under the
	// same headings are joined.
	EachLine bool
}

// Markdown cuts a markdown text exactly as MarkdownHeaderTextSplitter of
// langchain-text-splitters 1.1.3 does. It drops indentation and blank lines; for
// new work use [chunk.Markdown].
func Markdown(text string, headers []Header, o *MarkdownOptions) []Section {
	if o == nil {
		o = &MarkdownOptions{}
	}
	headers = slices.Clone(headers)
	slices.SortStableFunc(headers, func(a, b Header) int { return len([]rune(b.Mark)) - len([]rune(a.Mark)) })

	type open struct {
		level int
		name  string
	}
	var (
		sections []Section
		content  []string
		stack    []open
		current  = map[string]string{} // of the content collected so far
		latest   = map[string]string{} // of the content that follows
		fence    string
	)
	flush := func() {
		if len(content) > 0 {
			sections = append(sections, Section{strings.Join(content, "\n"), maps.Clone(current)})
			content = nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = printable(strings.TrimFunc(line, pythonSpace))
		if fence = fenceAfter(fence, line); fence != "" {
			content = append(content, line)
			continue
		}
		if h, ok := findHeader(line, headers); ok {
			level := strings.Count(h.Mark, "#")
			for len(stack) > 0 && stack[len(stack)-1].level >= level {
				delete(latest, stack[len(stack)-1].name)
				stack = stack[:len(stack)-1]
			}
			stack = append(stack, open{level, h.Name})
			latest[h.Name] = strings.TrimFunc(line[len(h.Mark):], pythonSpace)
			flush()
			if o.KeepHeaders {
				content = append(content, line)
			}
		} else if line != "" {
			content = append(content, line)
		} else {
			flush()
		}
		current = maps.Clone(latest)
	}
	flush()
	if o.EachLine {
		return sections
	}
	return joinSections(sections, o.KeepHeaders)
}

// fenceAfter returns the mark of the code fence that is open after a line, given
// the one before it; "" if none is.
func fenceAfter(fence, line string) string {
	switch {
	case fence != "" && strings.HasPrefix(line, fence):
		return ""
	case fence != "":
		return fence
	case strings.HasPrefix(line, "```") && strings.Count(line, "```") == 1:
		return "```"
	case strings.HasPrefix(line, "~~~"):
		return "~~~"
	}
	return ""
}

// findHeader returns the first header whose mark the line begins with.
func findHeader(line string, headers []Header) (Header, bool) {
	for _, h := range headers {
		if rest, ok := strings.CutPrefix(line, h.Mark); ok && (rest == "" || rest[0] == ' ') {
			return h, true
		}
	}
	return Header{}, false
}

// printable drops the characters for which Python's str.isprintable is false.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// joinSections joins neighbors with equal metadata, and headings with their text.
func joinSections(sections []Section, keepHeaders bool) []Section {
	var out []Section
	for _, s := range sections {
		if len(out) > 0 {
			last := &out[len(out)-1]
			line := last.Text[strings.LastIndexByte(last.Text, '\n')+1:]
			if maps.Equal(last.Meta, s.Meta) {
				last.Text += "  \n" + s.Text
				continue
			}
			if keepHeaders && len(last.Meta) < len(s.Meta) && strings.HasPrefix(line, "#") {
				last.Text += "  \n" + s.Text
				last.Meta = s.Meta
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// MarkdownSyntax cuts a markdown text exactly as
// ExperimentalMarkdownSyntaxTextSplitter of langchain-text-splitters 1.1.3 does
// with its defaults: headings become the metadata "Header 1" to "Header 6", fences
// are sections of their own with their language as "Code". As there, a fence that
// isn't closed is lost with all text after it.
func MarkdownSyntax(text string) []Section {
	type open struct {
		depth int
		title string
	}
	var (
		out     []Section
		stack   []open
		current Section
	)
	flush := func() {
		if strings.TrimFunc(current.Text, pythonSpace) != "" {
			if current.Meta == nil {
				current.Meta = map[string]string{}
			}
			for _, h := range stack {
				current.Meta["Header "+string(rune('0'+h.depth))] = h.title
			}
			out = append(out, current)
		}
		current = Section{}
	}
	lines := pythonLines(text)
	for len(lines) > 0 {
		line := lines[0]
		lines = lines[1:]
		if m := syntaxHeader.FindStringSubmatch(line); m != nil {
			flush()
			depth := len(m[1])
			if i := slices.IndexFunc(stack, func(h open) bool { return h.depth >= depth }); i >= 0 {
				stack = stack[:i]
			}
			stack = append(stack, open{depth, m[2]})
		} else if m := syntaxFence.FindStringSubmatch(line); m != nil {
			flush()
			end := slices.IndexFunc(lines, syntaxFence.MatchString)
			if end >= 0 {
				current.Text = line + strings.Join(lines[:end+1], "")
				current.Meta = map[string]string{"Code": m[1]}
				lines = lines[end+1:]
			} else {
				lines = nil
			}
			flush()
		} else if syntaxRule.MatchString(line) {
			flush()
		} else {
			current.Text += line
		}
	}
	flush()
	return out
}

var (
	syntaxHeader = regexp.MustCompile(`^(#{1,6}) (.*)`)
	syntaxFence  = regexp.MustCompile("^(?:```|~~~)(.*)")
	syntaxRule   = regexp.MustCompile(`^(?:\*\*\*+|---+|___+)\n`)
)

// pythonLines is str.splitlines(keepends=True).
func pythonLines(text string) []string {
	var lines []string
	for len(text) > 0 {
		i := strings.IndexAny(text, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			return append(lines, text)
		}
		n := len("\n")
		switch {
		case strings.HasPrefix(text[i:], "\r\n"), strings.HasPrefix(text[i:], "\u0085"):
			n = 2
		case strings.HasPrefix(text[i:], "\u2028"), strings.HasPrefix(text[i:], "\u2029"):
			n = 3
		}
		lines, text = append(lines, text[:i+n]), text[i+n:]
	}
	return lines
}

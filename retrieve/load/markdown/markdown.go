package markdown

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/prodailabs/prodai/retrieve/load"
)

// Load loads a Markdown file. The text is the file, byte by byte, so that every offset in it
// is one of the file. Each heading begins a section; a heading in a list or a quotation
// doesn't. Front matter between two lines "---" at the beginning is no section, and its
// lines "key: value" become Meta, "title" the title. It is a load.Loader.
func Load(ctx context.Context, name string, r io.Reader, o *load.Options) (*load.Document, error) {
	data, limits, err := load.Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	if err := load.UTF8(name, data); err != nil {
		return nil, err
	}
	if depth := nesting(data); depth > limits.MaxDepth {
		return nil, fmt.Errorf("%s: %w", name, &load.LimitError{What: "depth", Limit: limits.MaxDepth})
	}
	b := load.NewBuilder(name, limits)
	b.Lines(data)
	at := 0
	write := func(to int) {
		b.Write(string(data[at:to]), load.Place{Start: at, End: to})
		at = to
	}
	body := frontMatter(b, data)
	write(body)
	b.Skip()
	for _, h := range headings(data, body) {
		write(h.start)
		b.Heading(h.level, h.title)
	}
	write(len(data))
	return b.Document()
}

// nesting returns the most container marks at the beginning of a line. The work of a
// parser grows with their number times the lines.
func nesting(data []byte) int {
	deepest := 0
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		marks := 0
	marks:
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case c == '>' || (c == '-' || c == '*' || c == '+') && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'):
				marks++
			case (c == '.' || c == ')') && i > 0:
				marks++
			case c == ' ', c == '\t', c >= '0' && c <= '9':
			default:
				break marks
			}
		}
		deepest = max(deepest, marks)
	}
	return deepest
}

// frontMatter reads the front matter and returns where the text after it begins.
func frontMatter(b *load.Builder, data []byte) int {
	start := 0
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		start = 3
	}
	rest := string(data[start:])
	first, after, ok := strings.Cut(rest, "\n")
	if !ok || strings.TrimRight(first, "\r \t") != "---" {
		return start
	}
	at := start + len(first) + 1
	values := map[string]string{}
	for line := range strings.Lines(after) {
		at += len(line)
		bare := strings.TrimRight(line, "\r\n \t")
		if bare == "---" || bare == "..." {
			for key, value := range values {
				b.Meta(key, value)
			}
			b.Title(values["title"])
			return at
		}
		key, value, ok := strings.Cut(bare, ":")
		value = strings.TrimSpace(value)
		if ok && key == strings.TrimSpace(key) && key != "" && value != "" && !strings.HasPrefix(key, "#") && !strings.HasPrefix(key, "-") {
			values[key] = strings.Trim(value, `"'`)
		}
	}
	return start // it never ends: it is a rule, and text
}

type heading struct {
	start, level int
	title        string
}

// headings returns the headings of the document's own level. Only its blocks are parsed: links
// and emphasis don't matter here.
func headings(data []byte, body int) []heading {
	p := parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...))
	root := p.Parse(text.NewReader(data[body:]))
	var out []heading
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		lines := h.Lines()
		if lines.Len() == 0 {
			continue
		}
		var title []string
		for i := range lines.Len() {
			s := lines.At(i)
			title = append(title, string(s.Value(data[body:])))
		}
		start := body + lines.At(0).Start
		for start > body && data[start-1] != '\n' {
			start--
		}
		out = append(out, heading{start, h.Level, strings.Join(title, " ")})
	}
	return out
}

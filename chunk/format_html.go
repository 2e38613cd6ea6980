package chunk

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// HTML cuts the source of a page between its blocks: a passage never crosses a
// heading and carries the path of headings (h1 to h6) above it. The passages
// are source, with their tags, so that their offsets are right; [HTMLText] makes
// readable text of one. Scripts and styles are parts of the source like any
// other; sanitize a page before, if it is to be shown.
type HTML struct{ m measure }

// NewHTML returns an HTML. It fails with [ErrOption].
func NewHTML(o *Options) (*HTML, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &HTML{m}, nil
}

// Chunk cuts the page.
func (h *HTML) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return assemble(text, h.m, htmlJoints(text)), nil
}

// HTMLText returns the text of a piece of HTML as a reader sees it: without tags,
// comments, scripts and styles, entities decoded, blanks reduced to one, a line for
// each block.
func HTMLText(source string) string {
	var b strings.Builder
	hidden := ""
	z := html.NewTokenizer(strings.NewReader(strings.TrimPrefix(source, bom)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			lines := strings.Split(b.String(), "\n")
			for i, l := range lines {
				lines[i] = strings.Join(strings.Fields(l), " ")
			}
			return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
		case html.TextToken:
			if hidden == "" {
				b.WriteString(strings.ReplaceAll(string(z.Text()), "\n", " "))
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			tag := string(name)
			if tag == "script" || tag == "style" || tag == "template" {
				hidden = tag
			}
			if isBlock(tag) {
				b.WriteByte('\n')
			}
		case html.SelfClosingTagToken:
			if name, _ := z.TagName(); isBlock(string(name)) {
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if string(name) == hidden {
				hidden = ""
			}
			if isBlock(string(name)) {
				b.WriteByte('\n')
			}
		}
	}
}

// isBlock reports whether an element begins a line of its own.
func isBlock(tag string) bool {
	switch tag {
	case "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
		"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "menu", "nav",
		"ol", "option", "p", "pre", "script", "section", "style", "summary", "table", "tbody", "td", "template", "tfoot", "th", "thead", "title", "tr", "ul":
		return true
	}
	return false
}

// headingLevel returns 1 to 6 for h1 to h6, else 0.
func headingLevel(tag string) int {
	if len(tag) == 2 && tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '6' {
		return int(tag[1] - '0')
	}
	return 0
}

// htmlJoints returns a joint before each block; the rank is the depth.
func htmlJoints(text string) []joint {
	var out []joint
	var path []Heading
	var headings []string // the titles of path
	depth, at := 0, 0
	titleFrom := -1 // where the text of an open heading begins
	under := 0      // the first joint of a heading's run
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		start := at
		at += len(z.Raw())
		if kind == html.ErrorToken {
			return out
		}
		if kind != html.StartTagToken && kind != html.EndTagToken {
			continue
		}
		name, _ := z.TagName()
		tag := string(name)
		level := headingLevel(tag)
		switch {
		case kind == html.EndTagToken && level > 0 && titleFrom >= 0:
			path = descend(path, Heading{level, strings.ReplaceAll(HTMLText(text[titleFrom:start]), "\n", " ")})
			headings = titles(path)
			for i := under; i < len(out); i++ {
				out[i].headings = headings
			}
			titleFrom = -1
		case kind == html.EndTagToken && isBlock(tag):
			depth = max(0, depth-1)
		case kind == html.StartTagToken && isBlock(tag):
			if level > 0 {
				titleFrom, under = at, len(out)
			}
			out = append(out, joint{at: start, rank: depth, hard: level > 0, headings: headings})
			if !voidElement(tag) {
				depth++
			}
			if level > 0 {
				depth = max(0, depth-1) // its end tag isn't counted
			}
		}
	}
}

// voidElement reports whether an element has no end tag.
func voidElement(tag string) bool {
	switch tag {
	case "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image", "img", "input",
		"isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source", "spacer", "track", "wbr":
		return true
	}
	return false
}

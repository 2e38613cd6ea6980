package langchain

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// HTML cuts an HTML page exactly as HTMLHeaderTextSplitter of
// langchain-text-splitters 1.1.3 does (over BeautifulSoup's html.parser): each
// heading is a section, and so is the text between two headings. Headers are marked
// "h1" to "h6"; others fail with [ErrOption]. As there, the text of scripts is
// kept, and an element's own text comes before that of the elements inside of it.
// For new work use [chunk.HTML].
func HTML(page string, headers []Header) ([]Section, error) {
	names, levels := map[string]string{}, map[string]int{}
	for _, h := range headers {
		if len(h.Mark) != 2 || h.Mark[0] != 'h' || h.Mark[1] < '1' || h.Mark[1] > '6' {
			return nil, fmt.Errorf("%w: Header.Mark is %q: want h1 to h6", ErrOption, h.Mark)
		}
		names[h.Mark], levels[h.Mark] = h.Name, int(h.Mark[1]-'0')
	}
	type active struct {
		name, text   string
		level, depth int
	}
	var (
		open  []active
		lines []string
		out   []Section
	)
	meta := func() map[string]string {
		m := map[string]string{}
		for _, h := range open {
			m[h.name] = h.text
		}
		return m
	}
	flush := func() {
		if len(lines) > 0 {
			out = append(out, Section{strings.Join(lines, "  \n"), meta()})
			lines = nil
		}
	}
	root := readSoup(page)
	if body := root.find("body"); body != nil {
		root = body
	}
	root.walk(func(n *soupTag) {
		text := n.text()
		if text == "" {
			return
		}
		if level := levels[n.name]; level > 0 {
			flush()
			open = slices.DeleteFunc(open, func(h active) bool { return h.level >= level || h.name == names[n.name] })
			open = append(open, active{names[n.name], text, level, n.depth})
			out = append(out, Section{text, meta()})
			return
		}
		open = slices.DeleteFunc(open, func(h active) bool { return n.depth < h.depth })
		lines = append(lines, text)
	})
	flush()
	return out, nil
}

// A soupTag is an element of a page as BeautifulSoup sees it with Python's
// html.parser: a tag is open until its end tag, also where HTML's rules close it
// earlier.
type soupTag struct {
	name     string
	depth    int
	parent   *soupTag
	children []*soupTag
	strings  []string // the texts directly inside
}

// text joins the trimmed texts directly in the element.
func (t *soupTag) text() string {
	var parts []string
	for _, s := range t.strings {
		if s = strings.TrimFunc(s, pythonSpace); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// walk visits the element and all elements in it, in the order of the page.
func (t *soupTag) walk(visit func(*soupTag)) {
	for stack := []*soupTag{t}; len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		visit(n)
		for _, child := range slices.Backward(n.children) {
			stack = append(stack, child)
		}
	}
}

func (t *soupTag) find(name string) *soupTag {
	var found *soupTag
	t.walk(func(n *soupTag) {
		if found == nil && n.name == name {
			found = n
		}
	})
	return found
}

// voidTags have no end tag.
var voidTags = strings.Fields("area base br col embed hr img input keygen link menuitem meta param source track wbr basefont bgsound command frame image isindex nextid spacer")

func readSoup(page string) *soupTag {
	root := &soupTag{}
	at, opened := root, map[string]int{}
	z := html.NewTokenizer(strings.NewReader(page))
	var text strings.Builder // texts are joined over everything that makes no tag
	flush := func() {
		if text.Len() > 0 {
			at.strings = append(at.strings, text.String())
			text.Reset()
		}
	}
	closeTag := func(name string) {
		if opened[name] == 0 {
			return
		}
		for at != root {
			n := at.name
			opened[n]--
			at = at.parent
			if n == name {
				return
			}
		}
	}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			flush()
			return root
		}
		t := z.Token()
		switch kind {
		case html.TextToken:
			text.WriteString(t.Data)
		case html.CommentToken, html.DoctypeToken:
			flush()
			at.strings = append(at.strings, t.Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			flush()
			child := &soupTag{name: t.Data, depth: at.depth + 1, parent: at}
			at.children = append(at.children, child)
			if kind == html.StartTagToken && !slices.Contains(voidTags, t.Data) {
				at = child
				opened[t.Data]++
			}
			if t.Data != "script" && t.Data != "style" {
				z.NextIsNotRawText() // html.parser doesn't know raw text in other elements
			}
		case html.EndTagToken:
			flush()
			closeTag(t.Data)
		}
	}
}

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
)

// books are the titles below the folder openstax. Each has CC BY 4.0 both in its LICENSE and in
// its collection's file; introduction-business has it in one of them only.
var books = []string{
	"american-government", "anatomy-physiology", "astronomy", "college-success-bundle", "entrepreneurship",
	"introduction-anthropology", "introduction-philosophy",
	"introduction-political-science", "introduction-python-programming", "introduction-sociology",
	"introductory-statistics-bundle", "microbiology", "principles-economics-bundle", "psychology",
	"university-physics-bundle", "us-history", "world-history", "writing-guide",
}

// textbook reads CNXML modules: a section's heading and its text, a term and its meaning,
// a problem and its solution, and the insides of all text.
func textbook(folder string) (out []pair, err error) {
	err = files(folder, ".cnxml", func(data []byte) error {
		d := xml.NewDecoder(bytes.NewReader(data))
		d.Strict, d.Entity = false, xml.HTMLEntity
		m := &module{}
		for {
			switch t, err := d.Token(); {
			case errors.Is(err, io.EOF):
				m.flush()
				out = append(out, m.pairs...)
				return nil
			case err != nil:
				return err
			default:
				if err := m.token(d, t); err != nil {
					return err
				}
			}
		}
	})
	return out, err
}

// A module is the part of a textbook that is in one file.
type module struct {
	title, heading string
	text           strings.Builder
	term, problem  string
	pairs          []pair
}

func (m *module) token(d *xml.Decoder, t xml.Token) error {
	start, ok := t.(xml.StartElement)
	if !ok {
		return nil
	}
	switch start.Name.Local {
	case "metadata", "math", "figure", "table", "equation", "media", "footnote", "list":
		return d.Skip()
	}
	if !leaves[start.Name.Local] {
		return nil
	}
	text, err := words(d)
	if err != nil {
		return err
	}
	switch start.Name.Local {
	case "title":
		m.flush()
		if m.heading = text; m.title == "" {
			m.title = text
		}
	case "para":
		m.text.WriteString(text + " ")
	case "term":
		m.term = text
	case "meaning":
		m.pairs = with(m.pairs, m.term, text)
	case "problem":
		m.problem = text
	case "solution":
		m.pairs = with(m.pairs, m.problem, text)
	}
	return nil
}

// leaves are elements that are read as a whole. A term in a paragraph is a part of it.
var leaves = map[string]bool{"title": true, "para": true, "term": true, "meaning": true, "problem": true, "solution": true}

// words returns the text up to the end of the element that has begun, without formulas.
func words(d *xml.Decoder) (string, error) {
	var b strings.Builder
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "math", "footnote", "media", "table":
				if err := d.Skip(); err != nil {
					return "", err
				}
			default:
				depth++
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			b.Write(t)
		}
	}
	return strings.Join(strings.Fields(b.String()), " "), nil
}

func (m *module) flush() {
	text := m.text.String()
	m.text.Reset()
	heading := m.heading
	if m.title != heading {
		heading = m.title + ": " + heading
	}
	if strings.Count(text, " ") >= 12 && heading != "References" {
		m.pairs = append(with(m.pairs, heading, text), insides(text)...)
	}
}

var (
	// fence is what has no sentences: code, the page's head, tags, and all of a section from
	// its first table or quotation on.
	fence  = regexp.MustCompile("(?s)\n *```.*?\n *```|\n *~~~.*?\n *~~~|^---\n.*?\n---\n|<[a-zA-Z/][^>]*>|{%.*?%}|{{.*?}}|(?m)^[|#>].*")
	anchor = regexp.MustCompile(`!?\[([^]]*)\]\([^)]*\)`)
	title  = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

// markdown reads a manual: a heading with its page's title, and the text below it, up to a
// table or a quotation.
func markdown(folder string) (out []pair, err error) {
	err = files(folder, ".md", func(data []byte) error {
		page := ""
		for line := range strings.Lines(string(data)) {
			if t, ok := strings.CutPrefix(line, "title: "); ok {
				page = strings.TrimSpace(t)
				break
			}
		}
		at := title.FindAllSubmatchIndex(data, -1)
		m := &module{title: page, heading: page}
		from := 0
		for i := range len(at) + 1 {
			to := len(data)
			if i < len(at) {
				to = at[i][0]
			}
			m.text.WriteString(anchor.ReplaceAllString(fence.ReplaceAllString(string(data[from:to]), " "), "$1"))
			m.flush()
			if i < len(at) {
				m.heading, from = string(data[at[i][2]:at[i][3]]), at[i][1]
			}
		}
		out = append(out, m.pairs...)
		return nil
	})
	return out, err
}

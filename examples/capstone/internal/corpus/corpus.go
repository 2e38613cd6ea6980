// Package corpus reads the documents that the capstone answers from: the
// course itself, and files of the user's.
package corpus

import (
	"errors"
	"fmt"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/prodailabs/prodai"
)

// A Document is a text and where it came from.
type Document struct {
	Source string
	Text   string // markdown, or Go source
}

// ErrFormat says that a file is none that can be read here.
var ErrFormat = errors.New("not a document: want .md, .txt, .html, .htm or .go in UTF-8")

// maxFile bounds a file, so that a wrong path doesn't fill the memory.
const maxFile = 16 << 20

// Course returns the course: the README, the lecture notes, which are the comments of
// packages, and the source of the examples.
func Course() ([]Document, error) {
	var out []Document
	err := fs.WalkDir(prodai.Notes, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "testdata" {
				return fs.SkipDir
			}
			return err
		}
		if strings.Contains(name, "/internal/") || strings.HasPrefix(name, "internal/") {
			return nil // not for users
		}
		ext := path.Ext(name)
		if strings.HasSuffix(name, "_test.go") || ext != ".go" && ext != ".md" {
			return nil
		}
		data, err := prodai.Notes.ReadFile(name)
		if err != nil {
			return err
		}
		if ext == ".md" {
			out = append(out, Document{name, string(data)})
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, data, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return fmt.Errorf("the notes in %s: %w", name, err)
		}
		if file.Doc != nil {
			dir := path.Dir(name)
			if dir == "." {
				dir = "prodai"
			}
			note := name
			if path.Base(name) != "doc.go" { // the program is a document too
				note = path.Join(path.Dir(name), "doc.go")
			}
			out = append(out, Document{note, asMarkdown(dir, file.Doc.Text())})
		}
		if path.Base(name) != "doc.go" {
			out = append(out, Document{name, string(data)})
		}
		return nil
	})
	return out, err
}

// left are the sections of notes that answer no question: an exercise asks, a reading
// list only names.
var left = map[string]bool{"Exercises": true, "Further reading": true}

// asMarkdown returns a package comment as markdown, under the package's name.
func asMarkdown(dir, text string) string {
	p := comment.Parser{ // links to symbols become their text, without brackets
		LookupPackage: func(name string) (string, bool) { return name, true },
		LookupSym:     func(string, string) bool { return true },
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n", dir)
	skip := false
	for _, block := range p.Parse(text).Content {
		if h, ok := block.(*comment.Heading); ok {
			title := plain(h.Text)
			if skip = left[title]; !skip {
				fmt.Fprintf(b, "\n## %s\n", title)
			}
			continue
		}
		if skip {
			continue
		}
		switch block := block.(type) {
		case *comment.Paragraph:
			fmt.Fprintf(b, "\n%s\n", plain(block.Text))
		case *comment.Code:
			fmt.Fprintf(b, "\n```\n%s```\n", block.Text)
		case *comment.List:
			b.WriteString("\n")
			for _, item := range block.Items {
				mark := "-"
				if item.Number != "" {
					mark = item.Number + "."
				}
				for i, c := range item.Content {
					if par, ok := c.(*comment.Paragraph); ok && i == 0 {
						fmt.Fprintf(b, "%s %s\n", mark, plain(par.Text))
					} else if ok {
						fmt.Fprintf(b, "\n  %s\n", plain(par.Text))
					}
				}
			}
		}
	}
	return b.String()
}

// plain returns the text of a comment in one line, with links as their text.
func plain(text []comment.Text) string {
	var b strings.Builder
	for _, t := range text {
		switch t := t.(type) {
		case comment.Plain:
			b.WriteString(string(t))
		case comment.Italic:
			b.WriteString(string(t))
		case *comment.Link:
			b.WriteString(plain(t.Text))
		case *comment.DocLink:
			b.WriteString(strings.TrimPrefix(plain(t.Text), "github.com/prodailabs/prodai/"))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Files returns the documents among files and folders, in order. Files in
// folders that are not documents are skipped; one that was named is an error.
func Files(paths []string) ([]Document, error) {
	var out []Document
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			d, err := file(p)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
			continue
		}
		err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if name != p && strings.HasPrefix(d.Name(), ".") {
					return filepath.SkipDir
				}
				return nil
			}
			doc, err := file(name)
			if errors.Is(err, ErrFormat) {
				return nil
			}
			if err == nil {
				out = append(out, doc)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Gone returns those of the sources that were read from one of the folders among
// paths, and are not among the documents that it has now: files that were
// deleted or renamed.
func Gone(paths []string, docs []Document, sources []string) []string {
	have := map[string]bool{}
	for _, d := range docs {
		have[d.Source] = true
	}
	var out []string
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			continue
		}
		for _, source := range sources {
			inside, err := filepath.Rel(p, filepath.FromSlash(source))
			if err == nil && filepath.IsLocal(inside) && !have[source] && !slices.Contains(out, source) {
				out = append(out, source)
			}
		}
	}
	slices.Sort(out)
	return out
}

var formats = []string{".md", ".markdown", ".txt", ".html", ".htm", ".go"}

func file(name string) (Document, error) {
	ext := strings.ToLower(filepath.Ext(name))
	if !slices.Contains(formats, ext) {
		return Document{}, fmt.Errorf("%s: %w", name, ErrFormat)
	}
	info, err := os.Stat(name)
	if err != nil {
		return Document{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return Document{}, fmt.Errorf("%s: %w of at most %d MiB", name, ErrFormat, maxFile>>20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return Document{}, err
	}
	if !utf8.Valid(data) {
		return Document{}, fmt.Errorf("%s: %w", name, ErrFormat)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if ext == ".html" || ext == ".htm" {
		if text, err = fromHTML(text); err != nil {
			return Document{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return Document{filepath.ToSlash(name), text}, nil
}

// fromHTML returns the text of a page as markdown: headings, list items and
// paragraphs; scripts, styles and what isn't shown are left out.
func fromHTML(page string) (string, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	write(&b, root)
	lines := strings.Split(b.String(), "\n")
	var out []string
	for _, l := range lines {
		l = strings.Join(strings.Fields(l), " ")
		if l != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, l)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n")) + "\n", nil
}

var blocks = map[string]string{
	"h1": "\n\n# ", "h2": "\n\n## ", "h3": "\n\n### ", "h4": "\n\n#### ", "h5": "\n\n##### ", "h6": "\n\n###### ",
	"p": "\n\n", "div": "\n\n", "section": "\n\n", "article": "\n\n", "li": "\n- ", "tr": "\n", "br": "\n", "pre": "\n\n", "blockquote": "\n\n", "table": "\n\n", "ul": "\n", "ol": "\n",
}

func write(b *strings.Builder, n *html.Node) {
	switch n.Type {
	case html.TextNode:
		b.WriteString(strings.ReplaceAll(n.Data, "\n", " "))
		return
	case html.CommentNode:
		return
	case html.ElementNode:
		switch n.Data {
		case "script", "style", "noscript", "template", "svg", "head":
			return
		case "td", "th":
			b.WriteString(" | ")
		}
		b.WriteString(blocks[n.Data])
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		write(b, c)
	}
	if _, block := blocks[n.Data]; block && n.Type == html.ElementNode && n.Data != "br" {
		b.WriteString("\n")
	}
}

package page

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/format"
	"html/template"
	"io"
	"strings"
)

//go:embed *.html *.css
var files embed.FS

func parse() (*template.Template, error) {
	css, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	return template.New("").Funcs(template.FuncMap{
		"css": func() template.CSS { return template.CSS(css) },
	}).ParseFS(files, "*.html")
}

// A row is a package in a list.
type row struct {
	Path, Link, Synopsis string
	Depth                int
	Here                 bool // the page's own package
}

func (m *Module) row(p *Package) row {
	rel := m.relative(p)
	r := row{Path: rel, Link: link(p.ImportPath), Synopsis: p.Synopsis(), Depth: strings.Count(rel, "/")}
	if rel == "" {
		r.Path = m.Path
	}
	return r
}

// relative is a package's import path within the module.
func (m *Module) relative(p *Package) string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, m.Path), "/")
}

// A section is a lecture in the index.
type section struct {
	Title    string
	Packages []row
}

// Index writes the list of the module's packages: lecture by lecture, then the other
// public packages, the programs, and what is internal.
func (m *Module) Index(w io.Writer) error {
	t, err := parse()
	if err != nil {
		return err
	}
	listed := map[*Package]bool{}
	var lectures []section
	for _, l := range m.Lectures() {
		s := section{Title: l.title()}
		for _, p := range l.Packages {
			listed[p] = true
			r := m.row(p)
			r.Depth = 0 // a lecture has an order of its own
			s.Packages = append(s.Packages, r)
		}
		lectures = append(lectures, s)
	}
	var root *row
	var library, programs, inside []row
	for _, p := range m.Packages {
		r, rel := m.row(p), m.relative(p)
		switch {
		case strings.Contains("/"+rel+"/", "/internal/"):
			inside = append(inside, r)
		case rel == "" && len(lectures) > 0:
			root = &r
		case listed[p]:
		case p.Command() || strings.HasPrefix(rel, "examples/"):
			programs = append(programs, r)
		default:
			library = append(library, r)
		}
	}
	return t.ExecuteTemplate(w, "index.html", map[string]any{
		"Title": m.Path, "Root": root, "Lectures": lectures, "Library": library, "Programs": programs, "Inside": inside,
	})
}

// link is the path of a package's page.
func link(importPath string) string { return "/" + importPath }

// Render writes the page of a package.
func (m *Module) Render(w io.Writer, p *Package) error {
	t, err := parse()
	if err != nil {
		return err
	}
	r := &renderer{module: m, pkg: p}
	note := r.parser().Parse(p.Doc.Doc)
	return t.ExecuteTemplate(w, "package.html", map[string]any{
		"Title":    p.ImportPath,
		"Name":     p.Doc.Name,
		"Command":  p.Command(),
		"Note":     r.html(note),
		"Steps":    m.steps(p),
		"Contents": contents(note),
		"Examples": r.examples(p.Doc.Examples),
		"Groups":   r.groups(),
	})
}

// A heading is an entry of the page's table of contents.
type heading struct{ ID, Text string }

func contents(d *comment.Doc) []heading {
	var out []heading
	for _, b := range d.Content {
		if h, ok := b.(*comment.Heading); ok {
			out = append(out, heading{h.DefaultID(), plain(h.Text)})
		}
	}
	return out
}

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
			b.WriteString(plain(t.Text))
		}
	}
	return b.String()
}

// A symbol is one exported declaration with its comment.
type symbol struct {
	ID, Title string
	Decl      string
	Doc       template.HTML
	Examples  []example
	Inner     []symbol // of a type: constants, variables, constructors, methods
}

type group struct {
	Name    string
	Symbols []symbol
}

type example struct {
	Title  string
	Doc    template.HTML
	Code   string
	Output string
	Check  bool // whether go test compares the output
}

type renderer struct {
	module *Module
	pkg    *Package
}

func (r *renderer) groups() []group {
	d := r.pkg.Doc
	var types []symbol
	for _, t := range d.Types {
		s := r.symbol("type "+t.Name, t.Name, t.Decl, t.Doc, t.Examples)
		s.Inner = append(s.Inner, r.values(t.Consts)...)
		s.Inner = append(s.Inner, r.values(t.Vars)...)
		s.Inner = append(s.Inner, r.funcs(t.Funcs)...)
		s.Inner = append(s.Inner, r.funcs(t.Methods)...)
		types = append(types, s)
	}
	var out []group
	for _, g := range []group{
		{"Constants", r.values(d.Consts)}, {"Variables", r.values(d.Vars)},
		{"Functions", r.funcs(d.Funcs)}, {"Types", types},
	} {
		if len(g.Symbols) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (r *renderer) values(vs []*doc.Value) []symbol {
	var out []symbol
	for _, v := range vs {
		s := r.symbol("", "", v.Decl, v.Doc, nil)
		if len(v.Names) > 0 {
			s.ID = v.Names[0]
		}
		out = append(out, s)
	}
	return out
}

func (r *renderer) funcs(fs []*doc.Func) []symbol {
	var out []symbol
	for _, f := range fs {
		id, title := f.Name, "func "+f.Name
		if f.Recv != "" {
			base := strings.TrimPrefix(f.Orig, "*")
			base, _, _ = strings.Cut(base, "[")
			id, title = base+"."+f.Name, "func ("+f.Recv+") "+f.Name
		}
		out = append(out, r.symbol(title, id, f.Decl, f.Doc, f.Examples))
	}
	return out
}

func (r *renderer) symbol(title, id string, decl ast.Decl, text string, ex []*doc.Example) symbol {
	return symbol{ID: id, Title: title, Decl: r.source(decl), Doc: r.html(r.parser().Parse(text)), Examples: r.examples(ex)}
}

func (r *renderer) examples(exs []*doc.Example) []example {
	var out []example
	for _, e := range exs {
		title := "Example"
		if e.Suffix != "" {
			title += " (" + e.Suffix + ")"
		}
		var node any = e.Code
		if e.Play != nil {
			node = e.Play
		}
		code := r.source(node)
		if e.Play == nil {
			code = strings.TrimSuffix(strings.TrimPrefix(code, "{\n"), "\n}")
			code = strings.ReplaceAll(strings.TrimPrefix(code, "\t"), "\n\t", "\n")
		}
		out = append(out, example{title, r.html(r.parser().Parse(e.Doc)), code, e.Output, e.Output != "" || e.EmptyOutput})
	}
	return out
}

// source formats a declaration without its body.
func (r *renderer) source(node any) string {
	if f, ok := node.(*ast.FuncDecl); ok {
		short := *f
		short.Body, short.Doc = nil, nil
		node = &short
	}
	var b bytes.Buffer
	if err := format.Node(&b, r.pkg.Fset, node); err != nil {
		return fmt.Sprintf("// %v", err)
	}
	return b.String()
}

func (r *renderer) parser() *comment.Parser { return r.pkg.Doc.Parser() }

func (r *renderer) html(d *comment.Doc) template.HTML {
	p := r.pkg.Doc.Printer()
	p.HeadingLevel = 2
	p.HeadingID = func(h *comment.Heading) string { return h.DefaultID() }
	p.DocLinkURL = func(l *comment.DocLink) string {
		if l.ImportPath == "" {
			return l.DefaultURL("")
		}
		if _, ok := r.module.Find(l.ImportPath); ok {
			return l.DefaultURL("")
		}
		return l.DefaultURL("https://pkg.go.dev")
	}
	return template.HTML(p.HTML(d)) // the printer escapes what it prints
}

package prodai_test

import (
	"cmp"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lectureNotes are the packages whose comment is the notes of a lecture and follows
// the whole outline. Other packages have what they need of it, in its order.
var lectureNotes = []string{
	".", "chunk/token", "guard/structured", "retry/fault", "retry/openai", "retry", "retry/queue", "retry/route", "eval", "eval/dataset", "eval/suite", "eval/stats", "guard/injection", "guard/threat", "guard/redteam", "guard/supply", "guard", "retry/limit", "chunk", "retrieve", "eval/judge",
	"retrieve/embed", "retrieve/embed/tune", "retrieve/vecquant", "cache", "cache/engine/sched", "cache/engine/kv", "cache/engine/size", "cache/engine/quant", "cache/engine/attention", "cache/engine/llama", "trace", "trace/cost", "trace/monitor",
}

// outlinePending lists the lectures whose notes are not rewritten yet.
const outlinePending = "testdata/outline_pending.txt"

// The outline of a lecture's notes. Between "Terms" and "A minimal program" come
// headings of its own: a formula, a state machine, the parts of the subject.
var (
	outline  = []string{"What you will be able to do", "The problem", "The idea", "Terms", "A minimal program", "Measured", "Pitfalls", "Questions", "Lab", "Exercises", "Further reading"}
	optional = []string{"Measured"} // a lecture without a figure has none
)

// A term is a list item "Name: definition" or "Name (also: other names): definition".
var term = regexp.MustCompile(`^([^:(]{1,60}?)(?: \(also: ([^)]+)\))?: (.{20,})$`)

// A note is a package comment.
type note struct {
	dir      string
	parsed   *comment.Doc
	headings []string
	sections map[string][]comment.Block // by heading
}

func readNote(t *testing.T, dir string) note {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	n := note{dir: dir, parsed: new(comment.Parser).Parse(file.Doc.Text()), sections: map[string][]comment.Block{}}
	for _, b := range n.parsed.Content {
		if h, ok := b.(*comment.Heading); ok {
			n.headings = append(n.headings, plain(h.Text))
		} else if len(n.headings) > 0 {
			h := n.headings[len(n.headings)-1]
			n.sections[h] = append(n.sections[h], b)
		}
	}
	return n
}

// plain returns a comment's text without marks of links.
func plain(text []comment.Text) string {
	var b strings.Builder
	for _, part := range text {
		switch p := part.(type) {
		case comment.Plain:
			b.WriteString(string(p))
		case comment.Italic:
			b.WriteString(string(p))
		case *comment.Link:
			b.WriteString(plain(p.Text))
		case *comment.DocLink:
			b.WriteString(plain(p.Text))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// items returns the list items of a section, each as one line.
func (n note) items(heading string) []string {
	var out []string
	for _, b := range n.sections[heading] {
		if l, ok := b.(*comment.List); ok {
			for _, item := range l.Items {
				var text []string
				for _, c := range item.Content {
					if p, ok := c.(*comment.Paragraph); ok {
						text = append(text, plain(p.Text))
					}
				}
				out = append(out, strings.Join(text, " "))
			}
		}
	}
	return out
}

// TestLecturesFollowTheOutline: the notes of each lecture have the outline's
// headings in its order, name a lab that exists, and define their terms.
func TestLecturesFollowTheOutline(t *testing.T) {
	pending := fieldsOf(t, outlinePending)
	for _, dir := range lectureNotes {
		if slices.Contains(pending, dir) {
			continue
		}
		n := readNote(t, dir)
		at := -1
		for _, want := range outline {
			i := slices.Index(n.headings, want)
			if i < 0 && !slices.Contains(optional, want) {
				t.Errorf("%s: no heading %q", dir, want)
			} else if i >= 0 && i < at {
				t.Errorf("%s: the heading %q comes too early", dir, want)
			}
			at = max(at, i)
		}
		for _, item := range n.items("Terms") {
			if !term.MatchString(item) {
				t.Errorf("%s: the term %q: want \"Name: definition\" or \"Name (also: other names): definition\"", dir, item)
			}
		}
		if len(n.items("Terms")) == 0 {
			t.Errorf("%s: no terms", dir)
		}
	}
}

// TestTermsAreDefined: each term of testdata/terms is defined in the notes of its
// package, by that name or among the other names.
func TestTermsAreDefined(t *testing.T) {
	pending := fieldsOf(t, outlinePending)
	files, err := filepath.Glob("testdata/terms/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(data)) {
			dir, want, ok := strings.Cut(strings.TrimSpace(line), "\t")
			require.True(t, ok, "%s: %q: want PACKAGE, tab, TERM", name, line)
			if slices.Contains(pending, dir) {
				continue
			}
			if !slices.Contains(definedIn(readNote(t, dir)), strings.ToLower(want)) {
				t.Errorf("%s: %q is not defined in \"Terms\"", dir, want)
			}
		}
	}
}

// definedIn returns the names of a note's terms in lower case.
func definedIn(n note) []string {
	var names []string
	for _, item := range n.items("Terms") {
		m := term.FindStringSubmatch(item)
		if m == nil {
			continue
		}
		names = append(names, strings.ToLower(m[1]))
		for _, also := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ';' }) {
			names = append(names, strings.ToLower(strings.TrimSpace(also)))
		}
	}
	return names
}

// TestLabsAreNamed: each lab is named by the notes of a package, under "Lab", and
// each lab that notes name exists.
func TestLabsAreNamed(t *testing.T) {
	pending := fieldsOf(t, outlinePending)
	run := regexp.MustCompile(`go run \./(examples/[\w-]+(?:/[\w-]+)*)`)
	named := map[string]bool{}
	for _, dir := range lectureNotes {
		n := readNote(t, dir)
		var text strings.Builder
		for _, b := range n.sections["Lab"] {
			switch b := b.(type) {
			case *comment.Paragraph:
				text.WriteString(plain(b.Text) + "\n")
			case *comment.Code:
				text.WriteString(b.Text)
			}
		}
		labs := run.FindAllStringSubmatch(text.String()+strings.Join(n.items("Lab"), "\n"), -1)
		if len(labs) == 0 && !slices.Contains(pending, dir) {
			t.Errorf("%s: no lab: want \"go run ./examples/…\"", dir)
		}
		for _, m := range labs {
			named[m[1]] = true
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: %v", dir, err)
			}
		}
	}
	folders, err := filepath.Glob("examples/lab*")
	require.NoError(t, err)
	for _, lab := range folders {
		if !named[filepath.ToSlash(lab)] && len(pending) == 0 {
			t.Errorf("no lecture names %s", lab)
		}
	}
}

// TestLinksOfNotes: no link of a package comment is broken, and none appears as raw
// brackets.
func TestLinksOfNotes(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	symbols := map[string]bool{}
	for _, p := range public(t) {
		dir := strings.TrimPrefix(p.Path(), l.module+"/")
		symbols[dir] = true
		for _, name := range p.Scope().Names() {
			symbols[dir+"."+name] = true
		}
	}
	raw := regexp.MustCompile(`\[\*?([\w/]+\.)?[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(\.\w+)?\]`)
	for dir := range symbols {
		if strings.Contains(dir, ".") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		imports := map[string]string{}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, spec := range f.Imports {
				full := strings.Trim(spec.Path.Value, `"`)
				imports[path.Base(full)] = full
			}
		}
		p := comment.Parser{
			LookupPackage: func(name string) (string, bool) {
				full, ok := imports[name]
				return full, ok
			},
			LookupSym: func(recv, name string) bool { return symbols[dir+"."+cmp.Or(recv, name)] },
		}
		for _, b := range p.Parse(file.Doc.Text()).Content {
			for _, text := range texts(b) {
				for _, part := range text {
					switch part := part.(type) {
					case comment.Plain:
						for _, m := range raw.FindAllString(string(part), -1) {
							t.Errorf("%s: %s is no link: name the package by its import path, or import it", dir, m)
						}
					case *comment.DocLink:
						target, ok := strings.CutPrefix(part.ImportPath, l.module+"/")
						if part.ImportPath == "" {
							target, ok = dir, true
						}
						name := target
						if part.Recv == "" && part.Name != "" {
							name += "." + part.Name
						} else if part.Recv != "" {
							name += "." + part.Recv
						}
						if ok && !symbols[name] {
							t.Errorf("%s: the link to %s.%s is broken", dir, target, part.Name)
						}
					}
				}
			}
		}
	}
}

// texts returns the texts of a block and the blocks in it.
func texts(b comment.Block) [][]comment.Text {
	switch b := b.(type) {
	case *comment.Heading:
		return [][]comment.Text{b.Text}
	case *comment.Paragraph:
		return [][]comment.Text{b.Text}
	case *comment.List:
		var out [][]comment.Text
		for _, item := range b.Items {
			for _, c := range item.Content {
				out = append(out, texts(c)...)
			}
		}
		return out
	}
	return nil
}

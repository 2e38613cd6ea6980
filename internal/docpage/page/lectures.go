package page

import (
	"go/doc/comment"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Lecture is an item of the index in the module's root comment: a number, a name
// and packages.
//
//   - L4 Retries: [example.org/m/retry], [example.org/m/retry/admission].
type Lecture struct {
	Number   int
	Name     string
	Packages []*Package
}

var lectureItem = regexp.MustCompile(`^L(\d+)\s+([^:]*):`)

// Lectures returns the index of the module's root comment, in the order of the
// numbers. An item that names no package of the module is left out.
func (m *Module) Lectures() []Lecture {
	root, ok := m.Find("")
	if !ok {
		return nil
	}
	var out []Lecture
	for _, b := range root.Doc.Parser().Parse(root.Doc.Doc).Content {
		list, ok := b.(*comment.List)
		if !ok {
			continue
		}
		for _, item := range list.Items {
			if l, ok := m.lecture(item); ok {
				out = append(out, l)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Lecture) int { return a.Number - b.Number })
	return out
}

func (m *Module) lecture(item *comment.ListItem) (Lecture, bool) {
	var l Lecture
	var text strings.Builder
	for _, b := range item.Content {
		p, ok := b.(*comment.Paragraph)
		if !ok {
			continue
		}
		text.WriteString(plain(p.Text))
		for _, t := range p.Text {
			link, ok := t.(*comment.DocLink)
			if !ok {
				continue
			}
			if pkg, ok := m.Find(link.ImportPath); ok && !slices.Contains(l.Packages, pkg) {
				l.Packages = append(l.Packages, pkg)
			}
		}
	}
	found := lectureItem.FindStringSubmatch(text.String())
	if found == nil || len(l.Packages) == 0 {
		return l, false
	}
	l.Number, _ = strconv.Atoi(found[1]) // digits only; a number too large is 0
	l.Name = strings.Join(strings.Fields(found[2]), " ")
	return l, true
}

// A step is a package's place in a lecture: the lecture's packages, and the lectures
// before and after.
type step struct {
	Title          string
	Packages       []row
	Previous, Next *row
}

// steps returns the package's places. The root comment comes before the first lecture.
func (m *Module) steps(p *Package) []step {
	all := m.Lectures()
	if len(all) > 0 && p.ImportPath == m.Path {
		return []step{{Title: "The course", Next: m.first(all, 0)}}
	}
	var out []step
	for i, l := range all {
		if !slices.Contains(l.Packages, p) {
			continue
		}
		s := step{Title: l.title(), Previous: m.first(all, i-1), Next: m.first(all, i+1)}
		if s.Previous == nil {
			if root, ok := m.Find(""); ok {
				s.Previous = &row{Path: "The course", Link: link(root.ImportPath)}
			}
		}
		for _, q := range l.Packages {
			r := m.row(q)
			r.Here = q == p
			s.Packages = append(s.Packages, r)
		}
		out = append(out, s)
	}
	return out
}

func (l Lecture) title() string { return "Lecture " + strconv.Itoa(l.Number) + ": " + l.Name }

// first leads to the first package of a lecture, if there is that lecture.
func (m *Module) first(all []Lecture, i int) *row {
	if i < 0 || i >= len(all) {
		return nil
	}
	return &row{Path: all[i].title(), Link: link(all[i].Packages[0].ImportPath)}
}

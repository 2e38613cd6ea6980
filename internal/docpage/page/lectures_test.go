package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// course is a module whose root comment has a lecture index, not in the order of the
// numbers or of the names.
func course(t *testing.T) *Module {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.26\n",
		"doc.go": "// Package m is the course.\n//\n// # Lectures\n//\n" +
			"//   - L10 Search: [example.org/m/b], [example.org/m/zoo/c].\n" +
			"//   - L2 Tokens and\n//     words: [example.org/m/zoo/c] counting, [context.Context], [example.org/m/nowhere].\n" +
			"//   - L3 Not written: nothing.\n//   - Lunch: [example.org/m/a].\npackage m\n",
		"examples/run/main.go": "// Run runs.\npackage main\n\nfunc main() {}\n",
		"examples/plot/p.go":   "// Package plot draws.\npackage plot\n",
	}
	for _, p := range []string{"a", "b", "zoo/c", "internal/x", "b/internal/y"} {
		name := p[strings.LastIndex(p, "/")+1:]
		files[p+"/"+name+".go"] = "// Package " + name + " is " + name + ".\npackage " + name + "\n"
	}
	write(t, dir, files)
	m, err := Load(dir)
	require.NoError(t, err)
	return m
}

func TestLecturesOfTheRootComment(t *testing.T) {
	var got []string
	for _, l := range course(t).Lectures() {
		line := l.title()
		for _, p := range l.Packages {
			line += " " + strings.TrimPrefix(p.ImportPath, "example.org/m/")
		}
		got = append(got, line)
	}
	require.Equal(t, []string{"Lecture 2: Tokens and words zoo/c", "Lecture 10: Search b zoo/c"}, got)
	require.Empty(t, sample(t).Lectures(), "a module without a root package has no index")
}

// TestIndexOpensAtTheLectures, in their order; then the rest, and internal packages at
// the end.
func TestIndexOpensAtTheLectures(t *testing.T) {
	var b strings.Builder
	require.NoError(t, course(t).Index(&b))
	last := 0
	for _, part := range []string{"the course in one page", "Lecture 2: Tokens and words", `>zoo/c</a>`, "Lecture 10: Search", `>b</a>`, `>zoo/c</a>`, "In no lecture", `>a</a>`,
		"Programs", `>examples/plot</a>`, `>examples/run</a>`, "Internal packages", `>b/internal/y</a>`, `>internal/x</a>`} {
		at := strings.Index(b.String()[last:], part)
		require.GreaterOrEqual(t, at, 0, "%s is not after what should be before it", part)
		last += at
	}
	require.Equal(t, 1, strings.Count(b.String(), `>b</a>`), "a package of a lecture is not listed again")
}

func page(t *testing.T, m *Module, name string) string {
	t.Helper()
	p, ok := m.Find(name)
	require.True(t, ok)
	var b strings.Builder
	require.NoError(t, m.Render(&b, p))
	return b.String()
}

var stepLink = regexp.MustCompile(`<a rel="(prev|next)" href="([^"]*)">([^<]*)</a>`)

// TestStepsFromLectureToLecture: also from the course's first page, and for a package
// of two lectures.
func TestStepsFromLectureToLecture(t *testing.T) {
	m := course(t)
	steps := func(name string) (out []string) {
		for _, s := range stepLink.FindAllStringSubmatch(page(t, m, name), -1) {
			out = append(out, s[1]+" "+s[2]+" "+s[3])
		}
		return out
	}
	two, ten, root := "/example.org/m/zoo/c Lecture 2: Tokens and words", "/example.org/m/b Lecture 10: Search", "/example.org/m The course"
	fromTwo, fromTen := []string{"prev " + mark(root, "← "), "next " + ten + " →"}, []string{"prev " + mark(two, "← ")}
	require.Equal(t, append(fromTen, fromTen...), steps("b"), "at the head and at the foot")
	both := append(append([]string{}, fromTwo...), fromTen...)
	require.Equal(t, append(both, both...), steps("zoo/c"))
	require.Equal(t, []string{"next " + two + " →", "next " + two + " →"}, steps(""))
	require.Empty(t, steps("a"))
	require.Contains(t, page(t, m, "b"), `<b aria-current="page">b</b> <a href="/example.org/m/zoo/c">zoo/c</a>`)
}

// mark puts a sign before the title of a link.
func mark(link, sign string) string {
	href, title, _ := strings.Cut(link, " ")
	return href + " " + sign + title
}

// TestTitleBeforeTheNavigation: on a phone the parts are shown in the order of the
// source.
func TestTitleBeforeTheNavigation(t *testing.T) {
	html := page(t, course(t), "b")
	require.Less(t, strings.Index(html, "<h1>"), strings.Index(html, "<nav"))
	require.Less(t, strings.Index(html, "<nav"), strings.Index(html, "<main>"))
	css, err := files.ReadFile("style.css")
	require.NoError(t, err)
	require.Contains(t, string(css), `grid-template:"head" auto "nav" auto "main"`)
}

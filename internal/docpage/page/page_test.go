package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

func sample(t *testing.T) *Module {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.26\n",
		"a/a.go": `// Package a is about <things>.
//
// # The idea
//
// See [Do], [T.Get], [example.org/m/b] and [context.Context].
//
//   - one
//   - two
package a

// Max is the limit.
const Max = 3

// Do does it.
func Do(n int) error { return nil }

// T holds things.
type T struct {
	A int // the a
	b int
}

// New makes a T.
func New() *T { return nil }

// Get gets.
func (t *T) Get() int { return t.A }
`,
		"a/a_test.go":     "package a_test\n\nimport (\"fmt\"; \"example.org/m/a\")\n\nfunc ExampleDo() {\n\tfmt.Println(a.Do(1))\n\t// Output: <nil>\n}\n",
		"b/b.go":          "// Package b is b.\npackage b\n",
		"c/main.go":       "// C runs.\npackage main\n\nfunc main() {}\n",
		"testdata/x/x.go": "package x\n",
		"inner/go.mod":    "module example.org/inner\n",
		"inner/i.go":      "package i\n",
		"only/x_test.go":  "package only\n",
	})
	m, err := Load(dir)
	require.NoError(t, err)
	return m
}

func TestLoadFindsThePackages(t *testing.T) {
	m := sample(t)
	var paths []string
	for _, p := range m.Packages {
		paths = append(paths, p.ImportPath)
	}
	require.Equal(t, []string{"example.org/m/a", "example.org/m/b", "example.org/m/c"}, paths)
	p, ok := m.Find("a")
	require.True(t, ok)
	require.Equal(t, "Package a is about <things>.", p.Synopsis())
	_, ok = m.Find("zzz")
	require.False(t, ok)
}

func TestRenderedPage(t *testing.T) {
	m := sample(t)
	p, _ := m.Find("a")
	var b strings.Builder
	require.NoError(t, m.Render(&b, p))
	html := b.String()
	for _, want := range []string{
		"Package a is about &lt;things&gt;.",
		`<h2 id="hdr-The_idea">The idea</h2>`, `<a href="#hdr-The_idea">`,
		`<a href="#Do">Do</a>`, `<a href="#T.Get">T.Get</a>`,
		`<a href="/example.org/m/b">example.org/m/b</a>`, `https://pkg.go.dev/context#Context`,
		`id="T.Get"`, "func (t *T) Get() int", "// contains filtered or unexported fields",
		"fmt.Println(a.Do(1))", "&lt;nil&gt;",
	} {
		require.Contains(t, html, want)
	}
	require.NotContains(t, html, "return t.A")
}

func TestIndexGroupsPackages(t *testing.T) {
	var b strings.Builder
	require.NoError(t, sample(t).Index(&b))
	require.Contains(t, b.String(), `<a href="/example.org/m/a">a</a>`)
	require.Less(t, strings.Index(b.String(), "Programs"), strings.Index(b.String(), `/example.org/m/c`))
}

func TestLoadReportsWhatIsWrong(t *testing.T) {
	_, err := Load(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module m\n", "a.go": "package\n"})
	_, err = Load(dir)
	require.ErrorContains(t, err, "a.go")
}

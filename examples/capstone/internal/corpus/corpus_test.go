package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCourseHoldsNotesAndExamples(t *testing.T) {
	docs, err := Course()
	require.NoError(t, err)
	text := map[string]string{}
	for _, d := range docs {
		text[d.Source] = d.Text
	}
	require.True(t, strings.HasPrefix(text["retry/doc.go"], "# Package retry\n\n"))
	require.Contains(t, text["retry/doc.go"], "\n# The problem\n")
	require.NotContains(t, text["retry/doc.go"], "package retry\n")
	require.NotContains(t, text["retry/doc.go"], "Further reading", "a reading list answers nothing")
	require.NotContains(t, text["retry/doc.go"], "Exercises")
	require.Contains(t, text["retry/doc.go"], "# Pitfalls")
	require.Contains(t, text["retry/doc.go"], " Breaker", "links are text")
	require.NotContains(t, text["retry/doc.go"], "[Breaker]")
	require.Contains(t, text, "examples/capstone/main.go")
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"a.md": "\ufeff# A", "b.html": "<html><head><title>no</title></head><body><h1>T</h1><script>evil()</script><p>one\ntwo</p><ul><li>x</li></ul><!-- hidden --></body>",
		"c.png": "binary", "d.txt": "\xff\xfe", "sub/e.txt": "deep", ".git/f.md": "hidden",
	} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(data), 0o644))
	}
	docs, err := Files([]string{dir})
	require.NoError(t, err)
	var got []string
	for _, d := range docs {
		got = append(got, d.Text)
	}
	require.Equal(t, []string{"# A", "# T\n\none two\n\n- x\n", "deep"}, got)
	_, err = Files([]string{filepath.Join(dir, "c.png")})
	require.ErrorIs(t, err, ErrFormat)
	_, err = Files([]string{filepath.Join(dir, "d.txt")})
	require.ErrorIs(t, err, ErrFormat)
	_, err = Files([]string{filepath.Join(dir, "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestGone(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("docs/deep", 0o755))
	require.NoError(t, os.WriteFile("docs/a.md", []byte("a"), 0o644))
	docs, err := Files([]string{"./docs/"})
	require.NoError(t, err)
	known := []string{"docs/a.md", "docs/b.md", "docs/deep/c.md", "docsother/d.md", "other/e.md", "/abs/f.md"}
	require.Equal(t, []string{"docs/b.md", "docs/deep/c.md"}, Gone([]string{"./docs/"}, docs, known))
	require.Empty(t, Gone([]string{"docs/a.md"}, docs, known), "a file is no folder")
}

func FuzzFromHTML(f *testing.F) {
	f.Add("<p>a<b>c</p><table><tr><td>x")
	f.Fuzz(func(t *testing.T, page string) {
		text, err := fromHTML(page)
		require.NoError(t, err)
		require.NotContains(t, text, "\n\n\n")
	})
}

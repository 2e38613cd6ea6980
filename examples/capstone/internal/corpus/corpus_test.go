package corpus

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
)

func TestCourseHoldsNotesAndExamples(t *testing.T) {
	docs, err := Course()
	require.NoError(t, err)
	text := map[string]string{}
	for _, d := range docs {
		text[d.Source] = d.Text
	}
	retry := text["retry/doc.go"]
	require.True(t, strings.HasPrefix(retry, "# retry\n\n"))
	for _, heading := range []string{"The problem", "Terms", "Pitfalls", "Questions"} {
		require.Contains(t, retry, "\n## "+heading+"\n")
	}
	require.NotContains(t, retry, "package retry\n")
	require.NotContains(t, retry, "Further reading", "a reading list answers nothing")
	require.NotContains(t, retry, "Exercises")
	require.Contains(t, retry, " Breaker", "links are text")
	require.Contains(t, retry, "```\n", "programs and drawings are fenced")
	require.Contains(t, retry, "\n- Circuit breaker (also: ", "an item is one line")
	link := regexp.MustCompile(`\[[A-Z][A-Za-z.]+\]`)
	for source, doc := range text {
		if path.Base(source) == "doc.go" && link.MatchString(outsideCode(doc)) {
			t.Errorf("%s: %s", source, link.FindString(outsideCode(doc)))
		}
		require.NotContains(t, source, "/internal/")
	}
	require.Contains(t, text, "README.md")
	require.Contains(t, text, "examples/lab01-runaway-cost/doc.go", "the comment of a program is a note")
	require.Contains(t, text, "examples/capstone/main.go")
}

// outsideCode returns markdown without fenced blocks.
func outsideCode(text string) string {
	return regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
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

// TestAsked: each line can be read, and most paragraphs of the notes have questions.
func TestAsked(t *testing.T) {
	lines := 0
	for line := range strings.Lines(askedLines) {
		var row struct {
			ID    string
			Asked []string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		require.Len(t, row.ID, 12)
		lines++
	}
	require.Len(t, asked(), lines, "no id is there twice")
	docs, err := Course()
	require.NoError(t, err)
	blocks, err := chunk.NewBlocks(nil)
	require.NoError(t, err)
	all, have := 0, 0
	for _, d := range docs {
		if path.Base(d.Source) != "doc.go" || strings.HasPrefix(d.Source, "examples/") {
			continue
		}
		chunks, err := blocks.Chunk(t.Context(), d.Text)
		require.NoError(t, err)
		for _, c := range chunks {
			heading := c.Headings[len(c.Headings)-1]
			if heading != "Terms" && heading != "Questions" && heading != "Pitfalls" && heading != "The idea" {
				continue
			}
			all++
			if Asked(c.Text) != nil {
				have++
			}
		}
	}
	t.Logf("%d of %d paragraphs have questions", have, all)
	require.Greater(t, have, all*8/10, "write questions for the new paragraphs, see README.md")
}

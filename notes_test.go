package prodai_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai"
)

// TestNotesHoldEveryPackageComment: a package's comment is in its doc.go, and
// the notes contain it.
func TestNotesHoldEveryPackageComment(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	for _, p := range l.packages {
		dir := strings.TrimPrefix(p.ImportPath, l.module+"/")
		if library(l.module, p.ImportPath) == "" || strings.Contains(dir+"/", "/internal/") {
			continue
		}
		data, err := prodai.Notes.ReadFile(dir + "/doc.go")
		if err != nil {
			t.Errorf("the notes have no comment of %s: want a doc.go there, and a pattern in notes.go", dir)
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir, data, parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(file.Doc.Text(), "Package "+path.Base(dir)+" "), "%s/doc.go", dir)
	}
	for _, lecture := range libraries {
		data, err := prodai.Notes.ReadFile(lecture + "/doc.go")
		require.NoError(t, err)
		require.Regexp(t, "# The (lecture|problem)\n", string(data))
	}
}

// TestNotesGiveNothingAway: no solutions, no graders, no data.
func TestNotesGiveNothingAway(t *testing.T) {
	files := 0
	require.NoError(t, fs.WalkDir(prodai.Notes, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		require.Contains(t, []string{".go", ".md"}, path.Ext(name), name)
		for _, secret := range []string{"solution", "grade", "grader", "testdata", "internal/bench"} {
			require.False(t, slices.Contains(strings.Split(path.Dir(name), "/"), secret), name)
		}
		return nil
	}))
	require.Greater(t, files, 50)
}

func ExampleNotes() {
	data, err := prodai.Notes.ReadFile("chunk/doc.go")
	fmt.Println(len(data) > 0, err)
	// Output: true <nil>
}

// TestSentences: they are different, whole, and many.
func TestSentences(t *testing.T) {
	all := prodai.Sentences()
	require.Greater(t, len(all), 8000)
	seen := map[string]bool{}
	for _, s := range all {
		require.False(t, seen[s], s)
		require.GreaterOrEqual(t, len(s), 25)
		require.NotContains(t, s, "\n")
		seen[s] = true
	}
	require.True(t, seen["Hybrid search runs semantic search and keyword search for the same question and fuses the two rankings"] || seen["It finds paraphrases and exact codes"])
}

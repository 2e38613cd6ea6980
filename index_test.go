package prodai_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lectures reads a lecture index: the packages of each lecture, by its number.
// entry finds an entry's number and its text, link the packages in the text.
func lectures(t *testing.T, file string, entry, link *regexp.Regexp) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	out := map[string][]string{}
	for _, m := range entry.FindAllStringSubmatch(strings.ReplaceAll(string(data), "\r\n", "\n"), -1) {
		for _, l := range link.FindAllStringSubmatch(m[2], -1) {
			if info, err := os.Stat(l[1]); err == nil && info.IsDir() {
				out[m[1]] = append(out[m[1]], l[1])
			}
		}
		slices.Sort(out[m[1]])
	}
	return out
}

// TestOneLectureIndex: the README's table and the root package's comment list the
// same packages for the same lectures, and every public package is in a lecture.
func TestOneLectureIndex(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	readme := lectures(t, "README.md", regexp.MustCompile(`(?m)^\| (L\d+) [^|]*\|([^|]*)\|`), regexp.MustCompile(`\]\(([a-z0-9/]+)\)`))
	comment := lectures(t, "doc.go", regexp.MustCompile(`(?m)^//   - (L\d+) [^:]*:(.*)$`), regexp.MustCompile(`\[`+regexp.QuoteMeta(l.module)+`/([a-z0-9/]+)\]`))
	require.NotEmpty(t, readme)
	require.Equal(t, readme, comment)
	for _, p := range l.packages {
		dir := strings.TrimPrefix(p.ImportPath, l.module+"/")
		if library(l.module, p.ImportPath) == "" || strings.Contains(dir+"/", "/internal/") {
			continue
		}
		listed := false
		for _, packages := range readme {
			listed = listed || slices.Contains(packages, dir)
		}
		require.True(t, listed, "%s is in no lecture of the README", dir)
	}
}

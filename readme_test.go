package prodai_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsTrue: the code it shows is the example's, what it links to is there,
// and the two commands are at the top.
func TestReadmeIsTrue(t *testing.T) {
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := strings.ReplaceAll(string(data), "\r\n", "\n")
	_, code, ok := strings.Cut(readme, "```go\n")
	require.True(t, ok)
	code, _, _ = strings.Cut(code, "```")
	source, err := os.ReadFile(filepath.Join("examples", "compose", "main.go"))
	require.NoError(t, err)
	require.Contains(t, strings.ReplaceAll(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n\t", "\n"), code)
	for _, m := range regexp.MustCompile(`\]\(([a-zA-Z][^):]*)\)`).FindAllStringSubmatch(readme, -1) {
		_, err := os.Stat(filepath.FromSlash(m[1]))
		require.NoError(t, err, "the README links to %s", m[1])
	}
	_, commands, ok := strings.Cut(readme, "```sh\n")
	require.True(t, ok)
	require.True(t, strings.HasPrefix(commands, "go run ./examples/capstone\ngo test ./...\n```"))
}

// TestExamplesAreListedOnce compares the list of examples with the folders.
func TestExamplesAreListedOnce(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("examples", "README.md"))
	require.NoError(t, err)
	var listed, folders []string
	for _, m := range regexp.MustCompile(`(?m)^- \[([a-z0-9-]+)\]\(`).FindAllStringSubmatch(string(data), -1) {
		listed = append(listed, m[1])
	}
	entries, err := os.ReadDir("examples")
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && e.Name() != "plot" && e.Name() != "internal" {
			folders = append(folders, e.Name())
		}
	}
	require.ElementsMatch(t, folders, listed)
}

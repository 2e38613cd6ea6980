package prodai_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var outside = flag.Bool("outside", false, "build the examples, and the programs of the doc comments, in modules of their own")

// TestExamplesBuildOutside: a student who copies an example's folder into an
// empty module, and changes the import path of what is in the folder, has a
// program that builds. So examples use nothing that a student can't use.
func TestExamplesBuildOutside(t *testing.T) {
	if !*outside {
		t.Skip("builds each example; go test -run Outside . -outside")
	}
	l, err := list()
	require.NoError(t, err)
	folders, err := os.ReadDir("examples")
	require.NoError(t, err)
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		t.Run(folder.Name(), func(t *testing.T) {
			dir := emptyModule(t, l.module)
			require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("examples", folder.Name()))))
			old := l.module + "/examples/" + folder.Name()
			require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
					return err
				}
				source, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				return os.WriteFile(path, []byte(strings.ReplaceAll(string(source), old, "student")), 0o644)
			}))
			build(t, dir)
		})
	}
}

// TestProgramsOfCommentsBuildOutside: a program in a doc comment that begins with
// "package main" builds as it is printed.
func TestProgramsOfCommentsBuildOutside(t *testing.T) {
	if !*outside {
		t.Skip("builds each program; go test -run Outside . -outside")
	}
	l, err := list()
	require.NoError(t, err)
	programs := 0
	sources(t, func(p listed, file *ast.File, _ *token.FileSet) {
		for _, program := range mainPrograms(file) {
			programs++
			t.Run(fmt.Sprint(strings.TrimPrefix(p.ImportPath, l.module+"/"), "-", programs), func(t *testing.T) {
				dir := emptyModule(t, l.module)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644))
				build(t, dir)
			})
		}
	})
	require.NotZero(t, programs, "the root package's comment has one")
}

// mainPrograms returns the code blocks of a file's doc comments that are whole
// programs.
func mainPrograms(file *ast.File) []string {
	var out []string
	for _, group := range file.Comments {
		var p comment.Parser
		for _, block := range p.Parse(group.Text()).Content {
			if code, ok := block.(*comment.Code); ok && strings.HasPrefix(code.Text, "package main\n") {
				out = append(out, code.Text)
			}
		}
	}
	return out
}

// emptyModule makes a module that requires this one, with the versions that this
// one requires, so that nothing is looked up.
func emptyModule(t *testing.T, module string) string {
	t.Helper()
	dir := t.TempDir()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	root, err := filepath.Abs(".")
	require.NoError(t, err)
	text := strings.Replace(string(mod), "module "+module, "module student", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %q\n", module, module, root)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644))
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
	return dir
}

func build(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", os.DevNull, "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

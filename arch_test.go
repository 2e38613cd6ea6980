package prodai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/deps.txt from what the packages import now")

// libraries are the seven packages that meet at langchaingo's types and never
// import one another.
var libraries = []string{"chunk", "eval", "guard", "retrieve", "cache", "retry", "trace"}

// leaves lists the subpackages that their own parent may import, as net/http
// imports net/http/httptrace. None of them imports its parent: see
// TestFoldersHaveNoCycles.
var leaves = map[string][]string{
	"guard":              {"guard/detect"},
	"retrieve":           {"retrieve/flat", "retrieve/hnsw"}, // the default indexes
	"cache/engine/llama": {"cache/engine/llama/weights"},
	"retry":              {"retry/admission", "retry/fault"},
}

// A listed is what the test needs of `go list -json`.
type listed struct {
	ImportPath   string
	Dir          string
	Name         string
	GoFiles      []string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
	Standard     bool
	Module       *struct{ Path string }
}

var list = sync.OnceValues(func() (out struct {
	module   string
	packages []listed
	outside  map[string]string // import path -> module, for packages of other modules
}, err error) {
	run := func(args ...string) ([]listed, error) {
		cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,GoFiles,Imports,Deps,TestImports,XTestImports,Standard,Module"}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		data, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
		}
		var all []listed
		for d := json.NewDecoder(bytes.NewReader(data)); ; {
			var p listed
			switch err := d.Decode(&p); {
			case errors.Is(err, io.EOF):
				return all, nil
			case err != nil:
				return nil, err
			}
			all = append(all, p)
		}
	}
	if out.packages, err = run("./..."); err != nil {
		return out, err
	}
	out.module = out.packages[0].Module.Path
	all, err := run("-deps", "-test", "./...")
	out.outside = map[string]string{}
	for _, p := range all {
		if !p.Standard && p.Module != nil && p.Module.Path != out.module {
			out.outside[p.ImportPath] = p.Module.Path
		}
	}
	return out, err
})

// library returns which of the seven a package path belongs to, or "".
func library(module, path string) string {
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	if slices.Contains(libraries, top) {
		return top
	}
	return ""
}

func TestLibrariesNeverImportOneAnother(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	for _, p := range l.packages {
		from := library(l.module, p.ImportPath)
		if from == "" {
			continue
		}
		for _, dep := range p.Imports {
			to := library(l.module, dep)
			switch {
			case to != "" && to != from:
				t.Errorf("%s imports %s: siblings meet at the seams, only examples compose them", p.ImportPath, dep)
			case to == from && strings.HasPrefix(dep, p.ImportPath+"/") && !strings.HasPrefix(dep, p.ImportPath+"/internal/") &&
				!slices.Contains(leaves[strings.TrimPrefix(p.ImportPath, l.module+"/")], strings.TrimPrefix(dep, l.module+"/")):
				t.Errorf("%s imports its own subpackage %s, which is not in the list of leaves", p.ImportPath, dep)
			case strings.HasPrefix(dep, l.module+"/examples"):
				t.Errorf("%s imports an example", p.ImportPath)
			}
		}
		for _, dep := range slices.Concat(p.TestImports, p.XTestImports) {
			to := library(l.module, dep)
			if to != "" && to != from && dep != l.module+"/eval/modeltest" {
				t.Errorf("the tests of %s import %s: of a sibling only eval/modeltest is for tests", p.ImportPath, dep)
			}
		}
	}
}

// TestExamplesImportPublicPackagesOnly: what an example uses, a student can use.
// examples/plot is the public face of the one plotting package.
func TestExamplesImportPublicPackagesOnly(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	for _, p := range l.packages {
		rest, ok := strings.CutPrefix(p.ImportPath, l.module+"/examples/")
		if !ok || rest == "plot" {
			continue
		}
		name, _, _ := strings.Cut(rest, "/")
		for _, dep := range p.Imports {
			if strings.HasPrefix(dep, l.module+"/") && strings.Contains(dep, "/internal/") && !strings.HasPrefix(dep, l.module+"/examples/"+name+"/") {
				t.Errorf("%s imports %s", p.ImportPath, dep)
			}
		}
	}
}

// TestCountingNeedsNoOtherCounter: tiktoken-go is for chunk/token/tiktoken, and an
// oracle in tests; a program that counts with chunk/token does not compile it.
func TestCountingNeedsNoOtherCounter(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	for _, p := range l.packages {
		own := strings.TrimPrefix(p.ImportPath, l.module+"/")
		if own == "chunk/token" || strings.HasPrefix(own, "chunk/token/") && own != "chunk/token/tiktoken" {
			require.NotContains(t, p.Imports, "github.com/pkoukk/tiktoken-go", own)
		}
	}
}

// TestFoldersHaveNoCycles: within a folder, the package of the folder itself and
// its subfolders import one another in one direction only.
func TestFoldersHaveNoCycles(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	type place struct{ folder, child string } // child "." is the folder's own package
	edges := map[place]map[string]string{}    // to which child, and one import that makes the edge
	for _, p := range l.packages {
		for _, dep := range p.Imports {
			from, to := strings.TrimPrefix(p.ImportPath, l.module), strings.TrimPrefix(dep, l.module)
			if library(l.module, p.ImportPath) == "" || library(l.module, dep) == "" {
				continue
			}
			folder, a, b := split(from, to)
			if edges[place{folder, a}] == nil {
				edges[place{folder, a}] = map[string]string{}
			}
			edges[place{folder, a}][b] = p.ImportPath + " imports " + dep
		}
	}
	for at := range edges {
		var visit func(child string, path []string)
		visit = func(child string, path []string) {
			for next, why := range edges[place{at.folder, child}] {
				if next == at.child {
					t.Fatalf("a cycle of folders below %q: %s", at.folder, strings.Join(append(path, why), "; "))
				}
				if len(path) < 20 {
					visit(next, append(path, why))
				}
			}
		}
		visit(at.child, nil)
	}
}

// split returns the deepest folder that both packages are in, and the child of
// it that each is in.
func split(a, b string) (folder, childA, childB string) {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(as) && n < len(bs) && as[n] == bs[n] {
		n++
	}
	child := func(parts []string) string {
		if len(parts) == n {
			return "."
		}
		return parts[n]
	}
	return strings.Join(as[:n], "/"), child(as), child(bs)
}

// TestDependencySets compares the dependencies of every library package, outside
// the standard library and this module, with a golden file. So a new heavy
// dependency is a change to that file, which a reader of the commit sees. Run with
// -update to write it again.
func TestDependencySets(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	var out strings.Builder
	fmt.Fprintln(&out, "# Modules and number of packages that each library package needs, with its tests' own below.")
	fmt.Fprintln(&out, "# Written by: go test -run TestDependencySets . -update")
	for _, p := range l.packages {
		if library(l.module, p.ImportPath) == "" {
			continue
		}
		deps := moduleCounts(l.outside, p.Deps)
		fmt.Fprintf(&out, "%s\n", strings.TrimPrefix(p.ImportPath, l.module+"/"))
		for _, line := range deps {
			fmt.Fprintf(&out, "\t%s\n", line)
		}
		for _, line := range moduleCounts(l.outside, slices.Concat(p.TestImports, p.XTestImports)) {
			fmt.Fprintf(&out, "\ttest: %s\n", line)
		}
	}
	file := filepath.Join("testdata", "deps.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	before, now := strings.Split(strings.ReplaceAll(string(want), "\r\n", "\n"), "\n"), strings.Split(out.String(), "\n")
	for i := range max(len(before), len(now)) {
		if i >= len(before) || i >= len(now) || before[i] != now[i] {
			t.Fatalf("the dependency sets changed, from line %d on; if that is meant: go test -run TestDependencySets . -update, and read the diff", i+1)
		}
	}
}

func moduleCounts(outside map[string]string, paths []string) []string {
	count := map[string]int{}
	for _, path := range paths {
		if m, ok := outside[path]; ok {
			count[m]++
		}
	}
	var lines []string
	for m, n := range count {
		lines = append(lines, fmt.Sprintf("%s %d", m, n))
	}
	slices.Sort(lines)
	return lines
}

// sources parses every Go file of the module that is built, tests aside.
func sources(t *testing.T, visit func(p listed, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	l, err := list()
	require.NoError(t, err)
	for _, p := range l.packages {
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			require.NoError(t, err)
			visit(p, file, fset)
		}
	}
}

func TestOnlyExamplesReadTheEnvironment(t *testing.T) {
	l, err := list()
	require.NoError(t, err)
	reads := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}
	sources(t, func(p listed, file *ast.File, fset *token.FileSet) {
		if library(l.module, p.ImportPath) == "" && p.ImportPath != l.module {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if ok && (pkg.Name == "os" || pkg.Name == "syscall") && slices.Contains(reads, sel.Sel.Name) {
				t.Errorf("%s: %s.%s: a library takes its settings as parameters", fset.Position(n.Pos()), pkg.Name, sel.Sel.Name)
			}
			return true
		})
	})
}

func TestExportedSymbolsAreDocumented(t *testing.T) {
	sources(t, func(p listed, file *ast.File, fset *token.FileSet) {
		if p.Name == "main" {
			return
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s: %s has no doc comment", fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					undocumented(t, fset, d, spec)
				}
			}
		}
	})
}

// methodsOfInterfaces need no comment of their own where the standard library
// says what they mean.
var methodsOfInterfaces = []string{"Error", "Unwrap", "Len", "Less", "Swap"}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	if slices.Contains(methodsOfInterfaces, d.Name.Name) {
		return false
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

func undocumented(t *testing.T, fset *token.FileSet, d *ast.GenDecl, spec ast.Spec) {
	t.Helper()
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
			t.Errorf("%s: type %s has no doc comment", fset.Position(s.Pos()), s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				t.Errorf("%s: %s has no doc comment", fset.Position(name.Pos()), name.Name)
			}
		}
	}
}

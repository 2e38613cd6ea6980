// Package page renders a Go package's documentation as one HTML page: the
// package comment as a text to read, then the exported symbols with their
// comments and examples. It uses go/doc and go/doc/comment, so what it shows
// is what pkg.go.dev would make of the same source.
package page

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoPackage says that a folder holds no Go package.
var ErrNoPackage = errors.New("no Go package here")

// A Module is the packages below one folder, by import path in order.
type Module struct {
	Path     string
	Packages []*Package
}

// A Package is one package's documentation.
type Package struct {
	ImportPath string
	Doc        *doc.Package
	Fset       *token.FileSet
}

// Synopsis returns the first sentence of the package comment.
func (p *Package) Synopsis() string { return p.Doc.Synopsis(p.Doc.Doc) }

// Command reports whether the package is a program.
func (p *Package) Command() bool { return p.Doc.Name == "main" }

// Load reads every package of the module whose go.mod lies in dir. Folders
// named testdata or vendor, hidden ones, and nested modules are left out.
func Load(dir string) (*Module, error) {
	m := &Module{}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("read the module's path: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if p, ok := strings.CutPrefix(line, "module "); ok {
			m.Path = strings.TrimSpace(p)
		}
	}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if file != dir && skipped(file, d.Name()) {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		pkg, err := load(file, path.Join(m.Path, filepath.ToSlash(rel)))
		switch {
		case errors.Is(err, ErrNoPackage):
			return nil
		case err != nil:
			return err
		}
		m.Packages = append(m.Packages, pkg)
		return nil
	})
	return m, err
}

func skipped(dir, name string) bool {
	if name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// load reads the package in one folder, with its tests for their examples.
func load(dir, importPath string) (*Package, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	built := false
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		ok, err := build.Default.MatchFile(dir, e.Name())
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		built = built || !strings.HasSuffix(e.Name(), "_test.go")
	}
	if !built {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoPackage)
	}
	d, err := doc.NewFromFiles(fset, files, importPath)
	if err != nil {
		return nil, err
	}
	return &Package{ImportPath: importPath, Doc: d, Fset: fset}, nil
}

// Find returns the package of an import path, or of one relative to the
// module's, and whether there is one.
func (m *Module) Find(importPath string) (*Package, bool) {
	i := slices.IndexFunc(m.Packages, func(p *Package) bool {
		return p.ImportPath == importPath || p.ImportPath == path.Join(m.Path, importPath)
	})
	if i < 0 {
		return nil, false
	}
	return m.Packages[i], true
}

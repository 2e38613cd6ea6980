package prodai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// compiled type-checks the packages of the module from the compiler's export
// data, so that aliases and inferred types are seen as the compiler sees them.
func compiled(t *testing.T) []*types.Package {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Export,Module", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	data, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	files, own := map[string]string{}, []string{}
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var p struct {
			ImportPath, Name, Export string
			Module                   *struct{ Main bool }
		}
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		files[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main && p.Name != "main" {
			own = append(own, p.ImportPath)
		}
	}
	gc := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(files[path])
	})
	var out []*types.Package
	for _, path := range own {
		p, err := gc.Import(path)
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}

// A seam looks for internal types in what a package exports.
type seam struct {
	internal map[string]bool          // the module's internal packages
	public   map[*types.TypeName]bool // internal types that have a public name
	seen     map[types.Type]bool
	report   func(where string, internal *types.TypeName)
}

// TestNoExportedDeclarationHasAnInternalType: what a user of the library can
// call, set or read, that user can also name. An internal type may appear in an
// exported declaration only if some public package has an alias for it.
func TestNoExportedDeclarationHasAnInternalType(t *testing.T) {
	s := &seam{internal: map[string]bool{}, public: map[*types.TypeName]bool{}, seen: map[types.Type]bool{}}
	s.report = func(where string, internal *types.TypeName) {
		t.Errorf("%s has the type %s.%s, which has no public name", where, internal.Pkg().Path(), internal.Name())
	}
	packages := slices.DeleteFunc(compiled(t), func(p *types.Package) bool {
		s.internal[p.Path()] = strings.Contains(p.Path()+"/", "/internal/")
		return s.internal[p.Path()]
	})
	for _, p := range packages {
		for _, name := range p.Scope().Names() {
			tn, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || !tn.Exported() || !tn.IsAlias() {
				continue
			}
			if named, ok := types.Unalias(tn.Type()).(*types.Named); ok {
				s.public[named.Origin().Obj()] = true
			}
		}
	}
	require.NotEmpty(t, s.public, "trace.Delta is one")
	for _, p := range packages {
		for _, name := range p.Scope().Names() {
			if o := p.Scope().Lookup(name); o.Exported() {
				s.object(p.Path()+"."+name, o)
			}
		}
	}
}

// object walks one exported declaration.
func (s *seam) object(where string, o types.Object) {
	if tn, ok := o.(*types.TypeName); ok {
		s.declared(where, tn.Type())
		return
	}
	s.typ(where, o.Type())
}

// declared walks what a type's declaration exports: fields and methods.
func (s *seam) declared(where string, t types.Type) {
	t = types.Unalias(t)
	named, ok := t.(*types.Named)
	if !ok {
		s.typ(where, t)
		return
	}
	s.seen[t] = true
	for i := range named.NumMethods() {
		if m := named.Method(i); m.Exported() {
			s.typ(where+"."+m.Name(), m.Type())
		}
	}
	s.typ(where, named.Underlying())
}

// typ walks a type that appears in an exported declaration.
func (s *seam) typ(where string, t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		o := t.Origin().Obj()
		for i := range t.TypeArgs().Len() {
			s.typ(where, t.TypeArgs().At(i))
		}
		if o.Pkg() == nil || !s.internal[o.Pkg().Path()] {
			return
		}
		if !s.public[o] {
			s.report(where, o)
		} else if !s.seen[t] {
			s.declared(where, t)
		}
	case *types.Pointer:
		s.typ(where, t.Elem())
	case *types.Slice:
		s.typ(where, t.Elem())
	case *types.Array:
		s.typ(where, t.Elem())
	case *types.Chan:
		s.typ(where, t.Elem())
	case *types.Map:
		s.typ(where, t.Key())
		s.typ(where, t.Elem())
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range tuple.Len() {
				s.typ(where, tuple.At(i).Type())
			}
		}
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() {
				s.typ(where+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for i := range t.NumExplicitMethods() {
			if m := t.ExplicitMethod(i); m.Exported() {
				s.typ(where+"."+m.Name(), m.Type())
			}
		}
		for i := range t.NumEmbeddeds() {
			s.typ(where, t.EmbeddedType(i))
		}
	}
}

// TestRenameTable: each row of internal/rename/table.tsv leads from a name that
// is gone, or moved, to one that exists, or to nothing.
func TestRenameTable(t *testing.T) {
	packages := map[string]*types.Package{}
	for _, p := range compiled(t) {
		packages[p.Path()] = p
	}
	exists := func(path, name string) bool {
		p := packages[path]
		if p == nil {
			return false
		}
		name, member, isMember := strings.Cut(name, ".")
		o := p.Scope().Lookup(name)
		if o == nil || !isMember {
			return o != nil
		}
		found, _, _ := types.LookupFieldOrMethod(types.NewPointer(o.Type()), true, p, member)
		if found == nil { // an interface's methods are not a pointer's
			found, _, _ = types.LookupFieldOrMethod(o.Type(), true, p, member)
		}
		return found != nil
	}
	data, err := os.ReadFile("internal/rename/table.tsv")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n")), "\n")
	require.Equal(t, "old_path\told_name\tnew_path\tnew_name", lines[0])
	for _, line := range lines[1:] {
		c := strings.Split(line, "\t")
		require.Len(t, c, 4, line)
		if c[2] != "" && !exists(c[2], c[3]) {
			t.Errorf("the table leads from %s.%s to %s.%s, which does not exist", c[0], c[1], c[2], c[3])
		}
		if strings.Contains(c[0], "/internal/") || c[2] == "" {
			continue // it got a public name, or went away for good
		}
		require.NotEqual(t, c[:2], c[2:], line)
	}
	require.Greater(t, len(lines), 300)
}

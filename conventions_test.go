package prodai_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// public returns the library packages that a user can import.
func public(t *testing.T) []*types.Package {
	t.Helper()
	l, err := list()
	require.NoError(t, err)
	return slices.DeleteFunc(compiled(t), func(p *types.Package) bool {
		return library(l.module, p.Path()) == "" || strings.Contains(p.Path()+"/", "/internal/")
	})
}

// prefixOf returns what the names of an enum's values begin with: the type's name,
// without a last word that says only that it is an enum.
func prefixOf(typ string) string {
	if typ == "Smoothing" {
		return "Smooth" // SmoothExp reads better, and is as clear
	}
	for _, word := range []string{"Method", "Variant", "Unit", "Mode", "Rule", "Kind", "Reason"} {
		if short := strings.TrimSuffix(typ, word); short != "" {
			typ = short
		}
	}
	return typ
}

// TestEnumValuesCarryTheirType: in a package with more than one enum, the name of
// each value begins with the type's, so that a reader of one line knows what the
// value is of; and all enums have one base type.
func TestEnumValuesCarryTheirType(t *testing.T) {
	for _, p := range public(t) {
		values := map[*types.TypeName][]string{}
		for _, name := range p.Scope().Names() {
			c, ok := p.Scope().Lookup(name).(*types.Const)
			if !ok || !c.Exported() {
				continue
			}
			// An alias of an internal type counts where it is named.
			if named, ok := types.Unalias(c.Type()).(*types.Named); ok && named.Obj().Pkg() != nil && strings.Contains(named.Obj().Pkg().Path(), "prodai") {
				values[named.Obj()] = append(values[named.Obj()], name)
			}
		}
		for typ, names := range values {
			if len(names) < 2 {
				delete(values, typ)
			}
		}
		if len(values) < 2 {
			continue
		}
		bases := map[string]string{}
		for typ, names := range values {
			prefix := prefixOf(publicName(p, typ))
			for _, name := range names {
				if !strings.HasPrefix(name, prefix) {
					t.Errorf("%s.%s is a %s: want a name that begins with %s", p.Path(), name, typ.Name(), prefix)
				}
			}
			bases[typ.Type().Underlying().String()] = typ.Name()
		}
		delete(bases, "string") // what is written to files
		delete(bases, "int8")   // what has a sign, as a priority has
		if len(bases) > 1 {
			t.Errorf("%s has enums of different base types: %v", p.Path(), bases)
		}
	}
}

// publicName returns the name under which a package exports a type: its own, or
// its alias of it.
func publicName(p *types.Package, typ *types.TypeName) string {
	for _, name := range p.Scope().Names() {
		if tn, ok := p.Scope().Lookup(name).(*types.TypeName); ok && tn.Exported() {
			if named, ok := types.Unalias(tn.Type()).(*types.Named); ok && named.Obj() == typ {
				return name
			}
		}
	}
	return typ.Name()
}

// TestOptionsStateTheirDefaults: each field of an options struct says "Default:",
// and none is a pointer to a number, a string or a bool.
func TestOptionsStateTheirDefaults(t *testing.T) {
	sources(t, func(p listed, file *ast.File, fset *token.FileSet) {
		l, err := list()
		require.NoError(t, err)
		if library(l.module, p.ImportPath) == "" || strings.Contains(p.ImportPath+"/", "/internal/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() || !strings.HasSuffix(spec.Name.Name, "Options") {
				return true
			}
			typ, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range typ.Fields.List {
				if len(f.Names) == 0 || !slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.IsExported() }) {
					continue
				}
				if text := f.Doc.Text() + f.Comment.Text(); !strings.Contains(text, "Default:") && !strings.Contains(text, "Required") {
					t.Errorf("%s: %s.%s doesn't say its default", fset.Position(f.Pos()), spec.Name.Name, f.Names)
				}
				if star, ok := f.Type.(*ast.StarExpr); ok {
					if id, ok := star.X.(*ast.Ident); ok && slices.Contains([]string{"bool", "int", "int64", "float64", "string"}, id.Name) {
						t.Errorf("%s: %s.%s is a pointer to %s", fset.Position(f.Pos()), spec.Name.Name, f.Names, id.Name)
					}
				}
			}
			return true
		})
	})
}

// TestOptionErrorsHaveOneName: the error of an option that cannot work is called
// ErrOption in every package.
func TestOptionErrorsHaveOneName(t *testing.T) {
	other := regexp.MustCompile(`^Err(Config|Options|Opt|Nil.*|Invalid(Option|Config).*|Settings?|Argument)$`)
	for _, p := range public(t) {
		for _, name := range p.Scope().Names() {
			if other.MatchString(name) {
				t.Errorf("%s.%s: want ErrOption", p.Path(), name)
			}
		}
	}
}

var constructor = regexp.MustCompile(`^New([A-Z]|$)`)

// inOrder lists the constructors whose numbers have the order of the literature.
var inOrder = []string{
	"NewSPRT", // Wald's p0 and p1
}

// TestParametersExplainThemselves: an exported constructor takes no bare bool and
// no row of numbers.
func TestParametersExplainThemselves(t *testing.T) {
	for _, p := range public(t) {
		for _, name := range p.Scope().Names() {
			f, ok := p.Scope().Lookup(name).(*types.Func)
			if !ok || !constructor.MatchString(name) || slices.Contains(inOrder, name) {
				continue
			}
			numbers := 0
			for i := range f.Signature().Params().Len() {
				param := f.Signature().Params().At(i)
				basic, ok := param.Type().(*types.Basic)
				switch {
				case ok && basic.Info()&types.IsBoolean != 0:
					t.Errorf("%s.%s: the parameter %s is a bare bool", p.Path(), name, param.Name())
				case ok && basic.Info()&types.IsNumeric != 0:
					numbers++
				}
			}
			if numbers > 1 {
				t.Errorf("%s.%s takes %d numbers in a row: want an options struct", p.Path(), name, numbers)
			}
		}
	}
}

// TestIdentifiersAreAmerican: identifiers are spelled as the standard library's.
func TestIdentifiersAreAmerican(t *testing.T) {
	british := regexp.MustCompile(`(?i)normalis|tokenis|serialis|summaris|recognis|optimis(e|a)|initialis|behaviour|colour|favour|honour|neighbour|centre|cancell(ed|ing)|labell|modell|judgement|licence|catalogue|grey|artefact`) //nolint:misspell // the spellings that are looked for
	sources(t, func(_ listed, file *ast.File, fset *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && british.MatchString(id.Name) {
				t.Errorf("%s: %s: want the American spelling", fset.Position(id.Pos()), id.Name)
			}
			return true
		})
	})
}

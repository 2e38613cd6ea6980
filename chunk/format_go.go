package chunk

import (
	"cmp"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Go cuts Go source by its syntax: between declarations, each with its doc
// comment; inside a large function between statements, the outermost first. A
// passage has the declaration it begins in as its heading ("func (*Server)
// Serve"), and the package clause as its context. Source with syntax errors is
// cut as far as the parser understands it, and by lines from there on.
type Go struct{ m measure }

// NewGo returns a Go. It fails with [ErrOption].
func NewGo(o *Options) (*Go, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Go{m}, nil
}

// Chunk cuts the source.
func (g *Go) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return assemble(text, g.m, goJoints(text)), nil
}

func goJoints(text string) []joint {
	fset := token.NewFileSet()
	// After an error the tree has what was understood.
	file, _ := parser.ParseFile(fset, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil || file.Name == nil {
		return nil
	}
	at := func(p token.Pos) int { return min(max(int(p)-int(file.FileStart), 0), len(text)) }
	clause := ""
	if file.Name.Name != "" && file.Name.Name != "_" {
		clause = "package " + file.Name.Name + "\n\n"
	}
	var out []joint
	for _, d := range file.Decls {
		start, name := d.Pos(), ""
		var doc *ast.CommentGroup
		switch d := d.(type) {
		case *ast.FuncDecl:
			doc, name = d.Doc, funcName(d)
		case *ast.GenDecl:
			doc, name = d.Doc, genName(d)
		}
		if doc != nil {
			start = doc.Pos()
		}
		j := joint{at: lineStart(text, at(start)), context: clause}
		if name != "" {
			j.headings = []string{name}
		}
		out = append(out, j)
		out = append(out, innerJoints(d, text, at, j)...)
	}
	slices.SortStableFunc(out, func(a, b joint) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank)) })
	return slices.CompactFunc(out, func(a, b joint) bool { return a.at == b.at })
}

// innerJoints returns the places before statements, specifications and fields
// that begin a line; the rank is the depth.
func innerJoints(d ast.Decl, text string, at func(token.Pos) int, decl joint) []joint {
	var out []joint
	depth := 0
	ast.Inspect(d, func(n ast.Node) bool {
		if n == nil {
			depth--
			return true
		}
		depth++
		start := n.Pos()
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncDecl, *ast.GenDecl:
			return true
		case *ast.Field:
			if n.Doc != nil {
				start = n.Doc.Pos()
			}
		case *ast.ValueSpec:
			if n.Doc != nil {
				start = n.Doc.Pos()
			}
		case *ast.TypeSpec:
			if n.Doc != nil {
				start = n.Doc.Pos()
			}
		case ast.Stmt, *ast.ImportSpec, *ast.KeyValueExpr:
		default:
			return true
		}
		p := at(start)
		if line := lineStart(text, p); line > decl.at && strings.TrimSpace(text[line:p]) == "" {
			j := decl
			j.at, j.rank = line, depth
			out = append(out, j)
		}
		return true
	})
	return out
}

func lineStart(text string, at int) int { return strings.LastIndexByte(text[:at], '\n') + 1 }

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return "func " + d.Name.Name
	}
	star, receiver := "", d.Recv.List[0].Type
	if s, ok := receiver.(*ast.StarExpr); ok {
		star, receiver = "*", s.X
	}
	switch r := receiver.(type) { // without type parameters
	case *ast.IndexExpr:
		receiver = r.X
	case *ast.IndexListExpr:
		receiver = r.X
	}
	if id, ok := receiver.(*ast.Ident); ok {
		return "func (" + star + id.Name + ") " + d.Name.Name
	}
	return "func " + d.Name.Name
}

func genName(d *ast.GenDecl) string {
	if len(d.Specs) != 1 || d.Lparen.IsValid() {
		return d.Tok.String()
	}
	switch s := d.Specs[0].(type) {
	case *ast.TypeSpec:
		return "type " + s.Name.Name
	case *ast.ValueSpec:
		return d.Tok.String() + " " + s.Names[0].Name
	}
	return d.Tok.String()
}

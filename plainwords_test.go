package prodai_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Words that a comment must not use, because each has no plain use there: see
// CONTRIBUTING.md, "English".
var (
	// A program, a call or a server is no person. A package comment tells a story,
	// and stories have people.
	notPersons = regexp.MustCompile(`(?i)\b(nobody|whoever|whomever|somebody|everybody|anybody|anyone|everyone)\b`)

	// Each has a plain word: appears, after, in progress, recently, expensive,
	// is not a, reports, returns.
	notPlain = regexp.MustCompile(`(?i)\b(stands|stood|behind|under way|of late|dearer|dearest|for want of|in vain|the like|goes by|hence|lest|whilst|upon|twins?|wish(es)?|speaks|hears|heard|believes|thinks|wants|tells|told)\b`)
	notNo    = regexp.MustCompile(`(?i)\b(it|that|this|which|what|and|or|name|call|text|value|error|answer|model|file|word) (is|are) no [a-z]+`)
	standsIn = regexp.MustCompile(`(?i)\bstands for\b`)
)

// plainPending lists the folders whose comments are not rewritten yet, one a line.
const plainPending = "testdata/plain_pending.txt"

// TestPlainWords holds comments and messages to plain English.
func TestPlainWords(t *testing.T) {
	pending := fieldsOf(t, plainPending)
	found := map[string]int{}
	for _, name := range sourceFiles(t) {
		dir := filepath.ToSlash(filepath.Dir(name))
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		report := func(pos token.Pos, text string, patterns ...*regexp.Regexp) {
			text = standsIn.ReplaceAllString(text, "means")
			for _, p := range patterns {
				for _, word := range p.FindAllString(text, -1) {
					found[dir]++
					if !slices.Contains(pending, dir) {
						t.Errorf("%s: %q", fset.Position(pos), word)
					}
				}
			}
		}
		for _, group := range file.Comments {
			patterns := []*regexp.Regexp{notPersons, notPlain, notNo}
			if group == file.Doc {
				patterns = patterns[1:]
			}
			report(group.Pos(), strings.Join(strings.Fields(group.Text()), " "), patterns...)
		}
		if !strings.HasSuffix(name, "_test.go") {
			messages(file, func(pos token.Pos, text string) { report(pos, text, notPersons, notPlain, notNo) })
		}
	}
	for _, dir := range pending {
		if found[dir] == 0 {
			t.Errorf("%s is written in plain words: take it out of %s", dir, plainPending)
		}
	}
}

// messages calls report with each literal that a function of fmt, errors, log,
// flag or testing prints.
func messages(file *ast.File, report func(token.Pos, string)) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); !ok || !slices.Contains([]string{"fmt", "errors", "log", "flag", "http"}, pkg.Name) {
			return true
		}
		for _, arg := range call.Args {
			if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					report(lit.Pos(), s)
				}
			}
		}
		return true
	})
}

// sourceFiles returns the module's Go files, without testdata and nested modules.
func sourceFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	require.NoError(t, filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != "." && (nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && name != "plainwords_test.go" {
			out = append(out, name)
		}
		return nil
	}))
	return out
}

func fieldsOf(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err, fmt.Sprintf("read %s", name))
	return strings.Fields(string(data))
}

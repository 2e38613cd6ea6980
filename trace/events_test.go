package trace

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// constants returns the constants of a file that are declared with a string
// literal or as another package's constant, with the text of their value.
func constants(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	out := map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			switch value := v.Values[0].(type) {
			case *ast.BasicLit:
				text, err := strconv.Unquote(value.Value)
				require.NoError(t, err)
				out[v.Names[0].Name] = text
			case *ast.SelectorExpr:
				out[v.Names[0].Name] = value.Sel.Name
			}
		}
	}
	return out
}

// TestEveryEventNameIsPublic: a dashboard outside this module can name events and
// attributes by constants.
func TestEveryEventNameIsPublic(t *testing.T) {
	public := constants(t, "events.go")
	events := map[string]bool{}
	for _, e := range Events() {
		events[e.Name] = true
		require.NotEmpty(t, e.Meaning)
	}
	for name, value := range constants(t, "../internal/event/event.go") {
		prefix := "Attr"
		if events[value] {
			prefix = "Event"
		}
		require.Equal(t, name, public[prefix+name], "the public name of %q", value)
	}
	require.NotEmpty(t, events[EventCacheHit])
}

func TestEventsReturnsACopy(t *testing.T) {
	first := Events()
	first[0].Name, first[0].Attrs[0] = "changed", "changed"
	require.NotEqual(t, first[0].Name, Events()[0].Name)
	require.NotEqual(t, first[0].Attrs[0], Events()[0].Attrs[0])
}

func TestDeltaOnAContext(t *testing.T) {
	require.Equal(t, Delta{}, DeltaFrom(context.Background()))
	d := Delta{Kind: DeltaTool, Choice: 2}
	require.Equal(t, d, DeltaFrom(WithDelta(context.Background(), d)))
	require.Equal(t, "unknown text reasoning tool", strings.Join([]string{DeltaUnknown.String(), DeltaText.String(), DeltaReasoning.String(), DeltaTool.String()}, " "))
	require.Zero(t, reflect.ValueOf(DeltaUnknown).Uint())
}

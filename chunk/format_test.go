package chunk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGoCutsBetweenDeclarations(t *testing.T) {
	src := "// Package p is one.\npackage p\n\nimport \"fmt\"\n\n// F prints.\nfunc F() { fmt.Println() }\n\n// Serve serves\n// much.\nfunc (s *Server[T]) Serve() {\n" +
		strings.Repeat("\tif s.ok {\n\t\ts.doSomething()\n\t}\n", 4) + "}\n\ntype T struct{}\n"
	c, err := NewGo(&Options{Size: 90})
	got := cut(t, c, err, src)
	require.Equal(t, "// Package p is one.\npackage p\n\nimport \"fmt\"\n\n// F prints.\nfunc F() { fmt.Println() }", got[0].Text)
	require.Empty(t, got[0].Context)
	require.True(t, strings.HasPrefix(got[1].Text, "// Serve serves\n// much.\nfunc (s"), "a doc comment stays with its function: %q", got[1].Text)
	require.True(t, strings.HasPrefix(got[2].Text, "if s.ok {"), "cut between the outer statements: %q", got[2].Text)
	require.Equal(t, []string{"func (*Server) Serve"}, got[2].Headings)
	require.Equal(t, "package p\n\n", got[2].Context)
}

func TestHTMLKeepsHeadings(t *testing.T) {
	page := "<html><head><title>x</title></head><body><h1 id=a>Returns &amp;\n <i>refunds</i></h1><p>Within 30 days.</p><p>In the box.</p><h2>Cards</h2><p>Never.</p></body></html>"
	c, err := NewHTML(&Options{Size: 80})
	got := cut(t, c, err, page)
	var headings []string
	for _, g := range got {
		headings = append(headings, strings.Join(g.Headings, " > ")+": "+HTMLText(g.Text))
	}
	require.Equal(t, []string{": x", "Returns & refunds: Returns & refunds\nWithin 30 days.", "Returns & refunds: In the box.", "Returns & refunds > Cards: Cards\nNever."}, headings)
	require.Equal(t, "a b\nc", HTMLText("a&nbsp;<!-- no -->b<style>p{}</style><p>c"))
}

func TestJSONHasPaths(t *testing.T) {
	c, err := NewJSON(&Options{Size: 40})
	got := cut(t, c, err, `{"name":"acme","servers":[{"host":"a.example","port":80},{"host":"b.example","port":81}]}`)
	require.Equal(t, []string{`{"name":"acme",`, `"servers":[{"host":"a.example","port":80},`, `{"host":"b.example","port":81}]}`}[2], got[len(got)-1].Text)
	require.Equal(t, []string{"servers", "1"}, got[len(got)-1].Headings)
}

func TestLaTeXKeepsSections(t *testing.T) {
	c, err := NewLaTeX(&Options{Size: 60})
	got := cut(t, c, err, "\\chapter{One}\nIntro.\n\\section[s]{Two \\emph{three}}\nA paragraph.\n\nAnother one that is rather long for this.\n\\chapter{Four}\nEnd.\n")
	require.Equal(t, []string{"One"}, got[0].Headings)
	require.Equal(t, []string{"One", `Two \emph{three}`}, got[1].Headings)
	require.Equal(t, "Another one that is rather long for this.", got[2].Text)
	require.Equal(t, []string{"Four"}, got[3].Headings)
}

func TestJSONPathsAreUnescaped(t *testing.T) {
	c, err := NewJSON(&Options{Size: 20})
	got := cut(t, c, err, `{"caf\u00e9 \"x\"\/\n":{"a":"one value here","plain":"another value"},"bad\q":["a string of some length"]}`)
	paths := map[string]bool{}
	for _, g := range got {
		paths[strings.Join(g.Headings, "|")] = true
	}
	require.True(t, paths["café \"x\"/\n"], "%q", paths)
	require.True(t, paths[`bad\q|0`], "what is no JSON stays: %q", paths)
}

func TestLaTeXVerbatimHasNoSections(t *testing.T) {
	c, err := NewLaTeX(&Options{Size: 60})
	got := cut(t, c, err, "\\section{One}\n\\begin{verbatim}\n\\section{not one}\n\n\\end{verbatim}\n% \\section{nor this}\n\\begin{lstlisting}[x] a \\end{lstlisting}\n\\section{Two}\nEnd.\n")
	require.Equal(t, []string{"One"}, got[0].Headings)
	require.Equal(t, []string{"Two"}, got[len(got)-1].Headings)
	for _, g := range got {
		require.NotContains(t, g.Headings, "not one")
	}
}

package chunk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestByteOrderMark cuts texts with and without a byte order mark: the cuts and
// headings are the same, and the mark is never a passage by itself.
func TestByteOrderMark(t *testing.T) {
	long := strings.Repeat("A sentence of some words. ", 6)
	for format, text := range map[string]string{
		"Markdown":       "# A\n\n" + long + "\n\n## B\n\n" + long,
		"Front matter":   "---\ntitle: x\n---\n\n" + long + "\n\n## B\n\n" + long,
		"HTML":           "<h1>A</h1><p>" + long + "</p><h2>B</h2><p>" + long + "</p>",
		"JSON":           `{"a":{"b":"` + long + `","c":["` + long + `"]}}`,
		"Go":             "package p\n\n// F does.\nfunc F() {\n\t" + strings.Repeat("x = append(x, 1)\n\t", 20) + "}\n\nfunc G() {}\n",
		"LaTeX":          "\\section{A}\n" + long + "\n\n\\subsection{B}\n" + long,
		"Recursive":      long + "\n\n" + long,
		"Sentences":      "1. First is this one. " + long,
		"PlainSentences": long,
		"Semantic":       "# A heading\n" + long + "\n\n" + long,
		"Windows":        long,
	} {
		build := makers()[format]
		if build == nil {
			build = makers()["Markdown"]
		}
		c, err := build(&Options{Size: 98})
		want := cut(t, c, err, text)
		for _, gap := range []string{"", "\n", "\n\n"} {
			if gap != "" && (format == "Front matter" || format == "Windows") {
				continue
			}
			got := cut(t, c, nil, bom+gap+text)
			var a, b []string
			for _, x := range want {
				a = append(a, strings.Join(x.Headings, ">")+": "+x.Text)
			}
			for _, x := range got {
				b = append(b, strings.Join(x.Headings, ">")+": "+strings.TrimPrefix(x.Text, bom+gap))
			}
			if format != "Windows" { // which count the mark
				require.Equal(t, a, b, "%s %q", format, gap)
			}
			require.True(t, strings.HasPrefix(got[0].Text, bom) && len(strings.TrimSpace(got[0].Text)) > len(bom)+4, "%s: %q", format, got[0].Text)
			if format != "Windows" {
				requireLaws(t, format, bom+gap+text, 98, utf8.RuneCountInString, got)
			}
		}
	}
	require.Equal(t, "A\nb", HTMLText("\ufeff<h1>A</h1>b"))
}

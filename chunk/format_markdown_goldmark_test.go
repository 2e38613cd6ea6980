package chunk

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gtext "github.com/yuin/goldmark/text"
)

// headings are the headings of a markdown text, with their levels.
func headings(text string) (out []string) {
	for _, b := range parseBlocks(text, true) {
		if b.kind == headingBlock {
			h := b.heading(text)
			out = append(out, fmt.Sprint(h.Level, " ", strings.Join(strings.Fields(h.Title), " ")))
		}
	}
	return out
}

var commonMark = goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()

// goldmarkHeadings are the headings of the document by goldmark, which doesn't know
// front matter and byte order marks.
func goldmarkHeadings(text string) (out []string) {
	text = strings.TrimPrefix(text, bom)
	source := []byte(text[frontMatter(text, 0):])
	doc := commonMark.Parse(gtext.NewReader(source))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			out = append(out, fmt.Sprint(h.Level, " ", strings.Join(strings.Fields(string(h.Lines().Value(source))), " ")))
		}
	}
	return out
}

// TestHeadingsOfFiles compares with goldmark over every markdown file of this
// module, and those of hard constructs in testdata.
func TestHeadingsOfFiles(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, text := range []string{string(data), strings.ReplaceAll(string(data), "\n", "\r\n"), bom + string(data)} {
			require.Equal(t, goldmarkHeadings(text), headings(text), path)
		}
		require.Equal(t, headings(string(data)), headings(strings.ReplaceAll(string(data), "\n", "\r")), path)
		files++
		return nil
	}))
	require.Greater(t, files, 5)
}

// markdownLines are the lines that texts are made of. Left out are the few places
// where goldmark and the reference implementations of CommonMark differ: an
// underline after a table, and an empty list item after a definition of a link or
// before an indented heading.
var markdownLines = []string{
	"# A", "## B ##", "   ### C", "    # code", "#nospace", "####### seven", "## ", "#", "## #", "\\# escaped", "\t# tab",
	"Title", "more text", "text  ", "  indented", "\tcode", "---", "===", "==", " ===", "    ===", "--", "----------", "***", "* * *", "__",
	"> quote", "> # in quote", ">", "> - q", ">\t# q", "> ```", "> ```\n> # y",
	"- item", "  - sub", "  # in item", "    # deep", " - x", "+ p", "1. one", "2. two", "10) ten", "1) x", "01. y", "12345678910. x", "1.\ttext", "-\t# x", "-   \tx", "\t- x",
	"- - a", "- > # x", "- ```", "  - a\n\n    # in",
	"```", "```go", "~~~", "    ```", "  ```", "```\n# f\n    ```", "``` a`b",
	"<!--", "-->", "<!-- c -->", "<!-- a\n# b\n\n# c\n-->", "<pre>", "</pre>", "<pre>\n# d\n\n# e\n</pre>", "<div>", "</div>", "<p align=\"center\">x</p>", "<b>x</b>", "<b>", "<br/>",
	"<script>", "</script>", "<textarea>", "<?php", "?>", "<!DOCTYPE html>", "<!", "<", "</p", "<![CDATA[", "]]>", "<a href='x' b=c>", "</a >", "<Custom a=\"b\" />",
	"[foo]: /url", "[foo]: /url 'title'", "[foo]:", "/url", "'title'", "[x]", "[a]: <b c> \"t", "u\"", "[a\nb]: /x", "[a]: /x y",
	"\n| a | b |\n|---|---|\n| 1 | 2 |\n", "\na|b\n-|-\n1|2\n", "\u00a0", "", "", "", "  ",
}

func TestHeadingsOfCompositions(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 1))
	rounds := 20_000
	if *long {
		rounds = 1_000_000
	}
	for range rounds {
		lines := make([]string, 1+rng.IntN(10))
		for i := range lines {
			lines[i] = markdownLines[rng.IntN(len(markdownLines))]
		}
		text := strings.Join(lines, "\n")
		if rng.IntN(4) == 0 {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		if frontMatter(text, 0) == 0 {
			require.Equal(t, goldmarkHeadings(text), headings(text), "%q", text)
		}
	}
}

func TestHeadings(t *testing.T) {
	for text, want := range map[string][]string{
		"---\ntitle: Install\nslug: /x\n---\n\nIntro text.\n\n### Step\n\nDo it.\n": {"3 Step"},
		"intro\n\n----------\nUse\n---\n\nx\n":                                      {"2 Use"},
		"# A\n\n<!--\n# old heading\n-->\n\nBody.\n":                                {"1 A"},
		"<p align=\"center\">x</p>\n---\nafter\n":                                   nil,
		"\ufeff# A\n\ntext\n":                                                       {"1 A"},
		"\ufeff---\na: b\n---\n# A\n":                                               {"1 A"},
		"<pre>\n# no\n\n# no\n</pre>\n# A\n":                                        {"1 A"},
		"> quote\n---\ntext\n":                                                      nil,
		"[a]: /b\n---\ntext\n":                                                      nil,
		"[a]: /b\nTitle\n---\ntext\n":                                               {"2 Title"},
		"```\n    ```\n# no\n```\n# A\n":                                            {"1 A"},
		"Two\nlines\n===\n":                                                         {"1 Two lines"},
		"- item\n# A\n":                                                             {"1 A"},
		"- item\n\n  # in the item\n\n# A\n":                                        {"1 A"},
		"> # in the quote\n\n# A\n":                                                 {"1 A"},
		"| a | b |\n|---|---|\n| 1 | 2 |\n---\n# A\n":                               {"1 A"}, // as GitHub reads it
		"| a |\n|---|\nnote\n---\n":                                                 nil,     // a row of one cell
		"-\n\n  # A\n":                                                              {"1 A"}, // a blank line ends an empty item
		"# A\r## B\r\rtext\rTitle\r---\r":                                           {"1 A", "2 B", "2 text Title"},

		// Front matter.
		"---\n---\n# A\n":                                       {"1 A"},
		"---\ntitle: x\n...\nText\n# A\n":                       {"1 A"},
		"---  \r\ntitle: x\r\n---\r\n# A\r\n":                   {"1 A"},
		"---\n# a comment\na: b\n---\n# A\n":                    {"1 A"},
		"---\na: |\n  # no\n\n  text\n\nb:\n- c\n---\nx":        nil,
		"---\n\"a b\": c\nd e: f\nça: g\n---\nx":                nil,
		"+++\n# a comment\na = \"b\"\n[c]\nd.e = 1\n+++\n# A\n": {"1 A"},
		// No front matter: a line across the page, or a block that never ends.
		"---\n\n# A\n\ntext\n\n---\n\n# B\n":              {"1 A", "1 B"},
		"---\n# A\n\ntext: x\n\nMore text.\n\n---\n# B\n": {"1 A", "1 B"},
		"---\ntitle: x\n\n# A\n":                          {"1 A"},
		"---\nSome text.\n---\n":                          {"2 Some text."},
		"\n---\na: b\n---\n":                              {"2 a: b"},
		"text\n\n---\na: b\n---\n":                        {"2 a: b"},
		"----\na: b\n----\n":                              {"2 a: b"},
	} {
		require.Equal(t, want, headings(text), "%q", text)
	}
}

func TestFrontMatterIsMetadata(t *testing.T) {
	md, err := NewMarkdown(&Options{Size: 40})
	got := cut(t, md, err, "---\ntitle: Install\nslug: /x\n---\n\nIntro text, and some more of it.\n\n### Step\n\nDo it.\n")
	require.Equal(t, []string{"---\ntitle: Install\nslug: /x\n---", "Intro text, and some more of it.", "### Step\n\nDo it."}, texts(got))
	require.Empty(t, got[0].Headings)
	require.Empty(t, got[1].Headings)
	require.Equal(t, []string{"Step"}, got[2].Headings)
}

func FuzzHeadings(f *testing.F) {
	f.Add("# A\n\n> b\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for i, b := range parseBlocks(text, true) {
			require.Equal(t, end, b.start)
			require.True(t, b.end > b.start, "block %d", i)
			end = b.end
			if b.kind == headingBlock {
				b.heading(text)
			}
		}
		require.Equal(t, len(text), end)
	})
}

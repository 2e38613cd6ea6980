package chunk

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token/o200k"
)

// chunkers are all chunkers of the package with a size and overlap, over a counter:
// code points, or a simple model of a tokenizer, whose counts don't add up.
func chunkers(t testing.TB, size, overlap int) map[string]Chunker {
	t.Helper()
	out := map[string]Chunker{}
	for unit, count := range map[string]func(string) int{"runes": nil, "tokens": fakeTokens} {
		add := func(name string) func(Chunker, error) {
			return func(c Chunker, err error) {
				t.Helper()
				require.NoError(t, err)
				out[name+" "+unit] = c
			}
		}
		o := &Options{Size: size, Overlap: overlap, Tokens: count}
		add("recursive")(NewRecursive(o))
		add("sentences")(NewSentences(o))
		add("plain sentences")(NewPlainSentences(o))
		add("markdown")(NewMarkdown(o))
		add("blocks")(NewBlocks(o))
		add("html")(NewHTML(o))
		add("json")(NewJSON(o))
		add("go")(NewGo(o))
		add("latex")(NewLaTeX(o))
		for method, label := range []string{"percentile", "stddev", "interquartile", "gradient", "optimal"} {
			add("semantic " + label)(NewSemantic(topics{}, &SemanticOptions{Options: *o, Breakpoint: Breakpoint(method), Threshold: 1}))
		}
	}
	return out
}

// fakeTokens counts as a byte-pair tokenizer does, roughly: a word with the
// blank before it, cut every four bytes; each other byte alone. Like the real
// ones it isn't additive.
func fakeTokens(text string) int {
	n := 0
	for len(text) > 0 {
		rest := strings.TrimPrefix(text, " ")
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(rest)
		}
		switch {
		case end > 0:
			n += (end + 3) / 4
			text = rest[end:]
		case strings.HasPrefix(text, "\n\n"):
			n++
			text = text[2:]
		default:
			n++
			text = text[1:]
		}
	}
	return n
}

// requireLaws checks the laws of Chunker.
func requireLaws(t testing.TB, name, text string, size int, count func(string) int, chunks []Chunk) {
	t.Helper()
	covered := 0
	for i, c := range chunks {
		require.Equal(t, text[c.Start:c.End], c.Text, "%s: chunk %d", name, i)
		require.NotEmpty(t, strings.TrimSpace(c.Text), "%s: chunk %d is blank", name, i)
		if i > 0 {
			require.Greater(t, c.Start, chunks[i-1].Start, "%s: chunk %d is out of order", name, i)
		}
		if c.Start > covered {
			require.Empty(t, strings.TrimSpace(text[covered:c.Start]), "%s: lost before chunk %d", name, i)
		}
		covered = max(covered, c.End)
		require.Equal(t, utf8.RuneCountInString(text[:c.Start]), c.RuneStart, name)
		require.Equal(t, utf8.RuneCountInString(text[:c.End]), c.RuneEnd, name)
		if n := count(c.Text); n > size {
			require.True(t, c.Oversize, "%s: chunk %d has size %d of %d: %q", name, i, n, size, c.Text)
			require.Equal(t, len(c.Text), clusters(c.Text, 0, len(c.Text))(), "%s: %q can be cut", name, c.Text)
		}
	}
	require.Empty(t, strings.TrimSpace(text[covered:]), "%s: lost at the end", name)
}

func FuzzLaws(f *testing.F) {
	for _, s := range []string{
		sample, "a\n\nb\n \nc", "\ufeffx\x00y\r\rz\r\n", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", "# h\n\n```\ncode\n\nmore", "Title\n=====\nText. More e.g. this. 返金は三十日以内です。次の文。",
		strings.Repeat("x", 300), "👨‍👩‍👧‍👦🇩🇪e\u0301\u0301\u0301", "\xff\xfe broken \xf0\x9f", strings.Repeat("\n", 50) + "end", "1. one\n2. two\n\n   still two\n- three\n",
		"package a\n\n// F is it.\nfunc (t *T[K]) F() {\n\tx := 1\n\tif x > 0 {\n\t\treturn\n\t}\n}\n\nvar (\n\ta = 1\n\tb, c = 2, 3\n)\nfunc broken( {\n",
		`{"a":{"b":[1,2,{"c":"x\"y"}]},"d":null}]}`, "<body><h1>A &amp; <b>b</b></h1><p>one<p>two<h3>C</h3><ul><li>x</ul><script>if (a<b) {}</script></h2>",
		"\\section*[s]{One {two}}\ntext\n\n\\begin{itemize}\n\\item a\n\\item b\n\\end{itemize}\n\\subsection{open\n% c\n",
	} {
		f.Add(s, uint8(20), uint8(5))
		f.Add(s, uint8(3), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, size, overlap uint8) {
		n := 1 + int(size)
		for name, c := range chunkers(t, n, int(overlap)%n) {
			chunks, err := c.Chunk(context.Background(), text)
			require.NoError(t, err)
			count := utf8.RuneCountInString
			if strings.HasSuffix(name, "tokens") {
				count = fakeTokens
			}
			requireLaws(t, name, text, n, count, chunks)
			for _, c := range chunks {
				require.LessOrEqual(t, count(c.Context), n, name)
			}
		}
	})
}

const sample = "# Returns\n\nPurchases may be refunded within 30 days of delivery. Send the parcel back, e.g. by post.\n\n" +
	"## Keys\n\nKeys are rotated every 90 days.\n\n```go\nfunc Rotate() error {\n\n\treturn nil\n}\n```\n\n| key | owner |\n|---|---|\n| a | Ada |\n| b | Bob |\n\n- one\n- two\n"

func texts(chunks []Chunk) []string {
	var out []string
	for _, c := range chunks {
		out = append(out, c.Text)
	}
	return out
}

func cut(t testing.TB, c Chunker, err error, text string) []Chunk {
	t.Helper()
	require.NoError(t, err)
	chunks, err := c.Chunk(context.Background(), text)
	require.NoError(t, err)
	return chunks
}

func TestRecursive(t *testing.T) {
	c, err := NewRecursive(&Options{Size: 20})
	got := cut(t, c, err, "One short. Two short.\nAnother line here.\n\nParagraph.")
	require.Equal(t, []string{"One short.", "Two short.", "Another line here.", "Paragraph."}, texts(got))
	c, err = NewRecursive(&Options{Size: 22})
	require.Equal(t, []string{"One short. Two short.", "Another line here.", "Paragraph."}, texts(cut(t, c, err, "One short. Two short.\nAnother line here.\n\nParagraph.")))
	c, err = NewRecursive(&Options{Size: 10, Overlap: 5})
	require.Equal(t, []string{"aaa bbb", "bbb ccc", "ccc ddd"}, texts(cut(t, c, err, "aaa bbb ccc ddd"))[:3])
}

func TestSentences(t *testing.T) {
	c, err := NewSentences(&Options{Size: 45})
	got := texts(cut(t, c, err, "Send it back, e.g. by post. It is free. Dr. Who agrees.\n\nNew paragraph."))
	require.Equal(t, []string{"Send it back, e.g. by post. It is free.", "Dr. Who agrees.\n\nNew paragraph."}, got)
}

func TestMarkdownKeepsStructure(t *testing.T) {
	c, err := NewMarkdown(&Options{Size: 120})
	got := cut(t, c, err, sample)
	require.Equal(t, []string{"Returns"}, got[0].Headings)
	require.True(t, strings.HasPrefix(got[0].Text, "# Returns"))
	require.Equal(t, []string{"Returns", "Keys"}, got[1].Headings)
	require.Contains(t, got[1].Text, "```go\nfunc Rotate() error {\n\n\treturn nil\n}\n```", "the fence is whole")

	c, err = NewMarkdown(&Options{Size: 40})
	table := "| key | owner |\n|---|---|\n| aaaaaaaa | Ada |\n| bbbbbbbb | Bob |\n| cccccccc | Cem |\n"
	got = cut(t, c, err, table)
	require.Empty(t, got[0].Context)
	require.Equal(t, "| key | owner |\n|---|---|\n", got[1].Context)
	require.NotContains(t, got[1].Text, "owner")

	got = cut(t, c, err, "Setext title\n---\ntext\n\n```\nunclosed\n# no heading\n")
	require.Equal(t, []string{"Setext title"}, got[0].Headings)
	require.Len(t, got, 2)
	require.Equal(t, "```\nunclosed\n# no heading", got[1].Text)

	got = cut(t, c, err, "# Long\n\n"+strings.Repeat("word and word. ", 10))
	require.True(t, strings.HasPrefix(got[0].Text, "# Long\n\nword"), "a heading stays with what it heads: %q", got[0].Text)
}

func TestContextIsBounded(t *testing.T) {
	names := make([]string, 60)
	for i := range names {
		names[i] = fmt.Sprintf("a column named %d", i)
	}
	head := "| " + strings.Join(names, " | ") + " |\n"
	rule := strings.Repeat("|---", len(names)) + "|\n"
	text := head + rule + strings.Repeat(strings.Repeat("| cell ", len(names))+"|\n", 20)
	count := o200k.Encoding().Count
	for _, c := range []struct {
		size, max int
		want      string
	}{
		{200, 0, names[0]}, {200, 2000, head + rule}, {200, -1, head + rule}, {200, count(head), head}, {200, 20, names[2]}, {200, 1, ""}, {1000, 0, head + rule},
	} {
		md, err := NewMarkdown(&Options{Size: c.size, MaxContext: c.max, Tokens: count})
		chunks := cut(t, md, err, text)
		requireLaws(t, "table", text, c.size, count, chunks)
		last := chunks[len(chunks)-1].Context
		require.Contains(t, last, c.want)
		require.Equal(t, c.want == "", last == "")
		require.True(t, strings.HasPrefix(head+rule, strings.TrimSuffix(last, "\n")), last)
		require.True(t, last == "" || strings.HasSuffix(last, "|\n"), "cut after a cell: %q", last)
		for _, x := range chunks {
			if c.max >= 0 {
				require.LessOrEqual(t, count(x.Context), max(c.max, cmp.Or(c.max, c.size)))
			}
			require.True(t, x.Context == "" || x.Start >= len(head+rule))
		}
	}
	g, err := NewGo(&Options{Size: 2, Tokens: count})
	for _, x := range cut(t, g, err, "package main\n\nfunc f() {}\n\nfunc g() {}\n") {
		require.Empty(t, x.Context)
	}
}

func TestATXForms(t *testing.T) {
	for line, want := range map[string]string{"# a": "1 a", "   ###### b ##": "6 b", "#": "1 ", "# c#": "1 c#", "####### d": "0 ", "#e": "0 ", "    # f": "0 ", "## ##": "2 "} {
		level, title := atx(line)
		require.Equal(t, want, fmt.Sprint(level, " ", title), line)
	}
}

func TestDocuments(t *testing.T) {
	c, err := NewMarkdown(&Options{Size: 30})
	chunks := cut(t, c, err, "# T\n\nsame\n\n# T\n\nsame\n")
	docs := Documents("m.md", map[string]any{"tenant": "acme"}, chunks)
	require.Len(t, docs, 2)
	require.Equal(t, "# T\n\nsame", docs[0].PageContent)
	require.Equal(t, "T", docs[0].Metadata["heading"])
	require.Equal(t, "acme", docs[1].Metadata["tenant"])
	require.NotEqual(t, docs[0].Metadata["id"], docs[1].Metadata["id"])
	require.Equal(t, chunks[0].ID(), chunks[1].ID())
	require.Equal(t, 11, docs[1].Metadata["start"])
}

func BenchmarkChunkers(b *testing.B) {
	text := strings.Repeat(sample, 4000)
	for name, c := range chunkers(b, 200, 0) {
		if strings.HasSuffix(name, "tokens") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := c.Chunk(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

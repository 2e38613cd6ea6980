package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func collect(t testing.TB, r io.Reader, c Chunker, o *StreamOptions) []Chunk {
	t.Helper()
	var out []Chunk
	for c, err := range Stream(t.Context(), r, c, o) {
		require.NoError(t, err)
		out = append(out, c)
	}
	return out
}

func TestStreamDoesNotDependOnReads(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "# Part %d\n\n## Détail %d\n\n%s\n\n```go\nx := %d\n\ny()\n```\n\n", i, i, strings.Repeat("返金 is made within 30 days. ", i%40), i)
	}
	text := b.String()
	for name, c := range chunkers(t, 60, 10) {
		o := &StreamOptions{WindowBytes: 4096}
		want := collect(t, strings.NewReader(text), c, o)
		require.Equal(t, want, collect(t, iotest.OneByteReader(strings.NewReader(text)), c, o), name)
		require.Equal(t, want, collect(t, iotest.HalfReader(iotest.DataErrReader(strings.NewReader(text))), c, o), name)
		count := func(s string) int { return len([]rune(s)) }
		if strings.HasSuffix(name, "tokens") {
			count = fakeTokens
		}
		requireLaws(t, name, text, 60, count, want)

		if strings.HasPrefix(name, "semantic") {
			continue // where it cuts is relative to the whole text, so to the window
		}
		whole, err := c.Chunk(t.Context(), text)
		require.NoError(t, err)
		require.Equal(t, whole[len(whole)-1], want[len(want)-1], "%s: offsets and headings at the end", name)
		at := map[Span]bool{}
		for _, c := range whole {
			at[Span{c.Start, c.End}] = true
		}
		same := 0
		for _, c := range want {
			if at[Span{c.Start, c.End}] {
				same++
			}
		}
		require.Greater(t, float64(same)/float64(len(want)), 0.97, "%s: %d of %d chunks are those of the whole text", name, same, len(want))
	}
}

// endless yields paragraphs until n bytes have been read.
type endless struct {
	left int
	at   int
}

const endlessText = "A synthetic paragraph that says nothing at length, so that there is something to cut. It has two sentences.\n\n"

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), e.left)]
	for n := 0; n < len(p); {
		k := copy(p[n:], endlessText[e.at:])
		n += k
		e.at = (e.at + k) % len(endlessText)
	}
	e.left -= len(p)
	return len(p), nil
}

func TestStreamHoldsLittle(t *testing.T) {
	total := 64 << 20
	if *long {
		total = 1 << 30
	}
	c, err := NewRecursive(&Options{Size: 1000})
	require.NoError(t, err)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most, end := m.HeapAlloc, uint64(0), 0
	n := 0
	for c, err := range Stream(t.Context(), &endless{left: total}, c, nil) {
		require.NoError(t, err)
		end = c.End
		if n++; n%10000 == 0 {
			runtime.GC() // when it runs by itself differs by the machine
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	require.Greater(t, end, total-len(endlessText))
	require.Less(t, most, before+16<<20)
	t.Logf("%d MiB in %d chunks, at most %d MiB of heap", total>>20, n, most>>20)
}

func TestStreamFails(t *testing.T) {
	c, err := NewRecursive(nil)
	require.NoError(t, err)
	last := func(ctx context.Context, r io.Reader, c Chunker, o *StreamOptions) (n int, err error) {
		for _, e := range Stream(ctx, r, c, o) {
			if n++; e != nil {
				require.NoError(t, err, "the sequence ends after the first error")
				err = e
			}
		}
		return n, err
	}
	broken := errors.New("broken")
	_, err = last(t.Context(), io.MultiReader(strings.NewReader(sample), iotest.ErrReader(broken)), c, nil)
	require.ErrorIs(t, err, broken)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = last(ctx, &endless{left: 1 << 30}, c, nil)
	require.ErrorIs(t, err, context.Canceled)

	md, err := NewMarkdown(nil)
	require.NoError(t, err)
	_, err = last(t.Context(), io.MultiReader(strings.NewReader("```\n"), &endless{left: 1 << 20}), md, &StreamOptions{WindowBytes: 1 << 10, MaxWindowBytes: 1 << 14})
	require.ErrorIs(t, err, ErrTooLong, "a fence that never ends is held whole, but not for ever")
	n, err := last(t.Context(), strings.NewReader("\n \n"), c, nil)
	require.NoError(t, err)
	require.Zero(t, n)
}

// forward is a chunker around another that leaves Resume to it.
type forward struct{ Resumer }

func TestStreamResumesAWrapper(t *testing.T) {
	text := strings.Repeat("# Part\n\nOne.\n\n## Section\n\nTwo. Three.\n\n", 200)
	md, err := NewMarkdown(&Options{Size: 40})
	require.NoError(t, err)
	o := &StreamOptions{WindowBytes: 1 << 10}
	want := collect(t, strings.NewReader(text), md, o)
	require.Equal(t, []string{"Part", "Section"}, want[len(want)-1].Headings)
	require.Equal(t, want, collect(t, strings.NewReader(text), forward{md}, o))
	plain := struct{ Chunker }{md}
	require.NotEqual(t, want, collect(t, strings.NewReader(text), plain, o), "without Resume the headings of a window are lost")
}

func TestResumeOfABlankText(t *testing.T) {
	md, err := NewMarkdown(nil)
	require.NoError(t, err)
	above := []Heading{{1, "Part"}}
	chunks, next, err := md.Resume(t.Context(), " \n", above)
	require.NoError(t, err)
	require.Empty(t, chunks)
	at, path := next(1)
	require.LessOrEqual(t, at, 1)
	require.Equal(t, above, path)
}

func TestStreamRefuses(t *testing.T) {
	c, err := NewRecursive(nil)
	require.NoError(t, err)
	text := strings.NewReader("text")
	for _, s := range []iter.Seq2[Chunk, error]{
		Stream(t.Context(), nil, c, nil), Stream(t.Context(), text, nil, nil),
		Stream(t.Context(), text, c, &StreamOptions{WindowBytes: -1}),
		Stream(t.Context(), text, c, &StreamOptions{WindowBytes: 10, MaxWindowBytes: 9}),
		Stream(t.Context(), text, c, &StreamOptions{MaxWindowBytes: -1}),
	} {
		n := 0
		for _, err := range s {
			require.ErrorIs(t, err, ErrOption)
			n++
		}
		require.Equal(t, 1, n)
	}
}

// table returns a heading and a table of n rows.
func table(n int) string {
	var b strings.Builder
	b.WriteString("# T\n\n| a | b | c |\n|---|:-:|--:|\n")
	for i := range n {
		fmt.Fprintf(&b, "| row %d | value | x |\n", i)
	}
	return b.String()
}

// A block that is larger than the window isn't cut twice.
func TestStreamOfALargeBlock(t *testing.T) {
	prose := strings.Repeat("One sentence is here. Another follows it. ", 600)
	for name, text := range map[string]string{
		"table":          table(600) + "\nEnd.\n",
		"text and table": "Intro text.\n\n" + prose + "\n\n" + table(600),
		"fence":          "# F\n\nIntro.\n\n```\n" + strings.Repeat("a line of code\n", 900) + "```\n\n# G\n\nEnd.\n",
		"paragraph":      "# P\n\n" + prose + "\n\n## Q\n\n" + prose,
		"list":           "# L\n\n" + strings.Repeat("- an item\n  - an inner item\n\n    # not a heading\n", 400) + "\nEnd.\n",
		"quote":          "# Q\n\n" + strings.Repeat("> a quote of one line\n", 700),
		"comment":        "# C\n\n<!--\n" + strings.Repeat("hidden\n\n# no heading\n", 500) + "-->\n\nEnd.\n",
		"breaks":         strings.Repeat("key: value\n\n---\n\nMore text: of it\n\n---\n\n", 300),
	} {
		for _, size := range []int{40, 300} {
			md, err := NewMarkdown(&Options{Size: size})
			require.NoError(t, err)
			want := cut(t, md, err, text)
			got := collect(t, strings.NewReader(text), md, &StreamOptions{WindowBytes: 2048})
			requireLaws(t, name, text, size, utf8.RuneCountInString, got)
			for i := 1; i < len(got); i++ {
				require.LessOrEqual(t, got[i-1].End, got[i].Start, "%s: a byte is in two chunks", name)
			}
			requireSame(t, want, got, name)
		}
	}
	md, err := NewMarkdown(&Options{Size: 300})
	text := table(20000)
	requireSame(t, cut(t, md, err, text), collect(t, strings.NewReader(text), md, nil), "long table")
}

// requireSame names the first difference only.
func requireSame(t testing.TB, want, got []Chunk, name string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "%s: chunk %d", name, i)
	}
	require.Len(t, got, len(want), name)
}

func TestStreamOverlapStaysSmall(t *testing.T) {
	text := "# P\n\n" + strings.Repeat("One sentence is here. ", 30) + "\n\n" + strings.Repeat("- an item of a list\n", 500) + table(300)
	md, err := NewMarkdown(&Options{Size: 200, Overlap: 50})
	require.NoError(t, err)
	got := collect(t, strings.NewReader(text), md, &StreamOptions{WindowBytes: 2048})
	requireLaws(t, "overlap", text, 200, utf8.RuneCountInString, got)
	for i := 1; i < len(got); i++ {
		require.LessOrEqual(t, got[i-1].End-got[i].Start, 50)
	}
}

// No chunker makes Stream repeat a byte where there is no overlap.
func TestStreamRepeatsNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 2))
	parts := append([]string{"One sentence is here. ", "word ", "\n\n", "\n", "日本語。", "<p>text</p>", `{"a":[1,2,"x"]}`, "func f() {\n\tx()\n}\n", "\\section{S}\n"}, markdownLines...)
	for range 30 {
		var b strings.Builder
		for b.Len() < 6000 {
			b.WriteString(strings.Repeat(parts[rng.IntN(len(parts))]+[]string{"", " ", "\n"}[rng.IntN(3)], 1+rng.IntN(rng.IntN(40)+1)))
		}
		text := b.String()
		all := chunkers(t, 1+rng.IntN(60), 0)
		maps.Copy(all, others(t, 30, 0))
		for name, c := range all {
			end := 0
			for c, err := range Stream(t.Context(), strings.NewReader(text), c, &StreamOptions{WindowBytes: 2048}) {
				require.NoError(t, err)
				require.GreaterOrEqual(t, c.Start, end, "%s repeats text", name)
				require.Empty(t, strings.TrimSpace(text[end:c.Start]), "%s loses text", name)
				end = c.End
			}
			require.Empty(t, strings.TrimSpace(text[end:]), name)
		}
	}
}

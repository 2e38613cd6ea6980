package langchain

import (
	"context"
	"errors"
	"flag"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/internal/texttest"
)

func TestBadOptions(t *testing.T) {
	for _, bad := range []Options{
		{Size: -1}, {Size: -1 << 63, Overlap: -1 << 63}, {Size: 5, Overlap: -1}, {Size: 5, Overlap: 6},
		{Size: 5, Unit: chunk.UnitTokens}, {Size: 5, Unit: 3}, {KeepSeparator: 3},
		{Separators: []string{}}, {Regexp: true, Separators: []string{"("}}, {Regexp: true, Separators: []string{"a(?!b)"}},
	} {
		_, err := New(&bad)
		require.ErrorIs(t, err, ErrOption, "%+v", bad)
	}
	_, err := New(&Options{Size: 5, Overlap: 6})
	require.ErrorContains(t, err, "Options.Overlap is 6: want 0 to the size, 5")
	c, err := New(&Options{Size: 5, Overlap: 5, Unit: chunk.UnitRunes, Tokens: func(string) int { panic("a counter that isn't asked for") }})
	require.NoError(t, err, "langchain allows an overlap of the size")
	_, err = c.Chunk(t.Context(), "some text")
	require.NoError(t, err)
	for _, overlap := range []int{0, math.MaxInt - 1} {
		c, err := New(&Options{Size: math.MaxInt, Overlap: overlap})
		require.NoError(t, err)
		chunks, err := c.Chunk(t.Context(), "One line. And\nanother.")
		require.NoError(t, err)
		require.Len(t, chunks, 1, "a size that is none")
	}
	_, err = HTML("", []Header{{Mark: "h7", Name: "h"}})
	require.ErrorIs(t, err, ErrOption)
	for _, o := range []JSONOptions{{Size: -1}, {MinSize: -1}} {
		_, err = JSON([]byte("{}"), &o)
		require.ErrorIs(t, err, ErrOption)
	}
	whole, err := JSON([]byte(`{"a": 1}`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{`{"a": 1}`}, whole)
}

// both are a Chunker and one that drops separators.
func both(t testing.TB, size, overlap int) map[string]*Chunker {
	t.Helper()
	keep, err := New(&Options{Size: size, Overlap: overlap})
	require.NoError(t, err)
	drop, err := New(&Options{Size: size, Overlap: overlap, KeepSeparator: KeepNone, Regexp: true, Separators: []string{`\n+`, `\s`, ""}})
	require.NoError(t, err)
	return map[string]*Chunker{"keep": keep, "drop": drop}
}

func TestBadText(t *testing.T) {
	cs := both(t, 16, 4)
	for what, text := range texttest.Bad() {
		_, err := cs["drop"].Chunk(t.Context(), text)
		require.NoError(t, err, what)
		chunks, err := cs["keep"].Chunk(t.Context(), text)
		require.NoError(t, err, what)
		covered := 0
		for _, c := range chunks {
			require.Equal(t, text[c.Start:c.End], c.Text, what)
			require.Empty(t, strings.TrimSpace(text[covered:max(covered, c.Start)]), what)
			covered = max(covered, c.End)
		}
		require.Empty(t, strings.TrimSpace(text[covered:]), what)
		headers := []Header{{Mark: "#", Name: "h"}, {Mark: "h1", Name: "h"}}
		Markdown(text, headers[:1], nil)
		MarkdownSyntax(text)
		_, err = HTML(text, headers[1:])
		require.NoError(t, err, what)
		_, err = JSON([]byte(text), &JSONOptions{Size: 16, ConvertLists: true})
		require.ErrorIs(t, err, ErrJSON, what)
	}
}

var long = flag.Bool("long", false, "cut a line of 10 MB rather than 1")

// TestLongLine cuts a line of megabytes without a blank.
func TestLongLine(t *testing.T) {
	n := 1 << 20
	if *long {
		n = 10 << 20
	}
	text := strings.Repeat("x", n)
	c, err := New(&Options{Size: 1000})
	require.NoError(t, err)
	chunks, err := c.Chunk(t.Context(), text)
	require.NoError(t, err)
	at := 0
	for _, c := range chunks {
		require.Equal(t, at, c.Start)
		require.LessOrEqual(t, c.RuneEnd-c.RuneStart, 1000)
		at = c.End
	}
	require.Equal(t, len(text), at)
}

func TestContextIsHeard(t *testing.T) {
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	c, err := New(nil)
	require.NoError(t, err)
	_, err = c.Chunk(done, "text")
	require.ErrorIs(t, err, context.Canceled)
}

// What langchain-text-splitters 1.1.3 makes of values that Go's JSON can't
// represent.
func TestJSONAsPythonReadsIt(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1e400,"d":"\ud83d"}`: `{"a": Infinity, "d": "\ud83d"}`,
		`{"a":-1e999,"b":1e-999,"\udc00k":"x\ud83dy\ud83d\ude00z\ude00\ud83d","c":["\ud800"]}`: `{"a": -Infinity, "b": 0.0, "\udc00k": "x\ud83dy\ud83d\ude00z\ude00\ud83d", "c": ["\ud800"]}`,
		`{"a":"\ufffd\ud83d\\ud83d\n"}`:        `{"a": "\ufffd\ud83d\\ud83d\n"}`,
		`{"a":"\ud83d\ud83d\ude00"}`:           `{"a": "\ud83d\ud83d\ude00"}`,
		`{"\ud83d":1, "\ud83e":2, "\ufffd":3}`: `{"\ud83d": 1, "\ud83e": 2, "\ufffd": 3}`,
		`{"a" : "é\"\u0041\ud83dé" , "b":1}`:   `{"a": "\u00e9\"A\ud83d\u00e9", "b": 1}`,
	} {
		got, err := JSON([]byte(text), nil)
		require.NoError(t, err, text)
		require.Equal(t, []string{want}, got)
	}
}

package chunk

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/internal/texttest"
)

// makers make a chunker of options, by name.
func makers() map[string]func(*Options) (Chunker, error) {
	return map[string]func(*Options) (Chunker, error){
		"Recursive":      func(o *Options) (Chunker, error) { return NewRecursive(o) },
		"Sentences":      func(o *Options) (Chunker, error) { return NewSentences(o) },
		"PlainSentences": func(o *Options) (Chunker, error) { return NewPlainSentences(o) },
		"Markdown":       func(o *Options) (Chunker, error) { return NewMarkdown(o) },
		"HTML":           func(o *Options) (Chunker, error) { return NewHTML(o) },
		"JSON":           func(o *Options) (Chunker, error) { return NewJSON(o) },
		"Go":             func(o *Options) (Chunker, error) { return NewGo(o) },
		"LaTeX":          func(o *Options) (Chunker, error) { return NewLaTeX(o) },
		"Semantic":       func(o *Options) (Chunker, error) { return NewSemantic(topics{}, &SemanticOptions{Options: *o}) },
		"Windows": func(o *Options) (Chunker, error) {
			if o.Unit == UnitTokens {
				return NewWindows(o.Size, o.Overlap, nil)
			}
			return NewWindows(o.Size, o.Overlap, fakeEnds)
		},
	}
}

func TestBadOptions(t *testing.T) {
	for name, make := range makers() {
		for _, bad := range []struct {
			o    Options
			want error
		}{
			{Options{Size: -1}, ErrSize},
			{Options{Size: -1 << 63, Overlap: -1 << 63}, ErrSize},
			{Options{Size: 5, Overlap: -1}, ErrOverlap},
			{Options{Size: 5, Overlap: 6}, ErrOverlap},
			{Options{Size: 5, Unit: UnitTokens}, ErrUnit},
		} {
			_, err := make(&bad.o)
			require.ErrorIs(t, err, bad.want, "%s %+v", name, bad.o)
		}
		_, err := make(&Options{Size: 5, Overlap: 5})
		require.ErrorIs(t, err, ErrOverlap, name)
		if name != "Windows" { // which knows tokens only
			_, err := make(&Options{Size: 5, Unit: 3})
			require.ErrorIs(t, err, ErrUnit, name)
			c, err := make(&Options{Size: 5, Unit: UnitRunes, Tokens: func(string) int { panic("a counter that isn't asked for") }})
			require.NoError(t, err)
			_, err = c.Chunk(t.Context(), "some text")
			require.NoError(t, err, name)
		}
	}
	for name, make := range makers() {
		for _, overlap := range []int{0, math.MaxInt - 1} {
			c, err := make(&Options{Size: math.MaxInt, Overlap: overlap})
			require.Equal(t, []string{"One line. And\nanother."}, texts(cut(t, c, err, "One line. And\nanother.")), "%s: a size that is none", name)
		}
	}
	_, err := NewWindows(0, 0, fakeEnds)
	require.ErrorIs(t, err, ErrSize)
	for _, s := range [][3]int{{0, 0, 0}, {63, 256, 256}, {64, 255, 256}, {300, 299, 400}, {64, 256, 255}, {64, 256, 1<<30 + 1}, {-1, -1, -1}} {
		_, err := NewFastCDC(s[0], s[1], s[2])
		require.ErrorIs(t, err, ErrSize, "%v", s)
	}
	_, err = SentenceWindows("One. Two.", -1)
	require.ErrorIs(t, err, ErrSize)
}

func TestUnits(t *testing.T) {
	text := "one two three four"
	for _, o := range []Options{{Size: 2, Tokens: countWords}, {Size: 2, Unit: UnitTokens, Tokens: countWords}, {Size: 2, Unit: UnitTokens, Ranges: func(text string) func(i, j int) int {
		return func(i, j int) int { return countWords(text[i:j]) }
	}}, {Size: 8, Unit: UnitRunes, Tokens: countWords}, {Size: 8}} {
		c, err := NewRecursive(&o)
		require.Equal(t, "one two", cut(t, c, err, text)[0].Text, "%+v", o)
	}
}

func countWords(s string) int { return len(strings.Fields(s)) }

// others are the chunkers that keep laws of their own.
func others(t testing.TB, size, overlap int) map[string]Chunker {
	t.Helper()
	fast, err := NewFastCDC(64, 256, 512)
	require.NoError(t, err)
	windows, err := NewWindows(size, overlap, fakeEnds)
	require.NoError(t, err)
	return map[string]Chunker{"FastCDC": fast, "Windows": windows}
}

// TestBadText holds every chunker to its laws on texts that break programs.
func TestBadText(t *testing.T) {
	other := others(t, 16, 4)
	for what, text := range texttest.Bad() {
		for name, c := range chunkers(t, 16, 4) {
			chunks, err := c.Chunk(t.Context(), text)
			require.NoError(t, err, "%s: %s", what, name)
			count := utf8.RuneCountInString
			if strings.HasSuffix(name, "tokens") {
				count = fakeTokens
			}
			requireLaws(t, what+": "+name, text, 16, count, chunks)
		}
		for name, c := range other {
			chunks, err := c.Chunk(t.Context(), text)
			require.NoError(t, err, "%s: %s", what, name)
			covered := 0
			for _, c := range chunks {
				require.Equal(t, text[c.Start:c.End], c.Text, name)
				require.Empty(t, strings.TrimSpace(text[covered:max(covered, c.Start)]), name)
				covered = max(covered, c.End)
			}
			require.Empty(t, strings.TrimSpace(text[covered:]), name)
		}
	}
}

// TestLongLine cuts a line of megabytes without a blank.
func TestLongLine(t *testing.T) {
	n := 1 << 20
	if *long {
		n = 10 << 20
	}
	text := strings.Repeat("x", n)
	for name, make := range makers() {
		c, err := make(&Options{Size: 1000})
		require.NoError(t, err)
		chunks, err := c.Chunk(t.Context(), text)
		require.NoError(t, err)
		require.Greater(t, len(chunks), 10, name)
		at := 0
		for _, c := range chunks {
			require.Equal(t, at, c.Start, name)
			require.LessOrEqual(t, c.RuneEnd-c.RuneStart, 4*1000, name)
			at = c.End
		}
		require.Equal(t, len(text), at, name)
	}
}

func TestContextIsHeard(t *testing.T) {
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	fast, err := NewFastCDC(64, 256, 512)
	require.NoError(t, err)
	_, err = fast.Chunk(done, "text")
	require.ErrorIs(t, err, context.Canceled)
	for name, make := range makers() {
		c, err := make(&Options{Size: 10})
		require.NoError(t, err)
		_, err = c.Chunk(done, "text")
		require.ErrorIs(t, err, context.Canceled, name)
	}
}

func TestWindowsWantTokensOfTheText(t *testing.T) {
	for _, ends := range [][]int{{}, {2}, {5}, {3, 2, 4}, {-1, 4}} {
		w, err := NewWindows(2, 1, func(string) []int { return ends })
		require.NoError(t, err)
		_, err = w.Chunk(t.Context(), "text")
		require.ErrorIs(t, err, ErrTokens, "%v", ends)
	}
}

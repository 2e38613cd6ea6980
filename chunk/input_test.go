package chunk

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/internal/texttest"
)

// makers make a chunker from options, by name.
func makers() map[string]func(*Options) (Chunker, error) {
	return map[string]func(*Options) (Chunker, error){
		"Recursive":      func(o *Options) (Chunker, error) { return NewRecursive(o) },
		"Sentences":      func(o *Options) (Chunker, error) { return NewSentences(o) },
		"PlainSentences": func(o *Options) (Chunker, error) { return NewPlainSentences(o) },
		"Markdown":       func(o *Options) (Chunker, error) { return NewMarkdown(o) },
		"Blocks":         func(o *Options) (Chunker, error) { return NewBlocks(o) },
		"HTML":           func(o *Options) (Chunker, error) { return NewHTML(o) },
		"JSON":           func(o *Options) (Chunker, error) { return NewJSON(o) },
		"Go":             func(o *Options) (Chunker, error) { return NewGo(o) },
		"LaTeX":          func(o *Options) (Chunker, error) { return NewLaTeX(o) },
		"Semantic":       func(o *Options) (Chunker, error) { return NewSemantic(topics{}, &SemanticOptions{Options: *o}) },
		"Windows": func(o *Options) (Chunker, error) {
			if o.Unit == UnitTokens {
				return NewWindows(nil, &WindowsOptions{Size: o.Size, Overlap: o.Overlap})
			}
			return NewWindows(fakeEnds, &WindowsOptions{Size: o.Size, Overlap: o.Overlap})
		},
	}
}

func TestBadOptions(t *testing.T) {
	for name, build := range makers() {
		for _, bad := range []struct {
			o    Options
			want string
		}{
			{Options{Size: -1}, "Options.Size is -1: want 1 or more"},
			{Options{Size: -1 << 63, Overlap: -1 << 63}, "Options.Size is -9223372036854775808: want 1 or more"},
			{Options{Size: 5, Overlap: -1}, "Options.Overlap is -1: want 0 or more, and less than the size, 5"},
			{Options{Size: 5, Overlap: 5}, "Options.Overlap is 5"},
			{Options{Size: 5, Overlap: 6}, "Options.Overlap is 6"},
			{Options{Size: 5, Unit: UnitTokens}, "nil: want"},
		} {
			c, err := build(&bad.o)
			require.ErrorIs(t, err, ErrOption, "%s %+v", name, bad.o)
			require.ErrorContains(t, err, bad.want, name)
			require.Nil(t, c, name)
		}
		if name != "Windows" { // which knows tokens only
			_, err := build(&Options{Size: 5, Unit: 3})
			require.ErrorIs(t, err, ErrOption, name)
			c, err := build(&Options{Size: 5, Unit: UnitRunes, Tokens: func(string) int { panic("a counter that isn't asked for") }})
			require.NoError(t, err)
			_, err = c.Chunk(t.Context(), "some text")
			require.NoError(t, err, name)
		}
	}
	for name, build := range makers() {
		for _, overlap := range []int{0, math.MaxInt - 1} {
			c, err := build(&Options{Size: math.MaxInt, Overlap: overlap})
			require.Equal(t, []string{"One line. And\nanother."}, texts(cut(t, c, err, "One line. And\nanother.")), "%s: a size that is none", name)
		}
	}
	for _, o := range []FastCDCOptions{
		{MinBytes: 63, AvgBytes: 256, MaxBytes: 256}, {MinBytes: 64, AvgBytes: 255, MaxBytes: 256}, {MinBytes: 300, AvgBytes: 299, MaxBytes: 400},
		{MinBytes: 64, AvgBytes: 256, MaxBytes: 255}, {MinBytes: 64, AvgBytes: 256, MaxBytes: 1<<30 + 1}, {AvgBytes: -1}, {MinBytes: -1}, {MaxBytes: -1}, {AvgBytes: 1<<30 + 1},
	} {
		_, err := NewFastCDC(&o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
	_, err := SentenceWindows("One. Two.", -1)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewContextual(nowhere{}, &ContextualOptions{Parallel: -1})
	require.ErrorIs(t, err, ErrOption)
}

// nowhere is a model that is never asked.
type nowhere struct{ llms.Model }

func TestNilArguments(t *testing.T) {
	c, err := NewRecursive(nil)
	require.NoError(t, err)
	_, err = NewParents(nil, c)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewParents(c, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewContextual(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewSemantic(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewWindows(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewTextSplitter(nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestDefaults(t *testing.T) {
	fast, err := NewFastCDC(nil)
	require.NoError(t, err)
	require.Equal(t, FastCDC{min: 256, avg: 1024, max: 4096}, *fast)
	fast, err = NewFastCDC(&FastCDCOptions{AvgBytes: 1 << 30})
	require.NoError(t, err)
	require.Equal(t, 1<<30, fast.max)
	w, err := NewWindows(fakeEnds, nil)
	require.NoError(t, err)
	require.Equal(t, 200, w.size)
	require.Zero(t, w.overlap)
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
	fast, err := NewFastCDC(&FastCDCOptions{MinBytes: 64, AvgBytes: 256, MaxBytes: 512})
	require.NoError(t, err)
	windows, err := NewWindows(fakeEnds, &WindowsOptions{Size: size, Overlap: overlap})
	require.NoError(t, err)
	return map[string]Chunker{"FastCDC": fast, "Windows": windows}
}

// TestBadText checks the laws of every chunker on texts that often break programs.
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
	for name, build := range makers() {
		c, err := build(&Options{Size: 1000})
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
	fast, err := NewFastCDC(&FastCDCOptions{MinBytes: 64, AvgBytes: 256, MaxBytes: 512})
	require.NoError(t, err)
	_, err = fast.Chunk(done, "text")
	require.ErrorIs(t, err, context.Canceled)
	for name, build := range makers() {
		c, err := build(&Options{Size: 10})
		require.NoError(t, err)
		_, err = c.Chunk(done, "text")
		require.ErrorIs(t, err, context.Canceled, name)
	}
}

func TestWindowsWantTokensOfTheText(t *testing.T) {
	for _, ends := range [][]int{{}, {2}, {5}, {3, 2, 4}, {-1, 4}} {
		w, err := NewWindows(func(string) []int { return ends }, &WindowsOptions{Size: 2, Overlap: 1})
		require.NoError(t, err)
		_, err = w.Chunk(t.Context(), "text")
		require.ErrorIs(t, err, ErrTokens, "%v", ends)
	}
}

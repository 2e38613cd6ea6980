package markdown_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/markdown"
)

const manual = "---\ntitle: \"Shop manual\"\nlang: en\ntags:\n  - a\n---\nIntro.\n\n# Refunds\n\nWithin 30 days.\n\n```\n# no heading\n```\n\nGift cards\n----------\n\nNone.\n\n> # quoted\n\n- # item\n\n# Hours #\n\nNine.\n"

func TestLoad(t *testing.T) {
	d, err := markdown.Load(t.Context(), "m.md", strings.NewReader(manual), nil)
	require.NoError(t, err)
	require.Equal(t, manual, d.Text, "byte by byte")
	require.Equal(t, "Shop manual", d.Title)
	require.Equal(t, map[string]any{"title": "Shop manual", "lang": "en"}, d.Meta)
	var got []string
	for _, s := range d.Sections {
		got = append(got, s.Heading+": "+strings.SplitN(d.Text[s.Start:s.End], "\n", 2)[0])
	}
	require.Equal(t, []string{": Intro.", "Refunds: # Refunds", "Refunds > Gift cards: Gift cards", "Hours: # Hours #"}, got)
	for _, p := range d.Documents() {
		m := p.Metadata
		require.Equal(t, p.PageContent, manual[m["file_start"].(int):m["file_end"].(int)])
		require.Equal(t, m["start"], m["file_start"])
		require.Equal(t, 1+strings.Count(manual[:m["start"].(int)], "\n"), m["line"])
	}
}

func TestFilesWithoutAMatter(t *testing.T) {
	for text, want := range map[string]int{"": 0, "\ufeff": 0, "---\nno end": 1, "\ufeff---\na: b\n---\ntext": 1, "# \n\ntext": 1, "text\r\n\r\n# A\r\n\r\nb": 2, "---": 1, "---\na: b\n---": 0} {
		d, err := markdown.Load(t.Context(), "m.md", strings.NewReader(text), nil)
		require.NoError(t, err, text)
		require.Len(t, d.Sections, want, "%q", text)
	}
}

func TestHostileNesting(t *testing.T) {
	var limit *load.LimitError
	for _, text := range []string{strings.Repeat(">", 200_000), strings.Repeat("- ", 200_000), strings.Repeat("> 1. ", 100_000) + "x"} {
		_, err := markdown.Load(t.Context(), "m.md", strings.NewReader(text), nil)
		require.ErrorAs(t, err, &limit)
		require.Equal(t, "depth", limit.What)
	}
	_, err := markdown.Load(t.Context(), "m.md", strings.NewReader("a\xff"), nil)
	require.ErrorIs(t, err, load.ErrEncoding)
}

func TestGrowthOfHostileText(t *testing.T) {
	growth.Skip(t)
	for name, repeated := range map[string]func(n int) string{
		"quotes":   func(n int) string { return strings.Repeat(strings.Repeat(">", 300)+" a\n", n/300) },
		"lists":    func(n int) string { return strings.Repeat("- a\n\n  b\n", n/8) },
		"brackets": func(n int) string { return strings.Repeat("[", n) },
		"links":    func(n int) string { return strings.Repeat("[a]: <b\n", n/8) },
		"headings": func(n int) string { return strings.Repeat("# a\n", n/4) },
		"setext":   func(n int) string { return strings.Repeat("a\n", n/2) + "===\n" },
		"html":     func(n int) string { return strings.Repeat("<a ", n/3) },
	} {
		t.Run(name, func(t *testing.T) {
			growth.Test(t, 300_000, 3, func(n int) func() {
				text := repeated(n)
				return func() {
					_, err := markdown.Load(t.Context(), "m.md", strings.NewReader(text), nil)
					require.NoError(t, err)
				}
			})
		})
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(manual))
	f.Add([]byte("a\n===\r\n> # b\r# c\n\t# d"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := markdown.Load(t.Context(), "f", bytes.NewReader(data), nil)
		var limit *load.LimitError
		if err != nil {
			if !errors.Is(err, load.ErrEncoding) && !errors.As(err, &limit) {
				t.Fatal(err)
			}
			return
		}
		if d.Text != string(data) {
			t.Fatal("the text is not the file's")
		}
		at := 0
		for _, s := range d.Sections {
			if s.Start < at || s.End <= s.Start || s.End > len(data) {
				t.Fatal(fmt.Sprint(s, at, len(data)))
			}
			at = s.End
		}
	})
}

package chunk

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestChildrenLeadToTheirParents(t *testing.T) {
	large, err := NewMarkdown(&Options{Size: 150})
	require.NoError(t, err)
	small, err := NewSentences(&Options{Size: 40})
	require.NoError(t, err)
	both, err := NewParents(large, small)
	require.NoError(t, err)
	nested, err := both.Chunk(t.Context(), sample)
	require.NoError(t, err)
	var all []Chunk
	for _, f := range nested {
		for _, c := range f.Children {
			require.True(t, c.Start >= f.Parent.Start && c.End <= f.Parent.End)
			require.Equal(t, f.Parent.Headings, c.Headings)
		}
		all = append(all, f.Children...)
	}
	requireLaws(t, "children", sample, 40, utf8.RuneCountInString, all)
	children, parents := ParentDocuments("a.md", nil, nested)
	require.Len(t, children, len(all))
	byID := map[any]string{}
	for _, p := range parents {
		byID[p.Metadata["id"]] = p.PageContent
		require.Equal(t, "a.md", p.Metadata["source"])
	}
	require.Len(t, byID, len(nested))
	for _, c := range children {
		require.Contains(t, byID[c.Metadata["parent"]], c.PageContent)
		require.NotContains(t, byID, c.Metadata["id"])
	}
}

func TestSentenceWindows(t *testing.T) {
	windows, err := SentenceWindows("One. Two. Three. Four.", 1)
	require.NoError(t, err)
	require.Len(t, windows, 4)
	require.Equal(t, "Two. Three. Four.", windows[2].Parent.Text)
	require.Equal(t, "Three.", windows[2].Children[0].Text)
	require.Equal(t, "One. Two.", windows[0].Parent.Text)
	windows, err = SentenceWindows(" \n", 2)
	require.NoError(t, err)
	require.Empty(t, windows)
	_, err = SentenceWindows("a", -1)
	require.ErrorIs(t, err, ErrOption)
}

func TestWithHeadings(t *testing.T) {
	in := []Chunk{{Text: "a", Headings: []string{"H"}, Context: "| k |\n"}, {Text: "b"}}
	got := WithHeadings("Manual", in)
	require.Equal(t, "Manual > H\n\n| k |\n", got[0].Context)
	require.Equal(t, "Manual\n\n", got[1].Context)
	require.Equal(t, "| k |\n", in[0].Context, "the chunks given aren't changed")
	require.Empty(t, WithHeadings("", in)[1].Context)
}

func TestLateChunking(t *testing.T) {
	// tokens: "ab" " c" "d " "ef"
	ends := []int{2, 4, 6, 8}
	spans, err := LateSpans([]Chunk{{Start: 0, End: 3}, {Start: 3, End: 8}}, ends)
	require.NoError(t, err)
	require.Equal(t, []TokenSpan{{0, 2}, {1, 4}}, spans)
	vectors, err := LateVectors(spans, [][]float32{{1, 0}, {3, 0}, {0, 3}, {0, 6}})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{2, 0}, {1, 3}}, vectors)
	_, err = LateSpans([]Chunk{{Start: 0, End: 9}}, ends)
	require.ErrorIs(t, err, ErrTokens)
	_, err = LateVectors(spans, [][]float32{{1, 0}})
	require.ErrorIs(t, err, ErrTokens)
	_, err = LateVectors([]TokenSpan{{0, 2}}, [][]float32{{1, 0}, {1}})
	require.ErrorIs(t, err, ErrTokens)
}

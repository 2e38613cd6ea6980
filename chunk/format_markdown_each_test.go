package chunk

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlocks(t *testing.T) {
	text := "# Refunds\n\nRefunds take 14 days.\nNot less.\n\nGift cards are never refunded.\n\n## Steps\n\nTo ask for one:\n\n- Write to us.\n- Wait.\n\n- alone\n\nA table:\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nEnd.\n\n```go\nx := 1\n\ny := 2\n```\n\n# Last\n"
	b, err := NewBlocks(nil)
	require.NoError(t, err)
	chunks, err := b.Chunk(t.Context(), text)
	require.NoError(t, err)
	var got []string
	for _, c := range chunks {
		got = append(got, c.Text)
	}
	require.Equal(t, []string{
		"# Refunds\n\nRefunds take 14 days.\nNot less.",
		"Gift cards are never refunded.",
		"## Steps\n\nTo ask for one:\n\n- Write to us.\n- Wait.\n\n- alone",
		"A table:\n\n| a | b |\n| - | - |\n| 1 | 2 |",
		"End.",
		"```go\nx := 1\n\ny := 2\n```",
		"# Last",
	}, got)
	require.Equal(t, []string{"Refunds", "Steps"}, chunks[2].Headings)
}

// TestBlocksOfLongList: what a sentence announces is cut where it no longer fits,
// between items.
func TestBlocksOfLongList(t *testing.T) {
	b, err := NewBlocks(&Options{Size: 30})
	require.NoError(t, err)
	chunks, err := b.Chunk(t.Context(), "Three things:\n\n- the first\n- the second\n- the third\n")
	require.NoError(t, err)
	var got []string
	for _, c := range chunks {
		got = append(got, c.Text)
	}
	require.Equal(t, []string{"Three things:\n\n- the first", "- the second", "- the third"}, got)
}

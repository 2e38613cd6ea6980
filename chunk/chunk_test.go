package chunk

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromSpans(t *testing.T) {
	text := "Für 30 Tage. Dann nicht."
	got, err := FromSpans(text, []Span{{0, 13}, {8, 13}, {14, 25}})
	require.NoError(t, err)
	require.Equal(t, []Chunk{
		{Text: "Für 30 Tage.", Start: 0, End: 13, RuneStart: 0, RuneEnd: 12},
		{Text: "Tage.", Start: 8, End: 13, RuneStart: 7, RuneEnd: 12},
		{Text: "Dann nicht.", Start: 14, End: 25, RuneStart: 13, RuneEnd: 24},
	}, got)
	for _, bad := range [][]Span{{{-1, 2}}, {{0, 26}}, {{3, 2}}, {{4, 5}, {3, 5}}} {
		_, err := FromSpans(text, bad)
		require.ErrorIs(t, err, ErrSpan, "%v", bad)
	}
}

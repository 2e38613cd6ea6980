package chunk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The chunkers here keep fewer laws than FuzzLaws checks; the laws that they do
// keep are checked here.

// fakeEnds cuts a text into tokens of one to four bytes, wherever that falls.
func fakeEnds(text string) []int {
	var out []int
	for at := 0; at < len(text); {
		at = min(len(text), at+1+int(text[at]%4))
		out = append(out, at)
	}
	return out
}

func FuzzWindowLaws(f *testing.F) {
	for _, s := range []string{sample, "", " ", "返金は三十日以内です。", "👨‍👩‍👧‍👦", "\xff\x80\x80\x80\x80\x80\xe3\x81", strings.Repeat("\x80", 90)} {
		f.Add(s, uint8(7), uint8(2))
		f.Add(s, uint8(0), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, size, overlap uint8) {
		n := 1 + int(size)
		w, err := NewWindows(fakeEnds, &WindowsOptions{Size: n, Overlap: int(overlap) % n})
		require.NoError(t, err)
		chunks, err := w.Chunk(t.Context(), text)
		require.NoError(t, err)
		ends, covered := fakeEnds(text), 0
		for i, c := range chunks {
			require.Equal(t, text[c.Start:c.End], c.Text)
			require.Equal(t, utf8.RuneCountInString(text[:c.Start]), c.RuneStart)
			require.Equal(t, utf8.RuneCountInString(text[:c.End]), c.RuneEnd)
			require.LessOrEqual(t, c.Start, covered, "nothing is lost, not even blanks")
			if i > 0 {
				require.Greater(t, c.Start, chunks[i-1].Start)
				require.Greater(t, c.End, chunks[i-1].End)
			}
			covered = c.End
			tokens := 0
			for _, e := range ends {
				if e > c.Start && e <= c.End {
					tokens++
				}
			}
			require.True(t, tokens <= n || c.Oversize, "%d tokens in a window of %d", tokens, n)
		}
		require.Equal(t, len(text), covered)
	})
}

func FuzzFastCDCLaws(f *testing.F) {
	f.Add(strings.Repeat(sample, 20), uint16(0), uint16(0), uint16(0))
	f.Add(strings.Repeat("返金は三十日以内です。 \x80", 200), uint16(200), uint16(100), uint16(50))
	f.Add(strings.Repeat(" ", 3000)+"x", uint16(0), uint16(1), uint16(2))
	f.Fuzz(func(t *testing.T, text string, low, middle, high uint16) {
		least := 64 + int(low)%500
		mean := max(256, least) + int(middle)%500
		most := mean + int(high)%1000
		c, err := NewFastCDC(&FastCDCOptions{MinBytes: least, AvgBytes: mean, MaxBytes: most})
		require.NoError(t, err)
		chunks, err := c.Chunk(t.Context(), text)
		require.NoError(t, err)
		requireLaws(t, "FastCDC", text, most+utf8.UTFMax-1, func(s string) int { return len(s) }, chunks)
	})
}

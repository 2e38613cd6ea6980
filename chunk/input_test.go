package chunk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestBadInput holds every chunker to the laws on texts that break programs.
func TestBadInput(t *testing.T) {
	for what, text := range map[string]string{
		"nothing":         "",
		"blank":           " \t\r\n\u00a0\u2003",
		"NUL":             "a\x00b\x00\x00 c",
		"BOM":             "\ufeff# Title\n\ntext after a byte order mark, long enough to be cut",
		"lone CR":         strings.Repeat("a line that ends the old way\r", 20),
		"not UTF-8":       strings.Repeat("\xff\xfe\xc3\x28 \xe2\x82 ok ", 20),
		"surrogate bytes": "\xed\xa0\x80 and more text behind it to be cut off",
		"a long line":     strings.Repeat("日本", 3000) + strings.Repeat("👨‍👩‍👧e\u0301", 800),
		"one grapheme":    "e" + strings.Repeat("\u0301", 200),
	} {
		for name, c := range chunkers(t, 16, 4) {
			chunks, err := c.Chunk(t.Context(), text)
			require.NoError(t, err, "%s: %s", what, name)
			count := utf8.RuneCountInString
			if strings.HasSuffix(name, "tokens") {
				count = fakeTokens
			}
			requireLaws(t, what+": "+name, text, 16, count, chunks)
		}
	}
}

package chunk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func FuzzRunes(f *testing.F) {
	f.Add("plain", 2)
	f.Add("naïve 返金 🧑‍🚀 and more of it", 3)
	f.Add(strings.Repeat("long – and longer ", 400), 1)
	f.Add("\xff\x80broken", 1)
	f.Fuzz(func(t *testing.T, s string, at int) {
		count := runesOf(s)
		require.Equal(t, utf8.RuneCountInString(s), count(s))
		if at >= 0 && at < len(s) && utf8.RuneStart(s[at]) {
			require.Equal(t, utf8.RuneCountInString(s[at:]), count(s[at:]))
		}
	})
}

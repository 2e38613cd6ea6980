package hf

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// testdata/normal_forms.jsonl has texts with long runs of marks, and their forms by
// Python's unicodedata (Unicode 14.0).
func TestLongRunsOfMarks(t *testing.T) {
	data, err := os.ReadFile("testdata/normal_forms.jsonl")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var row map[string]string
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		for name, f := range map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD} {
			require.Equal(t, row[name], unicodeForm(f)(row["text"]), "%s of %+q", name, row["text"])
		}
	}
	require.Equal(t, "á"+strings.Repeat("\u0301", 99)+"\xff\u034f", unicodeForm(norm.NFC)("a"+strings.Repeat("\u0301", 100)+"\xff\u034f"))
}

func FuzzUnicodeForm(f *testing.F) {
	f.Add("e\u0301\u0323 각 ﬁ \xff\u034f" + strings.Repeat("\u0301\u0316", 40))
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
			once := unicodeForm(form)(text)
			require.Equal(t, once, unicodeForm(form)(once))
			require.Equal(t, strings.Count(text, "\u034f"), strings.Count(once, "\u034f"))
		}
	})
}

package norm

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLongRunsGainNothing(t *testing.T) {
	acute, below := strings.Repeat("\u0301", 40), strings.Repeat("\u0323", 40)
	for text, want := range map[string]string{
		"a" + acute:                        "\u00e1" + acute[2:],
		"a" + acute + below:                "\u1ea1" + below[2:] + acute, // class 220 before 230
		"x" + acute + "\u034f" + acute:     "x" + acute + "\u034f" + acute,
		"\u1100\u1161\u11a8" + acute + "e": "\uac01" + acute + "e",
		acute:                              acute,
		"\u0344" + acute:                   "\u0308\u0301" + acute,
		"\ufb01" + acute:                   "\ufb01" + acute,
	} {
		assert.Equal(t, want, NFC.String(text), "%+q", text)
	}
	assert.Equal(t, "f\u00ed"+acute[2:], NFKC.String("\ufb01"+acute))
	assert.Equal(t, "fi"+acute, NFKD.String("\ufb01"+acute))
	assert.Equal(t, "a"+below+acute, NFD.String("a"+acute+below))
}

// testdata/normal_forms.jsonl has texts with long runs of marks, and their forms by
// Python's unicodedata (Unicode 14.0).
func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/normal_forms.jsonl")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var row map[string]string
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		for name, f := range map[string]Form{"NFC": NFC, "NFD": NFD, "NFKC": NFKC, "NFKD": NFKD} {
			require.Equal(t, row[name], f.String(row["text"]), "%s of %+q", name, row["text"])
		}
	}
	require.Equal(t, "\u00e1"+strings.Repeat("\u0301", 99)+"\xff\u034f", NFC.String("a"+strings.Repeat("\u0301", 100)+"\xff\u034f"))
}

// The definition and x/text agree on every character and on what follows it.
func TestDefinition(t *testing.T) {
	follow := []string{"", "\u0301", "\u0323\u0301", "\u0301\u0323", "\u1161", "\u11a8", "\u3099", "\u034f\u0301", "\u0338", "\u0bd7"}
	for _, f := range []Form{NFC, NFD, NFKC, NFKD} {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if r >= 0xd800 && r < 0xe000 || r > 0x32000 && r%97 != 0 {
				continue
			}
			for _, after := range follow {
				if after != "" && (r > 0x3000 && r%97 != 0 || r > 0x250 && r%5 != 0) {
					continue
				}
				text := string(r) + after
				points := f.decompose(text)
				if f.composes {
					points = compose(points)
				}
				got := ""
				for _, p := range points {
					got += p.text
				}
				require.Equal(t, f.form.String(text), got, "%+q", text)
			}
		}
	}
}

func FuzzString(f *testing.F) {
	f.Add("e\u0301\u0323 각 ﬁ \xff\u034f" + strings.Repeat("\u0301\u0316", 40))
	f.Add("a" + strings.Repeat("\u0301\u0323", 40) + "e\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []Form{NFC, NFD, NFKC, NFKD} {
			out := form.String(text)
			if strings.Count(out, joiner) != strings.Count(text, joiner) {
				t.Fatalf("%+q has another number of joiners: %+q", text, out)
			}
			if again := form.String(out); again != out {
				t.Fatalf("%+q, and again %+q", out, again)
			}
			if plain := form.form.String(text); strings.Count(plain, joiner) == strings.Count(text, joiner) && plain != out {
				t.Fatalf("%+q, x/text %+q", out, plain)
			}
		}
	})
}

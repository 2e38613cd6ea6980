package bm25

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"café naïve 초과근무":      {"café", "naïve", "초과", "과근", "근무"},
		"返金は三十日以内":             {"返金", "金は", "は三", "三十", "十日", "日以", "以内"},
		"返":                    {"返"},
		"ＡＰＩキー rotation":       {"api", "キー", "rotation"},
		"API返金v2":              {"api", "返金", "v2"},
		"Don’t STOP 'quoted'":  {"don't", "stop", "quoted"},
		"Ключ доступа, ΚΛΕΙΔΙ": {"ключ", "доступа", "κλειδι"},
		"การคืนเงิน":           {"กา", "าร", "รคื", "คืน", "นเ", "เงิ", "งิน"},
		"हिन्दी भाषा":          {"हिन्दी", "भाषा"},
		"naïve":                {"naïve"}, // a letter and a mark
		"a\xffb, …":            {"a", "b"},
		"":                     nil,
	} {
		require.Equal(t, want, Words(text), text)
	}
}

func TestAnalyzer(t *testing.T) {
	a, err := NewAnalyzer(&AnalyzerOptions{Stop: append(EnglishStop(), "Bitte"), Stem: stem})
	require.NoError(t, err)
	require.Equal(t, []string{"rotat", "key", "返金"}, a("How to rotate the KEYS 返金 bitte"))
	_, err = NewAnalyzer(&AnalyzerOptions{Stop: []string{"two words"}})
	require.ErrorIs(t, err, ErrOption)
	plain, err := NewAnalyzer(nil)
	require.NoError(t, err)
	require.Equal(t, Words("How to rotate"), plain("How to rotate"))
	x, err := New(&Options{Analyze: Words})
	require.NoError(t, err)
	x.Add(1, "返金は三十日以内に行われます")
	x.Add(2, "天気がいい")
	hits := x.Search("三十日の返金", 5)
	require.Len(t, hits, 1)
	require.Equal(t, 1, hits[0].ID)
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"café 초과근무 'x' การ", "\xff返金\u0301 ’", "ﬁ ① \u1100\u1161"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range Words(text) {
			if w == "" || !utf8.ValidString(w) || strings.ContainsAny(w, " \n,") {
				t.Fatalf("%q of %q", w, text)
			}
		}
	})
}

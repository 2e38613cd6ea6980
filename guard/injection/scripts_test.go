package injection_test

import (
	_ "embed"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"

	"github.com/prodailabs/prodai/guard/injection"
)

//go:embed testdata/scripts.tsv
var scriptSentences string

// The scripts in everyday use today: UAX #31, tables 5 (recommended) and 7
// (limited use). Some of them are newer than the tables of this Go version.
var (
	recommendedScripts = strings.Fields("Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan")
	limitedScripts     = strings.Fields("Adlam Balinese Bamum Batak Canadian_Aboriginal Chakma Cham Cherokee Hanifi_Rohingya Javanese Kayah_Li Lepcha Limbu Lisu Mandaic Meetei_Mayek Miao New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Osage Saurashtra Sundanese Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet Tifinagh Vai Wancho Yi")
)

// Everyday sentences of every recommended script pass.
func TestEverydaySentencesOfEveryScriptPass(t *testing.T) {
	d := detector(t, nil)
	seen := map[string]bool{}
	for line := range strings.Lines(scriptSentences) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		require.Len(t, fields, 3)
		seen[fields[0]] = true
		require.True(t, strings.ContainsFunc(fields[2], func(r rune) bool { return unicode.Is(unicode.Scripts[fields[0]], r) }), fields[0])
		r := d.Inspect(fields[2])
		assert.Less(t, r.Score, .4, "%s: %q, read as %q", fields[1], fields[2], r.Readings[r.WorstReading].Text)
	}
	for _, s := range recommendedScripts {
		assert.True(t, seen[s], "testdata/scripts.tsv has no sentence in the script %s", s)
	}
}

// Names of countries, as CLDR writes them in each language, pass too: real words
// of more than a hundred languages that were written by many hands.
func TestNamesOfCountriesPass(t *testing.T) {
	d := detector(t, nil)
	flagged, n := 0, 0
	for _, tag := range display.Supported.Tags() {
		regions := display.Regions(tag)
		if regions == nil {
			continue
		}
		var names []string
		for _, code := range []string{"DE", "FR", "JP", "BR", "KE", "IN", "NO", "PE", "TH", "GR", "EG", "CA", "NZ", "VN", "TR"} {
			names = append(names, regions.Name(language.MustParseRegion(code)))
		}
		for _, text := range []string{strings.Join(names, ", "), strings.Join(names[:6], " "), strings.Join(names, "\n")} {
			n++
			if r := d.Inspect(text); r.Flagged {
				flagged++
				t.Logf("%v: %.2f %v %q", tag, r.Score, r.Readings[r.WorstReading].Steps, text)
			}
		}
	}
	require.Greater(t, n, 200)
	require.LessOrEqual(t, flagged*100, n, "%d of %d", flagged, n)
}

// A script keeps its marks: in Thai, Hindi and Khmer they are the vowels.
func TestEveryScriptKeepsItsMarks(t *testing.T) {
	bare := []string{"Latin", "Greek", "Cyrillic"}
	for _, name := range slices.Concat(recommendedScripts, limitedScripts) {
		table, ok := unicode.Scripts[name]
		require.True(t, ok, name)
		if slices.Contains(bare, name) {
			continue
		}
		letters, marks := members(table, unicode.L), members(table, unicode.Mn)
		for i, mark := range marks {
			if mark == '\u17b4' || mark == '\u17b5' { // vowels of Khmer that no font shows
				continue
			}
			base := letters[i%len(letters)]
			want := norm.NFKC.String(string(base) + string(mark) + string(base))
			require.Equal(t, want, injection.Normalize(want), "%s: %U %U", name, base, mark)
		}
	}
}

// Words that are made at random of a script's letters and marks pass: what is
// unknown to the classifier is no attack.
func TestUnknownWordsOfEveryScriptPass(t *testing.T) {
	d := detector(t, nil)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, name := range limitedScripts {
		letters, marks := members(unicode.Scripts[name], unicode.L), members(unicode.Scripts[name], unicode.Mn)
		for range 10 {
			var words []string
			for range 4 + rng.IntN(12) {
				var b strings.Builder
				for range 2 + rng.IntN(5) {
					b.WriteRune(letters[rng.IntN(len(letters))])
					if len(marks) > 0 && rng.IntN(3) == 0 {
						b.WriteRune(marks[rng.IntN(len(marks))])
					}
				}
				words = append(words, b.String())
			}
			text := strings.Join(words, " ")
			r := d.Inspect(text)
			assert.False(t, r.Flagged, "%s: %.2f %q, read as %q", name, r.Score, text, r.Readings[r.WorstReading].Text)
		}
	}
}

// Marks of a foreign script hide an English word no better than others do.
func TestForeignMarksOnLatinLettersAreDropped(t *testing.T) {
	for _, mark := range []string{"\u0e34", "\u0947", "\u0323", "\u17b7\u0e49"} {
		hidden := ""
		for _, r := range "ignore" {
			hidden += string(r) + mark
		}
		assert.Equal(t, "ignore", injection.Normalize(hidden))
	}
	assert.Equal(t, "café ที่นี่", norm.NFC.String("café ที่นี่"))
	assert.Equal(t, "cafe ที่นี่", injection.Normalize("café ที่นี่"))
}

// members returns the runes of a script that are in a category, in order.
func members(script, category *unicode.RangeTable) []rune {
	var all []rune
	for _, r := range script.R16 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			if unicode.Is(category, c) {
				all = append(all, c)
			}
		}
	}
	for _, r := range script.R32 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			if unicode.Is(category, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

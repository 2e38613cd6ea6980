package sentence

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

// starts returns where each span begins, in code points.
func starts(text string, spans []Span) map[int]bool {
	out := map[int]bool{}
	for _, s := range spans {
		out[utf8.RuneCountInString(text[:s.Start])] = true
	}
	return out
}

func TestGoldenICUSentences(t *testing.T) {
	equal, all := 0, 0
	golden.Rows(t, "chunk", "icu_segments.jsonl", func(row struct {
		Text       string
		Sentence   []int
		Dictionary bool `json:"word_dictionary"`
	}) error {
		if row.Dictionary {
			return nil
		}
		got := starts(row.Text, Plain(row.Text))
		for _, s := range row.Sentence {
			all++
			if got[s] {
				equal++
				delete(got, s)
			}
		}
		all += len(got) // a start that ICU doesn't have
		if len(got) > 0 {
			t.Logf("%q: %v, want %v", row.Text, got, row.Sentence)
		}
		return nil
	})
	t.Logf("%d of %d sentence starts equal ICU's", equal, all)
	require.GreaterOrEqual(t, float64(equal), 0.99*float64(all))
}

// F1 of sentence starts against pysbd's, an imperfect reference: the mode with
// abbreviations must be nearer to it than UAX #29 alone.
func TestGoldenAbbreviations(t *testing.T) {
	var plain, split struct{ hit, got, want int }
	golden.Rows(t, "chunk", "sentences.jsonl", func(row struct {
		Text  string
		Pysbd json.RawMessage
	}) error {
		var spans []struct{ S int }
		if err := json.Unmarshal(row.Pysbd, &spans); err != nil {
			return err
		}
		for _, m := range []struct {
			score *struct{ hit, got, want int }
			spans []Span
		}{{&plain, Plain(row.Text)}, {&split, Split(row.Text)}} {
			got := starts(row.Text, m.spans)
			for _, s := range spans {
				if got[s.S] {
					m.score.hit++
				}
			}
			m.score.got += len(got)
			m.score.want += len(spans)
		}
		return nil
	})
	if plain.want == 0 {
		t.Skip("no rows")
	}
	f1 := func(s struct{ hit, got, want int }) float64 { return 2 * float64(s.hit) / float64(s.got+s.want) }
	t.Logf("F1 of sentence starts: UAX #29 %.3f %v, with abbreviations %.3f %v", f1(plain), plain, f1(split), split)
	require.Greater(t, f1(split), f1(plain))
}

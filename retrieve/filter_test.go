package retrieve

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var filterMeta = map[string]any{
	"lang": "en", "year": 2021.0, "pages": 12, "draft": false, "tags": []any{"api", "cli", 3.0}, "groups": []string{"a", "b"},
	"date": "2026-01-31", "none": nil, "odd key": "x", "n": json.Number("7"),
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		text string
		f    Filter
		want bool
	}{
		{"lang = 'en'", Eq("lang", "en"), true},
		{"lang != 'en'", Ne("lang", "en"), false},
		{"other != 'en'", Ne("other", "en"), true},
		{"other = 'en'", Eq("other", "en"), false},
		{"year >= 2021", AtLeast("year", 2021), true},
		{"year > 2021", More("year", 2021), false},
		{"year < 2021.5", Less("year", float32(2021.5)), true},
		{"(pages >= 10 and pages <= 12)", Between("pages", 10, uint8(12)), true},
		{"n = 7", Eq("n", int64(7)), true},
		{"year = '2021'", Eq("year", "2021"), false},
		{"lang < 3", Less("lang", 3), false},
		{"missing < 3", Less("missing", 3), false},
		{"date >= '2026-01-01'", AtLeast("date", "2026-01-01"), true},
		{"draft = false", Eq("draft", false), true},
		{"tags = 'cli'", Eq("tags", "cli"), true},
		{"tags = 3", Eq("tags", 3), true},
		{"groups in ('z', 'b')", In("groups", "z", "b"), true},
		{"lang in ()", In("lang"), false},
		{"exists lang", Exists("lang"), true},
		{"exists none", Exists("none"), false},
		{"not (exists none)", Not(Exists("none")), true},
		{"`odd key` = 'x'", Eq("odd key", "x"), true},
		{"`in` = 'it''s'", Eq("in", "it's"), false},
		{"(lang = 'de' or (year = 2021 and draft = false))", Or(Eq("lang", "de"), And(Eq("year", 2021), Eq("draft", false))), true},
		{"and()", And(), true},
		{"or()", Or(), false},
		{"or(lang = 'en')", Or(Eq("lang", "en")), true},
		{"all", Filter{}, true},
	} {
		require.NoError(t, c.f.Check())
		require.Equal(t, c.want, c.f.Match(filterMeta), c.text)
		require.Equal(t, c.text, c.f.String())
		parsed, err := ParseFilter(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.text, parsed.String())
		require.Equal(t, c.want, parsed.Match(filterMeta), c.text)
	}
	f, err := ParseFilter(`a=1 OR b="x y" AND NOT c in (1,-2.5e3)`)
	require.NoError(t, err)
	require.Equal(t, "(a = 1 or (b = 'x y' and not (c in (1, -2500))))", f.String())
}

func TestWrongFiltersAreTold(t *testing.T) {
	for _, text := range []string{"", "a", "a =", "= 1", "a = b", "a = 'x", "a = 'x''", "(a = 1", "a = 1)", "a in 1", "a in (1", "a in (1,)", "a in (,)", "not",
		"a = 1 and", "a = 1 b = 2", "exists", "exists 'a'", "`` = 1", "a < true", "a = 1e999", "a ! 1", "and", "or(a = 1 and)", "in = 1", strings.Repeat("(", 200),
		strings.Repeat("not ", 200) + "a = 1", "a = nan", "a = inf", "a = 0x"} {
		_, err := ParseFilter(text)
		require.ErrorIs(t, err, ErrFilter, text)
	}
	deep := Eq("a", 1)
	for range 200 {
		deep = Not(deep)
	}
	for _, f := range []Filter{Eq("a", nil), Eq("a", []int{1}), Eq("", 1), Eq("a", math.NaN()), {Op: 99}, {Op: OpNot}, {Op: OpEqual, Key: "a"},
		{Op: OpAnd, Key: "a"}, And(Eq("", "x")), Less("a", true), deep, {Key: "a"}} {
		require.ErrorIs(t, f.Check(), ErrFilter)
		require.False(t, f.Match(filterMeta))
		require.Contains(t, f.String(), "invalid filter")
	}
	require.False(t, func() bool { f := Eq("m", "x"); return f.Match(map[string]any{"m": map[string]any{"a": 1}}) }())
}

// FuzzParseFilter: what can be parsed has a text that gives the same filter.
func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"lang = 'en' and (year >= 2020 or not exists year)", "`a``b` in (1, \"x\", true)", "or()", "a != 'it''s'", "é = 1e-7", "and(not all)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseFilter(text)
		if err != nil {
			require.ErrorIs(t, err, ErrFilter)
			return
		}
		b, err := ParseFilter(a.String())
		require.NoError(t, err, "%q of %q", a.String(), text)
		require.Equal(t, a.String(), b.String())
		require.Equal(t, a.Match(filterMeta), b.Match(filterMeta))
	})
}

func ExampleParseFilter() {
	f, err := ParseFilter("lang = 'en' and year >= 2020")
	fmt.Println(f.Match(map[string]any{"lang": "en", "year": 2024}), err)
	_, err = ParseFilter("lang = en")
	fmt.Println(err)
	// Output:
	// true <nil>
	// retrieve: invalid filter: at byte 7: en, want a string in quotes, a number, true or false
}

func TestFloat32EqualsItselfAfterJSON(t *testing.T) {
	for _, f := range []Filter{Eq("n", float32(1.1)), In("n", float32(1.1)), AtLeast("n", float32(1.1)), AtMost("n", float32(1.1))} {
		require.True(t, f.Match(map[string]any{"n": 1.1}), f.String())
		require.True(t, f.Match(map[string]any{"n": float32(1.1)}), f.String())
	}
}

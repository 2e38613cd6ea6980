package terms_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// match is a database in memory: it knows nothing but terms.
func match(t terms.Terms) terms.Builder[bool] {
	ordered := map[retrieve.FilterOp]func(c int) bool{
		retrieve.OpLess: func(c int) bool { return c < 0 }, retrieve.OpAtMost: func(c int) bool { return c <= 0 },
		retrieve.OpMore: func(c int) bool { return c > 0 }, retrieve.OpAtLeast: func(c int) bool { return c >= 0 },
	}
	return terms.Builder[bool]{
		Has: func(tokens []string, not bool) bool {
			return slices.ContainsFunc(tokens, func(x string) bool { return slices.Contains(t.Tokens, x) }) != not
		},
		Number: func(field string, op retrieve.FilterOp, v float64) bool {
			got, ok := t.Numbers[field]
			return ok && ordered[op](compare(got, v))
		},
		Text: func(field string, op retrieve.FilterOp, v string) bool {
			got, ok := t.Texts[field]
			return ok && ordered[op](compare(got, v))
		},
		Group: func(op retrieve.FilterOp, parts []bool) bool {
			if op == retrieve.OpOr {
				return slices.Contains(parts, true)
			}
			return !slices.Contains(parts, false)
		},
	}
}

func compare[T float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func evaluate(t *testing.T, f retrieve.Filter, meta map[string]any, stale bool) bool {
	t.Helper()
	where, ok := store.Lower(f)
	if where == nil {
		return ok
	}
	b := match(terms.Of(meta))
	b.Stale = stale
	got, err := terms.Compile(where, b)
	require.NoError(t, err)
	return got
}

var name = regexp.MustCompile(`^[a-z]{2,3}_[0-9a-f]{32}$`)

// FuzzTermsMeanTheFilter compares a filter with its terms on any metadata.
func FuzzTermsMeanTheFilter(f *testing.F) {
	f.Add(`k = 'a' or not (k < 3 and exists n)`, `{"k": ["a", 2, null], "n": null}`)
	f.Add(`not k in ('a', 1, true) and k >= 'b'`, `{"k": "a", "q": -0}`)
	f.Add("not (`a\"b` != 0 or and() or k > -0.5)", `{"a\"b": 0, "k": [[1]]}`)
	f.Fuzz(func(t *testing.T, text, data string) {
		filter, err := retrieve.ParseFilter(text)
		if err != nil {
			t.Skip()
		}
		var meta map[string]any
		if json.Unmarshal([]byte(data), &meta) != nil {
			t.Skip()
		}
		want := filter.Match(meta)
		require.Equal(t, want, evaluate(t, filter, meta, false), "%s on %s", text, data)
		require.Equal(t, want, evaluate(t, filter, meta, true), "%s on %s", text, data)
		require.Equal(t, !want, evaluate(t, retrieve.Not(filter), meta, false), "not %s on %s", text, data)
		if where, _ := store.Lower(filter); where != nil { // and its text means the same
			again, err := retrieve.ParseFilter(where.String())
			require.NoError(t, err, where.String())
			require.Equal(t, want, again.Match(meta), "%s as %s", text, where)
		}
		all := terms.Of(meta)
		for field := range all.Numbers {
			require.Regexp(t, name, field)
		}
		for field := range all.Texts {
			require.Regexp(t, name, field)
		}
	})
}

func TestTermsOfTwoKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	add := func(what, term string) {
		require.Empty(t, seen[term], "%s and %s", what, seen[term])
		seen[term] = what
	}
	for _, key := range []string{"k", "K", " k", "k\x00", `k","v`, "lo_k", "", "\xff", "\xfe", "\ufffd"} {
		add("exists "+key, terms.Exists(key))
		add("number "+key, terms.HasNumber(key))
		add("text "+key, terms.HasText(key))
		for _, v := range []any{"", "a", "1", "true", "null", 1.0, 0.0, true, false, "number", "text", "\xff", "\xfe", "\ufffd"} {
			add(key, terms.Value(key, v))
		}
	}
	require.Equal(t, terms.Value("k", 0.0), terms.Value("k", -1/inf()))
}

func inf() float64 { var zero float64; return 1 / zero }

func TestUnsupportedOrder(t *testing.T) {
	where, ok := store.Lower(retrieve.Or(retrieve.Eq("a", 1), retrieve.Not(retrieve.Less("k", "b"))))
	require.True(t, ok)
	b := match(terms.Of(nil))
	b.Text = nil
	_, err := terms.Compile(where, b)
	require.ErrorIs(t, err, store.ErrUnsupported)
	require.ErrorContains(t, err, "k < 'b'")
}

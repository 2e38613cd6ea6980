package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// rows are documents whose metadata differ in all ways that filters can see.
func rows() []schema.Document {
	values := []any{
		nil, "", "a", "A", "b", "ab", "1", "true", "O'Brien", `x" y`, " a", "日本", 0, 1, 2, 11, -3, 1.5, 0.75, 1.1, 1e300, 1e-300, true, false,
		[]any{}, []any{"a"}, []any{"a", "b"}, []any{1, 5}, []any{"a", 2, true, nil}, []any{[]any{"a"}}, map[string]any{"a": 1}, 9007199254740991, -0.5,
	}
	docs := []schema.Document{doc("none", "text")}
	for i, v := range values {
		docs = append(docs, doc(fmt.Sprintf("v%02d", i), "text", "k", v, "n", i, "even", i%2 == 0))
	}
	docs = append(docs, doc("src", "text", "source", "manual.md"), doc("q1", "text", "it's", "a"), doc("q2", "text", `a"b`, 1), doc("q3", "text", "a.b", "x"),
		doc("q4", "text", "a", map[string]any{"b": "x"}), doc("q5", "text", "$or", 1), doc("q6", "text", "日", 2.5), doc("q7", "text", "k[]", "a"), doc("q8", "text", " k", "a"),
		doc("q9", "text", `back\slash`, true), doc("q10", "text", "#document", "a"), doc("q11", "text", "K", "a"))
	return docs
}

var leafValues = []any{"", "a", "A", "b", "ab", "aa", "1", "true", "O'Brien", `x" y`, " a", "日本", 0, 1, 2, 5, 11, -3, 1.5, 0.75, 1.1, 1e300, 1e-300, 9007199254740991, -0.5}

func leaves(stringOrder bool) []retrieve.Filter {
	all := []retrieve.Filter{{}, retrieve.Exists("k"), retrieve.Exists("n"), retrieve.In("k"), retrieve.And(), retrieve.Or(), retrieve.Exists("source"),
		retrieve.Eq("k", true), retrieve.Eq("k", false), retrieve.Ne("k", true), retrieve.Ne("k", "a"), retrieve.Ne("k", 1), retrieve.In("k", "a", 1, true), retrieve.In("k", 1, 1.5), retrieve.In("k", 1.1), retrieve.In("n", 3, 4, 5),
		retrieve.Between("n", 3, 9), retrieve.Between("k", 2, 4), retrieve.Eq("id", "v02"), retrieve.Eq("source", "manual.md"), retrieve.Eq("even", true), retrieve.Eq("missing", "a"), retrieve.Ne("missing", "a")}
	for _, key := range []string{"it's", `a"b`, "a.b", "a", "$or", "日", "k[]", " k", `back\slash`, "#document", "K", `metadata."k"`, "b"} {
		all = append(all, retrieve.Exists(key), retrieve.In(key, "a", "x", true), retrieve.AtLeast(key, 1))
	}
	for _, v := range leafValues {
		all = append(all, retrieve.Eq("k", v))
		if _, isString := v.(string); !isString || stringOrder {
			all = append(all, retrieve.Less("k", v), retrieve.AtMost("k", v), retrieve.More("k", v), retrieve.AtLeast("k", v))
		}
	}
	return all
}

func (s Setup) filters(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	docs := rows()
	_, err := x.Upsert(ctx, docs)
	require.NoError(t, err)
	check := func(f retrieve.Filter) {
		want := []string{}
		for _, d := range docs {
			r, err := retrieve.NewRecord(d)
			require.NoError(t, err)
			if f.Match(r.Metadata) {
				want = append(want, r.ID())
			}
		}
		require.ElementsMatch(t, want, all(ctx, t, x, f), "%s", f.String())
	}
	basic := leaves(!s.NoStringOrder)
	for _, f := range basic {
		check(f)
		check(retrieve.Not(f))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var tree func(depth int) retrieve.Filter
	tree = func(depth int) retrieve.Filter {
		kind := rng.IntN(6)
		if depth == 0 || kind < 2 {
			return basic[rng.IntN(len(basic))]
		}
		if kind == 2 {
			return retrieve.Not(tree(depth - 1))
		}
		var parts []retrieve.Filter
		for range 1 + rng.IntN(3) {
			parts = append(parts, tree(depth-1))
		}
		if kind == 3 {
			return retrieve.Or(parts...)
		}
		return retrieve.And(parts...)
	}
	for range 60 {
		check(tree(4))
	}
	check(retrieve.And(retrieve.Or(retrieve.Eq("k", 1), retrieve.Eq("k", 2)), retrieve.Eq("even", false)))
	if s.NoStringOrder {
		for _, f := range []retrieve.Filter{retrieve.Less("k", "b"), retrieve.Not(retrieve.Between("k", "a", "b")), retrieve.Or(retrieve.Eq("k", 1), retrieve.AtLeast("k", ""))} {
			_, err := x.Search(ctx, "text", 5, &retrieve.Query{Where: f})
			require.ErrorIs(t, err, store.ErrUnsupported, f.String())
		}
	}
}

package retrieve

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
)

func TestVectorStore(t *testing.T) {
	c := open(t, "")
	var store vectorstores.VectorStore = c
	ids, err := store.AddDocuments(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, ids)
	meta := map[string]any{"id": "a", "lang": "en", "year": 2020}
	given := []schema.Document{{PageContent: "one", Metadata: meta}, {PageContent: "two", Metadata: map[string]any{"id": "b", "lang": "zzz' OR '1'='1"}},
		{PageContent: "one two", Metadata: map[string]any{"id": "c", "lang": "en"}}}
	ids, err = store.AddDocuments(t.Context(), given)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, ids)
	require.Equal(t, map[string]any{"id": "a", "lang": "en", "year": 2020}, meta, "the caller's map")
	_, err = store.AddDocuments(t.Context(), given)
	require.NoError(t, err)
	require.Equal(t, 3, c.Len(), "again changes nothing")
	found := func(k int, o ...vectorstores.Option) []string {
		docs, err := store.SimilaritySearch(t.Context(), "one", k, o...)
		require.NoError(t, err)
		var out []string
		for _, d := range docs {
			out = append(out, d.Metadata["id"].(string))
		}
		return out
	}
	require.Len(t, found(10), 3)
	require.Equal(t, []string{"a"}, found(1))
	require.ElementsMatch(t, []string{"a", "c"}, found(10, vectorstores.WithFilters(map[string]any{"lang": "en"})))
	require.Equal(t, []string{"a"}, found(10, vectorstores.WithFilters("lang = 'en' and year = 2020")))
	require.Empty(t, found(10, vectorstores.WithFilters(Eq("lang", "x' OR 'a'='a"))))
	f := Eq("lang", "zzz' OR '1'='1")
	require.Equal(t, []string{"b"}, found(10, vectorstores.WithFilters(&f)))
	require.Equal(t, []string{"a"}, found(10, vectorstores.WithScoreThreshold(.99)))
	require.Equal(t, []string{"c"}, found(1, vectorstores.WithDeduplicater(func(_ context.Context, d schema.Document) bool { return d.PageContent == "one" })))
	for _, o := range []vectorstores.Option{vectorstores.WithNameSpace("n"), vectorstores.WithEmbedder(letters{}), vectorstores.WithScoreThreshold(2)} {
		_, err = store.SimilaritySearch(t.Context(), "one", 1, o)
		require.ErrorIs(t, err, ErrOption)
		_, err = store.AddDocuments(t.Context(), given, o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = store.SimilaritySearch(t.Context(), "one", 1, vectorstores.WithFilters(7))
	require.ErrorIs(t, err, ErrFilter)
	_, err = store.SimilaritySearch(t.Context(), "one", 0)
	require.ErrorIs(t, err, ErrOption)
	_, err = store.SimilaritySearch(t.Context(), "one", -1, vectorstores.WithScoreThreshold(.5))
	require.ErrorIs(t, err, ErrOption)
}

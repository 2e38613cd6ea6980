package retrieve

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// titled returns an index of words in which a title counts as much as a number of texts.
func titled(t *testing.T, title float64, n *atomic.Int64) *bm25.Index {
	t.Helper()
	x, err := bm25.New(&bm25.Options{Phrases: true, Boosts: map[string]float64{"title": title, "tags": 1, "source": 1}, Analyze: func(text string) []string {
		n.Add(1)
		return bm25.Words(text)
	}})
	require.NoError(t, err)
	return x
}

// byWords returns the score by words of each passage that a query finds by them.
func byWords(t *testing.T, c *Collection, query string) map[string]float64 {
	t.Helper()
	results, err := c.Search(t.Context(), query, 100, nil)
	require.NoError(t, err)
	scores := map[string]float64{}
	for _, r := range results {
		if r.Words > 0 {
			scores[r.Metadata["id"].(string)] = r.Words
		}
	}
	return scores
}

// TestFieldsAndPhrases: the collection's scores are those of an index that was given the
// fields by hand, in memory, after changes, and after each way of opening the file.
func TestFieldsAndPhrases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	doc := func(id, text string, meta map[string]any) schema.Document {
		meta["id"] = id
		return schema.Document{PageContent: text, Metadata: meta}
	}
	var n atomic.Int64
	c, err := Open(path, letters{name: "letters"}, &Options{Words: titled(t, 3, &n)})
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), []schema.Document{
		doc("a", "rotate it each month", map[string]any{"title": "the api key", "source": "keys.md"}),
		doc("b", "the key of the api is to rotate", map[string]any{"title": "other"}),
		doc("c", "nothing", map[string]any{"title": 7, "tags": []string{"api", "key"}, "more": "rotate"}),
		doc("d", "api", map[string]any{"title": []any{"key", 3, nil}, "text": "rotate"}),
		doc("e", "weather", map[string]any{"title": "to go"}),
	})
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), []schema.Document{doc("e", "weather", map[string]any{"title": "month"})}) // only the title is new
	require.NoError(t, err)

	byHand := func(title float64) *bm25.Index {
		x := titled(t, title, &n)
		x.AddFields(0, bm25.Field{Name: "text", Text: "rotate it each month"}, bm25.Field{Name: "title", Text: "the api key"}, bm25.Field{Name: "source", Text: "keys.md"})
		x.AddFields(1, bm25.Field{Name: "text", Text: "the key of the api is to rotate"}, bm25.Field{Name: "title", Text: "other"})
		x.AddFields(2, bm25.Field{Name: "text", Text: "nothing"}, bm25.Field{Name: "tags", Text: "api"}, bm25.Field{Name: "tags", Text: "key"})
		x.AddFields(3, bm25.Field{Name: "text", Text: "api"}, bm25.Field{Name: "title", Text: "key"})
		x.AddFields(4, bm25.Field{Name: "text", Text: "weather"}, bm25.Field{Name: "title", Text: "month"})
		return x
	}
	same := func(c *Collection, title float64) {
		t.Helper()
		x := byHand(title)
		for _, q := range []string{"api key", `"api key"`, "rotate", "month", `"key api"`, "keys.md", "go", "7"} {
			want := map[string]float64{}
			for _, h := range x.Search(q, 100) {
				want[string(rune('a'+h.ID))] = h.Score
			}
			require.Equal(t, want, byWords(t, c, q), q)
		}
	}
	same(c, 3)
	require.Greater(t, byWords(t, c, `"api key"`)["a"], byWords(t, c, "api key")["a"])
	require.Equal(t, byWords(t, c, `"api key"`)["c"], byWords(t, c, "api key")["c"], "two tags are no phrase")
	require.Greater(t, byWords(t, c, "month")["e"], byWords(t, c, "month")["a"], "it is in the title")
	require.NoError(t, c.Backup(path+"2"))
	require.NoError(t, c.Close())
	for _, path := range []string{path, path + "2"} {
		for _, title := range []float64{3, 1} {
			c, err = Open(path, letters{name: "letters"}, &Options{Words: titled(t, title, &n), ReadOnly: true})
			require.NoError(t, err)
			same(c, title)
			require.NoError(t, c.Close())
		}
	}
}

// TestFieldsAreRestored: a start takes the stored words with their fields, unless the
// program weighs the fields otherwise now.
func TestFieldsAreRestored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	var n atomic.Int64
	var first map[string]float64
	for i, step := range []struct {
		title    float64
		restored bool
	}{{2, false}, {2, true}, {5, false}, {5, true}, {2, false}} {
		n.Store(0)
		c, err := open300(path, randomVectors{12}, &Options{Words: titled(t, step.title, &n)})
		require.NoError(t, err)
		if i == 0 {
			docs := numbers(0, 500)
			for i := range docs {
				docs[i].Metadata["title"] = fmt.Sprint("about ", i/3)
			}
			_, err = c.Upsert(t.Context(), docs)
			require.NoError(t, err)
			first = byWords(t, c, `17 "about 17"`)
			require.NotEmpty(t, first)
		} else {
			require.Equal(t, step.restored, n.Load() < 1000, "%d texts were analyzed", n.Load())
		}
		got := byWords(t, c, `17 "about 17"`)
		require.Equal(t, step.title == 2, fmt.Sprint(got) == fmt.Sprint(first))
		require.NoError(t, c.Close())
	}
}

// TestTheTextIsAFieldToo: its weight is that of the name "text", and a reader of the file
// sees a new title.
func TestTheTextIsAFieldToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	options := func(readOnly bool) *Options {
		x, err := bm25.New(&bm25.Options{Boosts: map[string]float64{"text": 2, "title": 1}})
		require.NoError(t, err)
		return &Options{Words: x, ReadOnly: readOnly}
	}
	c, err := Open(path, letters{name: "letters"}, options(false))
	require.NoError(t, err)
	passage := func(id, title, text string) schema.Document {
		return schema.Document{PageContent: text, Metadata: map[string]any{"id": id, "title": title}}
	}
	_, err = c.Upsert(t.Context(), []schema.Document{passage("a", "refund", "key"), passage("b", "key", "refund")})
	require.NoError(t, err)
	r, err := Open(path, letters{name: "letters"}, options(true))
	require.NoError(t, err)
	got := byWords(t, r, "key")
	require.Greater(t, got["a"], got["b"])
	_, err = c.Upsert(t.Context(), []schema.Document{passage("a", "rotation", "key")})
	require.NoError(t, err)
	require.NoError(t, r.Refresh())
	require.Equal(t, byWords(t, c, "rotation refund key"), byWords(t, r, "rotation refund key"))
	require.Len(t, byWords(t, r, "rotation"), 1)
	require.NotContains(t, byWords(t, r, "refund"), "a")
	require.NoError(t, r.Close())
	require.NoError(t, c.Close())
}

// TestFieldsOfLearnedVectors are refused: their weights are of texts.
func TestFieldsOfLearnedVectors(t *testing.T) {
	x, err := bm25.New(&bm25.Options{Variant: bm25.Dot, Boosts: map[string]float64{"title": 2}})
	require.NoError(t, err)
	_, err = Open("", letters{}, &Options{Words: x, Sparse: synonyms{}})
	require.ErrorIs(t, err, ErrOption)
	require.ErrorContains(t, err, "title")
}

package retrieve

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// synonyms is a sparse model that adds a word of the same meaning.
type synonyms struct {
	name  string
	calls *int
	wrong map[string]float64
}

func (s synonyms) Name() string { return s.name }

func (s synonyms) EmbedSparse(_ context.Context, texts []string) ([]map[string]float64, error) {
	var out []map[string]float64
	for _, t := range texts {
		*s.calls++
		weights := map[string]float64{}
		for w := range strings.FieldsSeq(t) {
			weights[w] = 1
			if w == "vehicle" {
				weights["car"] = .5
			}
		}
		if s.wrong != nil {
			weights = s.wrong
		}
		out = append(out, weights)
	}
	return out, nil
}

func (s synonyms) EmbedSparseQuery(ctx context.Context, query string) (map[string]float64, error) {
	if query == "fail" {
		return nil, errors.New("no model")
	}
	out, err := s.EmbedSparse(ctx, []string{query})
	return out[0], err
}

// TestLearnedSparseVectors: a hybrid search by the weights of a model, which are made once
// for each text, and are those of the model of the file.
func TestLearnedSparseVectors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	calls := 0
	options := func(name string) *Options {
		x, err := bm25.New(&bm25.Options{Variant: bm25.Dot})
		require.NoError(t, err)
		return &Options{Words: x, Sparse: synonyms{name: name, calls: &calls}}
	}
	c, err := Open(path, letters{}, options("one"))
	require.NoError(t, err)
	did, err := c.Sync(t.Context(), "s", docs("red vehicle", "red train", ""))
	require.NoError(t, err)
	require.Equal(t, 3, did.Added)
	require.Equal(t, 3, calls)
	found := func() {
		got, err := c.Search(t.Context(), "car", 3, nil)
		require.NoError(t, err)
		scores := map[string]float64{}
		for _, r := range got {
			scores[r.PageContent] = r.Words
		}
		require.Equal(t, map[string]float64{"red vehicle": .5, "red train": 0}, scores)
	}
	found()
	_, err = c.Search(t.Context(), "fail", 3, nil)
	require.ErrorContains(t, err, "no model")
	before := calls
	_, err = c.Sync(t.Context(), "s", docs("", "red train", "red vehicle")) // moved
	require.NoError(t, err)
	require.Equal(t, before, calls, "no text is given to the model twice")
	require.NoError(t, c.ChangeEmbedder(t.Context(), letters{}, "other"))
	found()
	require.NoError(t, c.Backup(path+"2"))
	require.NoError(t, c.Close())
	before = calls
	for _, path := range []string{path, path + "2"} {
		o := options("one")
		o.EmbedderName = "other"
		c, err = Open(path, letters{}, o)
		require.NoError(t, err)
		require.Equal(t, before, calls)
		found()
		before = calls
		require.NoError(t, c.Close())
	}
	for _, o := range []*Options{options("two"), {Words: words(t)}, nil} {
		_, err = Open(path, letters{name: "other"}, o)
		require.ErrorIs(t, err, ErrEmbedder)
	}
	for _, o := range []*Options{{Sparse: synonyms{}}, {Sparse: synonyms{}, Words: words(t)}, {Sparse: synonyms{}, Words: foreignWords{}}} {
		_, err = Open("", letters{}, o)
		require.ErrorIs(t, err, ErrOption)
	}
	for _, w := range []float64{-1, math.NaN(), math.Inf(1), 1e7} {
		o := options("wrong")
		o.Sparse = synonyms{calls: &calls, wrong: map[string]float64{"a": w}}
		c, err = Open("", letters{}, o)
		require.NoError(t, err)
		_, err = c.Sync(t.Context(), "s", docs("text"))
		require.ErrorIs(t, err, ErrEmbedder)
		require.Zero(t, c.Len())
	}
}

package expand_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/expand"
)

func doc(id, parent string, score float32, more ...string) schema.Document {
	meta := map[string]any{"id": id}
	if parent != "" {
		meta["parent"] = parent
	}
	for i := 0; i+1 < len(more); i += 2 {
		meta[more[i]] = more[i+1]
	}
	return schema.Document{PageContent: "text of " + id, Score: score, Metadata: meta}
}

func ids(passages []schema.Document) string {
	var out []string
	for _, p := range passages {
		out = append(out, fmt.Sprint(p.Metadata["id"]))
	}
	return strings.Join(out, " ")
}

// book has a chapter of two sections, of 2 and 3 parts.
func book(t *testing.T) *expand.Tree {
	t.Helper()
	tree, err := expand.NewTree(
		doc("C", "", 0), doc("S1", "C", 0), doc("S2", "C", 0),
		doc("a", "S1", 0), doc("b", "S1", 0), doc("c", "S2", 0), doc("d", "S2", 0), doc("e", "S2", 0))
	require.NoError(t, err)
	return tree
}

func TestParents(t *testing.T) {
	x, err := expand.NewParents(book(t).Lookup)
	require.NoError(t, err)
	in := []schema.Document{doc("c", "S2", .9), doc("a", "S1", .8), doc("d", "S2", .7), doc("lost", "gone", .6), doc("root", "", .5)}
	out, err := x.Expand(t.Context(), "q", in)
	require.NoError(t, err)
	require.Equal(t, "S2 S1 lost root", ids(out))
	require.EqualValues(t, float32(.9), out[0].Score, "that of the best child")
	out, err = x.Expand(t.Context(), "q", nil)
	require.NoError(t, err)
	require.Empty(t, out)
}

// TestAParentOfAnotherOwnerIsNotReturned: a child can name any parent in its metadata.
func TestAParentOfAnotherOwnerIsNotReturned(t *testing.T) {
	tree, err := expand.NewTree(doc("P", "", 0, "tenant", "acme"), doc("Q", "", 0), doc("G", "", 0, "groups", "staff"))
	require.NoError(t, err)
	x, err := expand.NewParents(tree.Lookup)
	require.NoError(t, err)
	m, err := expand.NewMerge(tree.Lookup, nil)
	require.NoError(t, err)
	in := []schema.Document{doc("1", "P", 0, "tenant", "evil"), doc("2", "P", 0), doc("3", "P", 0, "tenant", "acme"), doc("4", "Q", 0, "tenant", "acme"), doc("5", "G", 0)}
	out, err := x.Expand(t.Context(), "q", in)
	require.NoError(t, err)
	require.Equal(t, "1 2 P 4 5", ids(out))
	out, err = m.Expand(t.Context(), "q", in)
	require.NoError(t, err)
	require.Equal(t, "1 2 P 4 5", ids(out))
}

func TestMergeGoesUp(t *testing.T) {
	m, err := expand.NewMerge(book(t).Lookup, nil)
	require.NoError(t, err)
	for in, want := range map[string]string{
		"a":         "a",
		"c":         "c",
		"a b":       "S1", // one of two sections is not enough for the chapter
		"c d":       "S2",
		"c a d":     "S2 a",
		"c a d b":   "C",
		"a a":       "a a", // one child, found twice
		"S1 a b":    "S1",
		"e x c y d": "S2 x y",
	} {
		var passages []schema.Document
		parents := map[string]string{"a": "S1", "b": "S1", "c": "S2", "d": "S2", "e": "S2", "S1": "C"}
		for id := range strings.FieldsSeq(in) {
			passages = append(passages, doc(id, parents[id], .5))
		}
		out, err := m.Expand(t.Context(), "q", passages)
		require.NoError(t, err)
		if want == "a a" {
			require.Equal(t, "a a", ids(out))
			continue
		}
		require.Equal(t, want, ids(out), in)
	}
}

func TestARingOfParentsEnds(t *testing.T) {
	_, err := expand.NewTree(doc("a", "b", 0), doc("b", "c", 0), doc("c", "a", 0))
	require.ErrorIs(t, err, expand.ErrTree)
	_, err = expand.NewTree(doc("a", "a", 0))
	require.ErrorIs(t, err, expand.ErrTree)
	_, err = expand.NewTree(doc("a", "", 0), doc("a", "", 0))
	require.ErrorIs(t, err, expand.ErrTree)
	_, err = expand.NewTree(schema.Document{})
	require.ErrorIs(t, err, expand.ErrTree)
	ring := func(_ context.Context, ids []string) (map[string]expand.Parent, error) {
		next := map[string]string{"a": "b", "b": "a"}
		out := map[string]expand.Parent{}
		for _, id := range ids {
			out[id] = expand.Parent{Document: doc(id, next[id], 0), Children: 1}
		}
		return out, nil
	}
	m, err := expand.NewMerge(ring, nil)
	require.NoError(t, err)
	out, err := m.Expand(t.Context(), "q", []schema.Document{doc("x", "a", 0)})
	require.NoError(t, err)
	require.Len(t, out, 1)
}

func TestALookupsErrorIsReturned(t *testing.T) {
	down := errors.New("down")
	lookup := func(context.Context, []string) (map[string]expand.Parent, error) { return nil, down }
	x, err := expand.NewParents(lookup)
	require.NoError(t, err)
	_, err = x.Expand(t.Context(), "q", []schema.Document{doc("a", "b", 0)})
	require.ErrorIs(t, err, down)
	w, err := expand.NewWindow(func(context.Context, string) (string, error) { return "", down }, nil)
	require.NoError(t, err)
	_, err = w.Expand(t.Context(), "q", []schema.Document{at("Two.")})
	require.ErrorIs(t, err, down)
}

const source = "One is here. Two is here. Three is here. Four is here. Five is here. Six is here. Seven is here."

func at(part string) schema.Document {
	start := max(0, strings.Index(source, part))
	return schema.Document{PageContent: part, Score: 1, Metadata: map[string]any{"source": "s", "start": start, "end": start + len(part)}}
}

func window(t *testing.T, n int) *expand.Window {
	t.Helper()
	w, err := expand.NewWindow(func(_ context.Context, name string) (string, error) {
		if name == "s" {
			return source, nil
		}
		return "", nil
	}, &expand.WindowOptions{Sentences: n})
	require.NoError(t, err)
	return w
}

func TestWindow(t *testing.T) {
	for _, x := range []struct {
		n        int
		in, want []string
	}{
		{1, []string{"Three is here."}, []string{"Two is here. Three is here. Four is here."}},
		{1, []string{"One is here."}, []string{"One is here. Two is here."}},
		{1, []string{"Seven is here."}, []string{"Six is here. Seven is here."}},
		{100, []string{"Three is here."}, []string{source}},
		{1, []string{"Six is here.", "Two is here.", "Four is here."}, []string{source}}, // they touch
		{1, []string{"ree is he"}, []string{"Two is here. Three is here. Four is here."}},
		{1, []string{"Two is here. Three"}, []string{"One is here. Two is here. Three is here. Four is here."}},
	} {
		var in []schema.Document
		for _, part := range x.in {
			in = append(in, at(part))
		}
		out, err := window(t, x.n).Expand(t.Context(), "q", in)
		require.NoError(t, err)
		var got []string
		for _, p := range out {
			got = append(got, p.PageContent)
			require.Equal(t, p.PageContent, source[p.Metadata["start"].(int):p.Metadata["end"].(int)])
		}
		require.Equal(t, x.want, got, "%v", x.in)
		require.Equal(t, at(x.in[0]), in[0], "what is given is not changed")
	}
}

func TestWindowLeavesWhatItCantPlace(t *testing.T) {
	stale := at("Three is here.")
	stale.PageContent = "Three was here"
	far := at("Three is here.")
	far.Metadata["end"] = 10_000
	other := at("Three is here.")
	other.Metadata["source"] = "unknown"
	for _, p := range []schema.Document{stale, far, other, {PageContent: "x"}, {PageContent: "x", Metadata: map[string]any{"source": "s"}}} {
		out, err := window(t, 1).Expand(t.Context(), "q", []schema.Document{p})
		require.NoError(t, err)
		require.Equal(t, []schema.Document{p}, out)
	}
}

func TestWindowsOfOwnersStayApart(t *testing.T) {
	a, b := at("Three is here."), at("Four is here.")
	b.Metadata["tenant"] = "acme"
	out, err := window(t, 1).Expand(t.Context(), "q", []schema.Document{a, b})
	require.NoError(t, err)
	require.Len(t, out, 2)
}

func TestOptionsThatCannotWork(t *testing.T) {
	_, err := expand.NewParents(nil)
	require.ErrorIs(t, err, expand.ErrOption)
	_, err = expand.NewMerge(nil, nil)
	require.ErrorIs(t, err, expand.ErrOption)
	_, err = expand.NewMerge(book(t).Lookup, &expand.MergeOptions{Share: 1.5})
	require.ErrorIs(t, err, expand.ErrOption)
	_, err = expand.NewWindow(nil, nil)
	require.ErrorIs(t, err, expand.ErrOption)
	_, err = expand.NewWindow(func(context.Context, string) (string, error) { return "", nil }, &expand.WindowOptions{Sentences: -1})
	require.ErrorIs(t, err, expand.ErrOption)
}

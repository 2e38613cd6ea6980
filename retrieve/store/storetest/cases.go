package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

func all(ctx context.Context, t *testing.T, s Subject, where retrieve.Filter) []string {
	t.Helper()
	found, err := s.Search(ctx, "a question", 100, &retrieve.Query{Where: where})
	require.NoError(t, err, where.String())
	return idsOf(found, func(r retrieve.Result) schema.Document { return r.Document })
}

func (s Setup) changes(t *testing.T) {
	ctx := context.Background()
	e := &Embedder{}
	x := s.New(t, e)
	docs := []schema.Document{doc("a", "how to return a toaster"), doc("b", "the opening hours"), doc("c", "how to return a kettle")}
	did, err := x.Upsert(ctx, docs)
	require.NoError(t, err)
	require.Equal(t, retrieve.Changes{Added: 3, Embedded: 3}, did)
	did, err = x.Upsert(ctx, docs)
	require.NoError(t, err)
	require.Equal(t, retrieve.Changes{Kept: 3}, did)
	require.Equal(t, 3, e.Texts())

	found, err := x.Search(ctx, "how to return a toaster", 2, nil)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, "how to return a toaster", found[0].PageContent)
	require.InDelta(t, 1, found[0].Cosine, 1e-4)
	require.Greater(t, found[0].Cosine, found[1].Cosine)
	require.Equal(t, "c", found[1].Metadata["id"])

	// The same text with other metadata isn't embedded again, and replaces the old.
	did, err = x.Upsert(ctx, []schema.Document{doc("a", "how to return a toaster", "lang", "en")})
	require.NoError(t, err)
	require.Equal(t, retrieve.Changes{Added: 1}, did)
	did, err = x.Upsert(ctx, []schema.Document{doc("b", "closed on Sunday")})
	require.NoError(t, err)
	require.Equal(t, retrieve.Changes{Added: 1, Embedded: 1}, did)
	require.ElementsMatch(t, []string{"a", "b", "c"}, all(ctx, t, x, retrieve.Filter{}))
	require.Equal(t, []string{"a"}, all(ctx, t, x, retrieve.Eq("lang", "en")))

	n, err := x.Delete(ctx, "a", "nothing", "a")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ElementsMatch(t, []string{"b", "c"}, all(ctx, t, x, retrieve.Filter{}))
	_, err = x.Delete(ctx, "b", "c")
	require.NoError(t, err)
	require.Empty(t, all(ctx, t, x, retrieve.Filter{}))
	ids, err := x.AddDocuments(ctx, docs)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, ids)
	three, err := x.SimilaritySearch(ctx, "how to return a toaster", 3)
	require.NoError(t, err)
	require.Equal(t, "a", three[0].Metadata["id"])
	near, err := x.SimilaritySearch(ctx, "how to return a toaster", 3, vectorstores.WithScoreThreshold(0.999))
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, idsOf(near, func(d schema.Document) schema.Document { return d }))
	relevant, err := x.GetRelevantDocuments(ctx, "hours")
	require.NoError(t, err)
	require.Len(t, relevant, 3)
}

func (s Setup) empty(t *testing.T) {
	ctx := context.Background()
	e := &Embedder{}
	x := s.New(t, e)
	require.Empty(t, all(ctx, t, x, retrieve.Filter{}))
	require.Empty(t, all(ctx, t, x, retrieve.Eq("never", "seen")))
	for _, docs := range [][]schema.Document{nil, {}} {
		ids, err := x.AddDocuments(ctx, docs)
		require.NoError(t, err)
		require.Empty(t, ids)
		did, err := x.Upsert(ctx, docs)
		require.NoError(t, err)
		require.Zero(t, did)
	}
	_, err := x.UpsertRecords(ctx, nil)
	require.NoError(t, err)
	require.Zero(t, e.Texts())

	_, err = x.Upsert(ctx, []schema.Document{{PageContent: "no metadata at all"}, doc("e", ""), doc("f", "some words")})
	require.NoError(t, err)
	require.Len(t, all(ctx, t, x, retrieve.Filter{}), 3)
	for range 2 { // an empty list of ids deletes nothing
		n, err := x.Delete(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = x.Delete(ctx, "")
		require.NoError(t, err)
		require.Zero(t, n)
	}
	require.Len(t, all(ctx, t, x, retrieve.Filter{}), 3)
	found, err := x.Search(ctx, "(zero)", 3, nil)
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = x.Search(ctx, "words", 0, nil)
	require.Error(t, err)
	_, err = x.SimilaritySearch(ctx, "words", -1)
	require.Error(t, err)
	_, err = x.Search(ctx, "words", 1, &retrieve.Query{Where: retrieve.Filter{Op: 99}})
	require.ErrorIs(t, err, retrieve.ErrFilter)
	_, err = x.SimilaritySearch(ctx, "words", 1, vectorstores.WithNameSpace("x' OR 'a'='a"))
	require.Error(t, err)
	_, err = x.AddDocuments(ctx, nil, vectorstores.WithNameSpace("other"))
	require.Error(t, err)
}

// nasty are texts that other stores have taken for a part of a query.
var nasty = []string{
	`zzz' OR '1'='1`, `x' OR 'a'='a`, `x') OR 1=1 --`, `O'Brien`, `"; DROP TABLE passages; --`, `") { id } } #`,
	`\`, `\\'`, `a"b`, `{"$ne": 1}`, `$or`, `*`, `a|b`, `a}`, `%`, `_`, `null`, `true`, "line\nbreak\ttab", `{{x}}`, `${x}`,
	"3f2a-11-bb", "日本語", "🙂", "e\u0301", "\u00e9", " a ", "a.b", "a[0]", "a\u2028b", "#document",
}

func (s Setup) roundTrip(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	meta := map[string]any{"n": 3, "big": 9007199254740991, "f": 1.5, "small": 1e-9, "yes": true, "no": false, "null": nil, "empty": "", "list": []any{"a", 1, true, nil},
		"strings": []string{"x", "y"}, "numbers": []int{1, 2}, "none": []any{}, "nested": map[string]any{"a": map[string]any{"b": []any{1, "c"}}}, "source": "manual.md", "start": 7, "end": 99}
	var docs []schema.Document
	for i, id := range nasty {
		m := maps.Clone(meta)
		m["id"], m[id], m["same"] = id, i, id
		docs = append(docs, schema.Document{PageContent: "text " + id, Metadata: m})
	}
	before := make([]map[string]any, len(docs))
	for i, d := range docs {
		before[i] = maps.Clone(d.Metadata)
	}
	_, err := x.Upsert(ctx, docs)
	require.NoError(t, err)
	for i, d := range docs {
		require.Equal(t, before[i], d.Metadata, "the caller's map was changed")
		require.Equal(t, "text "+nasty[i], d.PageContent)
	}
	found, err := x.Search(ctx, "text", 100, nil)
	require.NoError(t, err)
	got := map[string]schema.Document{}
	for _, r := range found {
		got[fmt.Sprint(r.Metadata["id"])] = r.Document
	}
	require.Len(t, got, len(nasty))
	for i, d := range docs {
		want, err := retrieve.NewRecord(d)
		require.NoError(t, err)
		require.Equal(t, want.Metadata, got[nasty[i]].Metadata)
		require.Equal(t, want.PageContent, got[nasty[i]].PageContent)
		got[nasty[i]].Metadata["n"] = "changed by the caller"
	}
	again, err := x.Search(ctx, "text", 1, nil)
	require.NoError(t, err)
	require.InDelta(t, 3, again[0].Metadata["n"], 0)
	n, err := x.Delete(ctx, nasty...)
	require.NoError(t, err)
	require.Equal(t, len(nasty), n)
}

func (s Setup) narrow(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	var docs []schema.Document
	for i := range 300 {
		docs = append(docs, doc(fmt.Sprintf("d%03d", i), fmt.Sprintf("how to return item %d", i), "n", i, "part", "common"))
	}
	docs[250] = doc("needle", "opening hours on Sunday", "part", "rare")
	_, err := x.Upsert(ctx, docs)
	require.NoError(t, err)
	for range 8 { // PostgreSQL keeps a plan after five times
		found, err := x.Search(ctx, "how to return item 7", 4, &retrieve.Query{Where: retrieve.Eq("part", "rare")})
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, "needle", found[0].Metadata["id"])
		found, err = x.Search(ctx, "how to return item 7", 12, &retrieve.Query{Where: retrieve.Less("n", 20)})
		require.NoError(t, err)
		require.Len(t, found, 12)
	}
	found, err := x.Search(ctx, "how to return", 1000, nil)
	require.NoError(t, err)
	require.Len(t, found, 300)
}

func (s Setup) hostile(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	_, err := x.Upsert(ctx, []schema.Document{doc("1", "one", "color", "red"), doc("2", "two", "color", "blue", "tenant", "a"), doc("3", "three", "tenant", "foo-bar"), doc("4", "four", "tenant", "\ufffd")})
	require.NoError(t, err)
	for _, text := range nasty {
		require.Empty(t, all(ctx, t, x, retrieve.In("color", text, text+"'")), text)
		require.Equal(t, []string{"1"}, all(ctx, t, x, retrieve.Ne("color", text)), text)
		require.Equal(t, []string{"1"}, all(Caller(ctx, text), t, x, retrieve.Filter{}), "tenant %s", text)
		require.Equal(t, []string{"1"}, all(Caller(ctx, "", text), t, x, retrieve.Filter{}), "group %s", text)
		require.Empty(t, all(ctx, t, x, retrieve.Or(retrieve.In(text, "red", true), retrieve.Exists(text), retrieve.Less(text, 1))), text)
		n, err := x.Delete(ctx, text)
		require.NoError(t, err)
		require.Zero(t, n, text)
	}
	for _, tenant := range []string{"foo", "fo", "foo-", "foo-bar-", "FOO-BAR", "*", "foo%", "foo_bar", "\xff", "\ufffd\ufffd"} {
		require.Equal(t, []string{"1"}, all(Caller(ctx, tenant), t, x, retrieve.Filter{}), tenant)
	}
	require.Equal(t, 3, len(all(Caller(ctx, "a"), t, x, retrieve.Filter{}))+len(all(Caller(ctx, "foo-bar"), t, x, retrieve.Filter{}))-1)
}

func (s Setup) access(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	_, err := x.Upsert(ctx, []schema.Document{
		doc("public", "text"), doc("empty", "text", "tenant", ""), doc("null", "text", "tenant", nil, "groups", nil),
		doc("a", "text", "tenant", "a"), doc("b", "text", "tenant", "b"),
		doc("hr", "text", "tenant", "a", "groups", []string{"hr", "board"}), doc("board", "text", "groups", []any{"board"}),
	})
	require.NoError(t, err)
	for _, c := range []struct {
		tenant string
		groups []string
		want   []string
	}{
		{"", nil, []string{"public", "empty", "null"}},
		{"", []string{"hr"}, []string{"public", "empty", "null"}},
		{"a", nil, []string{"public", "empty", "null", "a"}},
		{"a", []string{"hr", ""}, []string{"public", "empty", "null", "a", "hr"}},
		{"b", []string{"board"}, []string{"public", "empty", "null", "b", "board"}},
		{"c", nil, []string{"public", "empty", "null"}},
	} {
		who := Caller(ctx, c.tenant, c.groups...)
		require.ElementsMatch(t, c.want, all(who, t, x, retrieve.Filter{}), "%+v", c)
		require.ElementsMatch(t, c.want, all(who, t, x, retrieve.Or(retrieve.Exists("id"), retrieve.Eq("tenant", "b"))), "a filter must not widen: %+v", c)
		docs, err := x.SimilaritySearch(who, "text", 50)
		require.NoError(t, err)
		require.ElementsMatch(t, c.want, idsOf(docs, func(d schema.Document) schema.Document { return d }))
		few, err := x.GetRelevantDocuments(who, "text")
		require.NoError(t, err)
		require.Subset(t, c.want, idsOf(few, func(d schema.Document) schema.Document { return d }))
	}
}

func (s Setup) bad(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	_, err := x.Upsert(ctx, []schema.Document{doc("a", "one"), doc("a", "two")})
	require.ErrorIs(t, err, retrieve.ErrID)
	_, err = x.Upsert(ctx, []schema.Document{doc("a", "one"), doc("a", "one")})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, all(ctx, t, x, retrieve.Filter{}))
	_, err = x.Upsert(ctx, []schema.Document{doc("c", "text", "bad", func() {})})
	require.Error(t, err)
	_, err = x.Upsert(ctx, []schema.Document{doc("utf8", "not \xff UTF-8", "m", "\xff")})
	require.NoError(t, err)
	_, err = x.UpsertRecords(ctx, []retrieve.Record{{Document: doc("v", "short"), Vector: []float32{1}}})
	require.ErrorIs(t, err, retrieve.ErrEmbedder)
	if _, isStore := x.(*store.Store); !isStore {
		return
	}
	// A store names the bad ones and keeps the others.
	docs := []schema.Document{doc("g1", "good"), doc("b1", "bad", "tenant", 7), doc("g2", "good"), doc("b2", "bad", "groups", []any{}), doc("b3", "bad", "x", make(chan int)), doc("g3", "good")}
	bad := []string{"b1", "b2", ""}
	if s.NoNUL {
		docs = append(docs, doc("n1", "a\x00b"), doc("n2", "text", "key", "a\x00b"), doc("g4", "good"))
		bad = append(bad, "n1", "n2")
	}
	_, err = x.Upsert(ctx, docs)
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.ErrorIs(t, err, store.ErrDocument)
	require.Equal(t, bad, some.IDs())
	require.NoError(t, some.Cause)
	found := all(Caller(ctx, "7"), t, x, retrieve.Filter{})
	require.Subset(t, found, []string{"g1", "g2", "g3"})
	require.NotContains(t, found, "b1")
	require.NotContains(t, found, "b2")
}

func (s Setup) canceled(t *testing.T) {
	x := s.New(t, &Embedder{})
	_, err := x.Upsert(context.Background(), []schema.Document{doc("a", "one")})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = x.Search(ctx, "one", 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	if _, isStore := x.(*store.Store); isStore {
		_, err = x.Delete(ctx, "a")
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err = x.Upsert(ctx, []schema.Document{doc("b", "two"), doc("c", "three")})
	require.ErrorIs(t, err, context.Canceled)
	var some *store.UpsertError
	if errors.As(err, &some) {
		require.Equal(t, []string{"b", "c"}, some.IDs())
	}
	require.Equal(t, []string{"a"}, all(context.Background(), t, x, retrieve.Filter{}))
}

func (s Setup) copies(t *testing.T) {
	ctx := context.Background()
	e := &Embedder{}
	x, y := s.New(t, e), s.New(t, &Embedder{})
	var docs []schema.Document
	for i := range 57 {
		docs = append(docs, doc(fmt.Sprintf("%s %d", nasty[i%len(nasty)], i), fmt.Sprintf("passage %d", i), "n", i, "tenant", []any{"a", "b", nil}[i%3]))
	}
	_, err := x.Upsert(ctx, docs)
	require.NoError(t, err)
	var steps []int
	did, err := store.Copy(ctx, x, y, &store.CopyOptions{Batch: 10, Progress: func(c store.Copied) { steps = append(steps, c.Read) }})
	require.NoError(t, err)
	require.Equal(t, 57, did.Written)
	require.Empty(t, did.Cursor)
	require.GreaterOrEqual(t, len(steps), 6)
	home, err := retrieve.Open("", e, &retrieve.Options{Tenant: Tenant})
	require.NoError(t, err)
	for range 2 { // it can be repeated
		_, err = store.Copy(ctx, y, home, nil)
		require.NoError(t, err)
		require.Equal(t, 57, home.Len())
	}
	require.Equal(t, 57, e.Texts(), "a copy embeds nothing")
	for _, tenant := range []string{"", "a", "b"} {
		who := Caller(ctx, tenant)
		require.ElementsMatch(t, all(who, t, x, retrieve.Filter{}), all(who, t, y, retrieve.Filter{}))
		found, err := home.Search(who, "passage 7", 100, nil)
		require.NoError(t, err)
		require.ElementsMatch(t, all(who, t, x, retrieve.Filter{}), idsOf(found, func(r retrieve.Result) schema.Document { return r.Document }))
	}
}

func (s Setup) concurrent(t *testing.T) {
	ctx := context.Background()
	x := s.New(t, &Embedder{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5 {
				id := fmt.Sprintf("w%d-%d", w, i)
				_, err := x.Upsert(ctx, []schema.Document{doc(id, "text "+id, "w", w, fmt.Sprintf("new%d", w), i), doc("shared", fmt.Sprintf("text %d", w))})
				if err != nil {
					t.Error(err)
				}
				if _, err := x.Search(ctx, "text", 3, &retrieve.Query{Where: retrieve.AtLeast("w", w)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, all(ctx, t, x, retrieve.Filter{}), 21)
}

// dies kills the connection at several moments of an upsert of ten batches. What isn't
// named as failed must be stored.
func (s Setup) dies(t *testing.T) {
	for _, delay := range []time.Duration{0, 200 * time.Microsecond, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond} {
		ctx := context.Background()
		e := &Embedder{}
		healthy, dying, kill := s.Dying(t, e)
		e.Before = func(call int) {
			switch {
			case call == 4 && delay == 0:
				kill()
			case call == 4:
				time.AfterFunc(delay, kill)
			}
		}
		var docs []schema.Document
		for i := range 1000 {
			docs = append(docs, doc(fmt.Sprintf("d%03d", i), "text "+strings.Repeat("long ", i%7)))
		}
		did, err := dying.Upsert(ctx, docs)
		var some *store.UpsertError
		if err == nil { // the connection outlived the upsert
			require.NotZero(t, delay)
			continue
		}
		require.ErrorAs(t, err, &some)
		require.Error(t, some.Cause)
		require.Equal(t, len(docs), did.Added+len(some.Failed))
		require.GreaterOrEqual(t, did.Added, 300, "three batches were acknowledged")
		failed := map[string]bool{}
		for _, f := range some.Failed {
			require.Error(t, f.Err)
			failed[f.ID] = true
		}
		there := map[string]bool{}
		_, err = store.Copy(ctx, healthy, sink(func(r retrieve.Record) { there[r.ID()] = true }), nil)
		require.NoError(t, err)
		for _, d := range docs {
			id := fmt.Sprint(d.Metadata["id"])
			require.True(t, there[id] || failed[id], "%s is acknowledged and lost", id)
		}
		// Upserting what is named completes it.
		var rest []schema.Document
		for _, f := range some.Failed {
			rest = append(rest, docs[f.Index])
		}
		_, err = healthy.Upsert(ctx, rest)
		require.NoError(t, err)
		n := 0
		_, err = store.Copy(ctx, healthy, sink(func(retrieve.Record) { n++ }), nil)
		require.NoError(t, err)
		require.Equal(t, len(docs), n)
	}
}

// A sink looks at the records of a copy.
type sink func(retrieve.Record)

func (s sink) UpsertRecords(_ context.Context, records []retrieve.Record) (retrieve.Changes, error) {
	for _, r := range records {
		s(r)
	}
	return retrieve.Changes{Added: len(records)}, nil
}

package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/cache"
)

// lengths is an embedder whose vectors are lengths of texts. It remembers its batches.
type lengths struct {
	mu      sync.Mutex
	batches [][]string
	during  func(ctx context.Context, texts []string) error
}

func (l *lengths) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	l.mu.Lock()
	l.batches = append(l.batches, slices.Clone(texts))
	l.mu.Unlock()
	if l.during != nil {
		if err := l.during(ctx, texts); err != nil {
			return nil, err
		}
	}
	var out [][]float32
	for _, t := range texts {
		out = append(out, []float32{float32(len(t)), .1})
	}
	return out, nil
}

func (l *lengths) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	out, err := l.EmbedDocuments(ctx, []string{"query: " + text})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func TestOptions(t *testing.T) {
	for _, err := range []error{second(NewEmbedder(nil, "m", nil)), second(NewEmbedder(&lengths{}, "", nil)),
		second(NewRetriever(nil, "i", nil)), second(NewRetriever(shelf(nil), "", nil))} {
		require.ErrorIs(t, err, ErrOption)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOnlyMissingTextsAreSent(t *testing.T) {
	l := &lengths{}
	e, err := NewEmbedder(l, "m", nil)
	require.NoError(t, err)
	ask := func(texts ...string) {
		t.Helper()
		vectors, err := e.EmbedDocuments(t.Context(), texts)
		require.NoError(t, err)
		require.Len(t, vectors, len(texts))
		for i, v := range vectors {
			require.Equal(t, []float32{float32(len(texts[i])), .1}, v, "in the order of the texts")
			v[0] = -1 // the caller's own
		}
	}
	ask("a", "bb", "a")
	ask("bb", "ccc", "a", "dddd", "\xff", "\xfe")
	ask("bb", "ccc", "a", "dddd", "\xfe", "\xff")
	ask()
	require.Equal(t, [][]string{{"a", "bb"}, {"ccc", "dddd", "\xff", "\xfe"}}, l.batches)
	q, err := e.EmbedQuery(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 8, q[0], "a question is no document")
	require.Equal(t, Stats{Hits: 8, Shared: 1, Misses: 7}, e.Stats())
	require.Equal(t, l, e.Unwrap())
}

// Results of the wrapped embedder that can't be right are not stored.
func TestBadResults(t *testing.T) {
	for _, vector := range [][]float32{nil, {}, {float32(math.NaN())}, {float32(math.Inf(1))}} {
		n := 0
		e, err := NewEmbedder(fixed(func(texts []string) [][]float32 {
			n++
			return slices.Repeat([][]float32{vector}, len(texts))
		}), "m", nil)
		require.NoError(t, err)
		for range 2 {
			got, err := e.EmbedDocuments(t.Context(), []string{"a"})
			require.NoError(t, err)
			require.Len(t, got[0], len(vector))
		}
		require.Equal(t, 2, n)
	}
	e, err := NewEmbedder(fixed(func([]string) [][]float32 { return make([][]float32, 3) }), "m", nil)
	require.NoError(t, err)
	_, err = e.EmbedDocuments(t.Context(), []string{"a"})
	require.ErrorIs(t, err, ErrResult)
}

type fixed func([]string) [][]float32

func (f fixed) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	return f(texts), nil
}
func (f fixed) EmbedQuery(context.Context, string) ([]float32, error) { return nil, nil }

func TestConcurrentBatchesShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lengths{during: func(ctx context.Context, _ []string) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		e, err := NewEmbedder(l, "m", nil)
		require.NoError(t, err)
		leader, cancel := context.WithCancel(t.Context())
		go func() { _, _ = e.EmbedDocuments(leader, []string{"a", "b"}) }()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				got, err := e.EmbedDocuments(t.Context(), []string{"b", "c"})
				if err != nil || len(got) != 2 || got[1][0] != 1 {
					t.Error(got, err)
				}
			})
		}
		synctest.Wait()
		cancel() // the others still wait for b
		wg.Wait()
		require.Equal(t, [][]string{{"a", "b"}, {"c"}}, l.batches)

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = e.EmbedDocuments(ctx, []string{"x"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = e.EmbedDocuments(t.Context(), []string{"x"})
		require.NoError(t, err, "a batch without callers is canceled, and joined by no later call")
		require.Empty(t, e.flights.keys)
	})
}

// One text that the embedder refuses fails its own caller only.
func TestAnotherCallersTextFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("too long")
		l := &lengths{during: func(_ context.Context, texts []string) error {
			time.Sleep(time.Second)
			if slices.Contains(texts, "bad") {
				return refused
			}
			return nil
		}}
		e, err := NewEmbedder(l, "m", nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.EmbedDocuments(t.Context(), []string{"good", "bad"})
			if !errors.Is(err, refused) {
				t.Error(err)
			}
		})
		synctest.Wait()
		got, err := e.EmbedDocuments(t.Context(), []string{"good"})
		require.NoError(t, err)
		require.EqualValues(t, 4, got[0][0])
		wg.Wait()
	})
}

func TestPanicReachesTheCaller(t *testing.T) {
	e, err := NewEmbedder(&lengths{during: func(context.Context, []string) error { panic("no") }}, "m", nil)
	require.NoError(t, err)
	require.PanicsWithValue(t, "no", func() { _, _ = e.EmbedDocuments(t.Context(), []string{"a"}) })
}

// shelf is a retriever; it counts its searches.
type shelf func(query string) ([]schema.Document, error)

func (s shelf) GetRelevantDocuments(_ context.Context, query string) ([]schema.Document, error) {
	return s(query)
}

type tenant struct{}

func TestRetriever(t *testing.T) {
	n, version := 0, "1"
	now := time.Unix(0, 0)
	r, err := NewRetriever(shelf(func(q string) ([]schema.Document, error) {
		n++
		switch q {
		case "fail":
			return nil, errors.New("down")
		case "nothing":
			return nil, nil
		case "binary":
			return []schema.Document{{PageContent: "\xff"}}, nil
		case "func":
			return []schema.Document{{Metadata: map[string]any{"f": func() {}}}}, nil
		}
		return []schema.Document{{PageContent: fmt.Sprint(q, n, " \ufffd"), Metadata: map[string]any{"id": "x", "start": 7, "p": .5, "deep": []any{map[string]any{"n": 1}}}, Score: .25}}, nil
	}), "i", &Options{EmptyTTL: 10 * time.Second, Now: func() time.Time { return now },
		Version: func(context.Context) string { return version },
		Tenant:  func(ctx context.Context) string { s, _ := ctx.Value(tenant{}).(string); return s }})
	require.NoError(t, err)
	ask := func(who, q string, want int) []schema.Document {
		t.Helper()
		docs, err := r.GetRelevantDocuments(context.WithValue(t.Context(), tenant{}, who), q)
		require.Equal(t, q == "fail", err != nil)
		require.Equal(t, want, n)
		return docs
	}
	first := ask("a", "q", 1)
	again := ask("a", "q", 1)
	require.Equal(t, first, again)
	again[0].Metadata["id"] = "changed"
	again[0].Metadata["deep"].([]any)[0].(map[string]any)["n"] = 2
	require.Equal(t, first, ask("a", "q", 1), "a copy each time")
	ask("b", "q", 2)
	ask("", "q", 3)
	ask("", "q", 4)
	ask("a", "fail", 5)
	ask("a", "fail", 6)
	ask("a", "nothing", 7)
	ask("a", "nothing", 7)
	now = now.Add(10 * time.Second)
	ask("a", "nothing", 8)
	ask("a", "q", 8)
	version = "2"
	ask("a", "q", 9)
	require.Equal(t, "\xff", ask("a", "binary", 10)[0].PageContent)
	ask("a", "binary", 11)
	require.Len(t, ask("a", "func", 12), 1)
	now = now.Add(time.Minute)
	ask("a", "q", 13)
	require.EqualValues(t, 2, r.Stats().Bypassed)
}

func TestErase(t *testing.T) {
	l := &lengths{}
	var e *Embedder
	e, err := NewEmbedder(l, "m", &Options{Attributes: func(context.Context) map[string]string { return map[string]string{"user": "ann"} }})
	require.NoError(t, err)
	ask := func(want int) {
		t.Helper()
		_, err := e.EmbedDocuments(t.Context(), []string{"a"})
		require.NoError(t, err)
		require.Len(t, l.batches, want)
	}
	erase := func(user string, want int) {
		t.Helper()
		n, err := e.Erase(t.Context(), cache.Selection{Model: "m", Attributes: map[string]string{"user": user}})
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	ask(1)
	erase("bob", 0)
	ask(1)
	erase("ann", 1)
	l.during = func(context.Context, []string) error { erase("ann", 0); return nil }
	ask(2)
	l.during = nil
	ask(3) // what was in progress was not stored
	ask(3)
	e, err = NewEmbedder(l, "m", &Options{Store: broken{}})
	require.NoError(t, err)
	_, err = e.Erase(t.Context(), cache.Selection{})
	require.ErrorIs(t, err, cache.ErrNoErase)
	ask(4) // a store that is down never fails a call
	require.EqualValues(t, 2, e.Stats().StoreErrors)
}

type broken struct{}

func (broken) Get(context.Context, cache.Key) (*cache.Entry, error) { return nil, errors.New("down") }
func (broken) Put(context.Context, cache.Key, *cache.Entry) error   { return errors.New("down") }

// FuzzDecode: a damaged store gives a miss, never a panic, and documents survive.
func FuzzDecode(f *testing.F) {
	f.Add(`[{"PageContent":"a","Metadata":{"n":1},"Score":0.5}]`)
	f.Add("[{}]")
	f.Add("abcd")
	f.Fuzz(func(t *testing.T, s string) {
		v := decodeVector(s)
		require.True(t, strings.HasPrefix(s, encodeVector(v)))
		docs, err := decodeDocuments(s)
		if err != nil {
			return
		}
		again, ok := encodeDocuments(docs)
		if !ok {
			return
		}
		same, err := decodeDocuments(again)
		require.NoError(t, err)
		require.Equal(t, docs, same)
	})
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// The collection in one process is the reference for all databases.
func TestCollectionIsAStore(t *testing.T) {
	storetest.Run(t, storetest.Setup{New: func(t *testing.T, e embeddings.Embedder) storetest.Subject {
		c, err := retrieve.Open("", e, &retrieve.Options{Tenant: storetest.Tenant, Groups: storetest.Groups})
		require.NoError(t, err)
		return c
	}})
}

func TestStoreOfADatabaseInMemory(t *testing.T) {
	storetest.Run(t, storetest.Setup{New: func(t *testing.T, e embeddings.Embedder) storetest.Subject {
		return storetest.Open(t, newMemory(), e)
	}})
}

func docs(n int) []schema.Document {
	out := make([]schema.Document, n)
	for i := range out {
		out[i] = schema.Document{PageContent: fmt.Sprintf("text %d", i), Metadata: map[string]any{"id": fmt.Sprintf("d%03d", i)}}
	}
	return out
}

func TestOneRefusedDocumentIsFoundByHalves(t *testing.T) {
	m := newMemory()
	refused := map[string]bool{"d003": true, "d071": true}
	m.upsert = func(records []retrieve.Record) error {
		for _, r := range records {
			if refused[r.ID()] {
				return &store.Error{Database: "memory", Op: "upsert", Fault: store.FaultRecords, Status: 400, Err: errors.New("refused")}
			}
		}
		return nil
	}
	s := storetest.Open(t, m, &storetest.Embedder{})
	did, err := s.Upsert(context.Background(), docs(120))
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.NoError(t, some.Cause)
	require.Equal(t, []string{"d003", "d071"}, some.IDs())
	require.Equal(t, []int{3, 71}, []int{some.Failed[0].Index, some.Failed[1].Index})
	require.Equal(t, 118, did.Added)
	require.Len(t, m.rows, 118)
	require.Less(t, len(m.sizes), 40, "halves, not one by one: %v", m.sizes)
	require.ErrorContains(t, err, "2 of 120 documents are not stored")
}

func TestRefusedRecordsThatAreNamedStayOut(t *testing.T) {
	m := newMemory()
	m.upsert = func(records []retrieve.Record) error {
		var some store.UpsertError
		for i, r := range records {
			if i%10 == 0 {
				some.Failed = append(some.Failed, store.Failure{ID: r.ID(), Err: errors.New("vector too long")})
			}
		}
		return &some
	}
	s := storetest.Open(t, m, &storetest.Embedder{})
	did, err := s.Upsert(context.Background(), docs(60))
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.Equal(t, []string{"d000", "d010", "d020", "d030", "d040", "d050"}, some.IDs())
	require.Equal(t, 54, did.Added)
	_, err = s.AddDocuments(context.Background(), docs(60))
	require.ErrorAs(t, err, &some, "no ids are returned for what isn't stored")
}

func TestABatchIsEmbeddedWhenItIsWritten(t *testing.T) {
	m := newMemory()
	calls := 0
	m.upsert = func([]retrieve.Record) error {
		if calls++; calls >= 5 {
			return &store.Error{Database: "memory", Op: "upsert", Err: errors.New("HTTP 401")}
		}
		return nil
	}
	e := &storetest.Embedder{}
	s := storetest.Open(t, m, e)
	_, err := s.Upsert(context.Background(), docs(500))
	var some *store.UpsertError
	require.ErrorAs(t, err, &some)
	require.Len(t, some.Failed, 300)
	require.ErrorContains(t, some.Cause, "401")
	require.Equal(t, 250, e.Texts(), "only what was tried is embedded")
	m.upsert = nil
	did, err := s.Upsert(context.Background(), docs(500))
	require.NoError(t, err)
	require.Equal(t, retrieve.Changes{Added: 300, Kept: 200, Embedded: 300}, did)
}

func TestTemporaryFaultsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		fails := 3
		var asked time.Duration
		m.upsert = func([]retrieve.Record) error {
			if fails--; fails >= 0 {
				return fmt.Errorf("wrapped: %w", &store.Error{Database: "memory", Op: "upsert", Fault: store.FaultTemporary, Status: 429, After: asked, Err: errors.New("slow down")})
			}
			return nil
		}
		s, err := store.New(m, &storetest.Embedder{}, nil)
		require.NoError(t, err)
		began := time.Now()
		_, err = s.Upsert(context.Background(), docs(1))
		require.NoError(t, err)
		took := time.Since(began)
		require.GreaterOrEqual(t, took, (250+500+1000)*time.Millisecond/2)
		require.LessOrEqual(t, took, (250+500+1000)*time.Millisecond)

		fails, asked = 1, 10*time.Second // what the database asks for counts
		began = time.Now()
		_, err = s.Upsert(context.Background(), docs(2))
		require.NoError(t, err)
		require.Equal(t, asked, time.Since(began))

		fails, asked = 1000, time.Hour
		ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
		defer cancel()
		began = time.Now()
		_, err = s.Upsert(ctx, docs(3))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 90*time.Second, time.Since(began))

		fails, asked = 1000, 0
		_, err = s.Upsert(context.Background(), docs(300))
		var e *store.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 429, e.HTTPStatus())
		require.Equal(t, 1000-4, fails, "the batches after it are not tried")
		require.NotErrorIs(t, err, io.EOF)
	})
}

func TestCopyGoesOnFromItsCursor(t *testing.T) {
	ctx := context.Background()
	from := storetest.Open(t, newMemory(), &storetest.Embedder{})
	_, err := from.Upsert(ctx, docs(100))
	require.NoError(t, err)
	to := newMemory()
	writes := 0
	to.upsert = func(records []retrieve.Record) error {
		if writes++; writes > 3 {
			return &store.Error{Database: "memory", Op: "upsert", Err: errors.New("down")}
		}
		if records[0].ID() == "d010" {
			return &store.UpsertError{Failed: []store.Failure{{ID: "d013", Err: errors.New("refused")}}}
		}
		return nil
	}
	sink := storetest.Open(t, to, &storetest.Embedder{})
	did, err := store.Copy(ctx, from, sink, &store.CopyOptions{Batch: 10})
	require.ErrorContains(t, err, "down")
	require.Equal(t, 30, did.Read)
	require.Equal(t, 29, did.Written)
	require.Equal(t, 13, did.Failed[0].Index)
	to.upsert = nil
	did, err = store.Copy(ctx, from, sink, &store.CopyOptions{Batch: 10, Cursor: did.Cursor})
	require.NoError(t, err)
	require.Equal(t, 70, did.Written)
	require.Len(t, to.rows, 99)
	_, err = store.Copy(ctx, nil, sink, nil)
	require.ErrorIs(t, err, store.ErrOption)
	_, err = store.Copy(ctx, from, sink, &store.CopyOptions{Batch: -1})
	require.ErrorIs(t, err, store.ErrOption)
}

type wrongEmbedder struct{ storetest.Embedder }

func (*wrongEmbedder) EmbedQuery(context.Context, string) ([]float32, error) {
	return make([]float32, 384), nil
}
func (*wrongEmbedder) EmbedDocuments(context.Context, []string) ([][]float32, error) {
	return [][]float32{make([]float32, 384)}, nil
}

func TestWrongEmbeddersAreErrors(t *testing.T) {
	m := newMemory()
	s := storetest.Open(t, m, &wrongEmbedder{})
	_, err := s.Search(context.Background(), "q", 1, nil)
	require.ErrorIs(t, err, retrieve.ErrEmbedder)
	for n := range 3 {
		_, err = s.Upsert(context.Background(), docs(n+1))
		require.ErrorIs(t, err, retrieve.ErrEmbedder)
	}
	require.Empty(t, m.rows)
	_, err = s.Search(context.Background(), "q", 1, &retrieve.Query{Filter: func(map[string]any) bool { return true }})
	require.ErrorIs(t, err, store.ErrOption)
}

func TestOptions(t *testing.T) {
	_, err := store.New(nil, &storetest.Embedder{}, nil)
	require.ErrorIs(t, err, store.ErrOption)
	_, err = store.New(newMemory(), nil, nil)
	require.ErrorIs(t, err, store.ErrOption)
	for _, o := range []store.Options{{K: -1}, {Batch: -1}, {Attempts: -1}, {Backoff: -1}} {
		_, err = store.New(newMemory(), &storetest.Embedder{}, &o)
		require.ErrorIs(t, err, store.ErrOption)
	}
}

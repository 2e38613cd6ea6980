package pgvector_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/pgvector"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// server returns the URL of a real server. .ci/run starts one.
func server(t *testing.T) string {
	t.Helper()
	u := os.Getenv("PRODAI_PGVECTOR")
	if u == "" {
		t.Skip("PRODAI_PGVECTOR is not set: want the URL of a PostgreSQL server with pgvector, whose tables test_… may be dropped")
	}
	return u
}

func connect(t *testing.T, u string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), u)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// fresh returns the name of a new table.
func fresh(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	name := strings.ToLower(storetest.Name())
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP TABLE IF EXISTS "+name)
		require.NoError(t, err)
	})
	return name
}

func open(t *testing.T, pool *pgxpool.Pool, table string) *pgvector.DB {
	t.Helper()
	db, err := pgvector.Open(context.Background(), pool, table, storetest.Dim, nil)
	require.NoError(t, err)
	return db
}

func setup(t *testing.T, index pgvector.Index) storetest.Setup {
	u := server(t)
	s := storetest.At(u, func(t *testing.T) string { return fresh(t, connect(t, u)) }, func(t *testing.T, address, table string) store.Database {
		db := open(t, connect(t, address), table)
		require.NoError(t, db.BuildIndex(context.Background(), index))
		return db
	})
	s.NoNUL = true
	return s
}

func TestRealPgvector(t *testing.T)        { storetest.Run(t, setup(t, pgvector.IndexNone)) }
func TestRealPgvectorHNSW(t *testing.T)    { storetest.Run(t, setup(t, pgvector.IndexHNSW)) }
func TestRealPgvectorIVFFlat(t *testing.T) { storetest.Run(t, setup(t, pgvector.IndexIVFFlat)) }

// The adapter of langchaingo v0.1.14 wraps its query so that no index can be used, formats
// filters into the SQL, and adds a document twice.
func TestRealIndexIsUsed(t *testing.T) {
	pool := connect(t, server(t))
	table := fresh(t, pool)
	db := open(t, pool, table)
	s := storetest.Open(t, db, &storetest.Embedder{})
	ctx := context.Background()
	var docs []schema.Document
	for i := range 1000 {
		docs = append(docs, schema.Document{PageContent: fmt.Sprintf("a%d b%d c%d", i%7, i%11, i), Metadata: map[string]any{"id": fmt.Sprint(i), "n": i}})
	}
	_, err := s.Upsert(ctx, docs)
	require.NoError(t, err)
	require.NoError(t, db.BuildIndex(ctx, pgvector.IndexHNSW))
	scans := func() (n int) {
		_, err := pool.Exec(ctx, "SELECT pg_stat_force_next_flush()")
		require.NoError(t, err)
		require.NoError(t, pool.QueryRow(ctx, "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1", table+"_embedding").Scan(&n))
		return n
	}
	before := scans()
	_, err = pool.Exec(ctx, "ANALYZE "+table)
	require.NoError(t, err)
	for range 3 {
		found, err := s.Search(ctx, "a3 b5", 10, nil)
		require.NoError(t, err)
		require.Len(t, found, 10)
	}
	// The index takes its candidates before the filter. A plan that the server keeps must
	// not bring it back in the search without it.
	for range 12 {
		found, err := s.Search(ctx, "a3 b5", 5, &retrieve.Query{Where: retrieve.Less("n", 5)})
		require.NoError(t, err)
		require.Len(t, found, 5)
	}
	pool.Reset() // a session reports its statistics when it ends
	require.Eventually(t, func() bool { return scans() > before }, time.Minute, 10*time.Millisecond, "the index was not used")
}

func TestRealTableThatDoesNotFit(t *testing.T) {
	pool := connect(t, server(t))
	ctx := context.Background()
	table := fresh(t, pool)
	s := storetest.Open(t, open(t, pool, table), &storetest.Embedder{})
	_, err := s.Upsert(ctx, []schema.Document{{PageContent: "kept"}})
	require.NoError(t, err)
	_, err = pgvector.Open(ctx, pool, table, 16, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "vector(8)")
	require.ErrorContains(t, err, "vector(16)")
	found, err := s.Search(ctx, "kept", 1, nil)
	require.NoError(t, err)
	require.Len(t, found, 1, "other vectors drop nothing")
	other := fresh(t, pool)
	_, err = pool.Exec(ctx, "CREATE TABLE "+other+" (id int PRIMARY KEY)")
	require.NoError(t, err)
	_, err = pgvector.Open(ctx, pool, other, 8, nil)
	require.ErrorIs(t, err, store.ErrSchema)
}

func TestRealNamesAreQuoted(t *testing.T) {
	pool := connect(t, server(t))
	ctx := context.Background()
	name := `te"st; DROP TABLE x; --`
	t.Cleanup(func() { _, _ = pool.Exec(ctx, `DROP SCHEMA IF EXISTS "my ""schema" CASCADE`) })
	_, err := pool.Exec(ctx, `CREATE SCHEMA "my ""schema"`)
	require.NoError(t, err)
	db, err := pgvector.Open(ctx, pool, name, 8, &pgvector.Options{Schema: `my "schema`})
	require.NoError(t, err)
	for _, kind := range []pgvector.Index{pgvector.IndexHNSW, pgvector.IndexIVFFlat, pgvector.IndexNone} {
		require.NoError(t, db.BuildIndex(ctx, kind))
	}
	s := storetest.Open(t, db, &storetest.Embedder{})
	_, err = s.Upsert(ctx, []schema.Document{{PageContent: "x", Metadata: map[string]any{"id": "1", "backslash": `\u0000`}}})
	require.NoError(t, err)
	found, err := s.Search(ctx, "x", 1, &retrieve.Query{Where: retrieve.Eq("backslash", `\u0000`)})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestOptions(t *testing.T) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://127.0.0.1:1/none")
	require.NoError(t, err)
	defer pool.Close()
	for _, c := range []struct {
		pool  *pgxpool.Pool
		table string
		dim   int
		o     pgvector.Options
	}{
		{nil, "t", 8, pgvector.Options{}}, {pool, "", 8, pgvector.Options{}}, {pool, "a\x00", 8, pgvector.Options{}}, {pool, strings.Repeat("x", 51), 8, pgvector.Options{}},
		{pool, "t", 0, pgvector.Options{}}, {pool, "t", 16001, pgvector.Options{}}, {pool, "t", 8, pgvector.Options{EFSearch: 1001}}, {pool, "t", 8, pgvector.Options{Probes: -1}},
	} {
		_, err := pgvector.Open(ctx, c.pool, c.table, c.dim, &c.o)
		require.ErrorIs(t, err, store.ErrOption, "%+v", c)
	}
	_, err = pgvector.Open(ctx, pool, "t", 8, nil)
	var e *store.Error
	require.ErrorAs(t, err, &e, "no server there")
	require.Equal(t, store.FaultTemporary, e.Fault)
}

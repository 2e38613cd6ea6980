package main

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/hnsw"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/chroma"
	"github.com/prodailabs/prodai/retrieve/store/pgvector"
	"github.com/prodailabs/prodai/retrieve/store/pinecone"
	"github.com/prodailabs/prodai/retrieve/store/qdrant"
	"github.com/prodailabs/prodai/retrieve/store/weaviate"
)

// dim is the length of the embedder's vectors.
const dim = 256

type tenantKey struct{}

// as returns the context of a tenant. In a server it is set from the caller's login.
func as(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

func tenant(ctx context.Context) string {
	name, _ := ctx.Value(tenantKey{}).(string)
	return name
}

func collection(e *embed.Embedder, index func(dim int) (retrieve.Index, error)) (*retrieve.Collection, error) {
	return retrieve.Open("", e, &retrieve.Options{Tenant: tenant, Index: index})
}

// others opens the stores beside the exact one, which l.close closes. This is all that a
// program changes to move.
func (l *lab) others(ctx context.Context, e *embed.Embedder) ([]*subject, error) {
	graph, err := collection(e, func(dim int) (retrieve.Index, error) { return hnsw.New(dim, nil) })
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() { _ = graph.Close() }) // in memory only
	all := []*subject{{name: "collection, graph", Retriever: graph}}
	add := func(name string, db store.Database, err error) error {
		if err != nil {
			return err
		}
		s, err := store.New(db, e, &store.Options{Tenant: tenant})
		all = append(all, &subject{name: name, Retriever: s})
		return err
	}
	if l.pgvector != "" {
		pool, err := pgxpool.New(ctx, l.pgvector)
		if err != nil {
			return nil, err
		}
		l.closers = append(l.closers, pool.Close)
		db, err := pgvector.Open(ctx, pool, "lab10_vectordbs", dim, nil)
		if err := add("pgvector", db, err); err != nil {
			return nil, err
		}
		if err := db.BuildIndex(ctx, pgvector.IndexHNSW); err != nil {
			return nil, err
		}
	}
	if l.chroma != "" {
		db, err := chroma.Open(ctx, l.chroma, "lab10_vectordbs", dim, nil)
		if err := add("chroma", db, err); err != nil {
			return nil, err
		}
	}
	if l.qdrant != "" {
		db, err := qdrant.Open(ctx, l.qdrant, "lab10_vectordbs", dim, nil)
		if err := add("qdrant", db, err); err != nil {
			return nil, err
		}
	}
	if l.weaviate != "" {
		db, err := weaviate.Open(ctx, l.weaviate, "Lab10Vectordbs", dim, nil)
		if err := add("weaviate", db, err); err != nil {
			return nil, err
		}
	}
	if l.pinecone != "" {
		db, err := pinecone.Open(ctx, os.Getenv("PINECONE_API_KEY"), l.pinecone, dim, nil)
		if err := add("pinecone", db, err); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (l *lab) close() {
	for _, f := range l.closers {
		f()
	}
}

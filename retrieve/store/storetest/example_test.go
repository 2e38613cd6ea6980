package storetest_test

import (
	"context"
	"testing"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/qdrant"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// The test of a package says how to make an empty store: here a collection in memory.
func ExampleRun() {
	testContract := func(t *testing.T) {
		storetest.Run(t, storetest.Setup{New: func(t *testing.T, e embeddings.Embedder) storetest.Subject {
			c, err := retrieve.Open("", e, &retrieve.Options{Tenant: storetest.Tenant, Groups: storetest.Groups})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}})
	}
	_ = testContract
}

// A server needs its address only. Its connection is broken in the middle of an upsert, and
// each passage that was acknowledged must be there.
func ExampleAt() {
	testServer := func(t *testing.T) {
		s := storetest.At("http://localhost:6333", func(*testing.T) string { return storetest.Name() },
			func(t *testing.T, address, name string) store.Database {
				db, err := qdrant.Open(context.Background(), address, name, storetest.Dim, nil)
				if err != nil {
					t.Fatal(err)
				}
				return db
			})
		s.NoStringOrder = true // Qdrant compares numbers alone
		storetest.Run(t, s)
	}
	_ = testServer
}

// Package qdrant keeps passages in a collection of a Qdrant server, by its REST API.
//
// # The idea
//
// A [DB] is a collection that measures the cosine. The payload of a point has the passage's
// text, its metadata as they are, and a list of terms that filters ask, with an index of the
// kind keyword. Qdrant applies the filter while it walks the HNSW graph, so that a narrow
// filter still gives k passages. Qdrant's ids are numbers or UUIDs: a point's id is a hash
// of the passage's.
//
// # A minimal program
//
// The program's middle opens a collection, and makes a store of it.
//
//	db, err := qdrant.Open(ctx, "http://localhost:6333", "passages", 256, nil)
//	if err != nil {
//		return err
//	}
//	s, err := store.New(db, embedder, nil)
//
// # Pitfalls
//
//   - Don't order strings by < and >: Qdrant has an order of numbers only, and such a filter
//     fails with store.ErrUnsupported. Do store a date as a number too.
//   - Don't search a collection of another program: a point without terms fails with
//     store.ErrSchema, since its tenant isn't known. Do copy it by your own code once.
//
// # Further reading
//
//   - Qdrant's documentation, "Filtering" and "Indexing".
package qdrant

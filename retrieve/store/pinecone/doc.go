// Package pinecone keeps passages in an index of Pinecone, a database that its vendor runs.
//
// # The idea
//
// A [DB] is a namespace of an index that you have made and that measures the cosine. The
// metadata of a vector has the passage's text, the passage's metadata as JSON, and a list
// of terms that filters ask: Pinecone takes flat metadata only, without null and without
// lists of numbers. What Pinecone would refuse is refused before it is sent, or found by
// halves, and named.
//
// There is no server to test against. The tests use a fake that is written from the
// published API: each rule in it names the page it comes from.
//
// # A minimal program
//
// The program's middle opens an index, and makes a store of it.
//
//	db, err := pinecone.Open(ctx, os.Getenv("PINECONE_API_KEY"), "passages", 256, nil)
//	if err != nil {
//		return err
//	}
//	s, err := store.New(db, embedder, nil)
//
// # Pitfalls
//
//   - Don't store passages of more than 40 KB: text and metadata together may have no more.
//   - Don't read right after a write: Pinecone shows a record some seconds later. An upsert
//     that is repeated at once may embed a text twice.
//   - Don't copy from an index of pods: only serverless indexes can list their records.
//
// # Further reading
//
//   - Pinecone's documentation, "Operation limits" and "Filter by metadata".
package pinecone

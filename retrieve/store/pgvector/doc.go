// Package pgvector keeps passages in a table of PostgreSQL with the extension pgvector.
//
// # The idea
//
// A [DB] is a table with four columns: id, content, metadata (jsonb) and embedding. A filter
// becomes a condition on the metadata, in which keys and values are parameters. A batch is
// one statement, which is done whole or not at all.
//
//	SELECT … WHERE EXISTS (SELECT 1 FROM unnest($4::text[]) AS v WHERE (metadata -> $3) @> v::jsonb)
//	ORDER BY embedding <=> $1 LIMIT $2
//
// Without an index a search compares all vectors, which is exact. [DB.BuildIndex] makes an
// index of HNSW or IVFFlat. Such an index takes its candidates first, and the filter is
// applied to them, so that a narrow filter leaves too few. A search that gets fewer than k
// is then repeated without the index.
//
// # A minimal program
//
// The program's middle opens a table and makes the index after the first passages are in.
//
//	db, err := pgvector.Open(ctx, pool, "passages", 256, nil)
//	if err != nil {
//		return err
//	}
//	s, err := store.New(db, embedder, nil)
//	if err != nil {
//		return err
//	}
//	if _, err := s.Upsert(ctx, docs); err != nil {
//		return err
//	}
//	if err := db.BuildIndex(ctx, pgvector.IndexHNSW); err != nil {
//		return err
//	}
//
// # Pitfalls
//
//   - Don't build IVFFlat on an empty table: its clusters are learned from the rows that are
//     there. Do build it after the data is in, and again when the data has changed much.
//   - Don't store a text with a NUL: PostgreSQL refuses it. The document is named in the
//     error, and the others are stored.
//
// # Further reading
//
//   - pgvector's README, sections "HNSW", "IVFFlat" and "Filtering".
//   - PostgreSQL's documentation, "jsonb Containment and Existence".
package pgvector

// Package chroma keeps passages in a collection of a Chroma server, by version 2 of its API.
//
// # The idea
//
// A [DB] is a collection that measures the cosine. The metadata of a record has the passage's
// metadata as JSON, and a list of terms that filters ask. The tests against a real server
// found three things that other clients get wrong:
//
//   - An upsert leaves metadata of the old record that the new one doesn't have. A
//     comparison counts only together with a term of its key, which is always new.
//   - A number with many digits isn't equal to itself after it was stored. Numbers are stored
//     as whole numbers of 64 bits that have the same order.
//   - A delete reports the number of ids that were sent. [DB.Delete] counts those that were
//     there.
//
// # A minimal program
//
// The program's middle opens a collection, and makes a store of it.
//
//	db, err := chroma.Open(ctx, "http://localhost:8000", "passages", 256, nil)
//	if err != nil {
//		return err
//	}
//	s, err := store.New(db, embedder, nil)
//
// # Pitfalls
//
//   - Don't order strings by < and >: Chroma has an order of numbers only, and such a filter
//     fails with store.ErrUnsupported.
//   - Don't write while a copy reads: its cursor is the number of records before, so one can
//     be left out or come twice. Do repeat the copy afterwards.
//
// # Further reading
//
//   - Chroma's reference, "Where Filters".
package chroma

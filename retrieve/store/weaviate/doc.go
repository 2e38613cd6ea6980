// Package weaviate keeps passages in a class (a collection) of a Weaviate server.
//
// # The idea
//
// A [DB] is a class without a vectorizer that measures the cosine. An object has the
// passage's text, its metadata as JSON, and a list of terms that filters ask. A key whose
// values are numbers or strings gets four properties for < and >, which are made when the
// key is first seen. A search is GraphQL, whose text has only numbers, hashes and the
// class's name in it.
//
// Weaviate answers an upsert with a result for each object, and with status 200 even if it
// refused some. Each result is read, and the refused objects are named.
//
// # A minimal program
//
// The program's middle opens a class, and makes a store of it.
//
//	db, err := weaviate.Open(ctx, "http://localhost:8080", "Passages", 256, nil)
//	if err != nil {
//		return err
//	}
//	s, err := store.New(db, embedder, nil)
//
// # Pitfalls
//
//   - Don't use a server before Weaviate 1.33: it doesn't know ContainsNone, which filters
//     that say "not" need.
//   - Don't give each passage keys of its own: each key makes properties of the class. Do use
//     few keys with many values.
//
// # Further reading
//
//   - Weaviate's documentation, "Conditional filters" and "Batch import".
package weaviate

// Package store keeps passages in a vector database, and finds them there by the same code
// as in a collection of one process.
//
// # The problem
//
// A team moves its documentation search from one process to PostgreSQL, with an adapter
// that works in the demonstration. A customer named O'Brien gets an error. A tester then
// types x' OR 'a'='a as a tenant, and reads the documents of all tenants: the adapter
// writes filters into the text of its SQL. Later, 3 of 40,000 documents are too long for
// the database. The adapter reports success, and the three stay missing. Reading langchaingo
// v0.1.14 and trying it against real servers showed all three kinds of fault.
//
// # The idea
//
// The work with a database has two halves. What is the same for all is in [Store]: ids and
// metadata, batches, retries, tenants, partial failure. What differs is in a [Database] of
// seven methods, which a subpackage implements:
//
//	program ─► Store: embed, batch, retry, tenants ─► Database: compile the filter, send
//	                                                     ├ pgvector  (SQL, by pgx)
//	                                                     ├ qdrant    (REST)
//	                                                     ├ weaviate  (REST and GraphQL)
//	                                                     ├ pinecone  (REST)
//	                                                     └ chroma    (REST, v2)
//
// A filter is a tree ([github.com/prodailabs/prodai/retrieve.Filter]), and never a text, on its whole way. A
// database's package compiles the tree into the database's own conditions. In SQL, keys and
// values are parameters. In the others they are values of JSON, or hashes, so that a filter
// can't become a part of a query.
//
// # Terms
//
//   - Upsert acknowledgment: An upsert is acknowledged when the database has confirmed that
//     the passage is written. [Store.Upsert] counts only acknowledged passages as added, and
//     names all others in an [UpsertError].
//   - Partial failure: A partial failure is a request of which the database did one part and
//     refused another. Weaviate reports it in an answer of status 200.
//   - Bind parameter: A bind parameter is a value that a query names by a number, such as $1,
//     and that is sent beside the query. The database never reads it as a part of the query.
//   - Injection: An injection is a value that a program writes into the text of a query, and
//     that changes what the query means.
//
// # One meaning of filters
//
// Databases differ in what a filter means: whether "not equal" is true of a missing key,
// whether 3 equals 3.0, what a list is compared with, which characters a key may have.
// pgvector compares the metadata itself, in SQL that states each rule. The others store two
// things beside the metadata: a list of terms, each a hash of a key and one value, and the
// smallest and largest number of each key. A filter then asks whether the list has a term.
// This gives [github.com/prodailabs/prodai/retrieve.Filter]'s meaning everywhere. A filter
// that a database can't evaluate exactly fails with [ErrUnsupported]: Qdrant, Pinecone and
// Chroma have no order of strings.
//
// The price of the terms is that only passages which this package wrote can be found by
// Qdrant, Weaviate, Pinecone and Chroma. A search that meets a record of another program
// fails with [ErrSchema], since its tenant isn't known. pgvector finds the rows of other
// programs, if the table's columns are as they must be.
//
// # Failures
//
// A call that fails by an overload or a lost connection is sent again, with growing waits,
// since an upsert and a delete can be repeated. If the database refuses a batch, it is
// halved until the refused passages are found; the others are written. If the database
// doesn't answer any more, the rest of the passages is not tried. In each case the error
// names what isn't stored:
//
//	did, err := s.Upsert(ctx, docs)
//	var some *store.UpsertError
//	if errors.As(err, &some) {
//		log.Print(did.Added, " are stored; again: ", some.IDs())
//	}
//
// A test of each database breaks its connection in the middle of ten batches, and then
// reads all passages: each is there, or is named.
//
// # Moving
//
// [Copy] copies passages with their vectors from one store to another, so that nothing is
// embedded again. What was written before an interruption isn't read again if the copy goes
// on from its cursor. Move a service in four steps: write to both, copy, compare the results
// of some questions, then read from the new one.
//
// # A minimal program
//
// The program's middle opens a table of PostgreSQL, and writes and searches as in a
// collection. Another database is another line in place of pgvector.Open.
//
//	pool, err := pgxpool.New(ctx, "postgres://localhost/shop")
//	if err != nil {
//		return err
//	}
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
//	results, err := s.Search(ctx, "How do I get my money back?", 5,
//		&retrieve.Query{Where: retrieve.Eq("lang", "en")})
//
// # Pitfalls
//
//   - Don't write a user's text into a query or into the text of a filter. Do build the
//     filter by retrieve.Eq and the functions beside it.
//   - Don't take an upsert without an error for granted. Do handle [UpsertError]: log its
//     ids, and upsert these documents again.
//   - Don't change the embedder of a store in place. Do make a second table or collection,
//     fill it, and switch.
//   - Don't filter after the search. Do use Query.Where, which the database applies before
//     it takes the best.
//   - Don't read right after a write from Pinecone: it shows a record some seconds later.
//
// # Questions
//
// Why not use the adapters of langchaingo? The adapters of langchaingo v0.1.14 were tried
// against real servers: pgvector's lets a filter's value change the SQL, Weaviate's reports
// documents as stored that the server refused, Chroma's sends requests of an API that the server
// has dropped. A [Store] has langchaingo's interfaces, so it fits where an adapter fits.
//
// Which database keeps tenants apart? Each database here keeps tenants apart by the same
// rule as a collection: a passage with a tenant is found by that tenant only, a passage
// without one by all. The rule is a part of each search's filter, and a search without a
// tenant finds only what belongs to none.
//
// How do I change from a collection to a database? Replace retrieve.Open by the
// constructors of a database and of [New], and [Copy] the passages. Code that takes a
// [Retriever] stays as it is.
//
// What does a database cost in time? A search in a database costs a request and its answer,
// which a search in the process doesn't. The lab prints the time of both on your machine.
//
// # Lab
//
//	go run ./examples/lab10-vectordbs
//	.ci/stores go run ./examples/lab10-vectordbs
//
// Look at how many passages come back with a narrow filter, and at the column of the tenant
// whose name is a piece of SQL.
//
// # Exercises
//
//   - Kill a database in the middle of an upsert of 10,000 passages, start it again, and
//     complete the upsert from the error's ids.
//   - Implement [Database] for another product, and run package storetest on it.
//   - Write to two stores during a move. What must happen if one of the two writes fails?
//
// # Further reading
//
//   - OWASP, "SQL Injection Prevention Cheat Sheet".
//   - pgvector's README, sections "Filtering" and "Iterative Index Scans".
//   - Qdrant's and Weaviate's articles on filtered HNSW.
package store

// Package retrieve finds the passages that answer a question.
//
// # The lecture
//
// Lecture 10. A model doesn't know your return policy; it has to be shown. What
// it isn't shown it makes up, and what it is shown wrongly it repeats with
// confidence. So the answer is decided here, before the model has said a word:
// a retriever that misses the passage can't be repaired by any prompt.
//
// # Two blindnesses
//
// A search by words (package bm25) finds what is written the same: an error
// code, a function's name. It doesn't know that "money back" is a refund. A
// search by meaning (an embedder, such as package embed) knows that, and is
// blind to E4502, a string it has never seen. They fail on different questions,
// so ask both, and fuse:
//
//	question ─┬─► words ──► BM25 ──► ranking ─┐
//	          └─► vector ─► cosine ► ranking ─┴─► RRF ──► the k best
//
// The scores of the two have nothing in common (a cosine ends at 1, BM25
// nowhere), but their ranks do. Reciprocal rank fusion, [RRF], gives a passage
// 1/(60 + rank) from each ranking. It needs no tuning, which is its strength,
// and it believes both rankings alike, which is its weakness: with an embedder
// that is weaker than the words, equal weights lose to BM25 alone on most test
// collections. Options.DenseWeight says how much to believe.
//
// # Using it
//
//	e, err := embed.New()
//	words, err := bm25.New(nil)
//	c, err := retrieve.Open("manual.collection", e, &retrieve.Options{Words: words})
//	changes, err := c.Sync(ctx, "returns.md", docs) // embeds what is new
//	results, err := c.Search(ctx, "How do I get my money back?", 5, nil)
//
// [Collection.Sync] makes a source's passages be exactly those given. Sync a
// changed document and only the changed passages are embedded; a crash in the
// middle leaves the state before or after, never a mixture.
//
// The search by meaning is exact: it compares the query with every vector. For
// some hundred thousand passages that takes milliseconds, and no index can be
// wrong.
//
// # Pitfalls
//
//   - Vectors of different models are numbers without a relation. The file
//     stores the embedder's name and refuses another.
//   - A filter applied after the k best were taken returns fewer than k, or none.
//     Here tenant and filter are applied before.
//   - A tenant's document must not be found by another tenant's question, and a
//     forgotten tenant must not mean "all". Without a tenant only documents that
//     belong to nobody are found.
//   - A score is an order, not a truth: the best of ten bad passages is still
//     first. Result.Cosine and Result.Words say how near it really is.
//
// # Exercises
//
//  1. Ask for an error code with DenseWeight 1 and SparseWeight 0, then with both.
//  2. Kill the program in the middle of a Sync of a thousand documents. What is
//     in the file?
//  3. Find a question for which the fusion is worse than either search alone.
//
// # Further reading
//
//   - Lewis et al.: "Retrieval-augmented generation for knowledge-intensive NLP
//     tasks", NeurIPS 2020.
//   - Cormack, Clarke, Büttcher: "Reciprocal rank fusion outperforms Condorcet
//     and individual rank learning methods", SIGIR 2009.
//   - Thakur et al.: "BEIR: a heterogeneous benchmark for zero-shot evaluation of
//     information retrieval models", NeurIPS 2021, where BM25 is hard to beat.
package retrieve

// Package search keeps the vectors of an embedder and the documents of a retriever, so
// that the same text isn't embedded twice and the same question isn't searched twice.
//
// # The problem
//
// A team indexes its 50,000 passages again each night (lecture 14). Only 300 passages
// have changed, but all 50,000 are embedded and paid for. Its searches have a cache, whose
// key is the question: after each night it answers from the index of the day before.
//
// # The idea
//
// An [Embedder] looks each text of a batch up, and sends only those that are missing to
// the wrapped embedder, in one batch. A text that is twice in a batch is sent once. A text
// that another call is embedding at the moment is waited for:
//
//	a b c a ──▶ stored: b ──▶ in progress elsewhere: c ──▶ one batch: a
//
// A [Retriever] does the same with questions. Its key has the version of the index in it,
// so no answer is older than the index. Both keep what they find in any cache.Store: in
// memory, on disk or in Redis.
//
// # Terms
//
//   - Embeddings cache (also: embedding cache): An embeddings cache stores the vector of
//     each text under the text and the name of the embedding model.
//   - Retrieval cache: A retrieval cache stores which documents were found for a question.
//
// # Pitfalls
//
//   - Don't keep the name of the model when the model changes: old and new vectors are not
//     comparable, and nothing fails. Do give each model and each number of dimensions
//     its own name.
//   - Don't embed a question as a document: many models embed them differently. The two
//     never share an entry here.
//   - Don't share found documents among users with different rights. Set Options.Tenant to
//     what the rights depend on.
//
// # Questions
//
// How do I avoid embedding unchanged documents again? To avoid embedding unchanged
// documents again, wrap the embedder with search.NewEmbedder over a store that survives
// restarts, such as cache/disk. Only texts that it hasn't seen are sent.
//
// How do I keep a cached retrieval from going stale? To keep a cached retrieval from going
// stale, set Options.Version to a function that returns the version of the index, and
// change the version with each change of the index.
package search

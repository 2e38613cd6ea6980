// Package bm25 ranks documents by the words they share with a query.
//
// # The idea
//
// Lecture 10. An embedding finds what means the same; it is blind to what is
// written the same. An error code, a function's name, a part number mean
// nothing to it, and those are what people paste into a search box. BM25 has
// the opposite talents. It scores a document d for a query q by
//
//	sum over terms t in q of  idf(t) · tf(t, d)
//
// where idf says how rare the term is among the documents, and tf grows with
// the term's count f but saturates, the sooner the longer the document:
//
//	idf = ln(1 + (N - n + 0.5) / (n + 0.5))      N documents, n with the term
//	tf  = f / (f + k1·(1 - b + b·|d|/avg|d|))
//
// That is Lucene's variant, the default. [Variant] names four others.
//
// # Using it
//
//	index, err := bm25.New(nil)
//	index.Add(1, "How to rotate an API key")
//	index.Add(2, "Refunds within 30 days")
//	hits := index.Search("rotating keys", 10)
//
// Documents can be replaced and removed; scores then are those of an index
// built anew, to the last bit.
//
// # Pitfalls
//
//   - The words are made by [Options.Analyze], for documents and queries alike.
//     The default is for English and source code: it folds case, drops the
//     commonest words, reduces words to stems, and finds a camelCase name by its
//     parts too. It makes poor terms of languages that don't part words.
//   - Scores of different indexes, or variants, don't compare.
//   - Stop words are dropped in a question too: "to be or not to be" asks for
//     nothing.
//
// # Further reading
//
//   - Robertson, Zaragoza: "The probabilistic relevance framework: BM25 and
//     beyond", 2009.
//   - Kamphuis, de Vries, Boytsov, Lin: "Which BM25 do you mean?", ECIR 2020.
//   - Lù: "BM25S: orders of magnitude faster lexical search via eager sparse
//     scoring", 2024, whose formulas the variants follow.
package bm25

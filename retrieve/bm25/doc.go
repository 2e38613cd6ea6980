// Package bm25 ranks documents by the words they share with a query.
//
// # The idea
//
// BM25 is the standard formula of keyword search. It finds what is written the
// same: an error code, a function's name, a part number. An embedder knows nothing
// about such strings, so the two searches complement each other. A document d gets
// for a query q the score
//
//	score(q, d) = sum over terms t in q of  idf(t) · tf(t, d)
//
// The factor idf is large if the term is rare among the documents. The factor tf
// grows with the term's count f in the document, less and less, and is smaller in
// long documents:
//
//	idf = ln(1 + (N - n + 0.5) / (n + 0.5))      N documents, n with the term
//	tf  = f / (f + k1·(1 - b + b·|d|/avg|d|))    k1 = 1.2, b = 0.75 by default
//
// That is the variant of Lucene, the default here. [Variant] names four others.
//
// # Terms
//
//   - Inverted index: An inverted index lists, for each term, the documents that
//     contain it. A search reads only the lists of the query's terms, so it doesn't
//     look at the other documents.
//   - Term frequency (also: tf, TF-IDF): The term frequency is how often a term
//     appears in a document. BM25 lets it saturate: the tenth appearance counts
//     much less than the first.
//   - Inverse document frequency (also: idf): The inverse document frequency is
//     high for a term that few documents contain, and near 0 for a term that nearly
//     all contain.
//   - Stemming (also: stemmer, Porter2, Snowball): Stemming reduces words to a
//     common stem, so that "rotating" finds "rotate".
//   - Stop word (also: stopword): A stop word is a very frequent word such as
//     "the", which is left out of the index and of queries.
//   - Analyzer (also: tokenizer of a search engine): An analyzer makes the terms of
//     a text: it cuts words, lowers the case, drops stop words and stems.
//     Options.Analyze sets it; [English] is the default.
//   - Learned sparse vector (also: SPLADE, sparse embedding): A learned sparse vector
//     has a weight for each term that a model finds in a text or adds to it, so
//     that "car" finds "vehicle" by words. It is searched like words, by an inverted
//     index.
//
// # Phrases, fields and languages
//
// With Options.Phrases, words between double quotes in a query count once more where
// they follow one another: "api key" in quotes ranks a document with that phrase above
// one that has both words apart. [Index.AddFields] adds a document of several fields,
// and Options.Boosts says how much a word in each counts: a word of a title with boost
// 3 counts as if it were there three times. A phrase counts alike in every field.
//
// [English] knows English only. [Words] takes words of any language without reducing
// them, and pairs of characters of scripts without spaces between words, so that
// Chinese, Japanese, Korean and Thai can be searched without a dictionary.
// [NewAnalyzer] adds stop words and a stemmer to it, such as one of
// [github.com/prodailabs/prodai/retrieve/bm25/snowball].
//
// An index of the variant [Dot] is for learned sparse vectors: [Index.AddWeights] and
// [Index.SearchWeights] take the weights of any model, and the score is their inner
// product. This library has no such model.
//
// # A minimal program
//
// The program's middle: two documents and a query in another form of the word.
//
//	index, err := bm25.New(nil)
//	if err != nil {
//		return err
//	}
//	index.Add(1, "How to rotate an API key")
//	index.Add(2, "Refunds within 30 days")
//	for _, hit := range index.Search("rotating keys", 10) {
//		fmt.Println(hit.ID, hit.Score) // 1 and its score
//	}
//
// Documents can be replaced and removed at any time. The scores are then those of
// an index that was built anew, to the last bit.
//
// # Measured
//
// The table compares the search with the plain algorithm, which scores every document
// that has a word of the query, on 100,000 made-up documents:
//
//	search   time of a query
//	plain    7.7 ms
//	pruned   0.13 ms
//
//	go test -run xxx -bench TopK ./retrieve/bm25
//
// [Open] and [Index.Restore] map a stored index into memory. For 50,000 made-up documents
// of 60 words that takes about a sixtieth of the time of building it from their terms,
// and less beside analyzing texts:
//
//	go test -run xxx -bench Open ./retrieve/bm25
//
// internal/bench/retrieve/sparse measures it beside tantivy, bm25s and rank-bm25. On the
// Cranfield collection, [English] reaches an nDCG@10 of 0.37, and [Words] without
// stems 0.34; TestCranfield measures it where the collection is at hand.
//
// # Pitfalls
//
//   - Don't use the default analyzer for languages without spaces between words:
//     it makes poor terms of Chinese or Japanese. Do set Options.Analyze, for
//     example to [Words].
//   - Don't compare scores of different indexes or variants: they depend on all
//     documents of the index. Do compare ranks, or fuse by rank.
//   - Don't search for a phrase of stop words: in "to be or not to be" nothing is
//     left to search for. Phrases leave them out too, so "API key" in quotes also finds
//     "the API, then the key".
//
// # Questions
//
// What is BM25 and why is it still used? BM25 ranks documents by shared words, and
// counts rare words more. It needs no model, no GPU and no training, finds exact
// names and codes, and is hard to beat on many test collections. Modern systems
// combine it with embeddings.
//
// What is the difference between BM25 and TF-IDF? BM25 and TF-IDF both multiply the
// frequency of a term in a document with its rarity. BM25 lets the frequency
// saturate and corrects for the length of documents, so ten repetitions don't count
// ten times and long documents don't win by length.
//
// What do k1 and b do? The parameter k1 (1.2 by default) sets how slowly repeated
// words stop counting; with 0 a word counts once. The parameter b (0.75) sets how
// much long documents are corrected; with 0 not at all. The defaults are good for
// most texts. [Fixed](0) sets a 0.
//
// How does a search avoid scoring every document? A search sorts the query's words
// by the most that a document can get for each. Once k documents are found,
// documents that have only cheap words can't be among the best, so the lists of
// those words are not walked along. Lists also have a bound for each 128 documents,
// and blocks whose bounds are too low are left out. The results are those of the
// plain algorithm, to the last bit.
//
// # Further reading
//
//   - Robertson, Zaragoza: "The probabilistic relevance framework: BM25 and
//     beyond", 2009.
//   - Kamphuis, de Vries, Boytsov, Lin: "Which BM25 do you mean?", ECIR 2020.
//   - Lù: "BM25S: orders of magnitude faster lexical search via eager sparse
//     scoring", 2024, whose formulas the variants follow.
package bm25

// Package bert runs small transformers that read whole texts, such as all-MiniLM-L6-v2, in
// pure Go: encoders, which make vectors, and cross-encoders, which score a text for a
// question.
//
// # The idea
//
// Lecture 13. The static embedder of retrieve/embed adds up the vectors of words, so a
// word means the same everywhere. An encoder passes the words through layers in which each
// looks at all others, so "bank" becomes another vector beside "river" than beside
// "account". It needs some thousand times the work of the static one.
//
//	text ─► tokens ─► vectors of word and position
//	                     │
//	          6 layers ─┤ each token looks at all tokens (attention)
//	                     │ each token alone passes two matrices
//	                     ▼
//	        mean of the tokens' vectors, of length 1    Embedder
//	        or: one number from the first token         CrossEncoder
//
// Texts of a batch usually are filled up to the longest one, and the filling is computed
// for nothing. Here their tokens stand in one matrix, one text after the other, and only
// attention knows where a text ends. So a text's result is the same to the last bit,
// whatever else is in the batch.
//
// # Terms
//
//   - Encoder (also: bi-encoder, sentence transformer, MiniLM): An encoder turns each text
//     alone into a vector. The vectors of passages are computed once, before any question.
//   - Cross-encoder (also: reranker): A cross-encoder reads a question and a text together and
//     returns one score. It judges better than two vectors do, and must run for each pair.
//   - WordPiece: WordPiece is the tokenizer of BERT. It splits words into the longest pieces
//     that are in its vocabulary.
//   - Mean pooling: Mean pooling is the mean of the vectors of all tokens of a text.
//   - Safetensors: Safetensors is a file format for weights: a JSON header that says where each
//     array lies, then the numbers. Unlike pickle files, it can't contain a program.
//
// # A minimal program
//
//	e, err := bert.NewEmbedder("all-MiniLM-L6-v2", nil) // a folder from Hugging Face
//	if err != nil {
//		return err
//	}
//	vectors, err := e.EmbedDocuments(ctx, passages)
//
// A cross-encoder such as ms-marco-MiniLM-L-6-v2 is a ranker of retrieve/rerank:
//
//	c, err := bert.NewCrossEncoder("ms-marco-MiniLM-L-6-v2", nil)
//	if err != nil {
//		return err
//	}
//	r, err := rerank.New(rerank.Scorer(c.Score), nil)
//
// # Measured
//
// The first table shows texts a CPU second with all-MiniLM-L6-v2: 300 abstracts of
// Cranfield of 1,089 characters on average, one thread of a shared AMD EPYC with AVX-512,
// each program after the other, other programs running too. The last column is the lowest
// cosine of a text's vector to the one in float32.
//
//	                                  float32   8 bits   lowest cosine of 8 bits
//	this package                      18.4      35.0     .9995
//	onnxruntime 1.32                  13.7      27.1     .8899
//	torch 2.15, sentence-transformers 14.5
//
// The vectors of a real all-MiniLM-L6-v2 in float32 differ from those of
// sentence-transformers by at most 6.3e-07 in an element, on 18 texts of all kinds. In 8
// bits the largest difference is 0.0099. The programs are in testdata/peers.
//
// The second table shows the order that the vectors give to Cranfield's passages: nDCG@10 of
// 225 questions, and the difference to BM25 with its interval of 95 %. The program is in
// testdata/quality.
//
//	                        alone                    fused with BM25
//	BM25                    .375
//	static (retrieve/embed) .333   -.042 ± .024      .381   +.006 ± .017
//	this package, float32   .382   +.007 ± .026      .418   +.044 ± .018
//	this package, 8 bits    .382   +.007 ± .026      .417   +.042 ± .017
//
// So on this collection a transformer alone is no better than words, and both together
// are better than either.
//
// # Pitfalls
//
//   - Don't expect the end of a long text in its vector: all-MiniLM-L6-v2 reads 256 tokens,
//     about 200 words, and the rest is cut. Do cut documents into passages first.
//   - Don't mix vectors of two models, or of the two precisions, in one index. Their names
//     differ: see [Embedder.Name].
//   - Don't give a cross-encoder all passages: it reads each pair at question time. Do give
//     it the first 20 to 100 of a search.
//   - Don't read the scores of a cross-encoder as probabilities: they are logits, on the
//     model's own scale.
//   - Don't let strangers choose the folder. Damaged files are an error that wraps [ErrModel],
//     yet a model that somebody trained to rank wrong looks like any other.
//   - Don't count on every model: one with another tokenizer, another kind of positions or
//     another pooling is an error that wraps [ErrUnsupported], instead of wrong vectors.
//
// # Questions
//
// When should I take an encoder instead of the static embedder? Take an encoder when its
// better order of the passages is worth the time. It embeds some dozen passages a second
// on one core, and the static embedder far more. Measure the gain
// on your own questions, fused with BM25 if your search is.
//
// Which precision should I take? Take float32 when vectors must equal those of another
// program, such as an index that sentence-transformers filled. Take 8 bits when all vectors
// come from here and speed or memory counts: it is about twice as fast.
//
// # Further reading
//
//   - Devlin et al.: "BERT", 2019.
//   - Reimers, Gurevych: "Sentence-BERT", 2019, sections 3 and 7.
//   - Wang et al.: "MiniLM", 2020.
//   - Nogueira, Cho: "Passage re-ranking with BERT", 2019.
package bert

// Package embed turns texts into vectors without a network: an
// embeddings.Embedder whose model is a table in this package.
//
// # The idea
//
// Lectures 10 and 13. Most of what a large embedding model knows about a
// sentence is already in its words. Take each token of the vocabulary through
// the large model once, keep the results as a table, train the table on pairs
// of questions and answers to repair what was lost, store each row in eight
// bits: what is left is a static model. It embeds a text by looking up its
// tokens' rows and taking their mean:
//
//	"rotate the key" → ids → rows of int8 × the row's scale → mean → length 1
//
// No matrix is multiplied: it embeds hundreds of thousands of short sentences a
// second on one core (go test -bench ShortSentences ./retrieve/embed). What it can't do is order: "dog bites man" and "man bites
// dog" are one vector.
//
// # Using it
//
//	e, err := embed.New()
//	vectors, err := e.EmbedDocuments(ctx, texts) // 256 dimensions, length 1
//	query, err := e.EmbedQuery(ctx, "How do I rotate a key?")
//
// Vectors have length 1, so the inner product of two is their cosine. A text
// with no known token (empty, or in a script the vocabulary lacks) is the zero
// vector, whose cosine with anything is 0. Bytes that aren't UTF-8 are dropped,
// as the tokenizer's reference does. Texts may be of any length; every token
// counts the same.
//
// # How good it is
//
// On 700 question and passage pairs that it never saw it finds the right
// passage first for 76 % of the questions. It is trained on English, and weak on paraphrase and on long speeches in everyday words. Fuse it with BM25
// (package retrieve does): their mistakes are different ones. MODEL.md says how
// it was made and measured.
//
// # Pitfalls
//
//   - A vector without its model's name is a number. Keep [Embedder.Name] beside
//     what you store, and refuse to mix.
//   - Negation is a word like others: "refundable" and "not refundable" are near.
//
// # Exercises
//
//  1. Find two sentences with opposite meaning and a cosine above 0.9. What does
//     that say about a semantic cache?
//  2. Embed a document whole and cut into sentences. Which one does a question
//     find, and why does the mean hide the other?
//
// # Further reading
//
//   - Tissier, Gravier, Habrard: "Near-lossless binarization of word embeddings",
//     2018, on how few bits a row needs.
//   - Reimers, Gurevych: "Sentence-BERT", EMNLP 2019, the family of the teacher.
//   - Arora, Liang, Ma: "A simple but tough-to-beat baseline for sentence
//     embeddings", ICLR 2017, whose weighting a/(a+p) the table starts from.
package embed

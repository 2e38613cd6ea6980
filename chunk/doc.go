// Package chunk cuts documents into passages that can be found, quoted and
// traced back to the byte they came from.
//
// # The lecture
//
// Lecture 10. A support bot is asked "How long do refunds take?" and answers
// that it doesn't know. The manual says it, in the section on returns: "Refunds
// / take 14 days", where the slash is the place at which somebody's loop over
// text[i:i+1000] cut the page. One passage ends in "Refunds", the next begins
// with "take 14 days", and neither is near the question. No reranker and no
// prompt can mend that, since a retriever finds chunks, not documents.
//
// A chunk is asked for three things that pull in different directions. It must
// be small, so that its vector means one thing and the model's window isn't
// filled with what surrounds the answer. It must be whole, so that it can be
// understood without its neighbors. And it must be true: the text at
// source[Start:End], not a copy that has been tidied, or nobody can cite it,
// highlight it or delete it when its source changes.
//
// # Cut where it hurts least
//
// Text has joints, and some are weaker than others:
//
//	document ──► headings ──► paragraphs ──► lines ──► sentences ──► words ──► graphemes
//	            weakest joint                                        last resort
//
// [Recursive] cuts at the weakest joint that makes the pieces small enough, and
// packs neighbors together again as long as they fit. [Markdown], [HTML], [Go],
// [JSON] and [LaTeX] know more joints, and carry what a cut takes away: the path of
// headings, a table's header, the package clause. [Semantic] asks an embedder where
// the subject changes. [Windows] cuts anywhere; it is the baseline to beat.
// [FastCDC] cuts where a hash of the content decides, so that an edit changes few
// passages. Package langchain has the splitters of LangChain, equal to the
// character, for an index that was made with them.
//
// # A short program
//
//	c, err := chunk.NewMarkdown(&chunk.Options{Size: 200, Tokens: o200k.Encoding().Count})
//	chunks, err := c.Chunk(ctx, manual)
//	docs := chunk.Documents("manual.md", nil, chunks)   // for a vector store
//	changes, err := collection.Sync(ctx, "manual.md", docs)
//
// Sizes are in what the Tokens function counts; without one, in code points.
// The count of a whole isn't the sum of its parts' counts (" refund" is one
// token, " re" and "fund" are two), so each passage's final text is counted.
// That reads a text twice; Ranges: o200k.Encoding().Ranges in place of Tokens
// reads it once.
//
// # The same text, the same budget
//
// Which chunker is best? Papers and product pages answer with recall@5: of five
// passages retrieved, how much of the answer was among them? Below are a speech
// and chat logs with 132 questions (package chunkeval/sample, two of the five
// corpora of Chroma's chunking_evaluation), ranked by one static model, with the
// same chunkers measured in two ways: at five passages, and at 1,000 tokens of
// passages, however many that are.
//
//	chunker                   mean tokens   recall@5      recall@1000 tokens
//	recursive 400                     361   .974  1st     .908  2nd
//	windows 400, overlap 200          396   .955  2nd     .843  last
//	sentences 200                     181   .918  3rd     .921  1st
//	recursive 200                     176   .884  4th     .902  3rd
//	recursive 100                      81   .797  5th     .887  4th
//	windows 100                        99   .764  last    .843  last
//
//	go run ./examples/lab10-chunking
//
// The order changes, and most of the differences are gone. Five large passages
// have four times the text of five small ones, and more text contains more
// answers. That is not a merit of the cutting, and it is paid for in every prompt.
// A model's window is a budget of tokens, so compare at a budget of tokens. Then
// overlap, which stores and sends the same sentences twice, costs more than it
// brings.
//
// Two cautions before you quote the table. It is one embedder and 132 questions:
// a recall of .90 here may be .85 or .95, and .921 and .908 can't be told apart
// (chunkeval's Difference shows it). And the best of many settings, chosen on the
// questions it is reported for, looks better than it is.
//
// # Small to find, large to read
//
// What is easy to find isn't what is good to read. [Parents] cuts twice: small
// passages to be embedded, each with the large one that the model is shown
// instead. [SentenceWindows] is the same idea with a sentence and its
// neighbors. [WithHeadings] writes a line before each passage that names where
// it is from, [Contextual] has a model write it. [LateSpans] keeps the passages
// and changes the vectors: the whole document is embedded first, and each
// passage gets the mean of its tokens' vectors.
//
// # Texts that don't fit into memory
//
// [Stream] cuts what an io.Reader returns, window by window: 1 GiB goes through
// about 20 MiB of heap, and the chunks don't depend on how the reader returns
// its bytes.
//
//	for c, err := range chunk.Stream(ctx, file, chunker, nil) { ... }
//
// Which chunker is best for a text is a question for package chunkeval: it
// compares them at an equal budget of tokens.
//
// # Speed
//
// Chunking is counting. [Recursive] and [Markdown] keep one passage of pieces at a
// time and, with Ranges, count each token once. How many times as long others
// take, by the medians of five rounds in turns on one machine:
//
//	                    langchaingo   text-splitter (Rust)   langchain (Python)
//	200 tokens          213, 144      24, 53                 26, 27
//	1000 code points      8,  28      23, 134                18, 13
//	200 code points       4,   8      26, 208                15, 15
//
//	sh chunk/testdata/peers/run.sh 5
//
// The first number is for the recursive splitters, the second for markdown, on
// 2 MB of English; each counts tokens by what comes with it. Given this module's
// counter langchaingo takes 5 and 7 times as long at 200 tokens: the larger part
// is the counter. At 200 code points most paragraphs have to be cut, and ours
// look for sentences where langchain's go from lines to words.
//
// # Pitfalls
//
//   - A size in characters is not a size in tokens: 800 characters of English are
//     200 tokens, of Thai they may be 800. Give Tokens.
//   - Overlap of half the size doubles the index, the embedding bill and the
//     share of duplicates among the top results.
//   - Changing the chunker changes every id. Embed again, and evaluate again;
//     answers from a half-migrated index can't be explained.
//   - A chunk repeats what its document contains, including "ignore your
//     instructions". Passages are data from outside; see package guard.
//   - Finding a passage again by searching its text goes wrong on the second
//     occurrence. Keep the offsets.
//   - The embedder has a window too: what is longer is dropped silently by many.
//
// # Exercises
//
//  1. Cut a manual of your own at 100 and at 400 tokens, write ten questions, and
//     count the answers found among 5 passages and among 800 tokens of passages.
//  2. Cut your manual with Markdown, then insert a paragraph at its beginning.
//     How many ids change? And with FastCDC?
//  3. Cut a table of 200 rows at 100 tokens with Recursive and with Markdown.
//     Ask an embedder for a cell by its column's name.
//  4. Write a chunker for your company's format with [FromSpans], and run the
//     laws of [Chunker] over it as a fuzz test.
//
// # Further reading
//
//   - Smith, Troynikov: "Evaluating Chunking Strategies for Retrieval", Chroma
//     technical report, 2024: token-wise recall, precision and IoU.
//   - Unicode Standard Annex #29, "Unicode Text Segmentation".
//   - Xia et al.: "FastCDC", USENIX ATC 2016.
//   - Günther et al.: "Late Chunking", arXiv 2409.04701, 2024.
//   - Anthropic: "Introducing Contextual Retrieval", 2024.
//   - Kamradt: "5 Levels of Text Splitting", 2023: semantic breakpoints.
package chunk

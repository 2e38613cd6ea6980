// Package chunk cuts documents into passages that can be found, quoted and traced
// back to the byte they came from.
//
// # What you will be able to do
//
//   - Choose a chunker and a size for a kind of document, and say why.
//   - Compare chunkers fairly, at an equal budget of tokens.
//   - Keep what a cut takes away: headings, a table's header, the neighbors of a
//     sentence.
//   - Cut texts of any length in bounded memory, with exact byte offsets.
//
// # The problem
//
// A support bot is asked "How long do refunds take?" and answers that it doesn't
// know. The manual has the answer, in the section on returns: "Refunds / take 14
// days". The slash is the place at which a loop over text[i:i+1000] cut the page.
// One passage ends in "Refunds", the next begins with "take 14 days", and neither
// is similar to the question. No reranker and no prompt can repair that, since a
// retriever finds passages, not documents.
//
// # The idea
//
// Chunking cuts a document into passages that are embedded, found and shown one by
// one. A good passage has three properties that pull in different directions:
//
//   - Small: its vector should mean one thing, and the model's window shouldn't be
//     filled with text around the answer.
//   - Whole: a reader should understand the passage without its neighbors.
//   - True: it is the text at source[Start:End], unchanged, so that it can be
//     cited, highlighted, and deleted when its source changes.
//
// A text has places where a cut does little harm. The picture orders them, from the
// best place for a cut to the last resort:
//
//	headings ──► paragraphs ──► lines ──► sentences ──► words ──► characters
//	 best place                                           last resort
//
// [Recursive] cuts at the best place that makes the pieces small enough, and packs
// neighbors together again as long as they fit.
//
// # Terms
//
//   - Chunk (also: passage, text chunk): A chunk is a piece of a document that is
//     embedded, found and shown as one unit. [Chunk] has its text, its byte offsets
//     in the source and the headings above it.
//   - Chunking (also: text splitting, splitting, segmentation): Chunking is cutting
//     documents into chunks before they are embedded. It decides what a retriever
//     can find.
//   - Chunker (also: text splitter, splitter): A chunker is a program that cuts a
//     text into chunks. [Chunker] is the interface; LangChain's word for it is text
//     splitter.
//   - Chunk size (also: size): The chunk size is the largest length of a chunk,
//     best measured in tokens. Options.Size sets it; the default is 200 tokens.
//   - Overlap (also: chunk overlap): Overlap is the text at the end of a chunk that
//     the next chunk repeats. It keeps a sentence at a border whole in one of the
//     two, and stores and sends the same text twice. The default is 0.
//   - Token budget (also: budget of tokens): A token budget is how many tokens of
//     passages are given to the model for a question. Chunkers must be compared at
//     an equal token budget, since longer passages bring more text.
//   - Recursive splitting (also: recursive chunking, recursive character
//     splitting): Recursive splitting cuts a text at the largest kind of border
//     (paragraphs), and cuts pieces that are still too large at the next smaller
//     kind (lines, sentences, words). [Recursive] does it.
//   - Fixed-size chunking (also: windows, sliding window, token windows):
//     Fixed-size chunking cuts after a fixed number of tokens, wherever that falls,
//     even inside a sentence. It is the baseline that other chunkers have to beat.
//     [Windows] does it.
//   - Sentence chunking (also: sentence splitting): Sentence chunking cuts between
//     sentences only. [Sentences] does it by Unicode's rules, without taking the
//     full stop of an abbreviation for the end of a sentence.
//   - Sentence window (also: sentence window retrieval): A sentence window is a
//     sentence with its neighbors: the single sentence is embedded and found, and
//     the window around it is shown to the model. [SentenceWindows] makes them.
//   - Parent document (also: parent-child chunking, small-to-big retrieval, parent
//     document retriever): Parent-document chunking cuts twice: small passages are
//     embedded and found, and the larger passage around them is shown to the model.
//     [Parents] does it.
//   - Structured chunking (also: markdown splitting, structure-aware chunking,
//     document-based chunking): Structured chunking follows the format of a
//     document: headings, tables, code, HTML blocks, JSON members. [Markdown],
//     [HTML], [Go], [JSON] and [LaTeX] do it.
//   - Semantic chunking (also: semantic splitting): Semantic chunking embeds the
//     sentences and cuts where the meaning changes from one to the next. It needs
//     an embedding of about three times the text. [Semantic] does it.
//   - Content-defined chunking (also: CDC, FastCDC, rolling hash): Content-defined
//     chunking cuts where a hash of the last bytes has a certain pattern. So an
//     edit changes only the chunks near it, and the others keep their ids.
//     [FastCDC] does it.
//   - Contextual retrieval (also: contextual chunking, chunk context): Contextual
//     retrieval lets a model write one or two sentences for each chunk that say
//     where in the document it belongs, and embeds them together with the chunk.
//     [Contextual] does it, one call for each chunk.
//   - Late chunking: Late chunking embeds the whole document first and cuts
//     afterwards: the vector of a chunk is the mean of the vectors of its tokens,
//     which have seen the whole document. It needs an embedder with a long window
//     that returns a vector for each token. See [LateSpans].
//   - Byte offset (also: offset, span, Start and End): A byte offset is the place
//     of a chunk in its source: the chunk is source[Start:End]. It is needed for
//     citations and highlighting.
//   - Grapheme cluster (also: grapheme, character): A grapheme cluster is what a
//     reader sees as one character; it may consist of several code points, as many
//     emoji do. No chunker here cuts one, except [Windows] and [FastCDC].
//   - Code point (also: rune, character): A code point is a number of Unicode for a
//     letter or symbol; in Go it is called a rune. Without a token counter, sizes
//     are in code points.
//   - Metadata (also: document metadata): Metadata is data about a chunk beside its
//     text: source, offsets, headings, tenant. [Documents] writes it under fixed
//     keys, such as [KeySource] and [KeyTenant].
//   - Streaming chunking (also: streaming, large files): Streaming chunking cuts a
//     text while it is read, so that memory doesn't grow with its length. [Stream]
//     does it.
//   - Recall at a token budget (also: token recall, recall): Recall at a token
//     budget is the share of the answering text that is among the best passages,
//     when as many passages are taken as fit into the budget.
//     [github.com/prodailabs/prodai/chunk/chunkeval] measures it.
//
// # Which chunker for which text
//
// The chunkers of this package are for different texts. Take the first that fits:
//
//   - Notes and manuals of which whole paragraphs are quoted: [Blocks] makes each
//     paragraph, list item, table and code block a passage.
//   - Markdown, such as READMEs and manuals: [Markdown] never crosses a heading,
//     keeps code and list items whole, and repeats a table's header.
//   - Web pages: [HTML] cuts between blocks and carries the path of headings;
//     [HTMLText] makes readable text of a passage.
//   - Go source, JSON, LaTeX: [Go], [JSON] and [LaTeX] cut between declarations,
//     members and sections.
//   - Plain prose: [Recursive], or [Sentences].
//   - Documents that change often: [FastCDC], whose chunks stay the same except
//     near an edit.
//   - An index that was made with LangChain:
//     [github.com/prodailabs/prodai/chunk/langchain] makes the same chunks, to the
//     character.
//
// # Small to find, large to read
//
// What is easy to find isn't what is good to read. A small passage has an exact
// vector; a large one can be understood. [Parents] and [SentenceWindows] find the
// small one and show the large one. [WithHeadings] writes a line before each
// passage that names its place, and [Contextual] has a model write it.
//
// # How sizes are counted
//
// Sizes are in what the Tokens function counts; without one, in code points. The
// count of a whole isn't the sum of its parts' counts (" refund" is one token, "
// re" and "fund" are two), so each passage's final text is counted. That reads a
// text twice. Options.Ranges (o200k.Encoding().Ranges) in place of Options.Tokens
// reads it once.
//
// # A minimal program
//
// The program's middle: cut a manual by its markdown structure into passages of 200
// tokens, and make documents for a vector store.
//
//	c, err := chunk.NewMarkdown(&chunk.Options{Size: 200, Ranges: o200k.Encoding().Ranges})
//	if err != nil {
//		return err
//	}
//	chunks, err := c.Chunk(ctx, manual)
//	if err != nil {
//		return err
//	}
//	for _, p := range chunks {
//		fmt.Println(p.Start, p.End, strings.Join(p.Headings, " > "))
//	}
//	docs := chunk.Documents("manual.md", nil, chunks)
//	changes, err := collection.Sync(ctx, "manual.md", docs) // package retrieve
//	if err != nil {
//		return err
//	}
//	fmt.Println(changes.Added, changes.Kept)
//
// # Measured
//
// The first table compares chunkers in two ways: by the recall of the five best
// passages, and by the recall within 1,000 tokens of passages. The texts are a
// speech and chat logs with 132 questions (chunk/chunkeval/sample), ranked by one
// static embedding model. The command under the table prints it.
//
//	chunker                   mean tokens   recall@5      recall@1000 tokens
//	recursive 400                     361   .974  1st     .899  3rd
//	windows 400, overlap 200          396   .969  2nd     .877  5th
//	sentences 200                     181   .907  3rd     .913  2nd
//	recursive 200                     176   .876  4th     .885  4th
//	recursive 100                      81   .806  5th     .926  1st
//	windows 100                        99   .768  last    .874  last
//
//	go run ./examples/lab10-chunking
//
// The order of the chunkers changes between the two columns, and most of the
// differences are gone in the second. Five large passages have four times the text
// of five small ones, and more text contains more answers. That isn't a merit of
// the cutting, and it is paid for in every prompt. So compare at a budget of
// tokens. At an equal budget, overlap costs more than it brings.
//
// Two cautions before you quote the table of recalls. It is one embedder and 132
// questions: a recall of .90 may be .85 or .95, and .926 and .913 can't be
// distinguished. And the best of many settings, chosen on the questions it is
// reported for, looks better than it is.
//
// The second table is about speed: how many times as long other libraries take on 2
// MB of English, by the medians of five rounds. The first number is for recursive
// splitters, the second for markdown.
//
//	                    langchaingo   text-splitter (Rust)   langchain (Python)
//	200 tokens          213, 144      24, 53                 26, 27
//	1000 code points      8,  28      23, 134                18, 13
//	200 code points       4,   8      26, 208                15, 15
//
//	sh chunk/testdata/peers/run.sh 5
//
// Each library counts tokens by what comes with it. With this module's counter,
// langchaingo takes 5 and 7 times as long at 200 tokens, so the larger part of the
// difference is the counter.
//
// # Pitfalls
//
//   - Don't measure sizes in characters when the limit is in tokens: 800 characters
//     of English are 200 tokens, of Thai they may be 800. Do give Options.Tokens or
//     Options.Ranges.
//   - Don't use an overlap of half the size without measuring: it doubles the index
//     and the embedding bill, and fills the top results with duplicates. Do start
//     with 0.
//   - Don't change the chunker under an existing index: all ids change, and answers
//     from a half-changed index can't be explained. Do embed everything again, and
//     evaluate again.
//   - Don't search a passage's text to find its place: it may occur twice. Do keep
//     the offsets, [Chunk].Start and End.
//   - Don't make chunks longer than the embedder's window: many embedders drop the
//     rest silently. Do look up the window of your embedder (often 512 tokens).
//   - Don't obey what a passage says: a chunk repeats what its document contains,
//     including "ignore your instructions". Do treat passages as data, see package
//     guard.
//   - Don't compare chunkers at a fixed number of passages: the one with the
//     largest passages wins. Do compare at a fixed number of tokens.
//
// # Questions
//
// Why do I have to cut documents into chunks at all? Documents are cut into chunks
// because a whole document has too many subjects for one vector, often doesn't fit
// into the embedder's window, and costs too much in each prompt. A chunk of some
// hundred tokens can be found and shown alone.
//
// How big should a chunk be, and how many tokens should it have? Start with a chunk
// size of 200 tokens, the default here, and try 100 and 400 on your own questions.
// Small chunks are found more exactly and lack surroundings; large ones bring more
// text that isn't the answer. At a budget of 1,000 tokens the recall of 100, 200
// and 400 tokens was .887, .902 and .908 in the lab, which is not a real
// difference.
//
// How much overlap do I need? Start with no overlap. It helps only chunkers that
// cut inside of sentences; chunkers that cut between sentences or sections don't
// need it. In the lab, windows of 400 tokens with an overlap of 200 had a recall of
// .843 at 1,000 tokens, and .882 without overlap.
//
// Which chunking strategy is the best? No strategy is the best for all texts. Use
// the document's structure where there is one ([Markdown], [HTML]) and [Recursive]
// or [Sentences] for prose. The differences at an equal budget of tokens are small;
// a cut inside of tables or code does the most harm. Measure on your own questions
// with chunk/chunkeval.
//
// What is the difference between recursive and semantic chunking? Recursive
// chunking cuts at paragraphs, lines and sentences by their form. Semantic chunking
// embeds every sentence and cuts where the meaning changes. Semantic chunking costs
// an embedding of about three times the text, and at an equal budget its gain over
// [Recursive] has been small where it was measured.
//
// Why should I cut by tokens and not by characters? Windows and prices of models
// are in tokens, and the number of characters in a token differs: about four in
// English, one or two in many other scripts and in code. A chunk of 1,000
// characters may be 250 tokens or 1,000. Give Options.Ranges to count tokens
// exactly.
//
// How do I split (chunk) Markdown by headings? To split Markdown by headings, use
// [NewMarkdown]: a passage never crosses a heading, carries the path of headings in
// Chunk.Headings, keeps code blocks and list items whole as long as they fit, and
// each part of a table repeats the table's header in Chunk.Context.
//
// How do I chunk PDF or Word files? To chunk a PDF or a Word file, first make text
// or markdown of them with another tool, then cut that. This package reads text
// only: markdown, HTML, LaTeX, JSON, Go source and plain text. The offsets are
// those in the text that you give.
//
// How do I chunk source code? For source code in Go use [Go], which cuts between
// declarations, each with its comment. For other languages package chunk/langchain
// has LangChain's separators for its languages, or write a [Chunker] with
// [FromSpans].
//
// Why do bigger chunks get a better recall@5? Bigger chunks get a better recall@5
// because five big chunks contain more text than five small ones, and more text
// contains more answers. Recall@5 doesn't count the tokens that this text costs in
// each prompt. At an equal budget of tokens the advantage is mostly gone.
//
// How do I cite the exact place in the source document? To cite the exact place in
// the source, use a chunk's byte offsets, [Chunk].Start and End. [Documents] writes
// them into the metadata under [KeyStart] and [KeyEnd], with [KeySource] for the
// document. [MetaSpan] reads them back from a store, so a program can highlight the
// passage.
//
// How do I chunk a very large file, of 1 GB for example, without running out of
// memory? To chunk a very large file in little memory, use [Stream] on an
// io.Reader: it cuts window by window, and 1 GiB goes through less than 20 MiB of
// heap (go test -run StreamHoldsLittle -v ./chunk -long prints it). The chunks
// don't depend on how the reader returns its bytes.
//
// How do I keep the context of a chunk? To keep the context of a chunk, use
// [WithHeadings] to write the title and headings before each passage, [Parents] to
// show a larger passage than the one that was found, or [Contextual] to let a model
// describe each passage. The first is free, the last costs one model call for each
// passage.
//
// What is contextual retrieval and what does it cost? Contextual retrieval lets a
// model write one or two sentences for each chunk that say what the chunk is about.
// It costs a call for each chunk with the whole document as input. The calls begin
// with the same bytes, so a provider with prompt caching bills the document in full
// only once.
//
// Do chunk ids stay the same when the document changes? A chunk's id is a hash of
// its content, so a chunk that isn't changed keeps its id. With [Recursive] an edit
// can move all cuts after it; with [FastCDC] only the chunks near the edit change.
// [Documents] adds a number where a text occurs twice.
//
// How do I use these chunkers with LangChain for Go? To use these chunkers with
// LangChain for Go (langchaingo), call [NewTextSplitter]: it makes a text splitter
// of any chunker here, which document loaders can use. That interface has no
// offsets; [Documents] makes langchaingo documents with offsets in their metadata.
//
// How do I compare two chunkers? To compare two chunkers, write questions with the
// passages that answer them, and run chunkeval.Run of chunk/chunkeval with each
// chunker, the same embedder and the same budget of tokens. Then look at the
// interval of chunkeval.Difference: if it contains 0, no difference was shown.
//
// What does "Oversize" mean in a chunk? Chunk.Oversize is true if a passage is
// larger than the size because it can't be cut: a single visible character that is
// larger by itself. It is rare. In [Windows] it marks a window that had to end
// after a whole code point.
//
// # Lab
//
// The lab cuts a text with windows and with a recursive chunker, and compares ten
// chunkers by what they retrieve:
//
//	go run ./examples/lab10-chunking
//
// Look first at the cuts: windows end inside of sentences. Then compare the columns
// "recall@5" and "recall at 1000 tokens", and read the last line, which says
// whether the two best really differ. With -text and -questions it runs on a text
// of your own.
//
// # Exercises
//
//  1. Cut a manual of your own at 100 and at 400 tokens, write ten questions, and
//     count the answers found among 5 passages and among 800 tokens of passages.
//  2. Cut your manual with Markdown, then insert a paragraph at its beginning. How
//     many ids change? And with FastCDC?
//  3. Cut a table of 200 rows at 100 tokens with Recursive and with Markdown. Ask
//     an embedder for a cell by its column's name.
//  4. Write a chunker for your company's format with [FromSpans], and run the laws
//     of [Chunker] over it as a fuzz test.
//
// # Further reading
//
//   - Smith, Troynikov: "Evaluating chunking strategies for retrieval", Chroma
//     technical report, 2024: recall, precision and IoU by tokens.
//   - Unicode Standard Annex #29, "Unicode text segmentation".
//   - Xia et al.: "FastCDC", USENIX ATC 2016.
//   - Günther et al.: "Late chunking", arXiv 2409.04701, 2024.
//   - Anthropic: "Introducing contextual retrieval", 2024.
//   - Kamradt: "5 levels of text splitting", 2023: semantic breakpoints.
package chunk

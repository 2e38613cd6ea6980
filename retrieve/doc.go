// Package retrieve finds the passages of your documents that answer a question, by
// meaning and by words at once.
//
// # What you will be able to do
//
//   - Explain retrieval-augmented generation, and decide between it, fine-tuning
//     and a long context.
//   - Search by vectors and by words, fuse both rankings, and say when each of the
//     two fails.
//   - Choose a vector database and an index (exact, HNSW, IVFFlat) by size and
//     needs.
//   - Keep an index up to date with changing documents, and tenants apart in it.
//
// # The problem
//
// A support bot is asked "How long do I have to return a toaster?" and answers "60
// days". The shop's manual says 30. The model has never seen the manual, so it
// wrote what sounds likely. The team pastes all 400 pages into the prompt: each
// question now costs 40 cents, takes 20 seconds, and the answer is still wrong
// sometimes, because the right line is in the middle of much else.
//
// The team then searches the manual by embeddings and shows the model the five best
// passages. Most answers are right now. But a customer who asks for error E4502
// gets passages about other errors, since the embedder has never seen that code. A
// search by words would have found it at once.
//
// # The idea
//
// Retrieval-augmented generation shows the model the passages that matter, and asks
// it to answer from them. A retriever finds the passages, so it decides what the
// model can know. If the retriever misses the passage, no prompt can repair the
// answer.
//
// A search by words and a search by meaning fail on different questions. A search
// by words ([github.com/prodailabs/prodai/retrieve/bm25]) finds what is written the
// same, such as an error code. It doesn't know that "money back" is a refund. A
// search by meaning (an embedder, such as
// [github.com/prodailabs/prodai/retrieve/embed]) knows that, and can't find a code
// that it has never seen. So a hybrid search asks both and fuses the rankings, as
// the diagram shows:
//
//	question ─┬─► words ──► BM25 ──► ranking ─┐
//	          └─► vector ─► cosine ► ranking ─┴─► RRF ──► the k best
//
// The whole pipeline has two halves. Offline, documents are loaded, cut into
// passages, embedded and stored. Online, a question is embedded, passages are
// found, perhaps reranked, put into a prompt with numbers, and the model answers
// with citations:
//
//	documents ─► chunk ─► embed ─► index
//	                                 │
//	question ─► embed ─► search ─────┴─► rerank ─► prompt ─► model ─► answer with citations
//
// # Terms
//
//   - Retrieval-augmented generation (also: RAG, retrieval augmented generation):
//     Retrieval-augmented generation finds passages that fit a question, puts them
//     into the prompt, and lets the model answer from them. The model can then use
//     private or recent documents that it was never trained on, and can cite them.
//   - Retriever (also: retrieval): A retriever is the part that takes a question
//     and returns the best passages. [Collection] is one; it implements
//     schema.Retriever of langchaingo.
//   - Passage (also: chunk, document chunk): A passage is a piece of a document,
//     some hundred tokens long, that is found and shown as one unit. Package chunk
//     cuts documents into passages.
//   - Embedding (also: embedding vector, vector, text embedding): An embedding is a
//     list of numbers (256 to 3,072, for example) that represents the meaning of a
//     text. Texts with similar meaning have vectors that point in similar
//     directions.
//   - Embedder (also: embedding model, embeddings model): An embedder is a model
//     that turns a text into an embedding. Vectors of different embedders can't be
//     compared, so documents and questions need the same one.
//   - Cosine similarity (also: cosine, cosine distance): Cosine similarity measures
//     how similar the directions of two vectors are: 1 for the same direction, 0
//     for unrelated, -1 for opposite. It ignores the lengths. For vectors of length
//     1 it is their inner product; cosine distance is 1 minus it.
//   - Vector database (also: vector store, vector DB, vectorstore): A vector
//     database stores embeddings with their texts and metadata, and finds those
//     nearest to a query vector. Pinecone, Weaviate, Qdrant, Milvus, Chroma and
//     pgvector (an extension of PostgreSQL) are examples.
//   - Pinecone: Pinecone is a vector database that its vendor runs for you (a
//     managed service). You operate nothing, keep tenants apart by namespaces, and
//     can't run it on your own machines.
//   - Weaviate: Weaviate is an open-source vector database written in Go, which you
//     run yourself or rent. It has hybrid search (vectors and BM25) built in, and
//     modules that call an embedder for you.
//   - Qdrant: Qdrant is an open-source vector database written in Rust, which you
//     run yourself or rent. It is known for metadata filters that work inside the
//     HNSW search, and for quantized vectors.
//   - pgvector (also: PostgreSQL vector, Postgres): pgvector is an extension of
//     PostgreSQL that adds a vector column and the indexes HNSW and IVFFlat.
//     Vectors then lie beside your other data, with SQL, joins, transactions and
//     one backup.
//   - Semantic search (also: dense retrieval, vector search, search by meaning):
//     Semantic search ranks passages by how near their embeddings are to the
//     embedding of the question. It finds other words for the same thing, and is
//     weak at codes, names and numbers.
//   - Keyword search (also: lexical search, sparse retrieval, full-text search):
//     Keyword search ranks passages by the words that they share with the question.
//     It is strong at exact names and codes, and doesn't know synonyms.
//   - BM25 (also: Okapi BM25): BM25 is the standard formula of keyword search. A
//     word counts more if it is rare among all passages, repeated words count less
//     and less, and long passages are corrected for their length.
//   - Hybrid search (also: hybrid retrieval, dense and sparse): Hybrid search runs
//     semantic search and keyword search for the same question and fuses the two
//     rankings. It finds paraphrases and exact codes.
//   - Reciprocal rank fusion (also: RRF, rank fusion): Reciprocal rank fusion
//     merges rankings by rank only: a passage gets 1/(60 + rank) from each ranking
//     that contains it, and the sums are sorted. It needs no tuning and no common
//     scale of scores. [RRF] computes it.
//   - Weighted score fusion (also: score fusion, min-max normalization): Weighted
//     score fusion brings the scores of each ranking to a common scale and adds
//     them with weights. It keeps how much better one passage is than the next.
//     [WeightedSum] does it with [MinMax], [ZScore] or [DBSF], and [Convex] for two
//     rankings with one weight.
//   - Distribution-based score fusion (also: DBSF): Distribution-based score fusion
//     maps the scores of each ranking by their mean and standard deviation: three
//     deviations below the mean become 0, three above become 1. Then they are
//     added. [DBSF] does the mapping, as Qdrant does.
//   - Reranking (also: reranker, re-ranking, rerank): Reranking sorts the first
//     candidates of a fast search again with a slower and better model, and keeps
//     the best few. Typical are 50 candidates and 5 results.
//   - Cross-encoder: A cross-encoder reads the question and one passage together
//     and returns one score. It is more exact than a bi-encoder, which embeds the
//     two separately, but has to run once for each candidate, so it is used for
//     reranking only.
//   - Bi-encoder (also: dual encoder): A bi-encoder embeds the question and each
//     passage separately, and compares the vectors. Passages are embedded once,
//     before any question, so a search is fast. Embedders are bi-encoders.
//   - Contextual compression (also: compression, context compression): Contextual
//     compression shortens the retrieved passages to the sentences that matter for
//     the question, before they go into the prompt. It saves tokens, and can lose a
//     sentence that was needed.
//   - Maximal marginal relevance (also: MMR, diversity): Maximal marginal relevance
//     picks passages one by one, and prefers a passage that fits the question but
//     is unlike those already picked. It keeps five copies of the same sentence
//     from filling the prompt.
//   - Query rewriting (also: query transformation, query expansion): Query
//     rewriting lets a model make a better search query of the user's question, for
//     example one that names what "it" refers to.
//   - HyDE (also: hypothetical document embeddings): HyDE lets a model invent an
//     answer, and searches with the embedding of this answer instead of the
//     question, since an answer is more similar to the passages. The invented facts
//     are thrown away.
//   - Multi-query: Multi-query lets a model write several versions of a question,
//     searches with each, and fuses the rankings.
//   - Metadata filter (also: filter, filtered search, pre-filtering): A metadata
//     filter allows only passages whose metadata fit, such as a language, a date or
//     a tenant. It must be applied before the best k are taken, or too few remain.
//     [Query].Filter is applied before.
//   - HNSW (also: hierarchical navigable small world, graph index): HNSW is an
//     approximate index that links each vector with near ones in a graph of several
//     layers, and walks from link to link towards the query. It is fast with high
//     recall, takes more memory, and is slow to build.
//     [github.com/prodailabs/prodai/retrieve/hnsw] implements it.
//   - IVFFlat (also: IVF, inverted file index, lists, probes): IVFFlat is an
//     approximate index that groups vectors into clusters by k-means, and
//     compares the query only with the vectors of the nearest few clusters
//     (probes). It builds faster and is smaller than HNSW, and has lower recall
//     at the same speed. Its clusters must be learned from data that is already
//     there. [github.com/prodailabs/prodai/retrieve/ivf] implements it.
//   - Flat index (also: exact search, brute force, exact nearest neighbor, kNN): A
//     flat index compares the query with every vector. It always finds the true
//     nearest ones, needs no building, and is fast enough for some hundred thousand
//     vectors. [github.com/prodailabs/prodai/retrieve/flat] is one.
//   - Approximate nearest neighbor (also: ANN, ANN search): An approximate nearest
//     neighbor search looks at a small part of the vectors, and so may miss some of
//     the true nearest. It trades recall for speed.
//   - Recall at k (also: recall@k, recall): Recall at k is the share of the
//     relevant passages that are among the first k results. For an approximate
//     index it is the share of the true k nearest that it finds.
//   - Precision at k (also: precision@k): Precision at k is the share of the first
//     k results that are relevant.
//   - Top k (also: k, top-k retrieval): Top k is how many passages a search
//     returns. A larger k finds more answers and costs more tokens. The default of
//     Options.K is 5.
//   - Citation (also: source reference, attribution): A citation is a mark in an
//     answer, such as [1], that names the passage a sentence rests on. It lets a
//     reader or a program check the sentence.
//   - Hallucination (also: confabulation, made-up answer): A hallucination is a
//     statement of a model that sounds right but is invented, or isn't supported by
//     the passages it was given.
//   - Groundedness (also: faithfulness, grounding): Groundedness says whether each
//     statement of an answer is supported by the given passages. An answer can be
//     grounded and still wrong, if the passage is wrong or out of date.
//   - Fine-tuning: Fine-tuning trains an existing model further on your own
//     examples, which changes its weights. It teaches style, format and skills
//     well, and single facts badly.
//   - Long context (also: long-context model): A long context means putting whole
//     documents into the prompt of a model with a large window instead of
//     searching. It is simple, but each question pays for all tokens.
//   - Lost in the middle: Lost in the middle is the finding that models use facts
//     at the beginning and the end of a long prompt well, and overlook facts in its
//     middle. So fewer and better passages are worth more than many.
//   - Tenant (also: multi-tenancy): A tenant is a customer whose documents must not
//     be found by other customers. A document's metadata key "tenant" names its
//     owner here.
//   - Ingestion (also: indexing pipeline, index): Ingestion loads documents, cuts
//     them into passages, embeds these and writes them into the index.
//     [Collection.Sync] does the last two steps for one source.
//   - Upsert (also: sync, re-indexing): An upsert writes a record, and replaces the
//     record with the same id if there is one. Upserts alone leave passages of
//     deleted text in an index; [Collection.Sync] also removes those.
//
// # Choosing a vector database
//
// The lecture's databases differ in who runs them and in what surrounds the
// vectors. This table gives the facts that decide; the subpackages of
// [github.com/prodailabs/prodai/retrieve/store] are clients for all four.
//
//	            run by              index           known for
//	Pinecone    the vendor only     its own         nothing to operate, namespaces for tenants
//	Weaviate    you or the vendor   HNSW, flat      hybrid search built in, modules that embed
//	Qdrant      you or the vendor   HNSW            filters inside the graph walk, quantization
//	pgvector    you, in PostgreSQL  HNSW, IVFFlat   SQL, joins and transactions beside your data
//
// Below some hundred thousand passages, no database is needed for speed: an exact
// search takes milliseconds. [Collection] is such a store in one process and one
// file. A database is needed when several servers write, when the vectors don't fit
// into memory, or when backups and access rules must be those of your other data.
//
// # The fusion
//
// Reciprocal rank fusion uses ranks because the scores have nothing in common: a
// cosine ends at 1, a BM25 score has no upper end. Each ranking that contains a
// passage gives it a share, and the shares are added:
//
//	score(passage) = sum over rankings of  weight / (60 + rank)
//
// Equal weights trust both rankings alike. If the embedder is weaker than the
// words, the fusion can be worse than BM25 alone, so lower Options.DenseWeight
// then. Measure both on your own questions first, since on many test collections
// BM25 is hard to beat.
//
// Fusing scores (Options.Normalize = DBSF) keeps what ranks throw away: how far a passage
// is ahead. Where the embedder sees little difference, the words decide, and where it sees
// much, it counts. So it can be used with an embedder that is weaker than BM25. The method
// and the vectors' weight of 0.3 were chosen on five sets of questions, MedQuAD and these
// notes among them, Cranfield not. Measured (nDCG@10 for Cranfield, else 1/rank in the
// first 10):
//
//	                             static embedder             all-MiniLM-L6-v2
//	                    BM25   ranks 1:1   scores .3:.7   ranks 1:1   scores .3:.7   .5:.5
//	Cranfield, 225      .375     .381         .391          .417         .410        .419
//	MedQuAD, 700        .858     .804         .858          .889         .888        .903
//	these notes, 712    .750     .722         .769          .813         .811        .831
//
// With the static embedder the fused scores are above BM25 on Cranfield (the 95 % interval
// of the difference is +.005 to +.028) and on these notes (+.009 to +.028), and level on
// MedQuAD (-.009 to +.009), where equally weighted ranks lose .054. A strong embedder
// deserves a weight of 0.5. README.md of internal/statictrain has the other figures.
//
// # Changing documents
//
// [Collection.Sync] makes the passages of one source be exactly those given: new
// passages are embedded and added, removed ones are deleted, unchanged ones are
// kept without a new embedding. A crash in the middle of a Sync leaves the state
// before or the state after, never a mixture.
//
// [Collection.Upsert] and [Collection.Delete] change single passages by their ids, and
// [Collection.SyncAll] makes a collection follow a folder: sources that are gone are
// removed. Each change is one record with a checksum at the end of the file, and is
// acknowledged when it is on the disk. A test kills processes in the middle of their
// writes, and finds every acknowledged change again:
//
//	PRODAI_KILLS=1000 go test -run KilledWriters ./retrieve
//
// # The index of a collection
//
// A collection is searched exactly up to 20,000 passages, and through a graph of
// retrieve/hnsw from there on. Near that size both take the same time for the hundred
// passages that the fusion needs; below, the exact search is as fast and loses nothing.
// This command prints the crossing:
//
//	go test -run xxx -bench Crossing ./retrieve
//
// The crossing of exact search and graph is where their times are equal: between 10,000
// and 20,000 vectors of 256 elements, for the hundred best. This table has the processor
// times of a search, on a machine with other work; on a quiet one, where the vectors stay
// in its cache, both were equal at 20,000:
//
//	passages   exact     graph
//	  10,000   0.3 ms    0.4 ms
//	  20,000   1.1 ms    0.7 ms
//	  40,000   2.3 ms    0.8 ms
//
// The crossing is lower for fewer results: for the ten best, a graph is faster from some
// 1,000 or 2,000 vectors on, as the notes of retrieve/hnsw say. A collection is exact for
// longer, since its fusion takes a hundred, and since a new passage costs 5 µs in an exact
// index and 450 in a graph.
//
// The graph is stored beside the collection's file when the collection is closed, so
// that a start doesn't build it again; passages that were added since are added to it.
// If the stored graph is missing or damaged, it is built from the collection's file.
// Options.Index chooses another [Index], and [Collection.Recall] measures what it loses.
// The change that makes a collection reach 20,000 passages takes some seconds longer,
// while searches go on with the exact index.
//
// The words of a collection of that size are stored beside its file too, if Options.Words
// is a [StoredWords] such as a *bm25.Index. A start then maps them into memory instead of
// analyzing all texts again; some of the texts are compared, so that words of another
// analyzer are not believed.
//
// A search by words can weigh the title of a passage more than its text. The Boosts of
// bm25.Options name metadata with their weights, such as {"title": 2}: a word of the title
// then counts as if it were twice in the text. With Phrases there, double quotes in a
// query mean a phrase: "api key" in quotes ranks a passage with these two words one after
// the other higher. The example Fields shows both.
//
// Learned sparse vectors take the place of the words with Options.Sparse, an interface to
// a model such as SPLADE. Their weights are stored with the passages, and made once for
// each text.
//
// [Collection.SyncFolder] makes a collection follow the files of a folder: files that are
// gone are removed, and a folder that looks empty removes nothing.
//
// # A minimal program
//
// The program's middle: open a collection with both searches, bring one document up
// to date, and search.
//
//	e, err := embed.New() // an embedder that needs no network
//	if err != nil {
//		return err
//	}
//	words, err := bm25.New(nil)
//	if err != nil {
//		return err
//	}
//	c, err := retrieve.Open("manual.collection", e, &retrieve.Options{Words: words})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	if _, err := c.Sync(ctx, "returns.md", docs); err != nil { // docs: chunk.Documents(…)
//		return err
//	}
//	results, err := c.Search(ctx, "How do I get my money back?", 5, nil)
//	if err != nil {
//		return err
//	}
//	for _, r := range results {
//		fmt.Printf("%.2f %s\n", r.Cosine, r.PageContent)
//	}
//
// # Pitfalls
//
//   - Don't mix vectors of two embedding models in one index: their numbers have no
//     relation, and the search returns nonsense without an error. Do embed
//     everything again when you change the model. The collection's file stores the
//     embedder's name, and [Open] fails with [ErrEmbedder] for another one.
//   - Don't filter after the k best were taken: fewer than k results remain, or
//     none. Do filter before, as tenant and [Query].Filter are applied here.
//   - Don't treat a missing tenant as "all tenants": one forgotten field then shows
//     every customer's documents. Here a search without a tenant finds only
//     documents that have no owner.
//   - Don't take a high rank for a good match: the best of ten bad passages is
//     still first. Do look at [Result].Cosine and [Result].Words, and let the
//     system answer "I don't know".
//   - Don't use semantic search alone: it misses codes, part numbers and rare
//     names. Do add keyword search and fuse.
//   - Don't judge retrieval by the final answers only: a good model hides missing
//     passages with a guess. Do measure recall at k on questions whose passages you
//     know.
//   - Don't trust the text of a passage: a document can contain "ignore your
//     instructions". Do treat passages as data and check them with package guard.
//
// # Questions
//
// What is RAG and why do I need it? Retrieval-augmented generation (RAG) searches
// your documents for passages that fit a question, and gives them to the model with
// the question. You need it when the answer is in private, recent or changing
// documents that the model was not trained on, or when answers must name their
// source.
//
// When should I use RAG and when fine-tuning? Use RAG, and not fine-tuning, for
// facts: documents can change at any time, and answers can cite them. Use
// fine-tuning for behavior: a style, a format, a narrow task with many examples.
// Fine-tuning teaches single facts badly and must be repeated for each change. Both
// can be combined.
//
// Why not just put all documents into a long context window of a million (1M)
// tokens? Putting all documents into a long context window works while they are
// few. Each question then pays for all tokens and waits for them: 200,000 input
// tokens at $2.50 a million are $0.50 a question, five passages of 200 tokens are
// $0.0025. Models also overlook facts in the middle of long prompts. Prompt caching
// lowers the cost, not the second problem.
//
// Which vector database should I choose: Pinecone, Weaviate, Qdrant or pgvector?
// Choose a vector database by where your data is: take pgvector if your data is in
// PostgreSQL already and you have up to some million vectors. Take Qdrant or
// Weaviate if you need fast filters or hybrid search and can run a server. Take
// Pinecone if you don't want to operate anything. For a few hundred thousand
// passages in one program, a [Collection] is enough.
//
// Do I need a vector database at all? A vector database isn't needed for a small
// corpus. An exact search over 20,000 vectors of 128 elements takes less than a
// millisecond (go test -run xxx -bench . ./retrieve/flat prints it), while the
// model's answer takes seconds. Use a database when several servers share the data
// or memory is too small.
//
// What is the difference between HNSW and IVFFlat? The difference is in the
// structure: HNSW is a graph that is walked towards the query; IVFFlat groups
// vectors into clusters and searches the nearest clusters. HNSW has better recall
// at the same speed and takes new vectors at any time. IVFFlat builds faster and
// uses less memory, but needs data to learn its clusters from, and gets worse as
// the data changes. This library has both, in retrieve/hnsw and retrieve/ivf.
//
// When do I need an approximate index instead of exact search? You need an
// approximate index when an exact search is too slow: with some hundred thousand
// vectors and many queries a second, or with millions of vectors. Below that, exact
// search is fast enough, and has nothing to tune and no loss.
//
// What does approximate search lose? An approximate search loses recall: it misses
// some of the true nearest vectors. The share that it finds is its recall, for
// example 0.98. You choose it: in HNSW by ef, in IVFFlat by the number of probes.
// [Collection.Recall] measures it on your own questions.
//
// What is the difference between BM25 and embeddings? BM25 ranks passages by shared
// words, an embedding by similar meaning. BM25 finds codes and rare names and needs
// no model; embeddings find paraphrases and other words for the same thing. Their
// scores can't be compared, so combine them by rank.
//
// Why combine keyword search with embeddings? Keyword search and embeddings fail on
// different questions. An embedding doesn't know the error code E4502, and keyword
// search doesn't know that "money back" means a refund. Hybrid search asks both and
// fuses the rankings, so it finds both.
//
// How do I fuse BM25 and vector results, and with which weights?
// [Collection.Search] fuses both by [RRF] when Options.Words is set. Start with
// equal weights (the default). Then measure on 50 questions with DenseWeight at
// 0.5, 1 and 2, and keep the best. If BM25 alone is better than the fusion, lower
// DenseWeight, or set Options.Normalize to [DBSF], which a weak embedder harms less.
//
// Why is the constant 60 in RRF? The constant k = 60 comes from the paper of
// Cormack and others (2009), who found that it works well on many collections. It
// sets how much the first places stand out: with a smaller k the first rank counts
// more. [RRF] takes it as a parameter; [Collection.Search] uses 60.
//
// What is reranking, and when is it worth it? Reranking lets a cross-encoder or a
// model score the best 20 to 100 candidates again, each together with the question.
// It helps when the right passage is found but not among the first five. It costs
// some 10 to 500 ms and a model call. Package retrieve/rerank asks a cross-encoder
// or a model, and keeps the order of the search if that fails.
//
// What is contextual compression? Contextual compression cuts retrieved passages
// down to the sentences that help with the question, by a model or by sentence
// scores. It saves input tokens. It is worth it for long passages; for passages of
// 200 tokens there is little to cut. Package retrieve/compress does both.
//
// How many passages should I give to the model? Give the model 5 passages of about
// 200 tokens at first, which is 1,000 tokens, and measure. More passages raise the
// chance that the answer is included, and also the cost, the time and the noise.
// Compare settings at an equal budget of tokens, as chunk/chunkeval does.
//
// How do I update the index when documents change? To keep the index up to date,
// call [Collection.Sync] with the source's name and its new passages. It embeds
// only new texts, deletes passages that are gone, and leaves the rest.
// [Collection.Remove] deletes a source. Run it when a document is saved, or on a
// schedule; compare a hash of each document to skip unchanged ones.
//
// How do I back up a collection? [Collection.Backup] writes a copy of a collection
// to a new file while searches go on; [Open] opens the copy. Copying the file with
// other tools while a program writes can catch half of the last change, which
// opening cuts off.
//
// What happens if I change the embedding model? If you change the embedding model,
// all vectors must be computed again, since vectors of two models can't be
// compared. [Open] refuses a file of another embedder with [ErrEmbedder]. Build a
// second collection with the new model, evaluate it, then switch the program to it.
//
// How do I change the embedding model without downtime (re-index)?
// [Collection.ChangeEmbedder] embeds all texts of a collection with another model
// while searches go on with the old vectors. It then replaces the file and the
// index at once, so a crash leaves either all old or all new vectors.
//
// What does "the vectors don't fit the collection" mean? The error [ErrEmbedder]
// means that the embedder has another name, or makes vectors of another length,
// than the one that filled the collection. Open the collection with the old
// embedder, or make a new file and embed everything again.
//
// What does "the collection is open in another process" mean? The error [ErrLocked]
// means that another program has the collection's file open, since one file has one
// writer. Close the other program. For several servers use a vector database, or
// give each its own copy.
//
// Can several processes read one collection? Several processes can read one
// collection while one writes to it: they open it with Options.ReadOnly, and see
// what was written since when they call [Collection.Refresh]. Only a second writer
// is refused, with [ErrLocked].
//
// How do I reduce hallucinations, so that the model doesn't make things up?
// Hallucinations become fewer if the right passages are found, the prompt asks to
// answer only from them and to say "I don't know" otherwise, and each sentence
// needs a citation. Then check the citations: CheckCitations of retrieve/rag finds
// citations of passages that don't exist or that share no words with the sentence.
// No method removes all of them.
//
// What should happen if the answer is not in the documents? If the answer isn't in
// the documents, the system should say "I don't know". A search always returns
// something, so ask the model to answer only from the passages, and refuse if
// [Result].Cosine and [Result].Words of the best passage are low. Test with
// questions that have no answer.
//
// My RAG bot gives wrong answers, where do I start? If a RAG bot gives wrong
// answers, start by looking at the retrieved passages. If the right passage isn't
// there, the fault is in chunking, embedding, filters or k. If it is there but not
// used, the fault is in the prompt, the order or the model. If the passage itself
// is wrong or old, the fault is in the documents. Measure the first two separately.
//
// How do I evaluate a retriever (measure the quality of retrieval)? To evaluate a
// retriever, write 50 or more questions with the passages that answer them, and
// compute recall at k: the share of those passages among the first k results.
// Precision at k, MRR and nDCG say how high they are ranked; package eval has them.
// Judge the answers afterwards.
//
// How do I prevent leaking documents between customers in RAG (filter by tenant)?
// To keep customers' documents apart in RAG, put the owner (tenant) into each
// document's metadata under "tenant", and give Options.Tenant, which returns the
// tenant of the current request. A document with an owner is then found only by
// that owner. The rule is applied in the search, so no prompt can change it.
//
// How do I limit documents to groups of users (access control in RAG)? To limit a
// document to groups of users, put a list of group names into its metadata under
// "groups", and give Options.Groups, which returns the groups of the caller. The
// search, [Collection.Get] and [Collection.Passages] return the document only to a
// caller who is in one of them. A list that is empty or damaged hides it from all.
//
// Can I filter by date, language or document type? To filter by date, language or
// document type, put such values into the documents' metadata and pass a [Query]
// with a condition in Where to [Collection.Search], such as Eq("lang", "en") or
// what [ParseFilter] reads. The filter is asked before the best are taken, so you
// get k results if k passages are allowed.
//
// How do I write a metadata filter as text? A metadata filter is written as text
// such as lang = 'en' and year >= 2020, and [ParseFilter] reads it. The operators
// are =, !=, <, <=, >, >=, in, exists, and, or, and not. If a value comes from a
// user, don't paste it into such a text: use [Eq] and the functions beside it,
// whose values are never read as text.
//
// Which distance should I use: cosine, dot product or Euclidean? Use the distance
// that the embedder was trained for, which is nearly always cosine. For vectors of
// length 1 all three give the same order. With the dot product on vectors of
// different lengths, long vectors come first for every question.
//
// How much memory (RAM) do a million embeddings need? Embeddings need the number of
// vectors × dimensions × 4 bytes for float32. A million vectors of 1,536 dimensions
// take 6.1 GB, of 256 dimensions 1 GB. Package vecquant makes them 2 to 32 times
// smaller. HNSW adds the links, some 100 to 300 bytes a vector.
//
// Can I search offline, without an API key, the internet or a GPU? You can search
// and answer fully offline, without an API key or a GPU. The embedder of
// retrieve/embed is part of the program, BM25 needs no model, and retrieve/rag has
// an extractive answerer that selects sentences instead of writing new ones. The
// capstone runs this way by default.
//
// # Lab
//
// The chunking lab compares ways of cutting documents by what a search with the
// embedded model brings back:
//
//	go run ./examples/lab10-chunking
//
// Look at the columns "recall@5" and "recall at 1000 tokens": the order of the
// chunkers differs. The index lab compares an exact search with bits, groups and a
// graph, by recall and speed:
//
//	go run ./examples/lab10-indexes
//
// Look at which index is fastest at a recall of 0.95, and at 0.99. The pipeline lab
// switches reranking, compression and other stages on, one after another:
//
//	go run ./examples/lab10-rag
//
// Look at the recall beside the tokens, and at the refusals. The capstone is a whole
// RAG service over these notes, with hybrid search and citations:
//
//	go run ./examples/capstone
//
// The lab of databases asks the same passages in a collection and in the databases that you
// start. Look at how many passages a narrow filter leaves:
//
//	go run ./examples/lab10-vectordbs
//
// # Exercises
//
//  1. Search for an error code with DenseWeight 1 and SparseWeight 0, then with
//     both weights 1.
//  2. End the program in the middle of a Sync of a thousand documents. What is in
//     the file?
//  3. Find a question for which the fusion is worse than either search alone.
//  4. Search with k = 50, sort the results by a score of your own, and measure
//     recall at 5 before and after.
//
// # Further reading
//
//   - Lewis et al.: "Retrieval-augmented generation for knowledge-intensive NLP
//     tasks", NeurIPS 2020.
//   - Cormack, Clarke, Büttcher: "Reciprocal rank fusion outperforms Condorcet and
//     individual rank learning methods", SIGIR 2009.
//   - Thakur et al.: "BEIR: a heterogeneous benchmark for zero-shot evaluation of
//     information retrieval models", NeurIPS 2021, where BM25 is hard to beat.
//   - Malkov, Yashunin: "Efficient and robust approximate nearest neighbor search
//     using hierarchical navigable small world graphs", TPAMI 2020.
//   - Liu et al.: "Lost in the middle: how language models use long contexts", TACL
//     2024.
//   - Carbonell, Goldstein: "The use of MMR, diversity-based reranking", SIGIR
//     1998.
package retrieve

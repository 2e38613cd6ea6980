// Package rerank sorts retrieved passages again, with a better and slower judge than the
// search, and picks those that a prompt gets.
//
// # The idea
//
// Lecture 10. A search must look at every passage, so it compares vectors and words that
// were computed before the question. A reranker sees only the first candidates of the
// search, some 50, and reads each one together with the question:
//
//	search ─► 50 candidates ─► Ranker ─► the 5 best ─► prompt
//	                             │
//	                             └─ fails, or takes longer than its budget:
//	                                the first 5, in the order of the search
//
// A reranker can only put passages into a better order: what the search did not find
// stays lost. So compare the recall of the search at 50 with that at 5. The difference is
// the most that a reranker can win.
//
// # Terms
//
//   - Reranker (also: reranking model, second-stage ranker): A reranker orders the first
//     candidates of a search again with a model that reads question and passage together.
//   - Late interaction (also: ColBERT, MaxSim): Late interaction embeds question and text
//     token by token, and adds up for each token of the question its largest similarity to a
//     token of the text. [MaxSim] computes it.
//   - Pointwise reranking (also: LLM grading): Pointwise reranking lets a model grade each
//     passage alone. It takes one call a passage, and its grades are coarse.
//   - Pairwise reranking (also: pairwise ranking prompting, PRP): Pairwise reranking lets a
//     model choose between two passages, again and again. It is exact and needs many calls.
//   - Listwise reranking (also: RankGPT, permutation generation): Listwise reranking shows a
//     model a list of passages and asks for their order. It needs the fewest calls.
//   - Position bias: Position bias is the preference of models for the text at one place,
//     whatever it says. [Pairwise] asks in both orders for that reason.
//
// # The rankers
//
// A [Ranker] is one method, so the judge can be exchanged. The table lists those of this
// package, for n passages.
//
//	            calls                   what judges
//	Scorer      as you write it         a cross-encoder of your own
//	HTTP        1 request               a service: Cohere, Jina, vLLM, text-embeddings-inference
//	Late        1 or 2 of an embedder   MaxSim of token vectors
//	Pointwise   n                       a language model, passage by passage
//	Pairwise    about 2·n a pass        a language model, pair by pair
//	Listwise    about n/10              a language model, list by list
//
// [MMR], [Diverse] and [Ends] need no judge: they make the passages diverse, and put the
// best where a model reads best.
//
// # A minimal program
//
//	ranker, err := rerank.NewHTTP("http://localhost:8000/v1/rerank", &rerank.HTTPOptions{Model: "BAAI/bge-reranker-v2-m3"})
//	if err != nil {
//		return err
//	}
//	r, err := rerank.New(ranker, &rerank.Options{K: 5, Budget: time.Second})
//	if err != nil {
//		return err
//	}
//	best, err := r.Rerank(ctx, question, passages) // the 50 first of a search
//
// # Pitfalls
//
//   - Don't let a reranker's failure fail the answer. [Reranker] returns the order of the
//     search then, and Result.Fallback says why.
//   - Don't compare the scores of two rerankers, or of a reranker and a search: each has its
//     own scale. Calibrate a threshold for each one with Fit of retrieve/rag.
//   - Don't rerank before access rules and filters are applied: the texts leave your
//     program if the ranker is a service.
//   - Don't trust a language model's order of texts that attack it. A passage that says "rank
//     me first" may succeed. Here it can't leave its place in the prompt, but it is read.
//
// # Questions
//
// How many candidates should be reranked? Rerank 20 to 100 candidates, as many as the time
// allows. More candidates raise what can be won, and the work grows with their number.
//
// Which reranker should I start with? Start with a cross-encoder by [HTTP]: one request,
// some 100 ms, and no prompt. A language model as a reranker costs many times as much, and is
// worth it where questions need reasoning.
//
// # Lab
//
// The lab switches the stages of a pipeline on, one after another:
//
//	go run ./examples/lab10-rag
//
// Look at what each reranker adds to the search, and what it costs.
//
// # Further reading
//
//   - Nogueira, Cho: "Passage re-ranking with BERT", 2019.
//   - Khattab, Zaharia: "ColBERT", SIGIR 2020.
//   - Sun et al.: "Is ChatGPT good at search?", EMNLP 2023.
package rerank

// Package chunkeval measures how well a chunker serves retrieval: how much of what
// answers a question comes back, and how much else comes with it.
//
// # The idea
//
// Two teams compare chunkers by recall@5: of the text that answers a question, how
// much is in the five best passages? Passages of 400 tokens that overlap by half
// win easily. They win because five of them have four times the text of five short
// ones, and the model pays for every token of it. Give each chunker the same budget
// of retrieved tokens, and the order is another one.
//
// So this package compares chunkers by the tokens that reach the prompt. The
// picture shows one question:
//
//	question ──rank──► passages, best first ──cut at the budget──► bytes of the source
//	                                                                 │ overlap with
//	references (bytes that answer the question) ─────────────────────┘
//
// # Terms
//
//   - Reference (also: gold span, relevant span, excerpt): A reference is a part of
//     a source text that answers a question. A question may have several.
//   - Budget of tokens (also: token budget): A budget of tokens is how many tokens
//     of passages are retrieved for each question. The passage that would exceed it
//     is cut.
//   - Recall by tokens (also: token-wise recall): Recall by tokens is the share of
//     the references' text that was retrieved.
//   - Precision by tokens (also: token-wise precision): Precision by tokens is the
//     share of the retrieved text that belongs to references.
//   - Intersection over union (also: IoU, Jaccard index): Intersection over union
//     is the text in both retrieved passages and references, divided by the text in
//     either. It punishes missing text and needless text.
//   - Precision-omega (also: precision bound): Precision-omega is the precision
//     that a perfect ranking would reach at full recall: how closely the cuts
//     follow the outlines of the answers. It needs no ranking.
//   - Paired difference (also: paired bootstrap): A paired difference compares two
//     chunkers question by question, and gives an interval for the mean difference.
//     If the interval contains 0, the questions show no difference.
//
// # The formulas
//
// R are the spans that were retrieved and T the references. |x| is the length of a
// union of spans in code points, and Σ|x| is the sum of lengths. The four measures
// are:
//
//	recall           |R ∩ T| / |T|              what came back of what was needed
//	precision        |R ∩ T| / Σ|R|             what was needed of what came back
//	IoU              |R ∩ T| / (Σ|R| + |T \ R|) both in one; repeats are paid for
//	precision-omega  |C ∩ T| / |C ∪ T|          C: all chunks that touch T
//
// The measures equal those of Chroma's program to the last digit, also where that
// is odd (a chunk that ends where a reference begins touches it). One thing
// differs: for references that overlap, the length of their union is used here, and
// the sum of their lengths there.
//
// # A minimal program
//
// The program's middle: two chunkers, the same questions, ranking and budget, and
// the paired difference between them.
//
//	data, err := chunkeval.Read(questions, corpora)
//	if err != nil {
//		return err
//	}
//	rank, err := chunkeval.ByEmbedding(embedder)
//	if err != nil {
//		return err
//	}
//	o := &chunkeval.Options{Budget: 1000, Tokens: o200k.Encoding().Count}
//	a, err := chunkeval.Run(ctx, data, recursive, rank, o)
//	if err != nil {
//		return err
//	}
//	b, err := chunkeval.Run(ctx, data, markdown, rank, o)
//	if err != nil {
//		return err
//	}
//	fmt.Println(a.Mean(chunkeval.BudgetRecall), chunkeval.Difference(a, b, chunkeval.BudgetRecall))
//
// # Pitfalls
//
//   - Don't call a winner by two means: with 132 questions the interval of a mean
//     recall is about ±7 points. Do look at [Difference], which pairs the
//     questions.
//   - Don't measure with another ranking than the one you will use: a small static
//     embedder prefers short passages more than a large one does.
//   - Don't try ten sizes and quote the best on the same questions: that is
//     fitting, and the figure is too good. Do choose on one corpus and quote on
//     another.
//   - Don't find chunks in the source by searching for their text: repeated
//     passages are credited to the wrong place. Do use offsets, as every chunk here
//     has them.
//
// # Questions
//
// How do I know whether my chunking is good? To know whether your chunking is good,
// write questions about your text with the passages that answer them, and run go
// run ./examples/lab10-chunking -text manual.md -questions questions.jsonl. Compare
// the recall at the budget of tokens that your prompt has.
//
// How many questions do I need to compare two chunkers? You need 100 questions or
// more. With 132 questions, differences below about 5 points of recall can't be
// distinguished. Take them from all parts of the text, and look at the interval of
// [Difference] instead of the means.
//
// Why not compare by recall@5? Recall@5 isn't a fair comparison: five long passages
// contain more text than five short ones, so the chunker with the longest passages
// wins, and each prompt pays for it. [BudgetRecall] stops at the same number of
// tokens for each chunker.
//
// # Lab
//
// The lab compares ten chunkers on the sample of this package:
//
//	go run ./examples/lab10-chunking
//
// # Exercises
//
//  1. Run lab10-chunking with overlaps of 0, 25 and 50 %. At which K, and at which
//     budget, does overlap pay?
//  2. Write a ranking that is perfect (it reads the references). What is left
//     between its precision and 1, and which number showed it before?
//
// # Further reading
//
//   - Smith, Troynikov: "Evaluating chunking strategies for retrieval", Chroma
//     technical report, 2024: the formulas and the public data set
//     chunking_evaluation, whose form [Read] reads.
//   - Efron, Tibshirani: "An introduction to the bootstrap", 1993, chapter 13: the
//     percentile interval.
package chunkeval

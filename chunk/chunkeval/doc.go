// Package chunkeval measures how well a chunker serves retrieval: how much of
// what answers a question comes back, and how much else comes with it.
//
// # The lecture
//
// Lecture 10. Two teams compare chunkers by recall@5: of the text that answers a
// question, how much is in the five best passages? Passages of 400 tokens that
// overlap by half win easily. They win because five of them hold four times the
// text of five short ones, and the model pays for every token of it. Give each
// chunker the same budget of retrieved tokens and the ranking is another one.
//
// So the unit of comparison here is the token that reaches the prompt:
//
//	question ──rank──► passages, best first ──cut at the budget──► bytes of the source
//	                                                                 │ overlap with
//	references (bytes that answer the question) ─────────────────────┘
//
// For the spans R that were retrieved and the references T, with |x| the length
// of a union of spans in code points and Σ|x| the sum of lengths:
//
//	recall           |R ∩ T| / |T|              what came back of what was wanted
//	precision        |R ∩ T| / Σ|R|             what was wanted of what came back
//	IoU              |R ∩ T| / (Σ|R| + |T \ R|) both in one; repeats are paid for
//	precision-omega  |C ∩ T| / |C ∪ T|          C: all chunks that touch T, a bound
//	                                            on precision at full recall
//
// They equal those of Chroma's program to the last digit, also where that is
// odd (a chunk that ends where a reference begins touches it), but for references
// that overlap: their union is wanted here, the sum of their lengths there.
//
// The first three are taken at the K best chunks and at a budget of tokens; the
// chunk that would exceed the budget is cut. Precision-omega needs no ranking:
// it says how well the cuts follow the answers' outlines.
//
//	data, err := chunkeval.Read(questions, corpora)
//	a, err := chunkeval.Run(ctx, data, recursive, rank, &chunkeval.Options{Tokens: o200k.Encoding().Count})
//	b, err := chunkeval.Run(ctx, data, markdown, rank, ...)
//	fmt.Println(a.Mean(chunkeval.BudgetRecall))
//	fmt.Println(chunkeval.Difference(a, b, chunkeval.BudgetRecall)) // paired, with an interval
//
// # Pitfalls
//
//   - With 132 questions the interval of a mean recall is about ±7 points. Look
//     at [Difference], which pairs the questions, before you call a winner.
//   - The winner depends on the ranking. A small static embedder likes short
//     passages more than a large one does. Measure with the one you will use.
//   - Trying ten sizes and quoting the best on the same questions is fitting.
//     Choose on one corpus and quote on another.
//   - Offsets decide. A harness that finds chunks in the source by searching for
//     their text credits repeated passages to the wrong place.
//
// # Exercises
//
//  1. Run lab10-chunking with overlaps 0, 25 and 50 %. At which K, and at which
//     budget, does overlap pay?
//  2. Write a ranking that is perfect (it reads the references). What is left
//     between its precision and 1, and which number told you before?
//
// # Further reading
//
//   - Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval",
//     Chroma technical report, 2024: the formulas and the public data set
//     chunking_evaluation, whose form [Read] reads.
//   - Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13:
//     the percentile interval.
package chunkeval

// Package rag asks a model to answer from passages, and holds what it says
// against them.
//
// # The idea
//
// Lecture 10. An answer with a number behind each sentence can be checked by
// whoever reads it, and by a program before anybody does. So the prompt numbers
// the passages, the model cites the numbers, and [CheckCitations] looks each one up:
//
//	passages ─► Prompt ─► model ─► "Within 30 days. [1]" ─► CheckCitations
//	   │                                                      │
//	   └── source, byte offsets ──────────────────────────────┴─► the sentence of
//	                                                    the document that it rests on
//
// A citation is a claim about a claim, and models get it wrong in two ways:
// they cite a passage that doesn't exist, or one that says something else.
// [CheckCitations] finds the first with certainty and the second by comparing words: it
// sees that a passage never mentions what the sentence says, not that it says
// the opposite. That takes a judge.
//
// # A model that can't make anything up
//
// [Extractive] is an llms.Model that selects the sentences that answer, puts
// them in reading order and cites them, or says that it doesn't know. It needs
// no network, no key and no GPU, and always answers the same, so labs and tests
// run on it. It is honest about what it is not: it can't rephrase or combine.
//
//	model, err := rag.NewExtractive(&rag.ExtractiveOptions{Embedder: e})
//	messages := rag.Prompt(question, passages)
//	r, err := model.GenerateContent(ctx, messages)
//	checked := rag.CheckCitations(r.Choices[0].Content, passages)
//
// Swap in any other llms.Model and the rest stays.
//
// # Pitfalls
//
//   - A document is not an instruction, and says so itself only if it is honest.
//     [Prompt] keeps a document in its place, so that it can't forge a passage or
//     a question; what it asks for in its own place is for package guard.
//   - "I don't know" is an answer, and often the right one. A system that is
//     never allowed to say it will invent.
//   - A sentence without a citation isn't wrong, but nobody can tell.
//     CitationReport.Uncited lists them.
//
// # Exercises
//
//  1. Change one number in an answer and see what [CheckCitations] says of it. What would
//     it take to notice?
//  2. Lower ExtractiveOptions.MinScore until it answers a question about football
//     from a manual.
//
// # Further reading
//
//   - Gao et al.: "Enabling large language models to generate text with
//     citations", EMNLP 2023.
//   - Liu, Zhang, Liang: "Evaluating verifiability in generative search engines",
//     2023.
package rag

// Package compress makes retrieved passages smaller: it drops sentences that don't help
// with the question, passages that repeat one another, and passages that are far from the
// question.
//
// # The idea
//
// Lecture 10. Each token of a prompt costs money and time, and facts in the middle of a long
// prompt are overlooked. A passage is found as a whole, but one of its sentences answers:
//
//	5 passages, 1,000 tokens ─► Redundant ─► Sentences ─► 6 short passages, 300 tokens
//
// Everything that is kept is the document's own text, at its exact place in the source. So
// a citation can still be checked, byte by byte.
//
// # Terms
//
//   - Contextual compression (also: compression, context compression): Contextual
//     compression shortens retrieved passages to what matters for the question, before they
//     go into the prompt.
//   - Extractive compression: Extractive compression keeps some sentences of a text and
//     drops the others. It can lose a fact, and can't invent one.
//   - Redundancy filter (also: deduplication): A redundancy filter drops passages that
//     repeat a better one, so that copies don't take the places of other facts.
//
// # The compressors
//
// The table lists the compressors for n passages.
//
//	           keeps                              calls
//	Sentences  sentences near the question        none, or 2 of an embedder
//	Extract    sentences that a model picks       n of a language model
//	Redundant  passages that repeat no other      none, or 1 of an embedder
//	Relevant   passages near the question         2 of an embedder
//
// # A minimal program
//
//	c, err := compress.NewSentences(&compress.SentencesOptions{Embedder: e, Around: 1, Budget: 300})
//	if err != nil {
//		return err
//	}
//	short, err := c.Compress(ctx, question, passages)
//
// # Pitfalls
//
//   - Don't compress short passages: in passages of 100 tokens there is little to cut, and a
//     lost condition ("only with a receipt") makes a wrong answer.
//   - Don't let a model rewrite passages: a summary can't be cited. [Extract] lets it
//     choose sentences by number.
//   - Don't take one cosine as a threshold for all embedders: for one 0.3 is near, for
//     another 0.8 is far. Measure it.
//
// # Questions
//
// When is contextual compression worth it? Contextual compression is worth it for passages
// of several hundred tokens, for long lists of passages, and for expensive models. Compare
// the answers with and without it at the same questions.
//
// # Lab
//
// The lab shows the tokens of a prompt with and without compression, and what recall is lost:
//
//	go run ./examples/lab10-rag
//
// # Further reading
//
//   - Xu, Shi, Choi: "RECOMP: improving retrieval-augmented LMs with compression and
//     selective augmentation", ICLR 2024.
package compress

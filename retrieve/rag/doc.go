// Package rag asks a model to answer from passages, and compares the answer with them.
//
// # The idea
//
// Lecture 10. An answer with a number after each sentence can be checked by its reader,
// and by a program before that. So the prompt numbers the passages, the model cites the
// numbers, and [CheckCitations] looks each one up:
//
//	passages ─► Prompt ─► model ─► "Within 30 days. [1]" ─► CheckCitations
//	   │                                                      │
//	   └── source, byte offsets ──────────────────────────────┴─► the sentence of
//	                                                    the document that it rests on
//
// A model gets a citation wrong in two ways: it cites a passage that does not exist, or
// one that does not support the sentence. [CheckCitations] finds the first with certainty.
// It finds the second by comparing words: it sees that a passage never mentions what the
// sentence claims, but not that it claims the opposite. That takes a judge.
//
// # Terms
//
//   - Citation (also: source reference, grounding): A citation is a number in an answer that
//     names the passage which a sentence rests on, such as [2].
//   - Grounded answer (also: groundedness, faithfulness): A grounded answer contains only
//     claims that the retrieved passages support.
//   - Extractive answer (also: extractive question answering): An extractive answer consists of
//     text copied from documents. It can be irrelevant, but it cannot be made up.
//   - Refusal (also: abstention, "I don't know"): A refusal is an answer that says that the
//     documents do not contain one. A good refusal also shows the nearest passages.
//   - Calibrated score (also: calibration, Platt scaling): A calibrated score is the probability
//     of being right, learned from judged examples. Of the answers with a score of 0.8, eight
//     in ten are right.
//   - Standalone question (also: question rewriting, condensed question): A standalone question
//     is a follow-up such as "is it slow?" with what it leaves to the turns before it.
//
// # An answerer without a language model
//
// [Extractive] is an llms.Model that quotes the paragraphs that answer, each whole, or
// refuses and names the nearest ones. It needs no network, no key and no GPU, and always
// gives the same answer, so labs and tests run on it. It cannot rephrase or combine.
//
// Extractive decides in four steps:
//
//  1. The question is prepared: typing errors are corrected towards words of the documents
//     ([Speller]), a follow-up is completed from the conversation ([Standalone]), and a
//     question of several parts is cut into them ([Parts]).
//  2. The passages are cut into units: a paragraph, a list item, or a list, table or
//     program with the sentence that announces it.
//  3. Each unit gets a score: a logistic regression estimates the probability that it
//     answers. Its inputs are words in common, weighted by how rare they are, nearness in
//     meaning, and the form of the unit: a definition for "what is", or a paragraph that
//     begins with a similar question.
//  4. Units of MinScore and more are quoted, at most three. If there is none, the answer
//     is a refusal.
//
// The same score reranks passages before a language model reads them: [Extractive.Rerank].
//
// # The whole in one call
//
// [Ask] retrieves the best passages for a question, numbers them in a prompt, asks the model,
// and checks the citations of its answer. [New] makes a [Pipeline] with more parts between
// the search and the prompt:
//
//	question ─► search ─► stages: rerank, compress, expand ─► enough? ─► prompt ─► model ─► CheckCitations
//	                                                            └─ no ─► UnknownAnswer, without a call
//
// A [Stage] is a function of question and passages, so the methods of retrieve/rerank,
// retrieve/compress and retrieve/expand are ones, and a program's own functions too. If a
// stage fails, the passages go on as they came, and Answer.Steps has its error.
//
// A refusal by score needs a calibrated score. [Fit] learns from judged questions how
// probable it is that a passage with some score answers, and [Threshold] returns the score
// that at most a chosen share of unanswerable questions exceeds. A threshold belongs to one
// embedder, one reranker and one kind of documents: fit it again when one of them changes.
//
// # A minimal program
//
//	model, err := rag.NewExtractive(&rag.ExtractiveOptions{Embedder: e})
//	messages := rag.Prompt(question, passages)
//	r, err := model.GenerateContent(ctx, messages)
//	checked := rag.CheckCitations(r.Choices[0].Content, passages)
//
// Any other llms.Model can take the place of Extractive.
//
// # Pitfalls
//
//   - Don't treat a document as an instruction. [Prompt] keeps a document in its place, so
//     that it cannot forge a passage or a question. What the document asks for in its own
//     place is a matter for package guard.
//   - Don't forbid a system to answer "I don't know": it would invent an answer instead.
//   - Don't take a sentence without a citation for a wrong one: it may be right, but it
//     cannot be checked. CitationReport.Uncited lists these sentences.
//   - Don't measure an answerer with questions in the document's own words only. Ask people
//     who have not read the documents: their questions use other words.
//
// # Questions
//
// How do I show where an answer comes from? Number the passages in the prompt with [Prompt],
// let the model cite the numbers, and show for each number the sentence that
// [CheckCitations] returns with its source and byte offsets.
//
// How can I tell whether an answer is supported by the documents? [CheckCitations] gives each
// citation a status: quoted if the passage has the text word for word, supported if it has
// most of the claim's words, unsupported if not, and "no such passage". Words can't show a
// contradiction; for that use a model as a judge.
//
// When should a question answering system refuse? A system should refuse when no passage
// answers with a probability above a threshold. Choose the threshold on questions that the
// documents do not answer, so that few of them get an answer, and show the nearest passages
// with each refusal.
//
// How do I choose the threshold for "I don't know"? Collect the best passage's score for 20
// questions or more that your documents don't answer, and give them to [Threshold] with
// the share of such questions that may get an answer. Then count how many answerable
// questions are refused, which is the price.
//
// # Lab
//
// The pipeline lab shows what thresholds promise, and what they do to other questions:
//
//	go run ./examples/lab10-rag
//
// The service of the last assignment answers with this package:
//
//	go run ./examples/capstone ask "why do retries need jitter?"
//
// Look at the sentence in bold in each quotation, and at the file and bytes under it.
//
// # Exercises
//
//  1. Change one number in an answer and see what [CheckCitations] reports. What would it
//     take to notice the change?
//  2. Lower ExtractiveOptions.MinScore until a question about football is answered from a
//     manual.
//
// # Further reading
//
//   - Gao et al.: "Enabling large language models to generate text with citations", EMNLP
//     2023.
//   - Liu, Zhang, Liang: "Evaluating verifiability in generative search engines", 2023.
package rag

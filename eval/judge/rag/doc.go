// Package rag computes the metrics of RAGAS and DeepEval for RAG systems end to end: it
// asks a model small questions, with prompts of its own, and counts the verdicts by the
// formulas of package judge.
//
// # The idea
//
// A model that is asked "how faithful is this answer, 0 to 1?" invents a number. The
// metrics here ask questions that have a right answer, such as "does the source support
// statement 3?". A program computes the score from the verdicts, and [Result] has the
// verdicts, so a person can check each of them.
//
//	answer ──► statements ──► supported by the passages? ──► share
//
// The questions are of type [judge.Question]: judged text is in marked lines, a verdict
// that is missing is an unreadable reply and not a good verdict, and budget, cache and
// outcomes are those of package judge.
//
// The table shows what each metric reads (q question, a answer, p passages, r reference
// answer) and how many calls it takes for n passages.
//
//	metric                reads   calls   looks at
//	Faithfulness          a p     2       statements of the answer without a source
//	ContextRecall         r p     2       what the retriever missed
//	ContextPrecision      q r p   n       useful passages first
//	ContextUtilization    q a p   n       the same without a reference
//	AnswerRelevancy       q a     1       whether the answer fits the question
//	FactualCorrectness    a r     4       claims against the reference
//	SemanticSimilarity    a r     0       vectors
//	NoiseSensitivity      a r p   2n+3    errors that come from passages
//	ContextEntityRecall   r p     2       names and numbers
//	Hallucination         a p     n       contradictions to a passage
//	ContextualRelevancy   q p     2n      text in passages that doesn't help
//	StatementRelevancy    q a     2       statements that don't help
//	Bias, Toxicity        a       2       opinions
//	Summarization         q a     5       q is the source, a the summary
//	TaskCompletion        q a     1       an agent's task
//
// # Without a model
//
// [Offline] has rough forms that need no model: sentences in place of statements, shared
// words or vectors in place of support. They are named offline in each result. The forms
// for retrieval follow a model closely enough to find a broken retriever in a test. The
// form of faithfulness does not: it misses paraphrases.
//
// # A minimal program
//
// The program needs a model of your own in place of client.
//
//	e, err := rag.New(client, "gpt-4o-2024-08-06", nil)
//	check(err)
//	r, err := e.Faithfulness(ctx, judge.Item{Output: answer, Context: passages})
//	check(err)
//	fmt.Println(r.Outcome, r.Score)
//	for _, v := range r.Verdicts {
//		fmt.Println(v.OK, v.Text, v.Reason)
//	}
//
// # Measured
//
// The table shows Spearman's correlation of the offline form by words with the form by a
// model. A large language model's verdicts on 36 answers to 12 questions were recorded;
// many of the answers are paraphrases and contradictions, since these are hard for words.
// The command is go test -v -run Correlate ./eval/judge/rag.
//
//	metric               correlation   95 % interval   mean offline   with a model
//	faithfulness         0.33          0.01 to 0.60    0.46           0.61
//	context recall       0.74          0.29 to 0.92    0.88           0.92
//	context precision    0.93          0.78 to 0.98    0.71           0.75
//	factual correctness  0.68          0.46 to 0.83    0.28           0.46
//
// # Pitfalls
//
//   - Don't compare scores of two judge versions: because another model cuts an answer into
//     other statements.
//   - Don't read ContextUtilization as retrieval quality: because a wrong answer makes a
//     wrong passage useful.
//   - Don't optimize AnswerRelevancy alone: because a confident wrong answer is relevant, and
//     an honest "I don't know" is not.
//   - Don't mix up the two answer relevancies: because RAGAS and DeepEval use one name for two
//     formulas. DeepEval's is StatementRelevancy here.
//
// # Further reading
//
//   - Es et al. 2023, "RAGAS: Automated Evaluation of Retrieval Augmented Generation".
//   - Min et al. 2023, "FActScore: Fine-grained Atomic Evaluation of Factual Precision".
package rag

// Package openaievals reads, writes and runs evals in the form of OpenAI Evals: samples in
// JSONL, a registry in YAML, and the record of a run. It is part of lecture 6.
//
// # The idea
//
// A registry is a folder. An eval has a name that leads to a class with arguments, and the
// arguments name a samples file. [Run] runs the basic classes on any model, without Python:
//
//	evals/lab.yaml           lab-match ─► lab-match.dev.v0: class, args
//	data/lab/samples.jsonl   {"input": [messages], "ideal": "answer"}
//	modelgraded/fact.yaml    prompt, choices and scores of a grader
//
// The table shows what each class counts as right:
//
//	Match               the answer begins with an ideal answer
//	Includes            an ideal answer is in it
//	FuzzyMatch          one contains the other, after normalization
//	JsonMatch           equal JSON values
//	ModelBasedClassify  a grader chooses a letter
//
// The scores are those of version 3.0.1, weak points included: [Match] takes "Yesterday" for
// "Yes", and [Choice] finds the choice A in the word "Answer". [Report] has the mean score
// without invalid choices too, since the framework counts a grader's failure as the lowest
// score.
//
// # Pitfalls
//
//   - Don't read a model-graded score as a judge's that was checked: because the answer is put
//     into the grader's prompt as it is, so an answer can give orders. Package judge marks it.
//   - Don't expect the framework's words in a grader's prompt: the request for a choice at its
//     end is ours, so scores of model-graded evals can differ.
//   - Don't run an eval with arguments that are not known here: [Run] refuses them, because an
//     ignored argument makes another eval.
package openaievals

// Package dataset keeps the cases that a system is evaluated on: reading and
// writing them, telling versions apart, sampling, and finding the ones that
// shouldn't be there.
//
// # Four kinds of case
//
// A good score on one kind is no evidence about the others, so every
// [eval.Case] has a kind and reports show them apart:
//
//	golden       what users ask, with an answer wanted. Half of the dataset,
//	             sampled like the traffic.
//	adversarial  made to break the system: injections, trick questions, bait.
//	regression   a bug that was fixed once. Grows by one with every incident,
//	             and must be at 100 %.
//	edge         the rim of the input space: empty, huge, another script,
//	             malformed.
//
// # Versions
//
// A dataset changes: answers are corrected, cases added. A score belongs to
// the version it was measured on. [Dataset.Version] is a hash of the content,
// so it can't be forgotten to be raised; [Diff] lists what changed between two
// versions, and separates a corrected answer from a new question. The runner
// refuses to go on with a journal of another version, and compares two runs
// only on the cases that both have unchanged.
//
// # What spoils a dataset
//
//   - Near-duplicates ([Dataset.NearDuplicates]): one mistake counted five
//     times, and error bars that are too small.
//   - Leaks between the part one tunes on and the part one reports
//     ([Dataset.Leaks]; [Dataset.Split] divides by a hash, so that a case
//     never changes sides).
//   - Contamination ([Dataset.Contaminated]): the model has read the test.
//   - A sample of convenience: [Dataset.Sample] draws from every stratum.
//   - Personal data: [FromTraces] builds cases from production, after a
//     Redact function of yours.
//
// # A file
//
// JSON Lines, a case a line; unknown fields are an error, since a misspelled
// "refrences" would else make a case that nothing can fail:
//
//	{"id":"capital","kind":"golden","input":"Capital of France?","references":["Paris"],"tags":{"lang":"en"}}
//	{"id":"bug-17","kind":"regression","input":"2+2?","references":["4","four"]}
//
// CSV works too, for what people write in spreadsheets.
//
// Both readers refuse what would change a case silently: another encoding than
// UTF-8, a field or column that appears twice, and in JSON Lines null in the
// place of a text. Both writers refuse what their readers would not give back.
//
// # Exercises
//
//  1. Take 20 real questions of a system you use. How many of each kind are
//     there? What is missing?
//  2. Let a model write 20 cases (eval/dataset/synth). How many are
//     near-duplicates of each other? Of yours?
//  3. Correct an answer, reword a question, and look at the diff. Which of the
//     two keeps its id, and why?
//
// # Further reading
//
//   - Gebru et al. 2021: Datasheets for Datasets
//   - Brown et al. 2020: Language Models are Few-Shot Learners, appendix C (contamination)
//   - Ribeiro et al. 2020: Beyond Accuracy, Behavioral Testing of NLP Models with CheckList
package dataset

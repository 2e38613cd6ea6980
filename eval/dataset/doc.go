// Package dataset keeps the cases that a system is evaluated on. It reads and writes them,
// distinguishes versions, draws samples, and finds cases that should not be there.
//
// # What you will be able to do
//
//   - Build an evaluation dataset from real questions, incidents and drafts of a model.
//   - Say what golden, adversarial, regression and edge cases are for, and how many of each to
//     keep.
//   - Find near-duplicates, leaks and contamination, and say what each of them does to a score.
//   - Explain how a golden set of 88 % can hide a system that is right 9 % of the time.
//   - Change a dataset without losing track of which version a score belongs to.
//
// # The problem
//
// A team has a support bot and 40 test questions, all written by the developer of the bot. The bot
// scores 95 %, and users complain. The 40 questions are polite English sentences about topics that
// the bot knows. Real users write "wheres my stuff??", in three languages, about topics that the
// bot doesn't know. Six of the 40 are the same question in other words. And there is no record of
// which answers were corrected since the last measurement.
//
// # The idea
//
// A score describes the dataset first and the system second. So a dataset is built like a product:
// cases come from several sources, each case has a kind, the content has a version, and code looks
// for what spoils the result. The diagram shows the way of a case into the dataset.
//
//	production traces ─► redact ─► FromTraces ┐
//	incidents, fixed bugs ───────► by hand    ├─► New ─► NearDuplicates, Leaks,  ─► a person ─► Version
//	drafts of a model ───────────► synth      │          Contaminated               reads it
//	questions of real readers ───► CSV, JSONL ┘
//
// # Terms
//
//   - Dataset (also: test set, eval set, evaluation dataset): A dataset is a named list of cases
//     with different ids. [Dataset] is the type, and [ReadJSONL], [ReadCSV], [FromTraces] and [New]
//     make one.
//   - Golden set (also: golden dataset, gold set, golden cases): A golden set has the inputs that
//     users send, each with an answer that a person has checked. The golden set is sampled like the
//     traffic.
//   - Adversarial set (also: adversarial cases, attack cases, red team set): An adversarial set has
//     inputs made to break the system: prompt injections, trick questions, false premises, requests
//     for forbidden content.
//   - Regression set (also: regression cases, regression test set): A regression set has one case
//     for each bug that was fixed. It grows with each incident, and 100 % of it must pass.
//   - Edge case (also: edge-case set, corner case, boundary case): An edge case is an unusual but
//     possible input: empty, very long, in another script, malformed, or two questions in one.
//   - Data leakage (also: leak, train-test leakage, leakage): Data leakage means that cases of the
//     test part were used for tuning, as examples in a prompt or as training data. The score is
//     then too good. [Dataset.Leaks] finds pairs of similar inputs in two datasets.
//   - Contamination (also: benchmark contamination, test set contamination): Contamination means
//     that the model has seen the test in its training data. It then remembers the answer and
//     doesn't solve the task.
//   - Stratified split (also: stratified sample, stratified sampling, stratum): A stratified split
//     keeps the share of each group, such as language or kind, the same in both parts.
//     [Dataset.Sample] draws from every group. [Dataset.Split] doesn't stratify: it divides by a
//     hash of the id.
//   - Held-out set (also: holdout, test split, hidden test set): A held-out set is the part of the
//     cases that is never looked at while the system is tuned. The score to report comes from the
//     held-out set.
//   - Development set (also: dev set, validation set, tuning set): A development set is the part of
//     the cases that you look at while you change prompts and settings. Its score is too
//     optimistic.
//   - Near-duplicate (also: duplicate case): A near-duplicate is a case whose input has nearly the
//     same words as another one. Near-duplicates count one mistake several times.
//     [Dataset.NearDuplicates] lists them.
//   - Dataset version (also: dataset hash, data versioning): A dataset version names the exact
//     content of a dataset. [Dataset.Version] is a SHA-256 over all cases, so it changes with every
//     correction.
//   - Label (also: annotation, expected answer, reference): A label is what a person says is the
//     right result for a case: an answer, a class, relevant documents or tool calls.
//   - Annotation guideline (also: labeling instructions): An annotation guideline is the text that
//     says how to decide unclear cases. Without it, two people label the same case differently.
//   - Synthetic data (also: generated cases, synthetic cases): Synthetic data are cases written by
//     a model. Package eval/dataset/synth drafts them, removes repetitions and marks them
//     source=synthetic.
//   - Sampling bias (also: selection bias, convenience sample): Sampling bias means that some
//     inputs had a better chance to get into the dataset than others, such as those that the author
//     thought of.
//   - Distribution shift (also: data drift): Distribution shift means that users now ask other
//     things than when the dataset was made. A score on old cases then says little about today.
//   - Coverage: Coverage is the share of topics, languages and kinds of input that the dataset has
//     cases for. A dataset says nothing about a group that it has no cases for.
//   - Unanswerable question (also: out of scope question, no-answer case): An unanswerable question
//     is one whose right response is "I don't know". A dataset without such cases rewards a system
//     that invents answers.
//   - Overfitting to the test set (also: teaching to the test): Overfitting to the test set means
//     that changes were chosen because they raise the score on these cases, and don't help on new
//     ones.
//   - JSONL (also: JSON Lines, ndjson): JSONL is a file with one JSON object a line. Each line is
//     one case.
//   - Redaction (also: anonymization, PII removal): Redaction removes names, addresses and secrets
//     from a text. TraceOptions.Redact is the hook; package guard/pii finds personal data.
//   - Benchmark (also: public benchmark, MMLU, SQuAD): A benchmark is a public dataset with a fixed
//     metric. A benchmark compares models; it doesn't measure a product on its users' questions.
//   - Goodhart's law: Goodhart's law says that a measure stops being a good measure once it is the
//     goal. A team that tunes for one score gets that score, and not a better product.
//
// # An evaluation that failed
//
// The capstone of this library had a good score and a bad result. The capstone answers questions
// from these notes. A golden set of 17 questions, written by the author of the notes, said that 88
// % of the answers were right. Then readers who had not seen the notes wrote 233 questions. Of the
// questions that the notes answer, 9 % got a right answer and 24 % a wrong one.
//
// The golden set of the author gave 88 % because the author's words are the document's words. The
// author asks "What does a circuit breaker do?". A reader asks "How do I stop calling a server that
// is down?". A search by words finds the passage for the first question and misses it for the
// second. So the golden set measured whether the system can repeat its own vocabulary.
//
// A golden set must be written by people who have not read the documents. That is the first lesson
// of the failed evaluation. The second: put half of the questions aside before tuning, and don't
// read them. The third: count wrong answers apart from missing ones, because a wrong answer does
// more harm. The fourth: 15 right of 17 leaves a range of 66 % to 97 % (stats.ProportionInterval).
//
// # Four kinds of case
//
// The four kinds of case answer different questions, so reports show them apart. The table lists
// the kinds of [github.com/prodailabs/prodai/eval.Case], their origin, and a share to begin with.
//
//	kind         question that it answers           origin                        share   must reach
//	golden       does it help users?                sampled from traffic          50 %    a threshold
//	adversarial  can it be broken?                  attacks, red team             20 %    a threshold
//	regression   is an old bug back?                incidents, corrected answers  grows   100 %
//	edge         does it survive unusual input?     limits of the input, drafts   20 %    a threshold
//
// # Versions
//
// A dataset changes: answers are corrected and cases are added. A score belongs to the version that
// it was measured on. [Dataset.Version] is a hash of the content, so it can't be forgotten. [Diff]
// lists what changed, and separates a corrected answer from a new question. The runner in
// eval/suite refuses a journal of another version, and compares two runs only on unchanged cases.
//
// # A file
//
// A dataset file is JSON Lines, one case a line. Unknown fields are an error, because a misspelled
// "refrences" would make a case that nothing can fail. The example has a golden and a regression
// case.
//
//	{"id":"capital","kind":"golden","input":"Capital of France?","references":["Paris"],"tags":{"lang":"en"}}
//	{"id":"bug-17","kind":"regression","input":"2+2?","references":["4","four"]}
//
// CSV files work too, for people who write cases in a spreadsheet. The header names the columns:
// input is required; id, kind, reference, context, relevant and tag:NAME are optional. Both readers
// refuse what would change a case silently: another encoding than UTF-8, or a column twice.
//
// # A minimal program
//
// The program reads cases, stops at near-duplicates, and puts 30 % of the cases aside as held-out
// set.
//
//	file, err := os.Open("cases.jsonl")
//	if err != nil {
//		return err
//	}
//	defer file.Close()
//	data, err := dataset.ReadJSONL("support-bot", file)
//	if err != nil {
//		return err
//	}
//	pairs, err := data.NearDuplicates(0.6)
//	if err != nil {
//		return err
//	}
//	for _, p := range pairs {
//		fmt.Printf("%.2f %q %q\n", p.Similarity, p.A.Input, p.B.Input)
//	}
//	heldOut, tuning, err := data.Split(0.3, nil)
//	if err != nil {
//		return err
//	}
//	fmt.Println(data.Version(), len(heldOut.Cases), len(tuning.Cases))
//
// # Pitfalls
//
//   - Don't write all golden cases yourself: because your words are the words of your documents and
//     prompts. Collect real questions, or ask people who have not seen the documents.
//   - Don't tune on the cases that you report: because the score then measures the tuning. Split
//     first with [Dataset.Split], and look at the held-out part only at the end.
//   - Don't count near-duplicates as separate cases: because one mistake then counts five times and
//     the error bars are too small. Remove them, or cluster them with stats.ClusteredEstimate.
//   - Don't put a case of the dataset into the prompt as an example: because that is a leak.
//     Compare the prompt's examples with [Dataset.Leaks].
//   - Don't trust a score on a public benchmark: because the model may have seen it. Look for its
//     text with [Dataset.Contaminated], and prefer questions newer than the model.
//   - Don't take production texts without redaction: because a dataset is copied to many places and
//     kept for years. Set TraceOptions.Redact.
//   - Don't take the system's own old answers as truth: because then nothing can get better.
//     [FromTraces] takes an answer as a reference only if users accepted it or a person corrected
//     it.
//   - Don't test a model on cases that the same model wrote: because that measures agreement with
//     itself. Use another model, and let a person read each draft.
//
// # Questions
//
// How do I build a golden set? Take 50 to 200 inputs from real traffic, drawn at random and from
// each language and topic ([Dataset.Sample]). Let a person write the right answer for each, and a
// second person check it. Add questions that the system can't answer. Put half aside, and never
// look at that half while you tune.
//
// How many test cases do I need in my evaluation? Begin with 50 to 100 test cases (examples,
// questions), and plan for a few hundred. At 90 % right, 100 cases leave a range of 83 % to 94 %,
// and 1,000 cases a range of 88 % to 92 % (stats.ProportionInterval at 95 %). Cases for each slice
// count separately: 10 German cases say little about German.
//
// Is 90 % right on 20 questions good enough? 18 right of 20 questions is weak evidence: the 95 %
// range is 70 % to 97 % (stats.ProportionInterval). The system may be wrong on nearly a third of
// inputs. With 180 right of 200 the range is 85 % to 93 %, and with 900 of 1,000 it is 88 % to 92
// %.
//
// Why not just try a few prompts by hand? A few prompts by hand show only what you thought of, and
// you see what you hope to see. Four good answers of four are still compatible with a system that
// fails on 49 % of inputs (Wilson interval, 95 %). A fixed dataset also shows what became worse.
//
// I have no users yet. Where do I get test cases? Without users, ask five people outside the team
// to write ten questions each from the product's title only. Add each failure that you see as a
// regression case. Let a model draft edge cases with eval/dataset/synth. Replace all of these by
// real questions as soon as you have traffic.
//
// What is the difference between a golden set and a regression set? A golden set is a sample of
// what users ask, and its score is a share such as 85 %. A regression set has the bugs that were
// fixed, and every case of it must pass. A golden set shows quality; a regression set shows that
// nothing broke again.
//
// What is the difference between adversarial and edge cases? An adversarial case has an opponent: a
// person who tries to break the system, such as a prompt injection. An edge case is honest but
// unusual input, such as an empty text or 50 pages. Both need their own score, since golden cases
// contain neither.
//
// What is a good example of an edge case for an LLM? Good edge cases are an empty input, a text
// longer than the context window, mixed languages, only emoji, a question with two questions in it,
// broken JSON, and a question whose answer isn't in the documents. Each system has more: look at
// the limits of its inputs.
//
// How do I split my data into development and test sets? Divide the cases into a development part
// that you look at and a held-out part that you don't, for example 70 to 30, with [Dataset.Split].
// The split uses a hash of the id, so a case stays on its side when the dataset grows. Check for
// leaks between the parts with [Dataset.Leaks].
//
// Can I use ChatGPT or another LLM to write test cases? A model is good at variations and edge
// cases, and package eval/dataset/synth asks any langchaingo model for them. A model is bad at
// being different from itself and at being right. So repetitions are thrown away, and each draft
// needs a person's check. Report synthetic cases apart (tag source=synthetic).
//
// How do I turn production logs into test cases? Call [FromTraces] with the records of the traces.
// An answer that a person corrected becomes a regression case with the correction as reference. An
// accepted answer becomes a golden case. A failed or rejected answer becomes a regression case that
// waits for a reference; [Dataset.Unlabeled] lists those.
//
// What happens if the test data leaks into training? If test data leak into training or into the
// prompt, the score goes up and the product doesn't get better. The model repeats what it has seen.
// [Dataset.Leaks] compares two datasets, and [Dataset.Contaminated] looks for 13-word runs of the
// cases in a corpus, as the GPT-3 paper did.
//
// How similar are two cases that count as duplicates? [Dataset.NearDuplicates] compares the sets of
// three-word runs in two inputs (the Jaccard index). 1 means the same words in the same order. A
// threshold of 0.5 to 0.6 finds rewordings; 0.9 finds only copies with small changes.
//
// Should I use JSONL or CSV for a dataset? Use JSONL for a dataset: it can contain lists, tool
// calls and empty texts, and a diff shows one line per case. Use CSV if people write cases in a
// spreadsheet. [Dataset.WriteCSV] refuses cases that CSV can't contain, such as tool calls.
//
// How often should I update the dataset? Add a regression case with every incident, and draw new
// golden cases every few months or when the topics of the traffic change. Keep the old version's
// score beside the new one's for one release, because scores of two versions can't be compared.
//
// What does "two cases have the same id" mean? The error "two cases have the same id"
// ([ErrDuplicate]) means that the file has an id twice. Cases without an id get one from their
// input ([ID]), so two cases with the same input collide. Remove one of them, or give both an id.
//
// What does "malformed file" mean? The error "malformed file" ([ErrFormat]) names the line: an
// unknown or repeated field, no field input, text that isn't UTF-8, or broken JSON. A file saved by
// a spreadsheet in Latin-1 or UTF-16 is a usual cause. Save it as UTF-8.
//
// Who should label the data? A person who knows the subject should label the data, with a written
// guideline, and not the developer of the prompt alone. Let two people label the same 50 cases and
// compute their agreement with stats.CohenKappa. If they disagree often, the guideline is unclear.
//
// # Lab
//
// Run the lab of datasets and suites. It needs no network and no key.
//
//	go run ./examples/lab05-datasets
//
// In steps 1 to 3, look at how many production records become cases, what the model's drafts lose,
// which pairs are near-duplicates, and what the diff shows after a correction. In steps 4 and 5,
// look at the gate of the regression slice: the new bot is better on average, and the gate fails.
// Use -html report.html for the report.
//
// # Exercises
//
//  1. Take 20 real questions of a system that you use. How many of each kind are there? What is
//     missing?
//  2. Write ten questions about a text that you know, and let a friend who has only its title write
//     ten more. Count for both how many words of the question are in the passage with the answer.
//  3. Let a model write 20 cases (eval/dataset/synth). How many are near-duplicates of each other?
//     Of yours?
//  4. Correct an answer, reword a question, and look at the diff. Which of the two keeps its id,
//     and why?
//
// # Further reading
//
//   - Gebru et al. 2021: Datasheets for Datasets
//   - Brown et al. 2020: Language Models are Few-Shot Learners, appendix C (contamination)
//   - Ribeiro et al. 2020: Beyond Accuracy, Behavioral Testing of NLP Models with CheckList
//   - Rajpurkar, Jia, Liang 2018: Know What You Don't Know (unanswerable questions)
package dataset

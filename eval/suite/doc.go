// Package suite runs an evaluation: a dataset through a system, metrics over its outputs, and gates
// that decide whether the build passes.
//
// # What you will be able to do
//
//   - Run a system on a dataset with a limit on concurrency, time and rate, and continue after a
//     crash.
//   - Turn an evaluation into a gate of a build: thresholds, a baseline, no system errors.
//   - Find the group of cases that became worse while the mean became better.
//   - Say when a drop is chance and when it is a regression.
//
// # The problem
//
// A team runs 2,000 cases before each release. A run takes three hours and costs 40 dollars. One
// night the machine restarts after 1,900 cases, and all answers are lost. The next run gives 0.91
// where the last release had 0.92. The team argues: is that chance? Then a customer calls. In
// German the bot is right in 40 % of the cases, and the mean of 0.91 did not show it.
//
// # The idea
//
// Package eval measures how good an answer is, and package suite decides whether a build may be
// released. [Run] asks the system for every case of a [Suite], a few at a time. It scores each
// answer with each metric, writes the result to a journal, sums up by slice, and compares the sums
// with gates.
//
//	dataset ──► system ──► metrics ──► journal, a line a case
//	                                      │
//	              slices, thresholds, baseline
//	                                      │
//	                                      ▼
//	                           report: passed, or what broke
//
// # Terms
//
//   - Evaluation (also: eval, evals, offline evaluation): An evaluation runs a system on cases with
//     known good answers and computes scores. An offline evaluation does that before a release, on
//     a fixed dataset.
//   - Online evaluation (also: production evaluation, live evaluation): An online evaluation
//     measures the system on real traffic, by user feedback, A/B tests, or a sample of answers that
//     people or a judge read.
//   - Suite (also: evaluation suite, test suite): A suite is a dataset, a system and a list of
//     metrics. [Suite] is the type.
//   - System under test (also: SUT, system): The system under test is what is evaluated: a prompt
//     with a model, a RAG pipeline, an agent. [System] is a function from a case to an output.
//   - Gate (also: quality gate, release gate): A gate is a condition that a run must satisfy before
//     the build may be released. If one gate fails, the run fails.
//   - Threshold (also: minimum score, bound): A threshold is a fixed bound on a score, such as
//     "exact_match >= 0.8". A [Threshold] may apply to one slice only.
//   - Baseline (also: reference run, previous run): A baseline is an earlier run that the new run
//     is compared with. [Baseline] compares the same cases, and fails the gate only if the drop is
//     statistically significant.
//   - Regression (also: quality regression): A regression is a drop in quality after a change. A
//     regression test is a case or a run that fails when the drop happens again.
//   - Slice (also: segment, subgroup, cohort): A slice is a group of cases that is also scored by
//     itself, such as all German cases. [DefaultSlices] makes a slice for each kind of case and
//     each tag.
//   - Journal (also: checkpoint, results file): A journal is a file with one line for each finished
//     case. A run that was killed continues from its journal, so no paid call is repeated.
//   - Paired comparison (also: paired test): A paired comparison compares two systems on the same
//     cases, case by case. A case that is hard for both systems cancels out, so smaller differences
//     become visible.
//   - Approximate randomization (also: randomization test, permutation test): Approximate
//     randomization swaps the answers of two runs at random and counts how often the difference is
//     as large as the real one. It is the default test of a [Baseline].
//   - Holm's correction (also: Holm-Bonferroni, multiple comparisons): Holm's correction makes a
//     test stricter if several metrics are compared at once. Without it, one of twenty metrics
//     "drops significantly" by chance.
//   - Continuous integration (also: CI, CI/CD): Continuous integration runs checks on every change
//     of the code. An evaluation in CI fails the build when quality drops.
//   - Smoke test (also: smoke eval): A smoke test is a small evaluation, such as 20 cases, that
//     runs on every commit. The large suite runs at night or before a release.
//   - Flaky test (also: nondeterministic test): A flaky test passes and fails without a change. A
//     model at a temperature above 0 makes an evaluation flaky, unless a gate has a margin or tests
//     significance.
//   - Human evaluation (also: manual evaluation, expert review): Human evaluation means that people
//     read and grade outputs. It is slow and expensive, and it is what each automatic metric is
//     checked against.
//   - Skipped case: A skipped case is one that a metric doesn't apply to, such as a case without
//     references. It neither passes nor fails, and reports count it apart.
//   - System error: A system error is a case that the system gave no output for: an outage, a
//     timeout, a panic. It is not a wrong answer. Options.AllowErrors says how many are allowed.
//
// # Slices
//
// A mean hides the group that broke: 0.90 may be 0.95 in English and 0.40 in German. So each slice
// of cases has its own score. [DefaultSlices] makes a slice for each kind of case (kind=regression)
// and each tag (lang=de). Options.Slices replaces it. Read the worst slice first.
//
// # Gates
//
// There are three sorts of gates. The system fails on at most Options.AllowErrors cases. A score
// keeps to a [Threshold]. No metric is significantly worse than in the [Baseline]. The build passes
// if all gates pass; Report.Passed says so.
//
// A gate over nothing fails. A metric that scored no case is not evidence, and neither is a slice
// without cases. A run without evidence fails too, with or without thresholds: no cases, no scored
// case, or a metric that failed on every case. The report names the reason.
//
// A comparison with a baseline is paired. Both runs answered the same cases, so a case that is hard
// for both is not a difference. Cases that are new or changed are left out and counted. The default
// test shuffles 2,000 times, and Holm's correction divides the level of 0.05 among the metrics.
//
// # The journal
//
// The journal is a file with a line for each finished case. A run that is started again with the
// same journal asks the system only for the missing cases. A line that was torn by a crash is cut
// off, and its case runs again. The first line names the suite, the dataset's version and the
// metrics. A journal that doesn't fit gives [ErrJournal].
//
// # A minimal program
//
// The program runs a support bot on a dataset, with a journal, two gates and a baseline.
//
//	report, err := suite.Run(ctx, suite.Suite{
//		Name:    "support-bot",
//		Version: data.Version(),
//		Cases:   data.All(),
//		System: func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
//			text, err := bot.Answer(ctx, c.Input)
//			return &eval.Output{Text: text}, err
//		},
//		Metrics: []eval.Metric{exact, chrf},
//	}, &suite.Options{
//		Concurrency: 8,
//		Wait:        limiter.Wait, // *rate.Limiter of golang.org/x/time/rate
//		Timeout:     time.Minute,
//		Journal:     "run.jsonl",
//		Thresholds: []suite.Threshold{
//			{Metric: "exact_match", Value: 0.8},
//			{Metric: "exact_match", Slice: "kind=regression", Value: 1},
//		},
//		Baseline: &suite.Baseline{Records: suite.ReadJournal("main.jsonl")},
//	})
//	if err == nil && !report.Passed() {
//		os.Exit(1)
//	}
//
// # Measured
//
// A new version of the lab's bot is better on average and fails the build. The table shows the
// gates of the second run, as go run ./examples/lab05-datasets prints them.
//
//	ok    errors <= 0: the system failed on 0 of 15 cases
//	ok    exact_match >= 0.6: 0.9333 over 15 cases
//	FAIL  exact_match >= 1 in kind=regression: 0.8333 over 6 cases
//	ok    exact_match not worse than the baseline: 0.7333 -> 0.9333 on 15 cases, p = 0.0618: no significant change
//
// # Pitfalls
//
//   - Don't look at the mean first: because the mean hides the slice that broke. Read the worst
//     slice first.
//   - Don't compare two runs by eye: because a drop of 0.4 points on 200 cases is usually chance.
//     Give the run a [Baseline], which tests the drop.
//   - Don't count an outage as wrong answers: because the score then measures the provider's
//     evening. Leave Options.AllowErrors at 0, and run the failed cases again with
//     Options.RetryErrors.
//   - Don't set a threshold at exactly the last score: because a model at a temperature above 0
//     moves by chance. Leave a margin, or use a [Baseline].
//   - Don't tag cases with a user id: because each user then becomes a slice. After 1,000 slices
//     the rest is counted and not shown. Set Options.Slices.
//   - Don't share a journal between two processes: because both append to it. Give each run its own
//     file.
//   - Don't run a suite without a rate limit against a paid API: because Concurrency 50 gets "429
//     Too Many Requests" and the cases become errors. Set Options.Wait to a limiter.
//
// # Questions
//
// How do I evaluate an LLM application? Collect 50 to 200 real inputs with checked answers
// (eval/dataset). Choose metrics by the form of the answer (eval). Run them with [Run], and read
// the worst answers yourself. Repeat the run for every change of prompt, model or documents, with
// the last good run as [Baseline].
//
// What is the difference between a unit test and an evaluation? A unit test checks one fact and
// must always pass. An evaluation measures a share over many cases, such as 85 % right, because a
// model is never right on all inputs. A regression slice with a threshold of 1 is the part of an
// evaluation that works like unit tests.
//
// How do I stop a bad prompt from being released? Run the suite in continuous integration and fail
// the build if Report.Passed is false. Use one threshold for the whole, one of 1 for
// kind=regression, and a [Baseline] for slow decline. Package eval/evaltest does the same inside go
// test.
//
// What threshold should I choose? Set the threshold a little below what the system reaches now, so
// that chance doesn't fail the build: with 200 cases at 85 %, the 95 % range is about 5 points to
// each side. For regression cases the threshold is 1. Raise it when the system gets better.
//
// Should I use a threshold or a baseline? Use both. A threshold keeps the quality above a fixed
// level and doesn't notice a slow decline above it. A baseline notices a drop from the last version
// and never asks whether the level is good enough.
//
// Is a drop from 0.92 to 0.91 a regression? A drop from 0.92 to 0.91 on 200 cases is two cases,
// which is usually chance. A [Baseline] compares the runs case by case and reports a p-value. If
// the drop isn't significant after Holm's correction, the gate passes and the report says "no
// significant change".
//
// Why did my build pass with a worse score? The build passed because the drop was not statistically
// significant, or because no threshold was set. A small dataset can show only large drops: 100
// pairs detect about 0.28 standard deviations (stats.Design in eval/stats). Add cases or set a
// threshold.
//
// The model gives different answers each time. How do I test it? A model at a temperature above 0
// makes scores move without a change. Run the same version twice to see how much. Then ask several
// times per case and put the answers in Output.Samples, leave a margin in thresholds, and let a
// [Baseline] test the difference. A temperature of 0 makes answers more stable, not identical.
//
// My evaluation run crashed halfway. Do I have to start again? You don't have to rerun the whole
// evaluation if Options.Journal was set. Start the same run with the same journal: finished cases
// are read from the file and only the missing ones are asked. Without a journal, results are kept
// in memory and are lost.
//
// What does "the journal doesn't fit" mean? The error "the journal doesn't fit" ([ErrJournal])
// means that the file belongs to another suite, another version of the dataset, other metrics, or
// is damaged. Half a run of one dataset and half of another are not a run. Use a new file, or
// restore the old dataset.
//
// How many cases should run at once? Options.Concurrency is the number of cases in the system at
// once, 1 by default. Take what the provider's limit allows, often 4 to 16, and set Options.Wait to
// a rate limiter. The scores don't depend on Concurrency.
//
// How much does an evaluation run cost? An evaluation run costs one call of your system per case,
// and more if a model grades the answers. 500 cases of 2,000 input tokens and 300 output tokens are
// 1.0 million input and 0.15 million output tokens; multiply by your model's price. A journal
// avoids paying twice for the same answer. [github.com/prodailabs/prodai/eval.NewCost] reports the
// cost.
//
// How often should I run the evaluation? Run a smoke test of 20 to 50 cases on every change, and
// the whole suite before each release and when the provider changes the model. Run it also every
// week without a change: a hosted model can change without a notice.
//
// What happens if the system panics or hangs? A panic of the system is the error of that case; its
// stack is in the record, and the run goes on. Options.Timeout bounds one call. A system that
// doesn't return within a second after its context is done is abandoned, and that is the case's
// error.
//
// What is the difference between offline and online evaluation? Offline evaluation uses a fixed
// dataset before the release: it is cheap to repeat and knows the right answers. Online evaluation
// uses real traffic after the release: it sees what users really ask, and has no reference answers.
// Do both, and add failures found online to the dataset.
//
// How do I evaluate an agent? Write the agent as a [System] that returns the tool calls in
// Output.Calls and the result in Output.Text. Check the result with a metric for the task, and the
// path with [github.com/prodailabs/prodai/eval.NewToolMatch]. Run each task several times and
// report pass^k. The notes of eval/stats say more about agents.
//
// Do I need a GPU or an API key to evaluate? The runner and the metrics work on a CPU, offline.
// What needs a key is your own system, if it calls a provider. The lab of this package uses bots
// that answer from a table, so it runs without a key.
//
// How do I see which test cases failed? Print the failed cases with report.Failures, or write the
// HTML page of package eval/report, which shows each output beside its reference and can be sorted
// by metric. Report.Records has everything for a program of your own.
//
// Who should look at the results? A person should read some outputs of each run: the ten worst, the
// cases that changed from right to wrong, and ten at random. A metric can be wrong in the same way
// for weeks if its cases are never read.
//
// # Lab
//
// Run the lab of the second half of lecture 5. It needs no network and no key.
//
//	go run ./examples/lab05-datasets
//
// In steps 4 and 5, compare the gates of the two bots. The mean of exact_match goes up, and the
// gate of kind=regression fails. Find the case that broke under "What a person should look at".
// Start it with -journal run.jsonl, and look at the lines of that file.
//
// # Exercises
//
//  1. Kill a run (kill -9) and start it again. Which cases ran twice? Where in the journal do you
//     see it?
//  2. Add a threshold for a slice that has no case. What does the gate report, and why is that
//     right?
//  3. Run the same suite twice with a model at temperature 1 and give the first run as the
//     baseline. How often is a metric "significantly worse"?
//
// # Further reading
//
//   - Riezler, Maxwell 2005: On Some Pitfalls in Automatic Evaluation and Significance Testing for
//     MT
//   - Holm 1979: A Simple Sequentially Rejective Multiple Test Procedure
//   - Miller 2024: Adding Error Bars to Evals
package suite

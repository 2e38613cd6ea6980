// Package suite runs an evaluation: a dataset through a system, metrics over its
// outputs, and gates that decide whether the build passes.
//
// # The lecture
//
// Lecture 5, its second half. Package eval measures how good an answer is. This
// package decides whether a build may ship. A run takes three hours and two
// thousand paid calls, and the machine may stop at any of them.
//
//	dataset ──► system ──► metrics ──► journal, a line a case
//	                                      │
//	              slices, thresholds, baseline
//	                                      │
//	                                      ▼
//	                           report: passed, or what broke
//
// [Run] asks the system for every case of a [Suite], a few at a time, and scores
// the answers with each metric. A program:
//
//	report, err := suite.Run(ctx, suite.Suite{
//		Name:    "support-bot",
//		Version: data.Version(),
//		Cases:   data.All(),
//		System:  bot.Answer,
//		Metrics: []eval.Metric{exact, chrf},
//	}, &suite.Options{
//		Concurrency: 8,
//		Wait:        limiter.Wait,
//		Journal:     "run.jsonl",
//		Thresholds:  []suite.Threshold{{Metric: "exact_match", Slice: "kind=regression", Value: 1}},
//		Baseline:    &suite.Baseline{Records: suite.ReadJournal("main.jsonl")},
//	})
//	if err == nil && !report.Passed() { ... }
//
// # Slices
//
// A mean hides the group that broke: 0.90 may be 0.95 in English and 0.40 in
// German. A slice is a group of cases that is also scored by itself.
// [DefaultSlices] makes one for each kind of case and each tag.
//
// # Gates
//
// A gate is a condition that the run must satisfy. There are three sorts: the
// system fails on at most so many cases, a score keeps to a [Threshold], and no
// metric is significantly worse than in a [Baseline], an earlier run. A gate over
// nothing doesn't pass: a metric that scored no case is not evidence.
//
// A run without evidence doesn't pass either, with thresholds or without. The
// report then has a failed gate that gives the reason: the suite has no cases, no
// metric scored a case, or a metric failed on every case that it applied to.
//
// The comparison with the baseline is paired. Both runs answered the same cases,
// so a case that is hard for both doesn't count as a difference. Cases that are
// new or changed are left out and counted.
//
// # The journal
//
// The journal is a file with a line for each finished case. A run that is killed
// and started again with the same journal runs only the cases that are missing.
// The first line names the suite, the version of the dataset and the signatures
// of the metrics. A journal that doesn't fit is [ErrJournal]: half a run of one
// dataset and half a run of another are not a run.
//
// # Pitfalls
//
//   - Read the worst slice first. The mean over everything is the last number to
//     look at.
//   - A drop of 0.4 on 200 cases is usually nothing. Give the run a [Baseline],
//     which tests the drop, and don't compare by eye.
//   - An error of the system is not a wrong answer. [Options.AllowErrors] is 0 by
//     default, so that an outage of the provider doesn't pass as a bad score. A
//     panic is such an error: the case's record has its stack, and the run goes on.
//   - A tag with a value for each user makes a slice for each user. After 1,000
//     slices the rest is counted, not shown.
//
// # Exercises
//
//  1. Kill a run (kill -9) and start it again. Which cases ran twice? Where in the
//     journal do you see it?
//  2. Add a threshold for a slice that has no case. What does the gate report, and
//     why is that right?
//  3. Run the same suite twice with a model at temperature 1 and give the first
//     run as the baseline. How often is a metric "significantly worse"?
//
// The lab is go run ./examples/lab05-datasets. Package eval/report prints a
// [Report]; eval/evaltest runs a suite under go test.
//
// # Further reading
//
//   - Riezler, Maxwell 2005: On Some Pitfalls in Automatic Evaluation and
//     Significance Testing for MT
//   - Holm 1979: A Simple Sequentially Rejective Multiple Test Procedure
//   - Miller 2024: Adding Error Bars to Evals
package suite

// Package evaltest makes an evaluation a Go test: go test runs the suite, fails where a threshold
// isn't met, and names the cases that failed.
//
// # The idea
//
// An evaluation that runs by hand is soon not run. So package evaltest puts it where the other
// tests are. [Run] makes a subtest of each case, named by its id. [Check] compares a single output
// with its references in one line.
//
// # Terms
//
//   - Evaluation test (also: eval as a test, LLM unit test): An evaluation test runs a suite in go
//     test and fails the build if a gate or a case fails.
//   - Subtest: A subtest is a named part of a Go test. go test -run 'TestSupportBot/bug-17' shows
//     one of them.
//   - Record and replay (also: recorded answers, cassette): Record and replay means that answers of
//     a model are stored once and returned in later tests, so that a test costs nothing and gives
//     the same result.
//
// # A minimal program
//
// The test runs the suite of a support bot. supportBot returns the [suite.Suite] with the dataset,
// the system and the metrics.
//
//	func TestSupportBot(t *testing.T) {
//		evaltest.Run(t, supportBot(t), &evaltest.Options{
//			Run: suite.Options{
//				Thresholds: []suite.Threshold{{Metric: "chrF2", Value: 55}},
//			},
//			Each: []suite.Threshold{{Metric: "exact_match", Slice: "kind=regression", Value: 1}},
//		})
//	}
//
// # Pitfalls
//
//   - Don't call a paid model in each test run: because it costs money and gives other answers
//     tomorrow. Let the system replay recorded answers, or set a journal, so that only missing
//     cases are asked.
//   - Don't expect -run of one case to be cheaper: because the suite always runs whole; a corpus
//     score isn't made of one case. Only the output is filtered.
//   - Don't set Options.Each for a free-text metric on all cases: because some right answers score
//     low. Use it for regression cases and exact answers.
//
// # Questions
//
// How do I run an LLM evaluation in CI? Write a test with [Run] and let the CI system call go test.
// Recorded answers or a journal keep it cheap. Run the large suite with the real model at night,
// and a small one on each change.
//
// How do I write a unit test for a prompt? Give [Check] a metric, a bound, the output and one or
// more references. It fails the test if the score is out of bounds, and prints what came and what
// was expected. For a set of inputs, use [Run].
//
// Is there something like DeepEval or pytest for Go? Package evaltest is the counterpart of
// DeepEval's pytest tests: thresholds per metric and case, in go test. Judge.Metric of package
// eval/judge is a model-graded metric for it.
package evaltest

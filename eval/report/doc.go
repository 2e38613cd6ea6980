// Package report prints what an evaluation found: for the terminal ([Terminal]), for a pull request
// ([Markdown]), for the test view of a CI system ([JUnit]), for other programs ([JSONL]), and for
// people who read the answers ([HTML]).
//
// # The idea
//
// Every form of a report shows the same four things, in this order: did the run pass, what are the
// scores and over how many cases, which slice is worst, and what was not measured. A number that
// hides how many cases it left out is not a result.
//
// # Terms
//
//   - Evaluation report (also: eval report, scorecard): An evaluation report shows gates, scores,
//     slices and what was left out, for one run of a suite.
//   - JUnit XML (also: test report XML): JUnit XML is a file format for test results that CI
//     systems such as GitLab and Jenkins show. [JUnit] writes gates and cases in it.
//   - Step summary (also: job summary, PR comment): A step summary is a Markdown page that GitHub
//     Actions shows beside a run. [Markdown] writes one.
//
// # A minimal program
//
// The program runs a suite, prints the report, and lists the three worst answers.
//
//	r, err := suite.Run(ctx, s, options)
//	if err != nil {
//		return err
//	}
//	if err := report.Terminal(os.Stdout, r); err != nil {
//		return err
//	}
//	return report.Failures(os.Stdout, r, suite.Threshold{Metric: "exact_match", Value: 1}, 3)
//
// # Pitfalls
//
//   - Don't report more than four digits: because the fifth digit of a score is noise. The reports
//     show four.
//   - Don't send an HTML report to people outside without a look: because it contains the inputs
//     and answers of all cases. Redact the dataset first.
//   - Don't look at scores alone: because a metric can be wrong. Read some answers with [Failures]
//     or [HTML].
//
// # Questions
//
// How do I see which test cases failed? Call [Failures] with a threshold, which prints each failing
// case with what was asked, what came and what was expected. Or write the [HTML] page: it can be
// searched, filtered by slice and sorted by metric, and shows the output beside the reference.
//
// How do I compare two versions side by side? Give HTMLOptions.Baseline the records of the earlier
// run. The [HTML] page then shows both outputs of each case with the differences marked.
//
// How do I show evaluation results in GitHub or GitLab? Write [Markdown] to the file that
// GITHUB_STEP_SUMMARY names, or as a comment of the pull request. For GitLab and Jenkins write
// [JUnit] and name the file as a test report.
package report

// Package report prints what an evaluation found: for the terminal
// ([Terminal]), for a pull request ([Markdown]), for a CI's test view
// ([JUnit]), for other programs ([JSONL]) and for people who want to see the
// answers themselves ([HTML]).
//
// Every form shows the same four things, in this order: did it pass, what are
// the scores and over how many cases, which slice is worst, and what was not
// measured. A number that hides how many cases it left out is not a result.
//
//	r, err := suite.Run(ctx, s, options)
//	// ...
//	report.Terminal(os.Stdout, r)
//
// Scores are shown with four significant digits: the fifth is never real.
package report

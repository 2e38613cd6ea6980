// Package inspectai has the scorers of the framework Inspect that need no model: match,
// includes, pattern, answer, f1 and exact, as version 0.3.285 computes them. Use it to
// compare a score of yours with one that Inspect published, and package eval for metrics
// of your own.
//
// # The idea
//
// Each scorer takes an answer out of an output and compares it with targets. Two scorers
// give different results for one output, so a score without the scorer's name and options
// means nothing: "25" ends with "5" for [Match], and doesn't equal 5 with Numeric.
//
// # Pitfalls
//
//   - Don't use [Match] at the end for short targets: because "no" is the end of "casino".
//   - Don't expect "60%" to match the target 60: because it may mean 0.6. Give both targets.
//   - Chinese numerals are numbers for Inspect, and aren't here.
package inspectai

// Package eval measures what an AI system produces: text, retrieval and
// classification metrics that agree with their reference implementations,
// datasets, and a runner that holds a build to thresholds.
//
// # The lecture
//
// Lecture 5. A system that isn't measured is a demo. A metric is a definition,
// so each one here states its formula, its source, and when it misleads.
package eval

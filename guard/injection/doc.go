// Package injection finds prompt injection.
//
// # The lecture
//
// Lecture 7: to be completed with the classifier.
package injection

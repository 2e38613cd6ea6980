// Package modeltest checks that a wrapper of a model keeps the contract that
// lets wrappers compose: [Run] is the contract as a test suite, and [Script] a
// model that plays what a test tells it.
package modeltest

//go:build race

package chunk

// The race detector makes everything ten times as slow and changes no answer of
// tests that start no goroutine.
const race = true

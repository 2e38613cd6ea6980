//go:build race

package main

// slow is true under the race detector, where the work of one goroutine takes ten times
// as long and shows nothing.
const slow = true

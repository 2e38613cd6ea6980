// Package race tells tests whether the race detector is on. It makes code some
// ten times as slow, and a sync.Pool forget at random: a test that compares times
// or counts allocations, and starts no goroutine, has nothing to learn under it.
package race

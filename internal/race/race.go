// Package race reports to tests whether the race detector is on. The race detector
// makes code about ten times as slow, and lets a sync.Pool drop values at random.
// So a test that compares times or counts allocations, and starts no goroutine, is
// skipped under it.
package race

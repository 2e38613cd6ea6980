//go:build race

package token_test

// The race detector makes a sync.Pool forget at random.
const race = true

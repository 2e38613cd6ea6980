// Package cache answers a call from an earlier one.
//
// # The lecture
//
// Lecture 14. The cheapest and fastest model call is the one that isn't made,
// as long as the answer is the one that would have been given.
package cache

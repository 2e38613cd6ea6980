// Package trace shows what a request did: spans for the logical call and for
// every attempt, token usage and exact cost.
//
// # The lecture
//
// Lectures 15 and 16. What happened can't be asked of a model afterwards; it
// has to be recorded while it happens, without recording what must stay
// private.
package trace

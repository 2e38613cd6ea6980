// Package guard puts checks around a model: on what goes in, on the documents
// and tool results it reads, on the tools it calls and on what it says.
//
// # The lecture
//
// Lectures 7 and 8. No single check stops prompt injection. Defence in depth
// means that each layer fails differently, and that what gets through is
// measured.
package guard

// Package chunk cuts documents into passages that can be found, quoted and
// traced back to the byte they came from.
//
// # The lecture
//
// Lecture 10. A retriever finds chunks, not documents: a chunk that cuts a
// sentence in two, or that has lost its heading, can't be found by the
// question it answers.
package chunk

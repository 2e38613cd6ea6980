// Package retrieve finds the passages that answer a question.
//
// # The lecture
//
// Lecture 10. Words and meanings fail on different questions, so a retriever
// asks both and fuses the two rankings.
package retrieve

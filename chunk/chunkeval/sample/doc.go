// Package sample has a small data set to compare chunkers on: a speech and a set of
// chat logs with 132 questions. They are two of the five corpora of Chroma's
// chunking_evaluation (MIT license, Copyright (c) 2024 Brandon Smith). Importing
// the package adds 160 KiB to a program.
package sample

// Package cl100k is the encoding cl100k_base of GPT-4, GPT-3.5 Turbo and the
// text-embedding-3 models. Importing it adds 330 KiB to a program.
package cl100k

// Package p50k is the encoding p50k_base of the Codex models and
// text-davinci-002 and -003: r50k_base with tokens for runs of spaces. Importing
// it adds 160 KiB to a program.
package p50k

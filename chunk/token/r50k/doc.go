// Package r50k is the encoding r50k_base of GPT-3's first models; GPT-2's
// encoding gives the same tokens. Importing it adds 160 KiB to a program.
package r50k

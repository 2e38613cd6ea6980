// Package o200k is the encoding o200k_base of GPT-4o and the models after it, and
// its variant o200k_harmony of the open-weight models. Importing it adds 700 KiB
// to a program.
package o200k

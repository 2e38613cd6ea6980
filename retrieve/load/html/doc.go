// Package html loads HTML pages: the text that a reader sees, with its exact place in the
// file. It reads the tokens of golang.org/x/net/html.
package html

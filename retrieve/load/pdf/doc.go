// Package pdf loads PDF files: their text in the order in which it was drawn, with the page
// and the rectangle of each word.
//
// It reads the objects, the text operators and the fonts' maps itself (ISO 32000-1). The
// existing readers in Go were made for good files: one of them runs forever on a page
// whose content is "<41". Here every step goes forward, and what a file can unpack, nest and
// draw is bounded by load.Options.
package pdf

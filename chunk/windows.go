package chunk

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// Windows cuts a text into windows of so many tokens, wherever that falls. It
// is the baseline that the structured chunkers have to beat.
//
// A window that would end inside of a code point ends before it. Of the texts
// in which that happens langchain's TokenTextSplitter makes passages that are no
// UTF-8; of all others it makes the same as this.
type Windows struct {
	size, overlap int
	ends          func(text string) []int
}

// NewWindows returns a Windows of size tokens, each repeating the last overlap
// tokens of the one before. tokens returns the end of each token of a text in
// bytes, ascending, the last being the text's length; nil is [ErrUnit]. It fails
// with [ErrSize] or [ErrOverlap].
func NewWindows(size, overlap int, tokens func(text string) []int) (*Windows, error) {
	if size <= 0 {
		return nil, fmt.Errorf("%w, not %d", ErrSize, size)
	}
	if overlap < 0 || overlap >= size {
		return nil, fmt.Errorf("%w: overlap %d, size %d", ErrOverlap, overlap, size)
	}
	if tokens == nil {
		return nil, fmt.Errorf("%w: NewWindows counts tokens, and tokens is nil", ErrUnit)
	}
	return &Windows{size, overlap, tokens}, nil
}

// Chunk cuts the text. Passages keep their white space, and may be nothing but
// that: this chunker looks at tokens only.
func (w *Windows) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ends := w.ends(text)
	place := func(i int) int { // where token i begins
		if i == 0 {
			return 0
		}
		return ends[i-1]
	}
	whole := func(i int) bool { return place(i) == len(text) || utf8.RuneStart(text[place(i)]) }
	var out []Chunk
	for at := 0; at < len(ends); {
		to := min(at+w.size, len(ends))
		for to > at+1 && !whole(to) {
			to--
		}
		for !whole(to) { // a single code point of more tokens than a window
			to++
		}
		out = append(out, Chunk{Start: place(at), End: place(to), Oversize: to-at > w.size})
		if to == len(ends) {
			break
		}
		next := to - w.overlap
		for next > at && !whole(next) {
			next--
		}
		if next <= at {
			next = to
		}
		at = next
	}
	return finish(text, out, runesOf(text)), nil
}

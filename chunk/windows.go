package chunk

import (
	"context"
	"fmt"
)

// Windows cuts a text into windows of a fixed number of tokens, wherever that
// falls. It is the baseline that the structured chunkers have to beat.
//
// A window that would end inside of a code point ends before it. Where no token in
// it ends between code points, it goes on to the first that does and is Oversize.
// Of such texts langchain's TokenTextSplitter makes passages that are not UTF-8; of
// all others it makes the same passages as this.
//
// Two laws of [Chunker] differ here. Passages keep their white space and may
// consist of white space only, so not a byte is lost. And the size is counted in
// tokens of the whole text; a passage counted alone may have some more.
type Windows struct {
	size, overlap int
	ends          func(text string) []int
}

// WindowsOptions configure a [Windows]. Both numbers are in tokens.
type WindowsOptions struct {
	// Size is the tokens of a window, 1 or more. Default: 200, as for the other
	// chunkers.
	Size int

	// Overlap is how many of its last tokens the next window repeats, less than
	// Size. Default: 0.
	Overlap int
}

// NewWindows returns a Windows. ends returns the end of each token of a text in
// bytes, ascending, the last being the text's length, as the Ends method of
// *token.Encoding does. NewWindows fails with [ErrOption].
func NewWindows(ends func(text string) []int, o *WindowsOptions) (*Windows, error) {
	if ends == nil {
		return nil, fmt.Errorf("%w: the ends of NewWindows is nil: want the ends of tokens, such as o200k.Encoding().Ends", ErrOption)
	}
	w := &Windows{size: defaultTokens, ends: ends}
	if o != nil {
		w.overlap = o.Overlap
		if o.Size != 0 {
			w.size = o.Size
		}
	}
	if err := checkSize("WindowsOptions", w.size, w.overlap); err != nil {
		return nil, err
	}
	return w, nil
}

// Chunk cuts the text. Ends of tokens that don't ascend to the text's length are
// [ErrTokens].
func (w *Windows) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ends := w.ends(text)
	at := 0
	for i, end := range ends {
		if end < at || end > len(text) {
			return nil, fmt.Errorf("%w: token %d ends at byte %d, after %d, of %d", ErrTokens, i, end, at, len(text))
		}
		at = end
	}
	if at < len(text) {
		return nil, fmt.Errorf("%w: the last ends at byte %d of %d", ErrTokens, at, len(text))
	}
	place := func(i int) int { // the place where token i begins
		if i == 0 {
			return 0
		}
		return ends[i-1]
	}
	whole := func(i int) bool { return boundary(text, place(i)) }
	var out []Chunk
	for at, last := 0, 0; at < len(ends); {
		to := at + min(w.size, len(ends)-at)
		for to > at+1 && !whole(to) {
			to--
		}
		for !whole(to) {
			to++
		}
		if to <= last { // nothing but overlap
			at = last
			continue
		}
		last = to
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

package token

import "math/bits"

// A RangeCounter counts the tokens of any part of one text. It reads the text once.
// After that, the time for a part depends on the pieces at its two ends, not on its
// length. A RangeCounter is immutable and safe for concurrent use. It needs 3/8 of the
// text's size, and keeps the text.
//
// The count of a part is that of the part alone, [Encoding.Count] of text[i:j], which
// is what a chunk has. It is not the difference of the counts of two prefixes, because a
// cut changes the tokens around it.
type RangeCounter struct {
	e      *Encoding
	text   string
	blocks []rangeBlock // one for each 64 bytes of the text, and for its end
}

// A rangeBlock has two bits for each byte. In pieces, the bytes are set that begin a
// piece. In tokens, a piece of n tokens has its first n bytes set, wherever its tokens
// really begin: only counts between the beginnings of pieces are needed.
type rangeBlock struct {
	pieces, tokens uint64
	before         int // tokens in the blocks before
}

// NewRangeCounter reads text and returns a RangeCounter of it.
func (e *Encoding) NewRangeCounter(text string) *RangeCounter {
	r := &RangeCounter{e: e, text: text, blocks: make([]rangeBlock, len(text)/64+1)}
	w := e.workspace()
	defer e.work.Put(w)
	var c cursor
	for i := 0; i < len(text); {
		end := c.next(&e.split, text, i)
		at := uint(i) // unsigned, so that / and % are a shift and a mask
		r.blocks[at/64].pieces |= 1 << (at % 64)
		for last := at + uint(e.countPiece(text, i, end, w)); at < last; at++ {
			r.blocks[at/64].tokens |= 1 << (at % 64)
		}
		i = end
	}
	n := 0
	for i := range r.blocks {
		r.blocks[i].before = n
		n += bits.OnesCount64(r.blocks[i].tokens)
	}
	return r
}

// Ranges returns the Count method of a [RangeCounter] of text. Package chunk takes this
// form.
func (e *Encoding) Ranges(text string) func(i, j int) int { return e.NewRangeCounter(text).Count }

// Text returns the text.
func (r *RangeCounter) Text() string { return r.text }

// Total returns the count of the whole text.
func (r *RangeCounter) Total() int { return r.before(len(r.text)) }

// Count returns the number of tokens of text[i:j]. An end outside of the text counts as
// the end of the text. A part that ends before it begins is empty.
//
// Count reads the pieces at both ends of the part. At the beginning it reads on until a
// piece of the part begins where a piece of the text does. In prose that is after a
// word. In a run of thousands of digits, which is cut in threes, it may be never.
func (r *RangeCounter) Count(i, j int) int {
	i, j = max(i, 0), min(j, len(r.text))
	if i >= j {
		return 0
	}
	part := r.text[:j]
	// The last piece of the text that is also a piece of the part, whatever was cut
	// off after it. After 16 pieces that are not, as in a run of letters aAaAaA, the
	// search ends, or else it would be quadratic.
	last := r.piece(j - 1)
	for steps := 0; last > i && !r.e.split.settled(part, last); steps++ {
		if last = r.piece(last - 1); steps == 16 {
			last = i
		}
	}
	w := r.e.workspace()
	defer r.e.work.Put(w)
	n := 0
	for at := i; at < j; {
		if at < last && r.blocks[at/64].pieces>>(at%64)&1 == 1 {
			n += r.before(last) - r.before(at)
			at = last
		}
		end := r.e.split.next(part, at)
		n += r.e.countPiece(part, at, end, w)
		at = end
	}
	return n
}

// before returns the number of tokens before i. At i a piece begins or the text ends.
func (r *RangeCounter) before(i int) int {
	b := &r.blocks[i/64]
	return b.before + bits.OnesCount64(b.tokens&(1<<(i%64)-1))
}

// piece returns the beginning of the last piece that begins at or before i.
func (r *RangeCounter) piece(i int) int {
	block := i / 64
	starts := r.blocks[block].pieces << (63 - i%64) >> (63 - i%64)
	for starts == 0 {
		block--
		starts = r.blocks[block].pieces
	}
	return 64*block + 63 - bits.LeadingZeros64(starts)
}

package token

import "math/bits"

// A RangeCounter counts the tokens of any part of one text. It reads the text once;
// after that a part costs the pieces at its two ends, not its length. It is
// immutable and safe for concurrent use, and takes 3/8 of the text's memory
// beside the text.
//
// A part's count is that of the part alone, [Encoding.Count] of text[i:j], as
// one needs for a chunk: it is not the difference of two prefixes, since
// cutting a text changes the tokens at the cut.
type RangeCounter struct {
	e      *Encoding
	text   string
	blocks []rangeBlock // one for each 64 bytes of the text, and for its end
}

// A rangeBlock has a bit for each byte. pieces are the bytes that begin a piece.
// tokens has as many bits as the piece that begins there has tokens: the first
// so many of its bytes, wherever its tokens really begin, since only counts
// between beginnings of pieces are asked for.
type rangeBlock struct {
	pieces, tokens uint64
	before         int // tokens in the blocks before
}

// NewRangeCounter reads text, which it keeps.
func (e *Encoding) NewRangeCounter(text string) *RangeCounter {
	r := &RangeCounter{e: e, text: text, blocks: make([]rangeBlock, len(text)/64+1)}
	w := e.workspace()
	defer e.work.Put(w)
	for i := 0; i < len(text); {
		end := e.split.next(text, i)
		at := uint(i) // whose quotient and remainder are a shift and a mask
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

// Ranges returns the Count method of a [RangeCounter] of text: the form that package
// chunk takes.
func (e *Encoding) Ranges(text string) func(i, j int) int { return e.NewRangeCounter(text).Count }

// Text returns the text.
func (r *RangeCounter) Text() string { return r.text }

// Total returns the count of the whole text.
func (r *RangeCounter) Total() int { return r.before(len(r.text)) }

// Count returns Count(text[i:j]). Ends outside the text are moved to it, and a
// part that ends before it begins is empty.
//
// The time is that of the pieces at both ends, plus, at the beginning, of those
// until the part's pieces begin where the text's do. Prose agrees after a word;
// a run of thousands of digits, cut in threes from another digit, never does.
func (r *RangeCounter) Count(i, j int) int {
	i, j = max(i, 0), min(j, len(r.text))
	if i >= j {
		return 0
	}
	part := r.text[:j]
	// The last piece of the text that is a piece of the part too, whatever was
	// cut off after it. Where none of so many is, as in a run of letters aAaAaA,
	// to look on would be quadratic.
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

// before returns the tokens before i, where a piece begins or the text ends.
func (r *RangeCounter) before(i int) int {
	b := &r.blocks[i/64]
	return b.before + bits.OnesCount64(b.tokens&(1<<(i%64)-1))
}

// piece returns where the last piece begins that does so at or before i.
func (r *RangeCounter) piece(i int) int {
	block := i / 64
	starts := r.blocks[block].pieces << (63 - i%64) >> (63 - i%64)
	for starts == 0 {
		block--
		starts = r.blocks[block].pieces
	}
	return 64*block + 63 - bits.LeadingZeros64(starts)
}

package token

import "sort"

// A Ranger counts the tokens of any part of one text. It reads the text once;
// after that a part costs the pieces at its two ends, not its length. It is
// immutable and safe for concurrent use.
//
// A part's count is that of the part alone, [Encoding.Count] of text[i:j], as
// one needs for a chunk: it is not the difference of two prefixes, since
// cutting a text changes the tokens at the cut.
type Ranger struct {
	e      *Encoding
	text   string
	pieces []rangerPiece // in order; the last one is the end of the text
}

type rangerPiece struct {
	at     int // where the piece begins
	before int // tokens of the pieces before it
}

// NewRanger reads text, which it keeps.
func (e *Encoding) NewRanger(text string) *Ranger {
	r := &Ranger{e: e, text: text}
	w := e.workspace()
	defer e.work.Put(w)
	n := 0
	for i := 0; i < len(text); {
		end := e.split.next(text, i)
		r.pieces = append(r.pieces, rangerPiece{i, n})
		n += e.countPiece(text, i, end, w)
		i = end
	}
	r.pieces = append(r.pieces, rangerPiece{len(text), n})
	return r
}

// Text returns the text.
func (r *Ranger) Text() string { return r.text }

// Total returns the count of the whole text.
func (r *Ranger) Total() int { return r.pieces[len(r.pieces)-1].before }

// Count returns Count(text[i:j]). Ends outside the text are moved to it, and a
// part that ends before it begins is empty.
//
// The time is that of the pieces at both ends, plus, at the beginning, of those
// until the part's pieces begin where the text's do. Prose agrees after a word;
// a run of thousands of digits, cut in threes from another digit, never does.
func (r *Ranger) Count(i, j int) int {
	i, j = max(i, 0), min(j, len(r.text))
	if i >= j {
		return 0
	}
	part := r.text[:j]
	// The last piece of the text that is a piece of the part too, whatever was
	// cut off after it.
	last := r.piece(j)
	for last > 0 && r.pieces[last].at > i && !r.e.split.settled(part, r.pieces[last].at) {
		last--
	}
	w := r.e.workspace()
	defer r.e.work.Put(w)
	n, at, k := 0, i, r.piece(i)
	for at < j {
		for k < len(r.pieces) && r.pieces[k].at < at {
			k++
		}
		if r.pieces[k].at == at && k < last {
			n += r.pieces[last].before - r.pieces[k].before
			at = r.pieces[last].at
			k = last
			continue
		}
		end := r.e.split.next(part, at)
		n += r.e.countPiece(part, at, end, w)
		at = end
	}
	return n
}

// piece returns the last piece that begins at or before i.
func (r *Ranger) piece(i int) int {
	return sort.Search(len(r.pieces), func(k int) bool { return r.pieces[k].at > i }) - 1
}

package token

import "math/bits"

// Count returns the number of tokens of text, len(Encode(text)), without
// making them. It never fails. It allocates nothing, but for a fixed amount of
// memory, 368 KiB, when more calls run at the same time than did before. The
// garbage collector frees that memory when no call needs it.
func (e *Encoding) Count(text string) int {
	w := e.workspace()
	defer e.work.Put(w)
	n := 0
	for i := 0; i < len(text); {
		marks := e.split.marks(text, i)
		if marks == 0 {
			end := e.split.next(text, i)
			n += e.countPiece(text, i, end, w)
			i = end
			continue
		}
		n += e.countMarked(text, i, marks, w)
		i += 63 - bits.LeadingZeros64(marks)
	}
	return n
}

// countMarked counts the tokens of the pieces that end at marks, in the window
// text[i:].
func (e *Encoding) countMarked(text string, i int, marks uint64, w *workspace) int {
	text = text[i : i+windowBytes+afterWindow]
	n, at := 0, 0
	for ; marks != 0; marks &= marks - 1 {
		end := bits.TrailingZeros64(marks)
		size := end - at
		word := load(text, at)
		if size <= 8 {
			word = lowBytes(word, size)
			if slot := shortSlot(word); w.shortWords[slot] == word && (size < 8 || word>>59 != 0) {
				n += int(w.shortCounts[slot])
				at = end
				continue
			}
		} else if size < 16 && word>>59 != 0 {
			tail := lowBytes(load(text, at+8), size-8)
			if slot := &w.long[longSlot(word, tail)]; slot.head == word && slot.tail == tail {
				n += int(slot.tokens)
				at = end
				continue
			}
		}
		n += e.countRemembered(text, at, end, w)
		at = end
	}
	return n
}

// countPiece counts the tokens of the piece text[i:end].
func (e *Encoding) countPiece(text string, i, end int, w *workspace) int {
	if size := end - i; size < 8 && len(text)-i >= 8 { // most pieces, without another call
		word := lowBytes(load(text, i), size)
		if slot := shortSlot(word); w.shortWords[slot] == word {
			return int(w.shortCounts[slot])
		}
	}
	return e.countRemembered(text, i, end, w)
}

// countRemembered counts a piece's tokens and remembers the count if the piece is
// short.
func (e *Encoding) countRemembered(text string, i, end int, w *workspace) int {
	size := end - i
	if size > 16 {
		return e.countNew(text[i:end], w)
	}
	head, tail, ok := wordsAt(text, i, size)
	if !ok {
		return e.countNew(text[i:end], w)
	}
	if tail == 0 {
		// A piece has two places. The one that was needed last is in the first.
		slot := shortSlot(head)
		if w.shortWords[slot] == head {
			return int(w.shortCounts[slot])
		}
		n := w.shortCounts[slot|1]
		if w.shortWords[slot|1] != head {
			n = uint8(e.countWords(head, tail, text[i:end], w))
		}
		w.shortWords[slot|1], w.shortCounts[slot|1] = w.shortWords[slot], w.shortCounts[slot]
		w.shortWords[slot], w.shortCounts[slot] = head, n
		return int(n)
	}
	slot := &w.long[longSlot(head, tail)]
	if slot.head != head || slot.tail != tail {
		*slot = longCount{head, tail, uint32(e.countWords(head, tail, text[i:end], w))}
	}
	return int(slot.tokens)
}

// countWords counts the tokens of a piece that has the words head and tail.
func (e *Encoding) countWords(head, tail uint64, piece string, w *workspace) int {
	if e.vocab.words.find(head, tail) >= 0 {
		return 1
	}
	return e.countSegments(piece, w)
}

// countNew counts the tokens of any piece.
func (e *Encoding) countNew(piece string, w *workspace) int {
	if e.vocab.find(piece) >= 0 {
		return 1
	}
	return e.countSegments(piece, w)
}

// countSegments counts the tokens of a piece that is not a token. It cuts the piece
// into segments where no merge can reach across (see seams). The tokens of a segment
// are those of a piece of the same bytes.
func (e *Encoding) countSegments(piece string, w *workspace) int {
	v := e.vocab
	n, at := 0, 0
	if v.segmented(piece) {
		for base := 0; base < len(piece); base += 64 {
			for free := v.seams.freePlaces(piece, base); free != 0; free &= free - 1 {
				end := base + bits.TrailingZeros64(free)
				n += e.countPiece(piece, at, end, w)
				at = end
			}
		}
	}
	if at == 0 {
		return len(v.merge(piece, w))
	}
	return n + e.countPiece(piece, at, len(piece), w)
}

// CountUpTo counts the tokens of text and stops when there are more than limit.
// It returns the count and true, or a number above limit and false. That number is
// not the whole count.
func (e *Encoding) CountUpTo(text string, limit int) (n int, ok bool) {
	limit = min(limit, len(text)) // no text has more tokens than bytes
	if limit < 0 {
		return 0, false
	}
	w := e.workspace()
	defer e.work.Put(w)
	var c cursor
	for i := 0; i < len(text); {
		// A token has so many bytes at most: some texts need not be read.
		if len(text)-i >= (limit-n+1)*e.vocab.longest {
			return n + (len(text)-i)/e.vocab.longest, false
		}
		end := c.next(&e.split, text, i)
		if n += e.countPiece(text, i, end, w); n > limit {
			return n, false
		}
		i = end
	}
	return n, n <= limit
}

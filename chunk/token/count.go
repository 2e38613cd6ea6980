package token

import "math/bits"

// Count returns the number of tokens of text, len(Encode(text)), without
// making them. It never fails. It allocates nothing, but for a fixed amount of
// memory, 419 KiB, when more calls run at the same time than did before. The
// garbage collector frees that memory when no call needs it.
func (e *Encoding) Count(text string) int {
	w := e.workspace()
	defer e.work.Put(w)
	w.patient = true
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
	return n + e.countWaiting(text, w)
}

// countMarked counts the tokens of the pieces that end at marks, in the window
// text[i:].
func (e *Encoding) countMarked(text string, i int, marks uint64, w *workspace) int {
	window := text[i : i+windowBytes+afterWindow]
	n, at := 0, 0
	for ; marks != 0; marks &= marks - 1 {
		end := bits.TrailingZeros64(marks)
		size := end - at
		word := load(window, at)
		if size <= 8 {
			word = lowBytes(word, size)
			if slot := shortSlot(word); w.shortWords[slot] == word && (size < 8 || word>>59 != 0) {
				n += int(w.shortCounts[slot])
				at = end
				continue
			}
		} else if size < 16 && word>>59 != 0 {
			tail := lowBytes(load(window, at+8), size-8)
			if slot := &w.long[longSlot(word, tail)]; slot.head == word && slot.tail == tail {
				n += int(slot.tokens)
				at = end
				continue
			}
		}
		n += e.countRemembered(text, i+at, i+end, w)
		at = end
	}
	return n
}

// countPiece counts the tokens of the piece text[i:end]. If w is patient, a count
// may be 0 and wait for countWaiting.
func (e *Encoding) countPiece(text string, i, end int, w *workspace) int {
	if size := end - i; size < 8 && len(text)-i >= 8 { // most pieces, without another call
		word := lowBytes(load(text, i), size)
		if slot := shortSlot(word); w.shortWords[slot] == word {
			return int(w.shortCounts[slot])
		}
	}
	return e.countRemembered(text, i, end, w)
}

// countRemembered is countPiece without the short way.
func (e *Encoding) countRemembered(text string, i, end int, w *workspace) int {
	size := end - i
	if size > 16 {
		return e.countLong(text, i, end, w)
	}
	head, tail, ok := wordsAt(text, i, size)
	switch {
	case !ok && e.vocab.find(text[i:end]) >= 0:
		return 1
	case !ok:
		return e.countSegments(text, i, end, w)
	case tail == 0:
		// A piece has two places. The one that was needed last is in the first.
		slot := shortSlot(head)
		if w.shortWords[slot] == head {
			return int(w.shortCounts[slot])
		}
		if w.shortWords[slot|1] == head {
			n := int(w.shortCounts[slot|1])
			w.remember(head, tail, n)
			return n
		}
	default:
		if slot := &w.long[longSlot(head, tail)]; slot.head == head && slot.tail == tail {
			return int(slot.tokens)
		}
	}
	if w.patient {
		w.waiting[w.waits&(waitingPieces-1)] = waitingPiece{head, tail, i, end}
		if w.waits++; w.waits < waitingPieces {
			return 0
		}
		n := e.countWaiting(text, w)
		w.patient = true
		return n
	}
	n := 1
	if e.vocab.words.find(head, tail) < 0 {
		n = e.countSegments(text, i, end, w)
	}
	w.remember(head, tail, n)
	return n
}

// countWaiting counts the pieces that wait, which are parts of text. After that w isn't
// patient any more.
//
// The tables of the vocabulary are larger than the processor's cache. A loop that does
// nothing but read them for many pieces waits for all of them at the same time.
func (e *Encoding) countWaiting(text string, w *workspace) int {
	w.patient = false
	waiting := w.waiting[:w.waits]
	w.waits = 0
	words := &e.vocab.words
	var differ [waitingPieces]uint64 // 0: the piece is the first token that find looks at
	for k := range waiting {
		if p := &waiting[k]; p.tail == 0 {
			differ[k] = words.short[p.head*hashFactor>>words.shortShift] ^ p.head
		} else {
			t := &words.long[longHash(p.head, p.tail)>>words.longShift]
			differ[k] = (t.head ^ p.head) | (t.tail ^ p.tail)
		}
	}
	total := 0
	for k := range waiting {
		p := &waiting[k]
		n := 1
		if differ[k] != 0 && words.find(p.head, p.tail) < 0 {
			n = e.countSegments(text, p.at, p.end, w)
		}
		w.remember(p.head, p.tail, n)
		total += n
	}
	return total
}

// countLong counts the tokens of a piece of more than sixteen bytes, and remembers the
// count if it has up to 32.
func (e *Encoding) countLong(text string, i, end int, w *workspace) int {
	// A run of Chinese or Japanese is hardly ever met again as a whole.
	if size := end - i; size > 32 || text[i] >= 0xE3 {
		return e.countSegments(text, i, end, w)
	}
	slot, key := w.longerSlot(text[i:end])
	if slot.key != key {
		patient := w.patient
		w.patient = false
		*slot = longerCount{key, uint32(e.countSegments(text, i, end, w))}
		w.patient = patient
	}
	return int(slot.tokens)
}

// countSegments counts the tokens of a piece. It cuts the piece into segments where no
// merge can reach across (see seams). The tokens of a segment are those of a piece of
// the same bytes, and no token reaches across the place either.
func (e *Encoding) countSegments(text string, i, end int, w *workspace) int {
	v := e.vocab
	piece := text[i:end]
	n, at := 0, 0
	if v.segmented(piece) {
		for base := 0; base < len(piece); base += 64 {
			for free := v.seams.freePlaces(piece, base); free != 0; free &= free - 1 {
				next := base + bits.TrailingZeros64(free)
				n += e.countPiece(text, i+at, i+next, w)
				at = next
			}
		}
	}
	switch {
	case at > 0:
		return n + e.countPiece(text, i+at, end, w)
	case len(piece) > 16 && v.find(piece) >= 0:
		return 1
	case v.short(piece):
		return bits.OnesCount32(v.mergeShort(piece, &w.short))
	}
	return len(v.merge(piece, w))
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

package token

// A workspace is the memory that one call needs to count or encode: room for a merge, and
// tables of pieces that were counted before. An Encoding keeps its workspaces in a
// pool, so that counting does not allocate.
//
// A workspace has 368 KiB, and 256 KiB more after it was used to encode. Its tables
// don't grow with the text. Only ids and dead grow with the longest piece, by at most
// about 8 bytes for each byte of that piece.
//
// A hash gives the only place where an entry may be in a table, or two places in
// shortWords. A new entry replaces an old one there. An entry has the words of the piece (see lookup.go) and not the
// piece, so no text is kept in memory.
type workspace struct {
	ids  []uint32
	dead []uint64 // bit i: no encoding of piece[:i] goes on to the end

	// pairs has the last answers of valid. An entry is left, right, the answer and a
	// bit that is always set.
	pairs [1 << pairBits]uint64

	// shortWords has pieces of up to eight bytes, and shortCounts how many tokens they
	// have.
	shortWords  [1 << shortBits]uint64
	shortCounts [1 << shortBits]uint8

	// long has pieces of nine to sixteen bytes and how many tokens they have.
	long [1 << longBits]longCount

	// encoded has pieces of up to sixteen bytes and their tokens. Most workspaces
	// only count and never need it.
	encoded *[1 << encodedBits]pieceTokens
}

const (
	pairBits    = 12
	shortBits   = 14
	longBits    = 13
	encodedBits = 13
)

type longCount struct {
	head, tail uint64 // 0 and 0: empty
	tokens     uint32
}

type pieceTokens struct {
	head, tail uint64
	ids        [3]uint32 // pieces of more tokens are not remembered
	n          uint32
}

func (e *Encoding) workspace() *workspace { return e.work.Get().(*workspace) }

// shortSlot is the first of the two places of a piece of up to eight bytes in
// shortWords. The other one follows it.
func shortSlot(word uint64) uint64 { return word * hashFactor >> (64 - shortBits) &^ 1 }

// longSlot is the place of a longer piece in long.
func longSlot(head, tail uint64) uint64 { return longHash(head, tail) >> (64 - longBits) }

// encodedSlot is the place of a piece in encoded.
func encodedSlot(head, tail uint64) uint64 { return longHash(head, tail) >> (64 - encodedBits) }

// valid is v.valid, with a table of its last answers.
func (w *workspace) valid(v *vocab, left, right uint32) bool {
	key := uint64(left)<<21 | uint64(right)
	slot := &w.pairs[key*hashFactor>>(64-pairBits)]
	if *slot>>2 == key && *slot != 0 {
		return *slot&2 != 0
	}
	answer := v.valid(left, right)
	*slot = key<<2 | 1
	if answer {
		*slot |= 2
	}
	return answer
}

// reset makes ids and dead ready for a piece of n bytes.
func (w *workspace) reset(n int) {
	w.ids = w.ids[:0]
	words := n/64 + 1
	if cap(w.dead) < words {
		w.dead = make([]uint64, words)
		return
	}
	w.dead = w.dead[:words]
	clear(w.dead)
}

package token

// A workspace is the memory that one call needs to count or encode: room for a merge, and
// tables of pieces that were counted before. An Encoding keeps its workspaces in a
// pool, so that counting does not allocate.
//
// A workspace has 419 KiB, and 512 KiB more after it was used to encode. Its tables
// don't grow with the text. Only ids and dead grow with the longest piece, by at most
// about 8 bytes for each byte of that piece.
//
// A hash gives the only place where an entry may be in a table, or two places in
// shortWords. A new entry replaces an old one there.
type workspace struct {
	ids   []uint32
	dead  []uint64 // bit i: no encoding of piece[:i] goes on to the end
	short [shortPiece]uint32

	// patient lets pieces wait for countWaiting. waits is how many do.
	patient bool
	waits   int
	waiting [waitingPieces]waitingPiece

	// pairs has the last answers of valid. An entry is left, right, the answer and a
	// bit that is always set.
	pairs [1 << pairBits]uint64

	// shortWords has pieces of up to eight bytes, and shortCounts how many tokens they
	// have.
	shortWords  [1 << shortBits]uint64
	shortCounts [1 << shortBits]uint8

	// long has pieces of nine to sixteen bytes and how many tokens they have.
	long [1 << longBits]longCount

	// longer has pieces of 17 to 32 bytes and how many tokens they have.
	longer [1 << longerBits]longerCount

	// encoded has pieces of up to sixteen bytes and their tokens. Most workspaces
	// only count and never need it.
	encoded *[1 << encodedBits]pieceTokens
}

const (
	pairBits      = 12
	shortBits     = 14
	longBits      = 13
	longerBits    = 10
	encodedBits   = 14
	waitingPieces = 64
)

// A waitingPiece has the words of a piece and its two ends in the text.
type waitingPiece struct {
	head, tail uint64
	at, end    int
}

type longCount struct {
	head, tail uint64 // 0 and 0: empty
	tokens     uint32
}

type longerCount struct {
	key    longerKey
	tokens uint32
}

// A longerKey is a piece of 17 to 32 bytes: the first two words and the last two, which
// overlap the first ones.
type longerKey struct {
	words [4]uint64
	size  uint32
}

type pieceTokens struct {
	head, tail uint64
	ids        [3]uint32 // pieces of more tokens are not remembered
	n          uint32
}

func (e *Encoding) workspace() *workspace {
	w := e.work.Get().(*workspace)
	w.patient, w.waits = false, 0
	return w
}

// remember keeps the count of a piece of up to sixteen bytes.
func (w *workspace) remember(head, tail uint64, tokens int) {
	if tail != 0 {
		w.long[longSlot(head, tail)] = longCount{head, tail, uint32(tokens)}
		return
	}
	if slot := shortSlot(head); w.shortWords[slot] != head {
		w.shortWords[slot|1], w.shortCounts[slot|1] = w.shortWords[slot], w.shortCounts[slot]
		w.shortWords[slot], w.shortCounts[slot] = head, uint8(tokens)
	}
}

// longerSlot returns the place and the key of a piece of 17 to 32 bytes.
func (w *workspace) longerSlot(piece string) (*longerCount, longerKey) {
	n := len(piece)
	k := longerKey{[4]uint64{load(piece, 0), load(piece, 8), load(piece, n-16), load(piece, n-8)}, uint32(n)}
	hash := longHash(k.words[0], k.words[1])*hashFactor ^ longHash(k.words[2], k.words[3])
	return &w.longer[hash>>(64-longerBits)], k
}

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

package token

// Byte-pair encoding merges, again and again, the adjacent pair of tokens whose
// merge has the lowest rank. Done literally that is quadratic in a piece's
// length, n log n with a heap. This file finds the same tokens from left to
// right in linear time.
//
// Two facts make it possible. Every token has one pair of parts that a merge
// makes it of, because merges inside a token go the same way whatever stands
// around it. And a sequence of tokens is the encoding of its bytes exactly when
// each two neighbors are the encoding of theirs. So one may take the longest
// token that begins the rest, provided that it agrees with the token before,
// else a shorter one, and step back if none fits; a position that was stepped
// back from is dead and never tried again. (The algorithm is that of the Rust
// crate "bpe" by GitHub, written anew from its description.)

// valid reports whether left and right, side by side, are what encoding their
// bytes gives. It undoes the merges on both sides of the seam, the latest
// first, and looks whether BPE would have had a merge across it to do earlier.
func (v *vocab) valid(left, right uint32) bool {
	limit := uint32(noToken) // merges of this rank and above came too late
	for {
		if v.merged(left, right) < limit {
			return false
		}
		// Of equal ranks BPE merges the leftmost first: a merge across the seam
		// comes after an equal one on its left and before one on its right.
		if left > right {
			limit = left
			left = v.split[left][1]
			if left == limit {
				limit = right + 1
				right = v.split[right][0]
				if right+1 == limit {
					return true
				}
			}
			continue
		}
		limit = right + 1
		right = v.split[right][0]
		if right+1 == limit {
			limit = left
			left = v.split[left][1]
			if left == limit {
				return true
			}
		}
	}
}

// A workspace is the memory of one merge: reused, so that counting doesn't
// allocate.
type workspace struct {
	ids  []uint32
	dead []uint64 // bit i: no encoding of piece[:i] goes on to the end

	// pairs remembers the last answers of valid: text repeats itself, and a
	// hostile one asks about the same few pairs again and again. An entry is
	// left, right, the answer and a bit that is always set.
	pairs [pairMemory]uint64

	// counts remembers how many tokens pieces of up to sixteen bytes have. An
	// entry holds the piece itself, so that no text is kept alive.
	counts [1 << countBits]pieceCount
}

const countBits = 11 // 24 bytes each

type pieceCount struct {
	head, tail   uint64 // the first and the last eight bytes
	size, tokens uint32 // size 0: empty
}

const (
	pairBits   = 12
	pairMemory = 1 << pairBits // 32 KiB
)

// valid is v.valid from memory.
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

// merge encodes one piece, whose longest token at its beginning is first, and
// returns the ids. They lie in w's memory.
func (v *vocab) merge(piece string, first int, w *workspace) []uint32 {
	w.reset(len(piece))
	ids, dead := w.ids, w.dead
	pos := 0
	next, size := first, v.size(first)
	for {
		end := pos + size
		if dead[end>>6]>>(end&63)&1 == 0 &&
			(len(ids) == 0 || w.valid(v, ids[len(ids)-1], uint32(next))) {
			ids = append(ids, uint32(next))
			pos = end
			if pos == len(piece) {
				break
			}
			next, size = v.trie.Longest(piece[pos:])
			continue
		}
		if next = int(v.prefix[next]); next < 0 {
			if len(ids) == 0 { // impossible with ranks whose splits are true
				break
			}
			dead[pos>>6] |= 1 << (pos & 63)
			next = int(ids[len(ids)-1])
			ids = ids[:len(ids)-1]
			pos -= v.size(next)
		}
		size = v.size(next)
	}
	if pos < len(piece) {
		for i := range len(piece) {
			ids = append(ids, uint32(v.bytes[piece[i]]))
		}
	}
	w.ids = ids
	return ids
}

// size returns the length of a token in bytes.
func (v *vocab) size(id int) int { return int(v.start[id+1] - v.start[id]) }

// find looks up the piece text[i:end], which is not empty, as one token. If it
// is none it returns -1 and the longest token that begins the piece.
func (v *vocab) find(text string, i, end int) (id, first int) {
	n := end - i
	if n <= 8 {
		if id = v.shortID(text, i, end); id >= 0 {
			return id, id
		}
	}
	piece := text[i:end]
	first, size := v.trie.Longest(piece)
	if size == n {
		return first, first
	}
	if n > 8 && len(v.whole) > 0 {
		if id, ok := v.whole[piece]; ok {
			return id, first
		}
	}
	return -1, first
}

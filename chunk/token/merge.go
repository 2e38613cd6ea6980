package token

import "unicode/utf8"

// Byte-pair encoding (BPE) merges two adjacent tokens again and again: always the
// pair whose merge has the lowest rank. A program that does just that needs time
// that is quadratic in the length of a piece, or n log n with a heap. This file finds
// the same tokens from left to right in linear time.
//
// Two facts make that possible:
//   - Every token is made of one pair of parts, because the merges inside a token do
//     not depend on the bytes around it.
//   - A sequence of tokens is the encoding of its bytes exactly if each two
//     neighbors are the encoding of their bytes.
//
// So merge takes the longest token that begins the rest of the piece, if it agrees
// with the token before, or else a shorter one. If none agrees, merge goes back by one
// token. The place that it went back from is dead and never tried again. (The
// algorithm is that of GitHub's Rust crate "bpe", written anew from its description.)

// valid reports whether the two tokens left and right are the encoding of their
// bytes. The seam is the place between them. valid undoes the merges on both sides of
// the seam, the latest first. At each step it looks whether BPE would have merged
// across the seam before.
func (v *vocab) valid(left, right uint32) bool {
	limit := uint32(noToken) // a merge of this rank or above came too late
	for {
		if v.merged(left, right) < limit {
			return false
		}
		// Of equal ranks BPE merges the leftmost first. So a merge across the seam
		// comes after an equal one on its left and before an equal one on its right.
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

// merge encodes a piece, or a segment of one, and returns the ranks of its tokens, in
// memory of w.
func (v *vocab) merge(piece string, w *workspace) []uint32 {
	w.reset(len(piece))
	ids, dead := w.ids, w.dead
	pos := 0
	next, size := v.trie.Longest(piece)
	for {
		end := pos + size
		if dead[end>>6]>>(end&63)&1 == 0 &&
			(len(ids) == 0 || v.seams.free(piece, pos) || w.valid(v, ids[len(ids)-1], uint32(next))) {
			ids = append(ids, uint32(next))
			pos = end
			if pos == len(piece) {
				break
			}
			next, size = v.trie.Longest(piece[pos:])
			continue
		}
		if next = int(v.prefix[next]); next < 0 {
			if len(ids) == 0 { // impossible if the splits of the ranks are true
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

// find returns the rank of a piece that is one token, or -1. The piece is not empty.
func (v *vocab) find(piece string) int {
	n := len(piece)
	if n <= 16 {
		if head, tail, ok := wordsAt(piece, 0, n); ok {
			return v.words.find(head, tail)
		}
	}
	if n > v.longest {
		return -1
	}
	if rank, ok := v.long[piece]; ok {
		return int(rank)
	}
	return -1
}

// segmented reports whether it is worth while to cut a piece into segments. It is in
// other scripts than the Latin one, and where a capital follows a small letter, as in
// an identifier. In a plain word merges reach across nearly every place. It isn't
// allowed if there are tokens that only a whole piece may be.
func (v *vocab) segmented(piece string) bool {
	return v.whole == 0 && (piece[len(piece)-1] >= utf8.RuneSelf || len(piece) >= 8 && innerCapital(piece))
}

// innerCapital reports whether a capital follows a small letter in ASCII text of eight
// bytes or more. It takes some symbols for letters, so that eight bytes are tested at
// once: bit 6 of a letter is set, and bit 5 if it is small.
func innerCapital(text string) bool {
	found := uint64(0)
	for i := 0; ; i += 7 {
		last := i >= len(text)-8
		word := load(text, min(i, len(text)-8))
		letters := word >> 6 &^ (word >> 7)
		small := letters & (word >> 5)
		found |= letters &^ small & (small & 0x0001010101010101 << 8)
		if last {
			return found&0x0101010101010100 != 0
		}
	}
}

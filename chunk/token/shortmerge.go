package token

import (
	"math/bits"
	"unicode/utf8"
)

// shortPiece is how many bytes a piece has at most that mergeShort encodes.
const shortPiece = 1 << placeBits

// A key has the rank of a merge, and in its lowest bits the place of the two tokens that
// it merges. The lowest key is the merge that comes first.
const (
	placeBits = 5
	placeMask = 1<<placeBits - 1
	noKey     = ^uint32(0) &^ placeMask // nothing can be merged
)

// short reports whether mergeShort is the faster way to encode a piece. In other
// scripts than the Latin one, a character has several bytes, and mergeShort needs more
// steps.
func (v *vocab) short(piece string) bool {
	return len(piece) <= shortPiece && piece[len(piece)-1] < utf8.RuneSelf && v.bytePairs != nil
}

// mergeShort encodes a piece as byte-pair encoding is defined: it merges the pair of the
// lowest rank, again and again. For few bytes that is faster than merge. The merges that
// it looks up are mostly frequent ones, which stay in the processor's cache, where merge
// looks at the rare tokens around them.
//
// It returns in starts which bytes begin a token, and sets ids[i] to the rank of the
// token that begins at i.
func (v *vocab) mergeShort(piece string, ids *[shortPiece]uint32) (starts uint32) {
	n := len(piece)
	var keys [shortPiece]uint32
	for i := range keys {
		keys[i] = noKey
	}
	last := piece[0]
	ids[0] = uint32(v.bytes[last])
	for i := 1; i < n; i++ {
		c := piece[i]
		ids[i&placeMask] = uint32(v.bytes[c])
		keys[(i-1)&placeMask] = v.bytePairs[uint(last)<<8|uint(c)] | uint32(i-1)
		last = c
	}
	starts = uint32(1<<n - 1)
	for {
		best := lowest(&keys, n)
		if best >= noKey {
			return starts
		}
		i, id := best&placeMask, best>>placeBits
		ids[i] = id
		after := starts >> 1 >> i << 1 << i // the tokens after i; the first of them becomes a part
		starts &^= after & -after
		keys[bits.TrailingZeros32(after)&placeMask] = noKey
		after &= after - 1
		keys[i] = noKey
		if after != 0 {
			keys[i] = v.pairKey(id, ids[bits.TrailingZeros32(after)&placeMask], i)
		}
		if before := starts & (1<<i - 1); before != 0 {
			at := uint32(bits.Len32(before)-1) & placeMask
			keys[at] = v.pairKey(ids[at], id, at)
		}
	}
}

// pairKey returns the key of two tokens, the first of which is at place at.
func (v *vocab) pairKey(left, right, at uint32) uint32 {
	if rank := v.merged(left, right); rank != noToken {
		return rank<<placeBits | at
	}
	return noKey
}

// lowest returns the lowest of the first n keys. It has no branch that depends on the
// keys, because the processor could not predict it.
func lowest(k *[shortPiece]uint32, n int) uint32 {
	best := lesser(lesser(lesser(uint64(k[0]), uint64(k[1])), lesser(uint64(k[2]), uint64(k[3]))),
		lesser(lesser(uint64(k[4]), uint64(k[5])), lesser(uint64(k[6]), uint64(k[7]))))
	if n > 8 {
		best = lesser(best, lesser(lesser(lesser(uint64(k[8]), uint64(k[9])), lesser(uint64(k[10]), uint64(k[11]))),
			lesser(lesser(uint64(k[12]), uint64(k[13])), lesser(uint64(k[14]), uint64(k[15])))))
		for i := 16; i < n; i++ {
			best = lesser(best, uint64(k[i&placeMask]))
		}
	}
	return uint32(best)
}

// lesser returns the lesser of two numbers below 1<<63.
func lesser(a, b uint64) uint64 {
	d := a - b
	return b + d&uint64(int64(d)>>63)
}

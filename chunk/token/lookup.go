package token

import "math/bits"

// This file packs a piece of up to sixteen bytes into two words, because words are
// faster to hash and to compare than strings. head has the first eight bytes and tail
// the bytes after them.
//
// A word of one to seven bytes has their number in its highest byte. A word of eight
// bytes has no room for a number. So that it differs from the others, its highest
// byte must be 8 or more. A piece with a smaller one, which is a control character, has
// no words and is looked up as a string.

// load returns the eight bytes at text[i:] as a word, the first byte lowest.
func load(text string, i int) uint64 {
	s := text[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lowBytes returns the word of the n lowest bytes of word. n is 1 to 8.
func lowBytes(word uint64, n int) uint64 {
	shift := uint(64-8*n) & 63
	return word<<shift>>shift | uint64(n&7)<<56
}

// wordAt packs the n bytes at text[i:], 1 to 8 of them. It reports false if they have
// no word.
func wordAt(text string, i, n int) (word uint64, ok bool) {
	if len(text)-i >= 8 {
		word = lowBytes(load(text, i), n)
		return word, n < 8 || word>>59 != 0
	}
	for k := range n {
		word |= uint64(text[i+k]) << (8 * k)
	}
	return word | uint64(n)<<56, true
}

// wordsAt packs the n bytes at text[i:], 1 to 16 of them. tail is 0 for up to eight
// bytes.
func wordsAt(text string, i, n int) (head, tail uint64, ok bool) {
	if n <= 8 {
		head, ok = wordAt(text, i, n)
		return head, 0, ok
	}
	head, ok = wordAt(text, i, 8)
	if !ok {
		return 0, 0, false
	}
	tail, ok = wordAt(text, i+8, n-8)
	return head, tail, ok
}

// wordTables find tokens of up to sixteen bytes. They are open hash tables. They are
// filled in the order of the ranks: frequent tokens have low ranks, and so most of
// them are at the first place where a lookup looks. A word of 0 is an empty place.
type wordTables struct {
	short      []uint64
	shortIDs   []uint32
	shortShift uint

	long      []longWord
	longShift uint
}

type longWord struct {
	head, tail uint64
	id         uint32
}

const hashFactor = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio

func longHash(head, tail uint64) uint64 { return (head ^ bits.RotateLeft64(tail, 29)) * hashFactor }

// makeWordTables makes the tables of n tokens, whose bytes key returns.
func makeWordTables(n int, key func(id int) string) wordTables {
	short, long := 0, 0
	for id := range n {
		switch size := len(key(id)); {
		case 0 < size && size <= 8:
			short++
		case 8 < size && size <= 16:
			long++
		}
	}
	var t wordTables
	size := bits.Len(uint(short) + uint(short)/2) // at most two thirds full
	t.short, t.shortIDs, t.shortShift = make([]uint64, 1<<size), make([]uint32, 1<<size), uint(64-size)
	size = bits.Len(uint(long) + uint(long)/2)
	t.long, t.longShift = make([]longWord, 1<<size), uint(64-size)
	for id := range n {
		s := key(id)
		if len(s) == 0 || len(s) > 16 {
			continue
		}
		head, tail, ok := wordsAt(s, 0, len(s))
		switch {
		case !ok:
		case tail == 0:
			mask := uint64(len(t.short) - 1)
			at := head * hashFactor >> t.shortShift
			for t.short[at] != 0 {
				at = (at + 1) & mask
			}
			t.short[at], t.shortIDs[at] = head, uint32(id)
		default:
			mask := uint64(len(t.long) - 1)
			at := longHash(head, tail) >> t.longShift
			for t.long[at].tail != 0 {
				at = (at + 1) & mask
			}
			t.long[at] = longWord{head, tail, uint32(id)}
		}
	}
	return t
}

// find returns the id of the token with these words, or -1.
func (t *wordTables) find(head, tail uint64) int {
	if tail != 0 {
		return t.findLong(head, tail)
	}
	if at := t.findShort(head); at >= 0 {
		return int(t.shortIDs[at])
	}
	return -1
}

// findShort returns the place of a token of up to eight bytes in short, or -1.
func (t *wordTables) findShort(word uint64) int {
	mask := uint64(len(t.short) - 1)
	for at := word * hashFactor >> t.shortShift; ; at++ {
		switch t.short[at&mask] {
		case word:
			return int(at & mask)
		case 0:
			return -1
		}
	}
}

// findLong returns the id of a token of nine to sixteen bytes, or -1.
func (t *wordTables) findLong(head, tail uint64) int {
	mask := uint64(len(t.long) - 1)
	for at := longHash(head, tail) >> t.longShift; ; at++ {
		e := &t.long[at&mask]
		if e.head == head && e.tail == tail {
			return int(e.id)
		}
		if e.tail == 0 {
			return -1
		}
	}
}

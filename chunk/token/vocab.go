package token

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/prodailabs/prodai/internal/datrie"
)

// A vocab is what encoding needs of the ranks, in the forms it needs them.
// It is immutable.
type vocab struct {
	*Ranks

	// short finds tokens of up to eight bytes: nine of ten pieces of a text
	// are such tokens and need nothing else.
	short      []shortToken
	shortShift uint

	// trie finds the longest token at a position; prefix[i] is the longest
	// token that begins token i, -1 if there is none.
	trie   *datrie.Trie
	prefix []int32

	// pairs is an open hash table of the merges: left, right and result in
	// 21 bits each. 0 is an empty slot; no merge results in id 0.
	pairs     []uint64
	pairShift uint

	// filter has the bit of every pair's hash set. It is an eighth or less of
	// the table and stays in the processor's cache; nine of ten questions are
	// about pairs that are none and go no further.
	filter      []uint64
	filterShift uint

	// role says of each token whether it is ever the left (1) or the right (2)
	// part of a merge. Most long tokens are neither.
	role []uint8

	// whole holds tokens that no merging makes: they are only ever found as a
	// whole piece.
	whole map[string]int

	bytes   [256]int32 // id of each single byte
	longest int        // bytes of the longest token
}

type shortToken struct {
	key uint64 // the bytes, the first lowest
	n   uint32 // their number; 0: empty slot
	id  uint32
}

// A VocabularyError is the reason why ranks can't be encoded with.
type VocabularyError struct {
	ID     int // the token in question, -1 for none
	Reason string
}

func (e *VocabularyError) Error() string {
	if e.ID < 0 {
		return "token: vocabulary: " + e.Reason
	}
	return fmt.Sprintf("token: vocabulary: token %d %s", e.ID, e.Reason)
}

func newVocab(r *Ranks) (*vocab, error) {
	v := &vocab{Ranks: r, whole: map[string]int{}}
	for b := range v.bytes {
		v.bytes[b] = -1
	}
	n := r.Len()
	shorts := 0
	for id := range n {
		t := r.ranked(id)
		v.longest = max(v.longest, len(t))
		if len(t) == 1 {
			v.bytes[t[0]] = int32(id)
		}
		if 0 < len(t) && len(t) <= 8 {
			shorts++
		}
	}
	for b, id := range v.bytes {
		if id < 0 && r.atoms == 0 {
			return nil, &VocabularyError{-1, fmt.Sprintf("there is no token for the byte %#02x", b)}
		}
	}
	v.fillShort(shorts)

	v.makePairs(n)
	known := r.split != nil
	if !known {
		v.Ranks = &Ranks{blob: r.blob, start: r.start, split: make([][2]uint32, n), ids: r.ids, rankOf: r.rankOf}
		// Until the merges are known every token is one that merging makes.
		if err := v.makeTrie(r.ranked); err != nil {
			return nil, err
		}
		v.findSplits()
	}
	for rank := range n {
		t := r.ranked(rank)
		if known && v.made(rank) {
			v.addPair(uint32(rank))
		}
		if t != "" && !v.atom(rank) && !v.made(rank) {
			v.whole[t] = rank
		}
	}
	if !known && len(v.whole) == 0 {
		return v, nil
	}
	// Merging must not pick a token that merging can't make.
	return v, v.makeTrie(func(rank int) string {
		if v.atom(rank) || v.made(rank) {
			return r.ranked(rank)
		}
		return ""
	})
}

func (v *vocab) makePairs(n int) {
	size := bits.Len(uint(n) + uint(n)/2) // at most two thirds full
	v.pairs = make([]uint64, 1<<size)
	v.pairShift = uint(64 - size)
	v.filter = make([]uint64, max(1<<(size+2)/64, 1))
	v.filterShift = uint(64 - size - 2)
	v.role = make([]uint8, n)
}

func (v *vocab) makeTrie(key func(rank int) string) (err error) {
	if v.trie, err = datrie.New(v.Len(), key); err == nil {
		v.prefix = v.trie.Prefixes()
	}
	return err
}

// made reports whether a merge of two other tokens makes token id.
func (v *vocab) made(id int) bool { return v.split[id][0] != uint32(id) }

// findSplits finds for each token, in the order of ranks, the two tokens whose
// merge makes it: the only pair that the merges known so far leave side by
// side when they encode the token's bytes.
func (v *vocab) findSplits() {
	for id := range v.Len() {
		v.split[id] = [2]uint32{uint32(id), uint32(id)}
		t := v.ranked(id)
		if len(t) < 2 {
			continue
		}
		for left := v.prefix[id]; left >= 0; left = v.prefix[left] {
			tail := t[len(v.ranked(int(left))):]
			right, size := v.trie.Longest(tail)
			if size == len(tail) && v.usable(int(left), id) && v.usable(right, id) && v.valid(uint32(left), uint32(right)) {
				v.split[id] = [2]uint32{uint32(left), uint32(right)}
				v.addPair(uint32(id))
				break
			}
		}
	}
}

// usable reports whether a part exists before token id is made.
func (v *vocab) usable(part, id int) bool {
	return part < id && (v.made(part) || v.atom(part))
}

const hashFactor = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio

func (v *vocab) addPair(id uint32) {
	key := uint64(v.split[id][0])<<21 | uint64(v.split[id][1])
	v.role[v.split[id][0]] |= 1
	v.role[v.split[id][1]] |= 2
	bit := key * hashFactor >> v.filterShift
	v.filter[bit/64] |= 1 << (bit % 64)
	for at := key * hashFactor >> v.pairShift; ; at = (at + 1) & uint64(len(v.pairs)-1) {
		if v.pairs[at] == 0 {
			v.pairs[at] = key<<21 | uint64(id)
			return
		}
	}
}

const noToken = math.MaxUint32

// merged returns the token that left and right merge to, or noToken.
func (v *vocab) merged(left, right uint32) uint32 {
	if v.role[left]&1 == 0 || v.role[right]&2 == 0 {
		return noToken
	}
	key := uint64(left)<<21 | uint64(right)
	if bit := key * hashFactor >> v.filterShift; v.filter[bit/64]>>(bit%64)&1 == 0 {
		return noToken
	}
	return v.lookup(key)
}

func (v *vocab) lookup(key uint64) uint32 {
	for at := key * hashFactor >> v.pairShift; ; at = (at + 1) & uint64(len(v.pairs)-1) {
		switch p := v.pairs[at]; {
		case p>>21 == key && p != 0:
			return uint32(p & (1<<21 - 1))
		case p == 0:
			return noToken
		}
	}
}

func (v *vocab) fillShort(count int) {
	size := bits.Len(uint(count) + uint(count)/2)
	v.short = make([]shortToken, 1<<size)
	v.shortShift = uint(64 - size)
	for id := range v.Len() {
		t := v.ranked(id)
		if len(t) == 0 || len(t) > 8 {
			continue
		}
		key := shortKey(t)
		at := shortHash(key, len(t)) >> v.shortShift
		for v.short[at].n != 0 {
			at = (at + 1) & uint64(len(v.short)-1)
		}
		v.short[at] = shortToken{key, uint32(len(t)), uint32(id)}
	}
}

func shortHash(key uint64, n int) uint64 { return (key ^ uint64(n)<<56) * hashFactor }

// shortKey packs up to eight bytes.
func shortKey(t string) uint64 {
	var key uint64
	for i := range len(t) {
		key |= uint64(t[i]) << (8 * i)
	}
	return key
}

// keyAt is shortKey(text[i:end]), by one load where the text goes on far enough.
func keyAt(text string, i, end int) uint64 {
	if len(text)-i >= 8 {
		s := text[i : i+8]
		key := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		return key << (64 - 8*uint(end-i)) >> (64 - 8*uint(end-i))
	}
	return shortKey(text[i:end])
}

// shortID returns the id of the token text[i:end] of one to eight bytes, or -1.
func (v *vocab) shortID(text string, i, end int) int {
	key, n := keyAt(text, i, end), end-i
	mask := uint64(len(v.short) - 1)
	for at := shortHash(key, n) >> v.shortShift; ; at = (at + 1) & mask {
		s := &v.short[at&mask]
		if s.key == key && s.n == uint32(n) {
			return int(s.id)
		}
		if s.n == 0 {
			return -1
		}
	}
}

package token

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/prodailabs/prodai/internal/datrie"
)

// A vocab has the ranks in the forms that encoding needs. It is immutable.
type vocab struct {
	*Ranks

	// words finds tokens of up to sixteen bytes. Nine of ten pieces of a text are such
	// tokens and need nothing else.
	words wordTables

	// trie finds the longest token at the beginning of a text. prefix[i] is the longest
	// token that begins token i and is not i, or -1.
	trie   *datrie.Trie
	prefix []int32

	// pairs is an open hash table of the merges. An entry has left, right and result, in
	// 21 bits each. 0 is an empty place, because no merge makes token 0.
	pairs     []uint64
	pairShift uint

	// filter has a bit set for the hash of each pair. It is a sixteenth of the table
	// and stays in the processor's cache. Nine of ten lookups are for pairs that don't
	// merge, and most of these lookups end at the filter.
	filter      []uint64
	filterShift uint

	// seams shows by the bytes around a place whether a merge can reach across it.
	seams *seams

	// whole is how many tokens no merge makes. They are only found as a whole piece.
	whole int

	// long has the tokens that words does not have.
	long map[string]uint32

	// bytePairs has the key of each two bytes, at place 0 (see mergeShort). It is nil if
	// merging does not start from bytes.
	bytePairs []uint32

	bytes   [256]int32 // id of each single byte
	longest int        // bytes of the longest token
}

// A VocabularyError is the reason why no encoding can be made of ranks.
type VocabularyError struct {
	ID     int // the token that is wrong, or -1
	Reason string
}

func (e *VocabularyError) Error() string {
	if e.ID < 0 {
		return "token: vocabulary: " + e.Reason
	}
	return fmt.Sprintf("token: vocabulary: token %d %s", e.ID, e.Reason)
}

func newVocab(r *Ranks) (*vocab, error) {
	v := &vocab{Ranks: r, long: map[string]uint32{}}
	if err := v.addTokens(); err != nil {
		return nil, err
	}
	n := r.Len()
	v.makePairs(n)
	known := r.split != nil
	if !known {
		v.Ranks = &Ranks{blob: r.blob, start: r.start, split: make([][2]uint32, n), ids: r.ids, rankOf: r.rankOf}
		// Until the merges are known, take every token for one that a merge makes.
		if err := v.makeTrie(r.ranked); err != nil {
			return nil, err
		}
		v.findSplits()
	}
	v.seams = newSeams(n)
	for rank := range n {
		t := r.ranked(rank)
		if known && v.made(rank) {
			v.addPair(uint32(rank))
		}
		if v.atom(rank) {
			for k := 1; k < len(t); k++ {
				v.seams.add(t[:k], t[k:])
			}
		}
		if v.made(rank) {
			v.seams.add(v.ranked(int(v.split[rank][0])), v.ranked(int(v.split[rank][1])))
		}
		if t != "" && !v.atom(rank) && !v.made(rank) {
			v.whole++
		}
	}
	if r.atoms == 0 {
		v.makeBytePairs()
	}
	if !known && v.whole == 0 {
		return v, nil
	}
	// merge must not find a token that no merge makes.
	return v, v.makeTrie(func(rank int) string {
		if v.atom(rank) || v.made(rank) {
			return r.ranked(rank)
		}
		return ""
	})
}

// addTokens fills the tables that need no merges.
func (v *vocab) addTokens() error {
	for b := range v.bytes {
		v.bytes[b] = -1
	}
	for rank := range v.Len() {
		t := v.ranked(rank)
		v.longest = max(v.longest, len(t))
		if len(t) > 16 || t != "" && !hasWords(t) {
			v.long[t] = uint32(rank)
		}
		if len(t) == 1 {
			v.bytes[t[0]] = int32(rank)
		}
	}
	for b, rank := range v.bytes {
		if rank < 0 && v.atoms == 0 {
			return &VocabularyError{-1, fmt.Sprintf("there is no token for the byte %#02x", b)}
		}
	}
	v.words = makeWordTables(v.Len(), v.ranked)
	return nil
}

func hasWords(t string) bool {
	_, _, ok := wordsAt(t, 0, len(t))
	return ok
}

func (v *vocab) makePairs(n int) {
	size := bits.Len(uint(n) + uint(n)/2) // at most two thirds full
	v.pairs = make([]uint64, 1<<size)
	v.pairShift = uint(64 - size)
	v.filter = make([]uint64, max(1<<(size+2)/64, 1))
	v.filterShift = uint(64 - size - 2)
}

func (v *vocab) makeBytePairs() {
	v.bytePairs = make([]uint32, 1<<16)
	for i := range v.bytePairs {
		left, right := v.bytes[i>>8], v.bytes[i&0xFF]
		v.bytePairs[i] = v.pairKey(uint32(left), uint32(right), 0)
	}
}

func (v *vocab) makeTrie(key func(rank int) string) (err error) {
	if v.trie, err = datrie.New(v.Len(), key); err == nil {
		v.prefix = v.trie.Prefixes()
	}
	return err
}

// made reports whether a merge of two other tokens makes token id.
func (v *vocab) made(id int) bool { return v.split[id][0] != uint32(id) }

// findSplits finds for each token the two tokens whose merge makes it, in the order of
// the ranks. They are the only pair that remains when the merges known so far encode
// the token's bytes.
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

func (v *vocab) addPair(id uint32) {
	key := uint64(v.split[id][0])<<21 | uint64(v.split[id][1])
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

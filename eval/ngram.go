package eval

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"sync"
)

// Counting n-grams is most of the work of BLEU, chrF and ROUGE. Here the
// n-grams of the references are the nodes of a trie: a node is reached by its
// parent and one more item (a token's id or a rune), through one hash table
// for the whole trie. An n-gram costs one probe however long it is, and the
// walk from a position stops at the first n-gram that no reference has.
//
// Tables are kept between segments: every slot carries the generation that
// wrote it, so that emptying a table is one increment and a segment allocates
// nothing once its scratch is warm.

// scratch is what scoring a segment needs, reused through a pool.
type scratch struct {
	text   []byte // of the line that is being cut
	spans  []span
	vocab  vocab
	hyp    []uint32
	ref    []uint32
	grams  trie
	words  trie
	row    []float64
	answer []byte
	counts []int
	lens   []int
	lcs    lcs
	rouge  rougeWords
	ter    terSearch
	myers  myers
	bytes  byteMyers
}

var scratches = sync.Pool{New: func() any {
	return &scratch{vocab: newVocab(), rouge: rougeWords{vocab: newVocab()}}
}}

// A vocab gives the distinct tokens of a segment the ids 1, 2, 3...
//
// A token of up to 15 bytes is its own key: two words, the length in the top
// byte, so that finding it compares two numbers and reads no other memory. A
// longer one is kept and compared byte by byte.
type vocab struct {
	seed  maphash.Seed
	salt  uint64      // keeps a text from being made to collide
	slots []vocabSlot // a power of two, at most half full
	gen   uint32
	bytes []byte // the long tokens, end to end
	ends  []int  // of token id-1 in bytes
}

type vocabSlot struct {
	lo, hi  uint64
	gen, id uint32
}

func newVocab() vocab {
	seed := maphash.MakeSeed()
	return vocab{seed: seed, salt: maphash.String(seed, "salt")}
}

func (v *vocab) reset() {
	v.gen++
	v.bytes, v.ends = v.bytes[:0], v.ends[:0]
	if len(v.slots) == 0 || v.gen == 0 {
		v.slots, v.gen = make([]vocabSlot, max(256, len(v.slots))), 1
	}
}

// longToken marks the keys that don't contain the token itself.
const longToken = 0xff << 56

// pack returns the key of a token of up to 15 bytes.
func pack(token []byte) (lo, hi uint64) {
	n := len(token)
	switch {
	case n >= 8:
		lo = binary.LittleEndian.Uint64(token)
		hi = binary.LittleEndian.Uint64(token[n-8:]) >> (8 * (16 - n))
	case n >= 4:
		lo = uint64(binary.LittleEndian.Uint32(token)) | uint64(binary.LittleEndian.Uint32(token[n-4:]))<<(8*(n-4))
	default:
		for i, c := range token {
			lo |= uint64(c) << (8 * i)
		}
	}
	return lo, hi | uint64(n)<<56
}

// id returns token's id. If the token is new it gets one when add is set, and
// has the id 0 otherwise.
func (v *vocab) id(token []byte, add bool) uint32 {
	if len(token) < 16 {
		lo, hi := pack(token)
		return v.short(lo, hi, add)
	}
	lo := maphash.Bytes(v.seed, token)
	mask := uint64(len(v.slots) - 1)
	for i := v.hash(lo, longToken) & mask; ; i = (i + 1) & mask {
		s := &v.slots[i]
		if s.gen != v.gen {
			if !add {
				return 0
			}
			v.bytes = append(v.bytes, token...)
			return v.insert(s, lo, longToken)
		}
		if s.lo == lo && s.hi == longToken && bytes.Equal(v.long(s.id), token) {
			return s.id
		}
	}
}

// short is id for a token given by its key.
func (v *vocab) short(lo, hi uint64, add bool) uint32 {
	mask := uint64(len(v.slots) - 1)
	for i := v.hash(lo, hi) & mask; ; i = (i + 1) & mask {
		s := &v.slots[i]
		if s.gen != v.gen {
			if !add {
				return 0
			}
			return v.insert(s, lo, hi)
		}
		if s.lo == lo && s.hi == hi {
			return s.id
		}
	}
}

func (v *vocab) hash(lo, hi uint64) uint64 {
	a, b := bits.Mul64(lo^v.salt, hi^0x9e3779b97f4a7c15)
	return a ^ b
}

func (v *vocab) insert(s *vocabSlot, lo, hi uint64) uint32 {
	v.ends = append(v.ends, len(v.bytes))
	id := uint32(len(v.ends))
	*s = vocabSlot{lo, hi, v.gen, id}
	if 2*len(v.ends) > len(v.slots) {
		v.grow()
	}
	return id
}

func (v *vocab) long(id uint32) []byte {
	start := 0
	if id > 1 {
		start = v.ends[id-2]
	}
	return v.bytes[start:v.ends[id-1]]
}

func (v *vocab) grow() {
	old := v.slots
	v.slots = make([]vocabSlot, 2*len(old))
	mask := uint64(len(v.slots) - 1)
	for _, s := range old {
		if s.gen != v.gen {
			continue
		}
		i := v.hash(s.lo, s.hi) & mask
		for v.slots[i].gen == v.gen {
			i = (i + 1) & mask
		}
		v.slots[i] = s
	}
}

// A trie has the n-grams of the references with their clipped counts: of
// each n-gram the largest number of times that one reference has it.
type trie struct {
	slots []trieSlot // a power of two, at most half full
	gen   uint32
	left  []int32 // per node: how many more times it may be matched
	seen  []refCount
}

type trieSlot struct {
	key  uint64 // parent<<32 | item
	gen  uint32
	node uint32
}

// A refCount counts a node's n-gram in the reference that is being added.
type refCount struct{ ref, count int32 }

func (t *trie) reset() {
	t.gen++
	if len(t.slots) == 0 || t.gen == 0 {
		t.slots, t.gen = make([]trieSlot, max(1024, len(t.slots))), 1
	}
	t.left = append(t.left[:0], 0) // node 0 is the root
	t.seen = append(t.seen[:0], refCount{-1, 0})
}

func slotOf(key uint64) uint64 {
	key *= 0x9e3779b97f4a7c15
	return key ^ key>>32
}

func (t *trie) find(parent, item uint32) uint32 {
	key := uint64(parent)<<32 | uint64(item)
	mask := uint64(len(t.slots) - 1)
	for i := slotOf(key) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen {
			return 0
		}
		if s.key == key {
			return s.node
		}
	}
}

func (t *trie) insert(parent, item uint32) uint32 {
	key := uint64(parent)<<32 | uint64(item)
	mask := uint64(len(t.slots) - 1)
	for i := slotOf(key) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen == t.gen {
			if s.key == key {
				return s.node
			}
			continue
		}
		node := uint32(len(t.left))
		*s = trieSlot{key, t.gen, node}
		t.left = append(t.left, 0)
		t.seen = append(t.seen, refCount{-1, 0})
		if 2*len(t.left) > len(t.slots) {
			t.grow()
		}
		return node
	}
}

func (t *trie) grow() {
	old := t.slots
	t.slots = make([]trieSlot, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.gen != t.gen {
			continue
		}
		i := slotOf(s.key) & mask
		for t.slots[i].gen == t.gen {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// addReference counts the n-grams of reference number ref up to this order.
func (t *trie) addReference(ref int, items []uint32, order int) {
	for i := range items {
		node := uint32(0)
		for _, item := range items[i:min(i+order, len(items))] {
			node = t.insert(node, item)
			s := &t.seen[node]
			if s.ref != int32(ref) {
				*s = refCount{int32(ref), 0}
			}
			s.count++
			if s.count > t.left[node] {
				t.left[node] = s.count
			}
		}
	}
}

// match adds to matches[n-1] the number of n-grams of items that the
// references have, each counted at most as often as one of them has it. It
// uses the counts up.
func (t *trie) match(items []uint32, order int, matches []int) {
	for i := range items {
		node := uint32(0)
		for n, item := range items[i:min(i+order, len(items))] {
			if node = t.find(node, item); node == 0 {
				break
			}
			if t.left[node] > 0 {
				t.left[node]--
				matches[n]++
			}
		}
	}
}

// grams is the number of n-grams in a sequence of this length.
func grams(length, n int) int { return max(0, length-n+1) }

// ids appends the vocabulary ids of a line's tokens to dst. New tokens get an
// id when add is set and 0 otherwise.
func (s *scratch) ids(dst []uint32, text []byte, spans []span, add bool) []uint32 {
	for _, sp := range spans {
		dst = append(dst, s.vocab.id(text[sp.start:sp.end], add))
	}
	return dst
}

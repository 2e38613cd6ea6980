// Package datrie is a static double-array trie: it finds the longest key that
// starts a text with one memory access per byte.
//
// A trie node is a cell of one array. The child of a node for byte c is the cell
// base(node) XOR c, provided that this cell carries the label c. The XOR keeps all
// children of a node inside one block of 256 cells, so that building fills block
// after block. No two nodes share a base, so the label alone shows to which node a
// cell belongs, and no parent has to be stored. (Aoe, "An Efficient Digital Search
// Algorithm by Using a Double-Array Structure", IEEE TSE 15(9), 1989; the XOR form
// is Yata's.)
package datrie

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A cell has the label plus one in its low 9 bits (0: the cell is empty) and the
// base of its children in the next 24 bits (0: no children). Bit c&7 of the next 8
// bits is set if there may be a child for byte c. The rest is the value plus one (0: no
// key ends here).
//
// Most searches end at a node with one or two children. Thanks to the 8 bits, most of
// them need not read the cell of a missing child, which is rarely in the processor's
// cache.
const (
	labelBits  = 9
	baseBits   = 24
	childBits  = 8
	baseShift  = labelBits
	childShift = labelBits + baseBits
	valShift   = labelBits + baseBits + childBits
	maxKeys    = 1<<(64-valShift) - 1
	labelMask  = 1<<labelBits - 1
	baseMask   = 1<<baseBits - 1

	blockSize  = 256
	openBlocks = 16 // blocks that are still searched for holes
)

// A Trie maps byte strings to the numbers they were given with. It is
// immutable and safe for concurrent use.
type Trie struct {
	cells  []uint64
	prefix []int32

	// second has the cell after each two bytes, 0 if there is none. It replaces the
	// first two steps of most searches. It is nil in a small trie.
	second []uint32
}

// largeTrie is the number of keys from which second is worth its 256 KiB.
const largeTrie = 1 << 14

// New builds a trie of the keys key(0) … key(n-1); the value of a key is its
// number. Empty keys are left out, and of equal keys the last one counts. The time
// is practically linear in the keys' bytes, because the search for a node's place
// looks at a few thousand cells at most.
func New(n int, key func(i int) string) (*Trie, error) {
	if n > maxKeys {
		return nil, fmt.Errorf("datrie: %d keys: want at most %d", n, maxKeys)
	}
	b := builder{key: key, order: sortedKeys(n, key)}
	b.trie.prefix = make([]int32, n)
	for i := range b.trie.prefix {
		b.trie.prefix[i] = -1
	}
	b.free = -1
	cells := 2*len(b.order) + 2*blockSize // a guess that spares most of the copying
	b.trie.cells, b.used = make([]uint64, 0, cells), make([]bool, 0, cells)
	b.next, b.prev = make([]int32, 0, cells), make([]int32, 0, cells)
	b.grow()
	b.take(0) // the root
	b.used[0] = true
	if err := b.build(); err != nil {
		return nil, err
	}
	t := &Trie{cells: append(make([]uint64, 0, len(b.trie.cells)), b.trie.cells...), prefix: b.trie.prefix}
	if n >= largeTrie {
		t.makeSecond()
	}
	return t, nil
}

// Longest returns the value of the longest key that is a prefix of text, and
// that key's length; -1 and 0 if there is none.
func (t *Trie) Longest(text string) (value, length int) {
	if t.second == nil || len(text) < 2 {
		return t.longest(text)
	}
	cells := t.cells
	at := int(t.second[uint(text[0])<<8|uint(text[1])])
	if at == 0 {
		return t.longest(text[:1])
	}
	cell := cells[at]
	if v := cell >> valShift; v != 0 {
		value, length = int(v)-1, 2
	}
	for i := 2; i < len(text); i++ {
		if cell>>(childShift+uint64(text[i]&7))&1 == 0 {
			break
		}
		at := int(cell>>baseShift&baseMask) ^ int(text[i])
		if at >= len(cells) { // never, since bases are inside the array; it saves the bounds check
			break
		}
		cell = cells[at]
		if cell&labelMask != uint64(text[i])+1 {
			break
		}
		if v := cell >> valShift; v != 0 {
			value, length = int(v)-1, i+1
		}
	}
	if length == 0 {
		return t.longest(text[:1])
	}
	return value, length
}

// longest is Longest from the first byte on.
func (t *Trie) longest(text string) (value, length int) {
	value = -1
	cell := t.cells[0]
	for i := 0; i < len(text); i++ {
		at := int(cell>>baseShift&baseMask) ^ int(text[i])
		cell = t.cells[at]
		if cell&labelMask != uint64(text[i])+1 {
			break
		}
		if v := cell >> valShift; v != 0 {
			value, length = int(v)-1, i+1
		}
	}
	return value, length
}

// makeSecond fills t.second.
func (t *Trie) makeSecond() {
	t.second = make([]uint32, 1<<16)
	child := func(at uint64, c uint64) uint64 {
		next := t.cells[at]>>baseShift&baseMask ^ c
		if t.cells[at]>>baseShift&baseMask == 0 || t.cells[next]&labelMask != c+1 {
			return 0
		}
		return next
	}
	for a := range uint64(256) {
		if first := child(0, a); first != 0 {
			for b := range uint64(256) {
				t.second[a<<8|b] = uint32(child(first, b))
			}
		}
	}
}

// Prefix returns the value of the longest proper prefix of key i that is
// itself a key, or -1.
func (t *Trie) Prefix(i int) int { return int(t.prefix[i]) }

// Prefixes returns the result of [Trie.Prefix] for every key. The slice is the
// trie's own and must not be changed.
func (t *Trie) Prefixes() []int32 { return t.prefix }

// Size returns the memory of the trie in bytes.
func (t *Trie) Size() int { return 8*len(t.cells) + 4*len(t.prefix) + 4*len(t.second) }

type sortKey struct {
	head uint64 // the first eight bytes, so that most comparisons need no string
	i, n int32  // number and length
}

// sortedKeys returns the numbers of the non-empty keys in byte order, without
// duplicates.
func sortedKeys(n int, key func(i int) string) []sortKey {
	keys := make([]sortKey, 0, n)
	for i := range n {
		s := key(i)
		if s == "" {
			continue
		}
		var head [8]byte
		copy(head[:], s)
		keys = append(keys, sortKey{binary.BigEndian.Uint64(head[:]), int32(i), int32(len(s))})
	}
	radixSort(keys)
	compare := func(a, b sortKey) int {
		x, y := key(int(a.i)), key(int(b.i))
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return int(b.i - a.i) // the last of equals first
	}
	for lo := 0; lo < len(keys); {
		hi := lo + 1
		for hi < len(keys) && keys[hi].head == keys[lo].head {
			hi++
		}
		if hi > lo+1 {
			slices.SortFunc(keys[lo:hi], compare)
		}
		lo = hi
	}
	return slices.CompactFunc(keys, func(a, b sortKey) bool {
		return a.head == b.head && a.n == b.n && key(int(a.i)) == key(int(b.i))
	})
}

// radixSort sorts by head, sixteen bits a pass.
func radixSort(keys []sortKey) {
	from, to := keys, make([]sortKey, len(keys))
	count := make([]int32, 1<<16)
	for shift := 0; shift < 64; shift += 16 {
		clear(count)
		for _, k := range from {
			count[uint16(k.head>>shift)]++
		}
		sum := int32(0)
		for d, c := range count {
			count[d], sum = sum, sum+c
		}
		for _, k := range from {
			d := uint16(k.head >> shift)
			to[count[d]] = k
			count[d]++
		}
		from, to = to, from
	}
	// An even number of passes: the sorted keys are back in place.
}

type builder struct {
	key   func(i int) string
	order []sortKey
	trie  Trie

	// The empty cells of the open blocks form a doubly linked list.
	next, prev []int32
	free       int32
	used       []bool // bases that some node has
}

// A node is a run of keys that share their first depth bytes.
type node struct {
	lo, hi, depth int32
	cell          int32
	prefix        int32 // the longest key that ends above
}

// build places the nodes level by level: the wide ones near the root first,
// while whole blocks are empty; the many single children fill the holes.
func (b *builder) build() error {
	queue := make([]node, 1, 2*len(b.order)+1) // a vocabulary has about two nodes a key
	queue[0] = node{hi: int32(len(b.order)), prefix: -1}
	var labels [256]byte
	var starts [257]int32
	for head := 0; head < len(queue); head++ {
		nd := queue[head]
		lo := nd.lo
		prefix := nd.prefix
		if lo < nd.hi {
			if k := b.order[lo]; k.n == nd.depth {
				i := k.i
				b.trie.cells[nd.cell] |= (uint64(i) + 1) << valShift
				b.trie.prefix[i] = prefix
				prefix = i
				lo++
			}
		}
		k := 0
		for at := lo; at < nd.hi; at++ {
			c := b.label(at, nd.depth)
			if k == 0 || labels[k-1] != c {
				labels[k], starts[k] = c, at
				k++
			}
		}
		if k == 0 {
			continue
		}
		starts[k] = nd.hi
		base := b.place(labels[:k])
		if base > baseMask {
			return fmt.Errorf("datrie: the keys need more than %d cells", baseMask)
		}
		b.trie.cells[nd.cell] |= uint64(base) << baseShift
		for j, c := range labels[:k] {
			b.trie.cells[nd.cell] |= 1 << (childShift + uint64(c&7))
			cell := int32(base) ^ int32(c)
			b.take(cell)
			b.trie.cells[cell] = uint64(c) + 1
			queue = append(queue, node{starts[j], starts[j+1], nd.depth + 1, cell, prefix})
		}
	}
	return nil
}

func (b *builder) label(at, depth int32) byte {
	k := b.order[at]
	if depth < 8 {
		return byte(k.head >> (56 - 8*depth))
	}
	return b.key(int(k.i))[depth]
}

// place finds a base that no node has and whose cells for all labels are empty.
func (b *builder) place(labels []byte) int {
search:
	for f := b.free; f >= 0; f = b.next[f] {
		base := f ^ int32(labels[0])
		if b.used[base] {
			continue
		}
		for _, c := range labels[1:] {
			if !b.empty(base ^ int32(c)) {
				continue search
			}
		}
		b.used[base] = true
		return int(base)
	}
	base := len(b.trie.cells)
	b.grow()
	b.used[base] = true
	return base
}

const taken = -2

func (b *builder) empty(cell int32) bool { return b.next[cell] != taken }

func (b *builder) take(cell int32) {
	if !b.empty(cell) { // in a closed block
		return
	}
	b.unlink(cell)
	b.next[cell] = taken
}

func (b *builder) unlink(cell int32) {
	n, p := b.next[cell], b.prev[cell]
	if p >= 0 {
		b.next[p] = n
	} else {
		b.free = n
	}
	if n >= 0 {
		b.prev[n] = p
	}
}

// grow adds a block of empty cells and closes the oldest open one.
func (b *builder) grow() {
	start := len(b.trie.cells)
	b.trie.cells = append(b.trie.cells, make([]uint64, blockSize)...)
	b.used = append(b.used, make([]bool, blockSize)...)
	b.next = append(b.next, make([]int32, blockSize)...)
	b.prev = append(b.prev, make([]int32, blockSize)...)
	if old := start - openBlocks*blockSize; old >= 0 {
		for c := old; c < old+blockSize; c++ {
			b.take(int32(c))
		}
	}
	for c := start; c < start+blockSize; c++ {
		b.next[c], b.prev[c] = int32(c+1), int32(c-1)
	}
	last := int32(start + blockSize - 1)
	b.next[last], b.prev[start] = b.free, -1
	if b.free >= 0 {
		b.prev[b.free] = last
	}
	b.free = int32(start)
}

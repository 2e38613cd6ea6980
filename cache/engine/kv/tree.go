package kv

import (
	"container/heap"
	"fmt"
	"slices"
)

// A Tree is a radix tree of token sequences whose cache is kept. It shares prefixes of
// any length, where a [Pool] shares whole blocks, and it evicts the leaf that was not
// used for the longest time. What is locked is not evicted, nor what is above it.
//
// A Tree is not safe for concurrent use.
type Tree struct {
	room      int
	root      *Node
	clock     uint64
	leaves    leaves // those that may be evicted
	evictable int    // tokens outside of locked paths
	protected int
	onEvict   func(tokens []int)
}

// A Node is a piece of text in a [Tree].
type Node struct {
	parent   *Node
	children map[int]*Node // by their first token
	tokens   []int
	locks    int
	used     uint64
	at       int  // in leaves; -1: not there
	gone     bool // it was evicted
}

// TreeOptions are the settings of [NewTree].
type TreeOptions struct {
	// Room is how many tokens the tree keeps. Default: 16,384.
	Room int

	// OnEvict is called with the tokens that are given up, which are the end of what the
	// tree kept. Default: nil, nothing is called.
	OnEvict func(tokens []int)
}

// NewTree makes an empty tree. Its errors wrap [ErrOption].
func NewTree(o *TreeOptions) (*Tree, error) {
	t := &Tree{room: 16_384, root: &Node{children: map[int]*Node{}, at: -1}}
	if o != nil {
		if o.Room < 0 {
			return nil, fmt.Errorf("%w: TreeOptions.Room is %d: want 0 (the default, 16,384) or more", ErrOption, o.Room)
		}
		if o.Room > 0 {
			t.room = o.Room
		}
		t.onEvict = o.OnEvict
	}
	return t, nil
}

// Len is how many tokens the tree has.
func (t *Tree) Len() int { return t.evictable + t.protected }

// Evictable is how many of the tokens are not locked.
func (t *Tree) Evictable() int { return t.evictable }

// Match returns how many tokens at the beginning of a text the tree has, and the node
// that ends there, which it splits off if needed. The node is nil if there is none.
func (t *Tree) Match(tokens []int) (n int, end *Node) {
	t.clock++
	at := t.root
	for n < len(tokens) {
		child := at.children[tokens[n]]
		if child == nil {
			break
		}
		same := common(child.tokens, tokens[n:])
		n += same
		if same < len(child.tokens) {
			at = t.split(child, same)
			t.touch(at)
			break
		}
		at = child
		t.touch(at)
	}
	if at == t.root {
		return 0, nil
	}
	return n, at
}

func common(a, b []int) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (t *Tree) touch(n *Node) {
	n.used = t.clock
	if n.at >= 0 {
		heap.Fix(&t.leaves, n.at)
	}
}

// split cuts a node after k tokens, and returns the first part.
func (t *Tree) split(n *Node, k int) *Node {
	first := &Node{parent: n.parent, children: map[int]*Node{n.tokens[k]: n}, tokens: n.tokens[:k:k], locks: n.locks, used: n.used, at: -1}
	first.parent.children[first.tokens[0]] = first
	n.parent, n.tokens = first, n.tokens[k:]
	return first
}

// Insert adds a text and returns its last node. If there is no room, other texts are
// evicted first; if what is locked leaves no room, the error is [ErrFull] and the tree
// has what it had before, less what was evicted. A text that is longer than the room is
// a [*TooLongError], in tokens.
func (t *Tree) Insert(tokens []int) (*Node, error) {
	if len(tokens) == 0 {
		return nil, fmt.Errorf("%w: the tokens of Insert are empty: want 1 or more", ErrOption)
	}
	if len(tokens) > t.room {
		return nil, &TooLongError{Need: len(tokens), Blocks: t.room}
	}
	n, end := t.Match(tokens)
	if n == len(tokens) {
		return end, nil
	}
	if end == nil {
		end = t.root
	}
	t.lock(end) // so that it is not evicted to make room
	over := t.Len() + len(tokens) - n - t.room
	evicted := over <= 0 || t.Evict(over) >= over
	t.unlock(end)
	if !evicted {
		return nil, ErrFull
	}
	leaf := &Node{parent: end, children: map[int]*Node{}, tokens: slices.Clone(tokens[n:]), used: t.clock, at: -1}
	end.children[leaf.tokens[0]] = leaf
	t.evictable += len(leaf.tokens)
	t.settle(end)
	t.settle(leaf)
	return leaf, nil
}

// settle puts a node among the leaves that may be evicted, or takes it out.
func (t *Tree) settle(n *Node) {
	is := n != t.root && n.locks == 0 && len(n.children) == 0
	switch {
	case is && n.at < 0:
		heap.Push(&t.leaves, n)
	case !is && n.at >= 0:
		heap.Remove(&t.leaves, n.at)
	}
}

// Lock keeps a node and all above it from being evicted, until as many calls of Unlock.
// The error is [ErrFreed] if the node was evicted before.
func (t *Tree) Lock(n *Node) error {
	if n == nil || n.gone {
		return ErrFreed
	}
	t.lock(n)
	return nil
}

func (t *Tree) lock(n *Node) {
	for ; n != nil && n != t.root; n = n.parent {
		if n.locks == 0 {
			t.evictable -= len(n.tokens)
			t.protected += len(n.tokens)
		}
		n.locks++
		t.settle(n)
	}
}

// Unlock ends a [Tree.Lock]. The error wraps [ErrOption] if the node is not locked.
func (t *Tree) Unlock(n *Node) error {
	if n == nil || n.locks == 0 {
		return fmt.Errorf("%w: Unlock of a node that is not locked", ErrOption)
	}
	t.unlock(n)
	return nil
}

func (t *Tree) unlock(n *Node) {
	for ; n != nil && n != t.root; n = n.parent {
		n.locks--
		if n.locks == 0 {
			t.protected -= len(n.tokens)
			t.evictable += len(n.tokens)
		}
		t.settle(n)
	}
}

// Evict gives up n tokens or more, whole leaves at a time, and returns how many it gave
// up. They are fewer than n if the rest is locked.
func (t *Tree) Evict(n int) (evicted int) {
	for evicted < n && len(t.leaves) > 0 {
		leaf := heap.Pop(&t.leaves).(*Node)
		delete(leaf.parent.children, leaf.tokens[0])
		leaf.gone = true
		t.evictable -= len(leaf.tokens)
		evicted += len(leaf.tokens)
		if t.onEvict != nil {
			t.onEvict(leaf.tokens)
		}
		t.settle(leaf.parent)
	}
	return evicted
}

// leaves is a heap, the node that was used longest ago on top.
type leaves []*Node

func (l leaves) Len() int           { return len(l) }
func (l leaves) Less(i, j int) bool { return l[i].used < l[j].used }
func (l leaves) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].at, l[j].at = i, j
}

func (l *leaves) Push(x any) {
	n := x.(*Node)
	n.at = len(*l)
	*l = append(*l, n)
}

func (l *leaves) Pop() any {
	old := *l
	n := old[len(old)-1]
	*l, old[len(old)-1] = old[:len(old)-1], nil
	n.at = -1
	return n
}

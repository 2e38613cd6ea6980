package kv

import (
	"errors"
	"fmt"
)

// ErrOption is wrapped by every error about an invalid option or argument.
var ErrOption = errors.New("kv: invalid option")

// ErrFull is the error of a step that needs more blocks than are free now. The step
// changed nothing. It can succeed after other sequences are freed.
var ErrFull = errors.New("kv: not enough free blocks")

// ErrFreed is the error of a step on a sequence that was freed.
var ErrFreed = errors.New("kv: the sequence was freed")

// A TooLongError is the error of a sequence that would not fit in an empty pool, so
// waiting doesn't help.
type TooLongError struct {
	Need, Blocks int // in blocks: what it needs, and what the pool has
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("kv: the sequence needs %d blocks and the pool has %d", e.Need, e.Blocks)
}

// Options are the settings of [New].
type Options struct {
	// Blocks is how many blocks the pool has. Default: 1024.
	Blocks int

	// BlockSize is how many tokens a block has. Default: 16.
	BlockSize int

	// NoSharing gives each sequence blocks of its own. Default: false, equal prefixes
	// share blocks.
	NoSharing bool
}

// A Pool has the blocks of a paged KV cache, and knows which sequence uses which. The
// memory of the blocks belongs to the model: the pool deals with numbers from 0 to
// Blocks - 1.
//
// A Pool is not safe for concurrent use, because a serving engine has one loop.
type Pool struct {
	o      Options
	blocks []block
	byKey  map[Key]int
	// The free blocks are a ring through the block after the last, oldest first.
	free  int
	stats Stats
}

type block struct {
	refs       int
	key        Key // zero: nothing that can be shared
	prev, next int // in the ring; meaningful while refs is 0
}

// Stats is what a pool did since it was made.
type Stats struct {
	Sequences    int // that were allocated
	PromptTokens int // of sequences when they were allocated first
	CachedTokens int // of these, found in shared blocks
	Copies       int // blocks that were copied before a write
	Evictions    int // shared blocks whose content was given up
}

// HitRate is the share of prompt tokens that were found in shared blocks.
func (s Stats) HitRate() float64 {
	if s.PromptTokens == 0 {
		return 0
	}
	return float64(s.CachedTokens) / float64(s.PromptTokens)
}

// New makes a pool. Its errors wrap [ErrOption].
func New(o *Options) (*Pool, error) {
	p := &Pool{byKey: map[Key]int{}}
	if o != nil {
		p.o = *o
	}
	if p.o.Blocks < 0 || p.o.Blocks > maxBlocks {
		return nil, fmt.Errorf("%w: Options.Blocks is %d: want 0 (the default, 1024) to %d", ErrOption, p.o.Blocks, maxBlocks)
	}
	if p.o.BlockSize < 0 {
		return nil, fmt.Errorf("%w: Options.BlockSize is %d: want 0 (the default, 16) or more", ErrOption, p.o.BlockSize)
	}
	if p.o.Blocks == 0 {
		p.o.Blocks = 1024
	}
	if p.o.BlockSize == 0 {
		p.o.BlockSize = 16
	}
	p.blocks = make([]block, p.o.Blocks+1)
	for i := range p.blocks {
		p.blocks[i].prev = (i + p.o.Blocks) % (p.o.Blocks + 1)
		p.blocks[i].next = (i + 1) % (p.o.Blocks + 1)
	}
	p.free = p.o.Blocks
	return p, nil
}

const maxBlocks = 1 << 26

// Blocks is how many blocks the pool has.
func (p *Pool) Blocks() int { return p.o.Blocks }

// BlockSize is how many tokens a block has.
func (p *Pool) BlockSize() int { return p.o.BlockSize }

// Free is how many blocks no sequence uses. Some of them may still have a content that
// can be shared.
func (p *Pool) Free() int { return p.free }

// Cached is how many blocks have a content that can be shared.
func (p *Pool) Cached() int { return len(p.byKey) }

// Stats returns what the pool did so far.
func (p *Pool) Stats() Stats { return p.stats }

// Need is how many blocks a number of tokens needs.
func (p *Pool) Need(tokens int) int { return ceil(tokens, p.o.BlockSize) }

func ceil(n, by int) int { return (n + by - 1) / by }

// Fits reports whether a sequence of so many tokens can ever be allocated. [Pool.Allocate]
// and [Sequence.Append] go by the same rule.
func (p *Pool) Fits(tokens int) bool { return p.Need(tokens) <= p.o.Blocks }

// take removes a block from the ring: a free one that is used, or the oldest.
func (p *Pool) take(id int) {
	b := &p.blocks[id]
	p.blocks[b.prev].next, p.blocks[b.next].prev = b.next, b.prev
	p.free--
	b.refs = 1
}

func (p *Pool) takeOldest() int {
	id := p.blocks[p.o.Blocks].next
	p.take(id)
	if p.blocks[id].key != (Key{}) {
		p.forget(id)
		p.stats.Evictions++
	}
	return id
}

// forget ends the sharing of a block's content.
func (p *Pool) forget(id int) {
	delete(p.byKey, p.blocks[id].key)
	p.blocks[id].key = Key{}
}

// release gives up one use of a block. A block that nothing uses goes into the ring: to
// the young end if its content can be shared, to the old end if not.
func (p *Pool) release(id int) {
	b := &p.blocks[id]
	b.refs--
	if b.refs > 0 {
		return
	}
	head := p.o.Blocks
	b.prev, b.next = p.blocks[head].prev, head
	if b.key == (Key{}) {
		b.prev, b.next = head, p.blocks[head].next
	}
	p.blocks[b.prev].next, p.blocks[b.next].prev = id, id
	p.free++
}

package kv

import (
	"fmt"
	"slices"
)

// A Request asks for the blocks of a prompt.
type Request struct {
	Tokens []int

	// Extra is what else changes the content of the cache: see [Key.Next]. A gateway
	// sets a salt for each tenant here; the caller must not choose it.
	Extra []string

	// Resumed says that the sequence was allocated before and had to give up its
	// blocks. Its tokens don't count as hits or misses once more.
	Resumed bool
}

// A Sequence is a text with its table of blocks.
type Sequence struct {
	pool   *Pool
	tokens []int
	extra  []string
	table  []int
	keys   []Key // of the blocks whose content is computed
	cached int
	freed  bool
}

// A Copy asks the model to copy the content of one block to another before it writes.
type Copy struct{ From, To int }

// Allocate gives a prompt its blocks. Blocks at the beginning that are already computed
// are shared, but at least one token is left to compute, because the model needs it to
// produce the next one. If the blocks are not free now, the error is [ErrFull]; if they
// never can be, it is a [*TooLongError]. An error changes nothing.
func (p *Pool) Allocate(r Request) (*Sequence, error) {
	if len(r.Tokens) == 0 {
		return nil, fmt.Errorf("%w: Request.Tokens is empty: want 1 or more", ErrOption)
	}
	need := p.Need(len(r.Tokens))
	if need > p.o.Blocks {
		return nil, &TooLongError{Need: need, Blocks: p.o.Blocks}
	}
	s := &Sequence{pool: p, tokens: slices.Clone(r.Tokens), extra: slices.Clone(r.Extra)}
	idle := 0 // shared blocks that are in the ring
	var parent Key
	for at := 0; !p.o.NoSharing && at+p.o.BlockSize < len(r.Tokens); at += p.o.BlockSize { // not the last token
		parent = parent.Next(r.Tokens[at:at+p.o.BlockSize], r.Extra)
		id, ok := p.byKey[parent]
		if !ok {
			break
		}
		s.table, s.keys = append(s.table, id), append(s.keys, parent)
		if p.blocks[id].refs == 0 {
			idle++
		}
	}
	if need-len(s.table) > p.free-idle {
		return nil, ErrFull
	}
	for _, id := range s.table {
		if p.blocks[id].refs == 0 {
			p.take(id)
		} else {
			p.blocks[id].refs++
		}
	}
	s.cached = len(s.table) * p.o.BlockSize
	for len(s.table) < need {
		s.table = append(s.table, p.takeOldest())
	}
	p.stats.Sequences++
	if !r.Resumed {
		p.stats.PromptTokens += len(r.Tokens)
		p.stats.CachedTokens += s.cached
	}
	return s, nil
}

// Cached is how many tokens of the prompt were found computed.
func (s *Sequence) Cached() int { return s.cached }

// Len is how many tokens the sequence has.
func (s *Sequence) Len() int { return len(s.tokens) }

// Tokens returns the tokens. They must not be changed.
func (s *Sequence) Tokens() []int { return s.tokens }

// Table returns the numbers of the sequence's blocks, in order. Token i is in the block
// Table()[i/BlockSize] at place i%BlockSize. The table must not be changed; it is valid
// until the next step on the sequence.
func (s *Sequence) Table() []int { return s.table }

// Computed notes that the model has computed the first n tokens. Full blocks
// among them can be shared from now on. Only computed blocks are shared, so a sequence
// never reads what is not there yet.
func (s *Sequence) Computed(n int) {
	if s.freed || s.pool.o.NoSharing {
		return
	}
	size := s.pool.o.BlockSize
	for full := min(n, len(s.tokens)) / size; len(s.keys) < full; {
		i := len(s.keys)
		var parent Key
		if i > 0 {
			parent = s.keys[i-1]
		}
		key := parent.Next(s.tokens[i*size:(i+1)*size], s.extra)
		s.keys = append(s.keys, key)
		if _, ok := s.pool.byKey[key]; !ok { // another sequence may have computed the same
			s.pool.byKey[key] = s.table[i]
			s.pool.blocks[s.table[i]].key = key
		}
	}
}

// Append adds a token. If the block to write to is shared with a fork, the sequence gets
// a block of its own, and ok reports that the model must copy c before it writes. The
// errors are those of [Pool.Allocate], and [ErrFreed]. An error changes nothing.
func (s *Sequence) Append(token int) (c Copy, ok bool, err error) {
	if s.freed {
		return c, false, ErrFreed
	}
	p := s.pool
	i := len(s.tokens) / p.o.BlockSize
	if i == len(s.table) {
		if i == p.o.Blocks {
			return c, false, &TooLongError{Need: i + 1, Blocks: p.o.Blocks}
		}
		if p.free == 0 {
			return c, false, ErrFull
		}
		s.table = append(s.table, p.takeOldest())
	} else if b := &p.blocks[s.table[i]]; b.refs > 1 {
		if p.free == 0 {
			return c, false, ErrFull
		}
		c, ok = Copy{From: s.table[i], To: p.takeOldest()}, true
		b.refs--
		s.table[i] = c.To
		p.stats.Copies++
	} else if b.key != (Key{}) {
		p.forget(s.table[i]) // its content is about to change, after a Truncate
	}
	s.tokens = append(s.tokens, token)
	return c, ok, nil
}

// Fork returns a second sequence with the same tokens. It shares all blocks, until one
// of the two writes to the last.
func (s *Sequence) Fork() (*Sequence, error) {
	if s.freed {
		return nil, ErrFreed
	}
	for _, id := range s.table {
		s.pool.blocks[id].refs++
	}
	s.pool.stats.Sequences++
	return &Sequence{
		pool: s.pool, tokens: slices.Clone(s.tokens), extra: s.extra, table: slices.Clone(s.table), keys: slices.Clone(s.keys), cached: s.cached,
	}, nil
}

// Truncate drops all tokens from n on, for example drafts that were rejected, and gives
// back the blocks that are empty then.
func (s *Sequence) Truncate(n int) {
	if s.freed || n < 0 || n >= len(s.tokens) {
		return
	}
	s.tokens = s.tokens[:n]
	need := s.pool.Need(n)
	for i := len(s.table) - 1; i >= need; i-- {
		s.pool.release(s.table[i])
	}
	s.table = s.table[:need]
	s.keys = s.keys[:min(len(s.keys), n/s.pool.o.BlockSize)]
	s.cached = min(s.cached, n)
}

// Free gives back all blocks, the last first, so that the beginning of a text, which
// others are more likely to share, is kept longer. A second Free does nothing.
func (s *Sequence) Free() {
	if s.freed {
		return
	}
	s.freed = true
	for _, id := range slices.Backward(s.table) {
		s.pool.release(id)
	}
	s.table = nil
}

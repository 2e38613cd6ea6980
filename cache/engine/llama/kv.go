package llama

import (
	"fmt"
	"sync"
)

// PageTokens is how many tokens a page of a cache has. Attention reads a cache page by
// page, also one that is not paged, so that both add in the same order.
const PageTokens = 32

// A Pool is a fixed number of pages that caches of one network share: the memory of a
// server is bounded by it. Its methods may be called from several goroutines.
type Pool struct {
	net   *Network
	mu    sync.Mutex
	left  int // pages that were never made
	idle  []*page
	total int
}

type page struct {
	refs int       // caches that read it; guarded by the pool's lock
	data []float32 // [layer][kv head][keys, values][PageTokens][element]
}

// NewPool returns a pool for tokens tokens, rounded up to whole pages. Memory is
// allocated when a page is first used.
func (n *Network) NewPool(tokens int) (*Pool, error) {
	if tokens < 1 || tokens > 1<<30 {
		return nil, fmt.Errorf("%w: a pool for %d tokens", ErrOption, tokens)
	}
	pages := (tokens + PageTokens - 1) / PageTokens
	return &Pool{net: n, left: pages, total: pages}, nil
}

// Free returns how many pages no cache has.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left + len(p.idle)
}

// Total returns the number of pages.
func (p *Pool) Total() int { return p.total }

// take returns n pages, or none and an error.
func (p *Pool) take(n int) ([]*page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if free := p.left + len(p.idle); n > free {
		return nil, fmt.Errorf("%w: %d pages are needed, %d of %d are free", ErrPages, n, free, p.total)
	}
	out := make([]*page, 0, n)
	for range n {
		if k := len(p.idle); k > 0 {
			out = append(out, p.idle[k-1])
			p.idle = p.idle[:k-1]
		} else {
			p.left--
			c := p.net.config
			out = append(out, &page{data: make([]float32, 2*c.Layers*c.KVHeads*PageTokens*c.HeadSize)})
		}
		out[len(out)-1].refs = 1
	}
	return out, nil
}

func (p *Pool) release(pages []*page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range pages {
		if g.refs--; g.refs == 0 {
			p.idle = append(p.idle, g)
		}
	}
}

// A Cache has the keys and values of the tokens of one sequence. One goroutine uses it
// at a time.
type Cache struct {
	net    *Network
	n      int
	tokens []int32
	pool   *Pool   // nil: contiguous
	pages  []*page // of the pool
	run    []float32
	room   int // tokens that run has room for
}

// NewCache returns an empty cache in one piece of memory, which grows up to the model's
// context.
func (n *Network) NewCache() *Cache { return &Cache{net: n} }

// NewCache returns an empty cache that takes its pages from the pool as it grows. Close
// it to give them back.
func (p *Pool) NewCache() *Cache { return &Cache{net: p.net, pool: p} }

// Len returns the number of tokens.
func (c *Cache) Len() int { return c.n }

// Tokens returns the tokens; don't change them.
func (c *Cache) Tokens() []int32 { return c.tokens[:c.n:c.n] }

// Truncate drops the tokens from n on: what speculative decoding does with drafts that
// were rejected.
func (c *Cache) Truncate(n int) error {
	if n < 0 || n > c.n {
		return fmt.Errorf("%w: Truncate to %d of %d tokens", ErrOption, n, c.n)
	}
	c.n, c.tokens = n, c.tokens[:n]
	if keep := (n + PageTokens - 1) / PageTokens; c.pool != nil && keep < len(c.pages) {
		c.pool.release(c.pages[keep:])
		c.pages = c.pages[:keep]
	}
	return nil
}

// Close gives the pages back to the pool. The cache is empty then, and may be used
// again.
func (c *Cache) Close() { _ = c.Truncate(0) }

// Fork returns a cache with the same tokens. In a pool the two share their pages until
// one of them writes: the page is copied then, and only that page.
func (c *Cache) Fork() (*Cache, error) {
	out := &Cache{net: c.net, n: c.n, pool: c.pool, tokens: append([]int32(nil), c.tokens...)}
	if c.pool == nil {
		out.run, out.room = append([]float32(nil), c.run...), c.room
		return out, nil
	}
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	for _, g := range c.pages {
		g.refs++
	}
	out.pages = append(out.pages, c.pages...)
	return out, nil
}

// reserve makes room for n tokens in all. On an error the cache is as before.
func (c *Cache) reserve(n int) error {
	if n <= c.n {
		return nil
	}
	if c.pool == nil {
		c.grow(n)
		return nil
	}
	fresh := (n+PageTokens-1)/PageTokens - len(c.pages)
	shared := c.n%PageTokens != 0 && c.shared(len(c.pages)-1)
	if shared {
		fresh++
	}
	if fresh <= 0 {
		return nil
	}
	pages, err := c.pool.take(fresh)
	if err != nil {
		return err
	}
	if last := len(c.pages) - 1; shared {
		copy(pages[0].data, c.pages[last].data)
		c.pool.release(c.pages[last:])
		c.pages[last] = pages[0]
		pages = pages[1:]
	}
	c.pages = append(c.pages, pages...)
	return nil
}

func (c *Cache) shared(i int) bool {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	return c.pages[i].refs > 1
}

func (c *Cache) grow(n int) {
	if n <= c.room {
		return
	}
	room := max(4*PageTokens, 2*c.room)
	for room < n {
		room *= 2
	}
	f := c.net.config
	run := make([]float32, 2*f.Layers*f.KVHeads*room*f.HeadSize)
	for i := range 2 * f.Layers * f.KVHeads {
		copy(run[i*room*f.HeadSize:], c.run[i*c.room*f.HeadSize:][:c.n*f.HeadSize])
	}
	c.run, c.room = run, room
}

// page returns the keys and values of page i of a head, PageTokens rows of each.
func (c *Cache) page(layer, head, i int) (keys, values []float32) {
	d := c.net.config.HeadSize
	at := 2 * (layer*c.net.config.KVHeads + head)
	if c.pool != nil {
		data := c.pages[i].data
		return data[at*PageTokens*d:][:PageTokens*d], data[(at+1)*PageTokens*d:][:PageTokens*d]
	}
	return c.run[(at*c.room+i*PageTokens)*d:][:PageTokens*d], c.run[((at+1)*c.room+i*PageTokens)*d:][:PageTokens*d]
}

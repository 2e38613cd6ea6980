package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work.
var ErrOption = errors.New("cache/search: invalid option")

// ErrResult is wrapped by the error of a call for which the wrapped embedder returned
// another number of vectors than texts.
var ErrResult = errors.New("cache/search: not one vector for each text")

// Options configure an [Embedder] or a [Retriever]. The zero value works.
type Options struct {
	// Store keeps what was found. Default: a cache.Memory of 64 MiB.
	Store cache.Store

	// Version returns the version of what the results depend on, such as the index. It
	// is asked before each search. Default: none.
	Version func(context.Context) string

	// Tenant returns the tenant that a call belongs to; results never cross tenants. A
	// call for which it returns "" is not cached. Default: all calls belong to one tenant.
	Tenant func(context.Context) string

	// Attributes returns what a result is later found by when it has to be erased.
	// Default: none.
	Attributes func(context.Context) map[string]string

	// TTL is how long a result is used; negative means forever. Default: a week for
	// vectors, which don't change, and a minute for documents.
	TTL time.Duration

	// EmptyTTL is how long it is remembered that a search found nothing. Default: not at
	// all.
	EmptyTTL time.Duration

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Stats counts texts or questions since the start.
type Stats struct {
	Hits        int64 // from the store
	Shared      int64 // from another call in progress, or from the same batch
	Misses      int64 // asked
	Bypassed    int64 // without a tenant
	StoreErrors int64
}

// A memo is what both caches have in common.
type memo struct {
	o       Options
	name    string
	valid   func(content string) bool // of a store that may be damaged
	flights flights
	stats   struct{ hits, shared, misses, bypassed, storeErrors atomic.Int64 }
}

const (
	week   = 7 * 24 * time.Hour
	memory = 64 << 20
)

func newMemo(name string, ttl time.Duration, valid func(string) bool, o *Options) (*memo, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: no name: results of two models or indexes could meet", ErrOption)
	}
	m := &memo{name: name, valid: valid}
	if o != nil {
		m.o = *o
	}
	if m.o.Store == nil {
		store, err := cache.NewMemory(memory)
		if err != nil {
			return nil, fmt.Errorf("cache/search: %w", err)
		}
		m.o.Store = store
	}
	if m.o.TTL == 0 {
		m.o.TTL = ttl
	}
	if m.o.Now == nil {
		m.o.Now = time.Now
	}
	return m, nil
}

// Stats returns the counts.
func (m *memo) Stats() Stats {
	s := &m.stats
	return Stats{s.hits.Load(), s.shared.Load(), s.misses.Load(), s.bypassed.Load(), s.storeErrors.Load()}
}

// Erase drops the results of a selection, whose Model is the name given to the
// constructor, and whose Namespace is the version. Results of calls in progress are not
// stored. Its error wraps cache.ErrNoErase if the store can't erase.
func (m *memo) Erase(ctx context.Context, s cache.Selection) (int, error) {
	store, ok := m.o.Store.(cache.Eraser)
	if !ok {
		return 0, fmt.Errorf("%w: %T", cache.ErrNoErase, m.o.Store)
	}
	m.flights.expire()
	n, err := store.Erase(ctx, s)
	if err != nil {
		return n, fmt.Errorf("cache/search: %w", err)
	}
	return n, nil
}

// scope returns what the keys of a call have in common, or false if it has no tenant.
func (m *memo) scope(ctx context.Context) (cache.Scope, bool) {
	s := cache.Scope{Model: m.name}
	if m.o.Version != nil {
		s.Namespace = m.o.Version(ctx)
	}
	if m.o.Tenant != nil {
		if s.Tenant = m.o.Tenant(ctx); s.Tenant == "" {
			return s, false
		}
	}
	return s, true
}

// keyOf returns the key of a text. The kind is a role that no call of a model has.
func keyOf(s cache.Scope, kind, text string) (cache.Key, error) {
	return cache.KeyOf(s, []llms.MessageContent{llms.TextParts(llms.ChatMessageType("cache/search "+kind), text)})
}

// get returns the stored content of a key.
func (m *memo) get(ctx context.Context, key cache.Key) (string, bool) {
	e, err := m.o.Store.Get(ctx, key)
	if err != nil {
		m.stats.storeErrors.Add(1)
		return "", false
	}
	if e == nil || e.Response == nil || len(e.Response.Choices) != 1 || e.Response.Choices[0] == nil || e.Expired(m.o.Now()) {
		return "", false
	}
	content := e.Response.Choices[0].Content
	return content, m.valid(content)
}

// put stores content. The entry has the form of an answer, which each store can keep.
func (m *memo) put(ctx context.Context, s cache.Scope, key cache.Key, content string, ttl time.Duration) {
	e := &cache.Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: content}}},
		Model: m.name, Tenant: s.Tenant, Namespace: s.Namespace, Stored: m.o.Now()}
	if m.o.Attributes != nil {
		e.Attributes = maps.Clone(m.o.Attributes(ctx))
	}
	if ttl > 0 {
		e.Expires = e.Stored.Add(ttl)
	}
	if err := m.o.Store.Put(context.WithoutCancel(ctx), key, e); err != nil {
		m.stats.storeErrors.Add(1)
	}
}

package langchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tmc/langchaingo/llms"
	lc "github.com/tmc/langchaingo/llms/cache"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/internal/llmcopy"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work.
var ErrOption = errors.New("cache/langchain: invalid option")

// ErrForeign is wrapped by the error of a backend's value that a [Store] hasn't put there.
var ErrForeign = errors.New("cache/langchain: not an entry of a Store")

// Options configure a [Backend]. The zero value works.
type Options struct {
	// Namespace is the version of what the answers depend on beside the call. Default:
	// none.
	Namespace string

	// Tenant returns the tenant that a call belongs to. A call for which it returns ""
	// is not cached. Default: all calls belong to one tenant.
	Tenant func(context.Context) string

	// Attributes returns what an answer is later found by, as in cache.Options.
	// Default: none.
	Attributes func(context.Context) map[string]string

	// Policy decides which answers may be stored. Default: the careful zero Policy.
	Policy cache.Policy

	// TTL is how long an answer is used; negative means forever. Default: an hour.
	TTL time.Duration

	// Failed receives the errors of the store, which langchaingo has no place for.
	// Default: they are discarded.
	Failed func(context.Context, error)

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// A Backend is a backend of langchaingo's llms/cache that keeps answers in a cache.Store.
type Backend struct {
	store cache.Store
	model string
	o     Options
}

var _ lc.Backend = (*Backend)(nil)

// NewBackend returns a Backend for a Cacher around the named model. The name enters each
// key, because langchaingo's own key has no model in it. nil options mean the defaults.
// Its error wraps [ErrOption].
func NewBackend(store cache.Store, model string, o *Options) (*Backend, error) {
	if store == nil || model == "" {
		return nil, fmt.Errorf("%w: the store is nil or the model has no name", ErrOption)
	}
	b := &Backend{store: store, model: model}
	if o != nil {
		b.o = *o
	}
	if b.o.TTL == 0 {
		b.o.TTL = time.Hour
	}
	if b.o.Failed == nil {
		b.o.Failed = func(context.Context, error) {}
	}
	if b.o.Now == nil {
		b.o.Now = time.Now
	}
	return b, nil
}

// role keeps the keys of a Backend apart from those of calls.
const role = "langchaingo's key"

func (b *Backend) scope(ctx context.Context, key string) (s cache.Scope, k cache.Key, ok bool) {
	s = cache.Scope{Model: b.model, Namespace: b.o.Namespace}
	if b.o.Tenant != nil {
		if s.Tenant = b.o.Tenant(ctx); s.Tenant == "" {
			return s, k, false
		}
	}
	k, err := cache.KeyOf(s, []llms.MessageContent{llms.TextParts(role, key)})
	return s, k, err == nil
}

// Get returns a copy of the stored answer, or nil.
func (b *Backend) Get(ctx context.Context, key string) *llms.ContentResponse {
	_, k, ok := b.scope(ctx, key)
	if !ok {
		return nil
	}
	e, err := b.store.Get(ctx, k)
	if err != nil {
		b.o.Failed(ctx, err)
		return nil
	}
	if e == nil || e.Response == nil || e.Expired(b.o.Now()) {
		return nil
	}
	return llmcopy.Response(e.Response)
}

// Put stores a copy of an answer, if the policy allows it.
func (b *Backend) Put(ctx context.Context, key string, response *llms.ContentResponse) {
	s, k, ok := b.scope(ctx, key)
	if !ok || b.o.Policy.MayStore(response) != "" {
		return
	}
	e := &cache.Entry{Response: llmcopy.Response(response), Model: b.model, Stored: b.o.Now(), Tenant: s.Tenant, Namespace: s.Namespace}
	if b.o.Attributes != nil {
		e.Attributes = maps.Clone(b.o.Attributes(ctx))
	}
	if b.o.TTL > 0 {
		e.Expires = e.Stored.Add(b.o.TTL)
	}
	if err := b.store.Put(ctx, k, e); err != nil {
		b.o.Failed(ctx, err)
	}
}

// A Store is a cache.Store in a backend of langchaingo. Whole entries are kept, as JSON in
// the answer that the backend sees. A backend can't delete, so a Store can't either.
type Store struct{ backend lc.Backend }

var _ cache.Store = (*Store)(nil)

// NewStore returns a Store in a backend. Its error wraps [ErrOption].
func NewStore(backend lc.Backend) (*Store, error) {
	if backend == nil {
		return nil, fmt.Errorf("%w: the backend is nil", ErrOption)
	}
	return &Store{backend}, nil
}

// envelope is the stop reason of an answer that holds an entry.
const envelope = "prodai cache entry"

// Get returns the entry of a key, or nil. Its error wraps [ErrForeign] if the backend
// holds something else under the key.
func (s *Store) Get(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	r := s.backend.Get(ctx, key.String())
	if r == nil {
		return nil, nil
	}
	if len(r.Choices) != 1 || r.Choices[0] == nil || r.Choices[0].StopReason != envelope {
		return nil, ErrForeign
	}
	e := new(cache.Entry)
	if err := json.Unmarshal([]byte(r.Choices[0].Content), e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return e, nil
}

// Put keeps an entry.
func (s *Store) Put(ctx context.Context, key cache.Key, e *cache.Entry) error {
	if e == nil || e.Response == nil {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cache/langchain: %w", err)
	}
	s.backend.Put(ctx, key.String(), &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: string(data), StopReason: envelope}}})
	return nil
}

package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/llmcopy"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by the errors of constructors whose arguments cannot work:
// no model to wrap, a store without room.
var ErrOption = errors.New("cache: invalid option")

// Options configure a [Model]. The zero value works.
type Options struct {
	// Store keeps the answers. Default: a [Memory] of 64 MiB for this model alone.
	Store Store

	// Model is the name of the wrapped model, for calls that do not name one. With
	// a Store that others may share, a call without any name is not cached: it
	// could get another model's answer. Default: none.
	Model string

	// Namespace is the version of what the answers depend on beside the call, such
	// as a prompt template or an index. When it changes, no earlier answer is used.
	// Default: none.
	Namespace string

	// Tenant returns the tenant that a call belongs to; answers never cross
	// tenants. A call for which it returns "" is not cached. Default: all calls
	// belong to one tenant.
	Tenant func(context.Context) string

	// Normalize is applied to each text before it enters the key: Unicode
	// normalization for example, or the removal of a nonce that differs in every
	// call. Default: texts are compared byte for byte.
	Normalize func(ctx context.Context, text string) string

	// Metadata lists the keys of CallOptions.Metadata that change the answer,
	// beside those that [KeyOf] knows. Default: none.
	Metadata []string

	// Policy decides what may be cached. Default: the careful zero Policy.
	Policy Policy

	// TTL is how long an answer is used; negative means forever. Default: an hour.
	TTL time.Duration

	// StaleWhileRevalidate is how long after its time an answer is still given to
	// callers, while one call in the background asks the model for a new one. Default:
	// not at all.
	StaleWhileRevalidate time.Duration

	// StaleIfError is how long after its time an answer is given to a caller whose call
	// of the model failed, unless a part of an answer was already streamed. Default: not
	// at all.
	StaleIfError time.Duration

	// LockWait is how long this process waits for an equal call in another one, if
	// Store is a [Locker]; negative means that it doesn't wait. Default: 30 s.
	LockWait time.Duration

	// Logger receives cache.hit, cache.miss and cache.store. Default: they are
	// discarded.
	Logger *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// defaultBytes and defaultTTL are what the zero Options mean.
const (
	defaultBytes = 64 << 20
	defaultTTL   = time.Hour
	defaultLock  = 30 * time.Second
	refreshLimit = 5 * time.Minute // a model that hangs must not hold a refresh forever
)

// Model answers a call from an earlier one, if it can. It is safe for
// concurrent use.
type Model struct {
	next   llms.Model
	o      Options
	shared bool // the store may hold other models' answers

	mu      sync.Mutex
	flights map[flightKey]*flight

	stats [statCount]atomic.Int64
}

// New returns a Model around next; nil options mean the defaults. Its error wraps
// [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	m := &Model{next: next, flights: map[flightKey]*flight{}}
	if o != nil {
		m.o = *o
		m.o.Metadata = slices.Clone(o.Metadata)
	}
	m.shared = m.o.Store != nil
	if m.o.Store == nil {
		store, err := NewMemory(defaultBytes)
		if err != nil {
			return nil, err
		}
		m.o.Store = store
	}
	if m.o.TTL == 0 {
		m.o.TTL = defaultTTL
	}
	if m.o.LockWait == 0 {
		m.o.LockWait = defaultLock
	}
	if m.o.Now == nil {
		m.o.Now = time.Now
	}
	m.o.Logger = event.Logger(m.o.Logger)
	return m, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool {
	return wrap.SupportsReasoning(m.next)
}

// Call answers a single prompt, as [Model.GenerateContent] does.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent returns the stored answer of an equal call, or asks the wrapped
// model and stores its answer if the [Policy] allows it. Equal calls in progress
// share one call of the model. Each of them returns when its own context is done,
// and the model's call is canceled when the last one has returned.
//
// A stored stream is replayed chunk for chunk to a caller that sets the same
// streaming functions. Any other answer is replayed as one chunk of reasoning, if
// it has any, and one of text. The answer of a hit carries "FromCache" in the GenerationInfo
// of each choice; all other fields are as the model gave them.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	began := m.o.Now()
	o := callopt.Resolve(options)
	c := &call{ctx: ctx, messages: messages, options: options, o: &o, model: orElse(o.Model, m.o.Model)}
	if reason := m.identify(c); reason != "" {
		m.count(bypassed)
		m.o.Logger.InfoContext(ctx, event.CacheMiss, event.Model, c.model, event.Reason, reason)
		r, err := m.next.GenerateContent(ctx, messages, options...)
		return r, wrap.ContextError(ctx, err)
	}
	for {
		if e := m.lookup(c); e != nil {
			m.hit(c, e, "exact", began)
			r := fromCache(e.Response, "exact")
			return r, replay(c, e, r)
		}
		if m.within(c.stale, m.o.StaleWhileRevalidate) {
			m.refresh(c)
			return m.giveStale(c, began)
		}
		f, first := m.join(c)
		r, err := m.follow(c, f)
		if errors.Is(err, errLookAgain) {
			continue
		}
		if err != nil && ctx.Err() == nil && !c.spoke && m.within(c.stale, m.o.StaleIfError) {
			return m.giveStale(c, began)
		}
		if err != nil || r == nil || first {
			return r, err
		}
		m.hit(c, &Entry{Response: r}, "shared", began)
		return fromCache(r, "shared"), nil
	}
}

// A call is one GenerateContent in progress.
type call struct {
	ctx      context.Context
	messages []llms.MessageContent
	options  []llms.CallOption
	o        *callopt.Options
	model    string
	key      Key

	storeFailed bool
	stale       *Entry // found past its time
	spoke       bool   // a chunk was streamed to the caller
}

// identify sets the call's key, or returns why the call can't be cached.
func (m *Model) identify(c *call) string {
	if reason := m.o.Policy.mayAsk(c.o); reason != "" {
		return reason
	}
	if m.shared && c.model == "" {
		return "no model name"
	}
	scope := Scope{Model: m.o.Model, Namespace: m.o.Namespace, Metadata: m.o.Metadata}
	if m.o.Normalize != nil {
		scope.Normalize = func(text string) string { return m.o.Normalize(c.ctx, text) }
	}
	if m.o.Tenant != nil {
		if scope.Tenant = m.o.Tenant(c.ctx); scope.Tenant == "" {
			return "no tenant"
		}
	}
	key, err := keyOf(scope, c.messages, *c.o)
	if err != nil {
		return "can't be compared"
	}
	c.key = key
	return ""
}

// lookup returns a live entry, or nil. A store that fails counts as one without the
// entry.
func (m *Model) lookup(c *call) *Entry {
	e, err := m.o.Store.Get(c.ctx, c.key)
	if err != nil {
		m.count(storeErrors)
		c.storeFailed = true // the call's one cache.miss reports it
		return nil
	}
	if !usable(e) { // nothing stored, or what is stored was damaged
		return nil
	}
	if now := m.o.Now(); e.Expired(now) {
		if m.within(e, max(m.o.StaleWhileRevalidate, m.o.StaleIfError)) {
			c.stale = e
			return nil
		}
		if s, ok := m.o.Store.(Expirer); ok {
			s.Expire(c.ctx, c.key, now)
		}
		return nil
	}
	return e
}

// usable reports whether an entry has an answer that can be given to a caller.
func usable(e *Entry) bool {
	return e != nil && e.Response != nil && len(e.Response.Choices) > 0 && !slices.Contains(e.Response.Choices, nil)
}

func (m *Model) hit(c *call, e *Entry, kind string, began time.Time) {
	if kind == "shared" {
		m.count(shared)
	} else {
		m.count(hits)
	}
	if kind == "stale" {
		m.count(stale)
	}
	var tokens int64
	if u, err := usage.Of(e.Response); err == nil {
		tokens = u.Input + u.Output
		m.stats[tokensSaved].Add(tokens)
	}
	m.o.Logger.InfoContext(c.ctx, event.CacheHit, event.Kind, kind, event.Key, c.key.short(), event.Model, c.model,
		event.Elapsed, m.o.Now().Sub(began), event.Tokens, tokens)
}

// store keeps an answer if the policy allows it.
func (m *Model) store(c *call, r *llms.ContentResponse, rec *Recording) {
	reason := m.o.Policy.MayStore(r)
	if reason == "" && rec != nil && r.Choices[0].StopReason == "" {
		reason = "a stream without its end" // some clients report a cut stream as a success
	}
	ctx := context.WithoutCancel(c.ctx)
	if reason == "" {
		e := &Entry{Response: r, Stream: rec, Model: c.model, Stored: m.o.Now()}
		if m.o.TTL > 0 {
			e.Expires = e.Stored.Add(m.o.TTL)
			if stale := max(m.o.StaleWhileRevalidate, m.o.StaleIfError); stale > 0 {
				e.Keep = e.Expires.Add(stale)
			}
		}
		if err := m.o.Store.Put(ctx, c.key, e); err != nil {
			m.count(storeErrors)
			reason = "store failed"
		} else {
			m.count(stored)
		}
	}
	m.o.Logger.InfoContext(ctx, event.CacheStore, event.Key, c.key.short(), event.Model, c.model, event.Reason, reason)
}

// fromCache copies a stored response for a caller and marks it.
func fromCache(r *llms.ContentResponse, kind string) *llms.ContentResponse {
	out := llmcopy.Response(r)
	for _, c := range out.Choices {
		if c == nil {
			continue
		}
		if c.GenerationInfo == nil {
			c.GenerationInfo = map[string]any{}
		}
		c.GenerationInfo[usage.FromCache] = kind
	}
	return out
}

func (k Key) short() string { return k.String()[:12] }

// Stats counts what a [Model] did since it was made.
type Stats struct {
	Hits        int64 // answered from the store
	Shared      int64 // answered by an equal call in progress
	Misses      int64 // asked the model
	Bypassed    int64 // may not be cached
	Stored      int64
	StoreErrors int64
	TokensSaved int64 // input and output tokens of the hits and shared answers
	Stale       int64 // hits past their time
}

const (
	hits = iota
	shared
	misses
	bypassed
	stored
	storeErrors
	tokensSaved
	stale
	statCount
)

func (m *Model) count(stat int) { m.stats[stat].Add(1) }

// Stats returns the counts.
func (m *Model) Stats() Stats {
	n := func(stat int) int64 { return m.stats[stat].Load() }
	return Stats{n(hits), n(shared), n(misses), n(bypassed), n(stored), n(storeErrors), n(tokensSaved), n(stale)}
}

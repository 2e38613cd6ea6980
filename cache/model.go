package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
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

	// Jitter is the share of the TTL, at least 0 and below 1, by which the time of
	// each answer is shortened at random, so that answers that were stored together
	// don't expire together. Default: 0.
	Jitter float64

	// EarlyRefresh asks the model in the background before an answer expires, at a
	// random moment that is the earlier, the longer the model takes (XFetch: Vattani,
	// Chierichetti, Lowenstein, "Optimal probabilistic cache stampede prevention",
	// VLDB 2015). It is the factor beta of the paper; 1 is a good value. Default: 0,
	// not at all.
	EarlyRefresh float64

	// NegativeTTL is how long an error that Lasting accepts is given to equal calls
	// without a call of the model. Errors are kept in this process only, at most
	// 1,000. Default: errors are never kept.
	NegativeTTL time.Duration

	// Lasting reports whether an equal call would fail again: a prompt that is too
	// long for the model, for example. Required if NegativeTTL is set. Default: none.
	Lasting func(error) bool

	// Attributes returns what an answer is later found by when it has to be erased,
	// such as the user of the call. They are stored with the answer, are no part of
	// the key, and must not change afterwards. Default: none.
	Attributes func(context.Context) map[string]string

	// Cost returns the price of a call, in trillionths of a dollar, and whether it is
	// known; Of of a trace/cost.Table has this form. [Model.Savings] adds it up over
	// the hits. Default: the money saved isn't counted.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)

	// Pace is how fast a recorded stream is replayed: 1 with the recorded pauses
	// between chunks, 2 twice as fast. A pause is 5 s at most. Default: without pauses.
	Pace float64

	// LockWait is how long this process waits for an equal call in another one, if
	// Store is a [Locker]; negative means that it doesn't wait. Default: 30 s.
	LockWait time.Duration

	// Logger receives cache.hit, cache.miss and cache.store. Default: they are
	// discarded.
	Logger *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time

	// Rand returns random numbers, at least 0 and below 1, for Jitter and EarlyRefresh.
	// It must be safe for concurrent use. Default: math/rand/v2.
	Rand func() float64
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
	running map[*flight]bool // those in flights, and those that all callers have left
	failed  map[Key]failure

	stats [statCount]atomic.Int64
	saved Ledger
}

// New returns a Model around next; nil options mean the defaults. Its error wraps
// [ErrOption].
func New(next llms.Model, o *Options) (*Model, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the model to wrap is nil", ErrOption)
	}
	m := &Model{next: next, flights: map[flightKey]*flight{}, running: map[*flight]bool{}, failed: map[Key]failure{}}
	if o != nil {
		m.o = *o
		m.o.Metadata = slices.Clone(o.Metadata)
	}
	if err := m.o.check(); err != nil {
		return nil, err
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
	if m.o.Rand == nil {
		m.o.Rand = rand.Float64
	}
	m.o.Logger = event.Logger(m.o.Logger)
	return m, nil
}

// check reports an option that cannot work.
func (o *Options) check() error {
	switch {
	case !(o.Jitter >= 0 && o.Jitter < 1):
		return fmt.Errorf("%w: a jitter of %v: want 0 or more, and below 1", ErrOption, o.Jitter)
	case !(o.EarlyRefresh >= 0 && o.EarlyRefresh <= 1000):
		return fmt.Errorf("%w: an early refresh of %v: want 0 to 1000", ErrOption, o.EarlyRefresh)
	case !(o.Pace >= 0 && o.Pace <= 1e6):
		return fmt.Errorf("%w: a pace of %v: want 0 to a million", ErrOption, o.Pace)
	case o.NegativeTTL > 0 && o.Lasting == nil:
		return fmt.Errorf("%w: NegativeTTL needs Lasting", ErrOption)
	}
	return nil
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
	c := &call{ctx: ctx, messages: messages, options: options, resolved: callopt.Resolve(options)}
	c.o = &c.resolved
	c.model = orElse(c.o.Model, m.o.Model)
	if reason := m.identify(c); reason != "" {
		m.count(bypassed)
		m.o.Logger.InfoContext(ctx, event.CacheMiss, event.Model, c.model, event.Reason, reason)
		r, err := m.next.GenerateContent(ctx, messages, options...)
		return r, wrap.ContextError(ctx, err)
	}
	for {
		if e := m.lookup(c); e != nil {
			m.hit(c, e, "exact", began)
			if m.early(e) {
				m.refresh(c, e.Stored)
			}
			r := fromCache(e.Response, "exact")
			return r, m.replay(c, e, r)
		}
		if err := m.failure(c.key); err != nil {
			m.count(negative)
			return nil, err
		}
		if m.within(c.stale, m.o.StaleWhileRevalidate) {
			m.refresh(c, time.Time{})
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
	resolved callopt.Options // where o points to, so that a call is one piece of memory
	model    string
	key      Key

	tenant, namespace string
	newer             time.Time // entries that were stored up to then don't count

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
	key, err := keyOf(&scope, c.messages, c.o)
	if err != nil {
		return "can't be compared"
	}
	c.key, c.tenant, c.namespace = key, scope.Tenant, scope.Namespace
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
	if !usable(e) || !c.newer.IsZero() && !e.Stored.After(c.newer) { // nothing stored, or what is stored was damaged
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
	saving := Saving{Tenant: c.tenant, Model: c.model, Hits: 1}
	if u, err := usage.Of(e.Response); err == nil {
		saving.Tokens = u.Input + u.Output
	}
	elapsed := m.o.Now().Sub(began)
	saving.Time = max(e.Took-elapsed, 0)
	if m.o.Cost != nil {
		if picoUSD, ok := m.o.Cost(c.model, e.Response); ok {
			saving.PicoUSD = picoUSD
		}
	}
	m.saved.Add(saving)
	if !m.o.Logger.Enabled(c.ctx, slog.LevelInfo) { // a hit is not to pay for a record that is thrown away
		return
	}
	m.o.Logger.InfoContext(c.ctx, event.CacheHit, event.Kind, kind, event.Key, c.key.short(), event.Model, c.model,
		event.Elapsed, elapsed, event.Tokens, saving.Tokens)
}

// store keeps an answer if the policy allows it.
func (m *Model) store(c *call, f *flight, r *llms.ContentResponse, rec *Recording) {
	reason := m.o.Policy.MayStore(r)
	if reason == "" && rec != nil && r.Choices[0].StopReason == "" {
		reason = "a stream without its end" // some clients report a cut stream as a success
	}
	ctx := context.WithoutCancel(c.ctx)
	if reason == "" {
		e := &Entry{Response: r, Stream: rec, Model: c.model, Stored: m.o.Now(), Tenant: c.tenant, Namespace: c.namespace}
		e.Took = max(e.Stored.Sub(f.began), 0)
		if m.o.Attributes != nil {
			e.Attributes = maps.Clone(m.o.Attributes(c.ctx))
		}
		if m.o.TTL > 0 {
			e.Expires = e.Stored.Add(m.o.TTL - time.Duration(m.o.Jitter*m.o.Rand()*float64(m.o.TTL)))
			if stale := max(m.o.StaleWhileRevalidate, m.o.StaleIfError); stale > 0 {
				e.Keep = e.Expires.Add(stale)
			}
		}
		if err := m.o.Store.Put(ctx, c.key, e); err != nil {
			m.count(storeErrors)
			reason = "store failed"
		} else if m.erased(ctx, f, e) {
			reason = "erased meanwhile"
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

	SavedPicoUSD int64         // what Options.Cost says that hits and shared answers would have cost
	TimeSaved    time.Duration // how much longer the model took when the answers of the hits were stored
	Negative     int64         // answered with a kept error
}

const (
	hits = iota
	shared
	misses
	bypassed
	stored
	storeErrors
	stale
	negative
	statCount
)

func (m *Model) count(stat int) { m.stats[stat].Add(1) }

// Stats returns the counts.
func (m *Model) Stats() Stats {
	n := func(stat int) int64 { return m.stats[stat].Load() }
	out := Stats{Hits: n(hits), Shared: n(shared), Misses: n(misses), Bypassed: n(bypassed), Stored: n(stored),
		StoreErrors: n(storeErrors), Stale: n(stale), Negative: n(negative)}
	for _, s := range m.saved.Rows() {
		out.TokensSaved += s.Tokens
		out.SavedPicoUSD += s.PicoUSD
		out.TimeSaved += s.Time
	}
	return out
}

// Savings returns what hits and shared answers saved, by tenant and by model.
func (m *Model) Savings() []Saving { return m.saved.Rows() }

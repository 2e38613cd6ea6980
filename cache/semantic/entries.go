package semantic

import (
	"container/list"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/llmcopy"
	"github.com/prodailabs/prodai/internal/usage"
)

type textKey struct {
	scope cache.Key
	text  string
}

type entry struct {
	Stored
	id       uint64
	scope    cache.Key
	vector   []float32
	response *llms.ContentResponse
	expires  time.Time // zero: never
	took     time.Duration
	learned  learned // under Model.mu
}

// live returns an entry that is not past its time, and marks it as used.
func (m *Model) live(id uint64) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.entries[id]
	if !ok {
		return nil
	}
	e := el.Value.(*entry)
	if !e.expires.IsZero() && !m.o.Now().Before(e.expires) {
		m.remove(el)
		return nil
	}
	m.used.MoveToFront(el)
	return e
}

func (m *Model) hit(c *call, e *entry, began time.Time) {
	m.stats[hits].Add(1)
	elapsed := m.o.Now().Sub(began)
	saving := cache.Saving{Tenant: c.Tenant, Model: c.Model, Hits: 1, Time: max(e.took-elapsed, 0)}
	if u, err := usage.Of(e.response); err == nil {
		saving.Tokens = u.Input + u.Output
	}
	if m.o.Cost != nil {
		if picoUSD, ok := m.o.Cost(c.Model, e.response); ok {
			saving.PicoUSD = picoUSD
		}
	}
	m.saved.Add(saving)
	m.o.Logger.InfoContext(c.ctx, event.CacheHit, event.Kind, "semantic", event.Key, c.scope.String()[:12], event.Model, c.Model,
		event.Elapsed, elapsed, event.Tokens, saving.Tokens)
}

// store keeps an answer if the policy allows it.
func (m *Model) store(c *call, r *llms.ContentResponse) {
	reason := m.o.Policy.MayStore(r)
	if reason == "" {
		reason = m.add(c, llmcopy.Response(r))
	}
	m.o.Logger.InfoContext(c.ctx, event.CacheStore, event.Key, c.scope.String()[:12], event.Model, c.Model, event.Reason, reason)
}

func (m *Model) add(c *call, r *llms.ContentResponse) string {
	e := &entry{Stored: c.Stored, scope: c.scope, vector: c.vector, response: r, took: c.took}
	e.At = m.o.Now()
	if m.o.TTL > 0 {
		e.expires = e.At.Add(m.o.TTL)
	}
	m.mu.Lock()
	if m.asking[c] {
		m.mu.Unlock()
		return "deleted meanwhile"
	}
	m.insert(e)
	m.mu.Unlock()
	m.stats[stored].Add(1)
	return m.save(c.ctx, e)
}

// insert adds an entry in place of one with the same text. The caller holds the lock.
func (m *Model) insert(e *entry) {
	key := textKey{e.scope, e.Question}
	if old, ok := m.byText[key]; ok {
		m.remove(m.entries[old])
	}
	m.lastID++
	e.id = m.lastID
	m.entries[e.id] = m.used.PushFront(e)
	m.byText[key] = e.id
	m.o.Index.Add(e.scope, e.id, e.vector)
	for m.used.Len() > m.o.MaxEntries {
		m.remove(m.used.Back())
	}
}

// remove drops an entry. The caller holds the lock.
func (m *Model) remove(el *list.Element) {
	e := m.used.Remove(el).(*entry)
	delete(m.entries, e.id)
	delete(m.byText, textKey{e.scope, e.Question})
	m.o.Index.Remove(e.scope, e.id)
}

// Len returns the number of entries.
func (m *Model) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used.Len()
}

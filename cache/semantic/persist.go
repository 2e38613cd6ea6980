package semantic

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prodailabs/prodai/cache"
)

// A Store keeps the entries of a [Model] after the program ends. The stores of
// cache/disk and cache/redis do.
type Store interface {
	cache.Store
	cache.Walker
}

// A record is what an entry has beside its answer. Questions are bytes, since JSON
// changes a text that isn't UTF-8.
type record struct {
	Question     []byte        `json:"question"`
	Scope        []byte        `json:"scope"`
	Embedder     string        `json:"embedder"`
	Vector       []byte        `json:"vector"` // float32, little-endian
	Observations []observation `json:"observations,omitempty"`
}

// storeKey names an entry in the store. The name of the embedder is in it, so that
// two embedders don't overwrite each other's entries.
func (m *Model) storeKey(scope cache.Key, question string) cache.Key {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "semantic %q ", m.o.Embedder) // a hash never fails
	h.Write(scope[:])
	h.Write([]byte(question))
	return cache.Key(h.Sum(nil))
}

// save puts an entry that is still there into the store, and returns why it didn't. What
// was put meanwhile for the same question may be newer, so it looks again after the Put.
func (m *Model) save(ctx context.Context, e *entry) string {
	if m.o.Store == nil {
		return ""
	}
	m.saving.RLock()
	defer m.saving.RUnlock()
	for {
		m.mu.Lock()
		el := m.entries[m.byText[textKey{e.scope, e.Question}]]
		if el == nil {
			m.mu.Unlock()
			return "deleted meanwhile"
		}
		e = el.Value.(*entry)
		seen, version := slices.Clone(e.learned.observations), e.learned.version
		m.mu.Unlock()
		if err := m.put(ctx, e, seen); err != nil {
			m.stats[storeErrors].Add(1)
			return "store failed"
		}
		m.mu.Lock()
		current := m.entries[m.byText[textKey{e.scope, e.Question}]]
		done := current == nil || current == el && e.learned.version == version
		m.mu.Unlock()
		if done {
			return ""
		}
	}
}

func (m *Model) put(ctx context.Context, e *entry, seen []observation) error {
	r := record{Question: []byte(e.Question), Scope: e.scope[:], Embedder: m.o.Embedder, Observations: seen}
	for _, x := range e.vector {
		r.Vector = binary.LittleEndian.AppendUint32(r.Vector, math.Float32bits(x))
	}
	extra, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return m.o.Store.Put(context.WithoutCancel(ctx), m.storeKey(e.scope, e.Question), &cache.Entry{Response: e.response,
		Model: e.Model, Tenant: e.Tenant, Namespace: e.Namespace, Attributes: e.Attributes,
		Stored: e.At, Expires: e.expires, Took: e.took, Extra: extra})
}

// recordOf reads the record of a stored entry. It is false for one that is damaged, and
// for one of a cache.Model.
func recordOf(from *cache.Entry) (record, bool) {
	var r record
	if from == nil || json.Unmarshal(from.Extra, &r) != nil {
		return r, false
	}
	return r, len(r.Scope) == len(cache.Key{}) && len(r.Vector)%4 == 0 && len(r.Observations) <= maxObservations
}

func (r record) stored(from *cache.Entry) Stored {
	return Stored{from.Tenant, from.Namespace, from.Model, string(r.Question), from.Stored, from.Attributes}
}

// entryOf returns the entry that the store has under a key, or nil if it can't be used:
// its vector is another embedder's, for example.
func (m *Model) entryOf(key cache.Key, from *cache.Entry) *entry {
	r, ok := recordOf(from)
	if !ok || r.Embedder != m.o.Embedder || m.o.Policy.MayStore(from.Response) != "" {
		return nil
	}
	v := make([]float32, 0, len(r.Vector)/4)
	for at := 0; at < len(r.Vector); at += 4 {
		v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(r.Vector[at:])))
	}
	vector, ok := unit(v)
	if !ok {
		return nil
	}
	for _, o := range r.Observations {
		if !(math.Abs(o.Score) <= 1.001) { // the rounding of a cosine
			return nil
		}
	}
	e := &entry{Stored: r.stored(from), scope: cache.Key(r.Scope), vector: vector, response: from.Response, expires: from.Expires, took: from.Took}
	if m.storeKey(e.scope, e.Question) != key {
		return nil
	}
	e.learned.observations = r.Observations
	return e
}

// Load adds the entries that Options.Store has and this Model doesn't, of earlier
// programs and of other processes, and returns their number. Call it before the first
// question; entries that other processes stored later need another Load. If there are
// more than MaxEntries, the newest are used: each takes the place of an older one that
// was not used for the longest time. Entries that can't be read, or are of another
// Namespace, are left out, and those past their time are dropped from a store that is a
// cache.Expirer; others do that by themselves. Calls go on meanwhile. If the error isn't
// nil, some entries may be missing, and the Model works without them.
func (m *Model) Load(ctx context.Context) (int, error) {
	if m.o.Store == nil {
		return 0, nil
	}
	now := m.o.Now()
	var past []cache.Key
	defer func() {
		if store, ok := m.o.Store.(cache.Expirer); ok {
			for _, key := range past {
				m.saving.Lock() // a new answer may be about to come there
				store.Expire(ctx, key, now)
				m.saving.Unlock()
			}
		}
	}()
	m.saving.RLock() // what a Delete drops must not come back
	defer m.saving.RUnlock()
	found := newest{room: m.o.MaxEntries, entries: map[cache.Key]*entry{}}
	err := m.o.Store.Walk(ctx, func(key cache.Key, from *cache.Entry) bool {
		e := m.entryOf(key, from)
		if e == nil {
			return false
		}
		if from.Expired(now) {
			past = append(past, key)
			return false
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if e.Namespace == m.o.Namespace && !m.has(e) {
			found.add(key, e)
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("semantic: load: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := slices.DeleteFunc(found.take(), m.has) // what was stored meanwhile is newer
	fresh = fresh[:m.room(fresh)]
	for _, e := range slices.Backward(fresh) { // the one that is inserted last leaves last
		m.insert(e)
		if m.learner != nil {
			seen := e.learned.observations
			e.learned = learned{}
			for _, o := range seen {
				m.learner.observe(&e.learned, o)
			}
		}
	}
	return len(fresh), err
}

// has reports whether an entry of the same text is there. The caller holds the lock.
func (m *Model) has(e *entry) bool {
	_, ok := m.byText[textKey{e.scope, e.Question}]
	return ok
}

// room returns how many of the entries, the newest first, have room, or are newer than
// what leaves for them. The caller holds the lock.
func (m *Model) room(fresh []*entry) int {
	n := min(len(fresh), m.o.MaxEntries-m.used.Len())
	for el := m.used.Back(); el != nil && n < len(fresh) && el.Value.(*entry).At.Before(fresh[n].At); el = el.Prev() {
		n++
	}
	return n
}

// A newest collects the newest entries, and at most as many others.
type newest struct {
	room    int
	entries map[cache.Key]*entry
}

func (f *newest) add(key cache.Key, e *entry) {
	f.entries[key] = e
	if len(f.entries) < 2*f.room {
		return
	}
	keys := slices.SortedFunc(maps.Keys(f.entries), func(a, b cache.Key) int { return f.entries[b].At.Compare(f.entries[a].At) })
	for _, old := range keys[f.room:] {
		delete(f.entries, old)
	}
}

// take returns the newest entries, the newest first.
func (f *newest) take() []*entry {
	out := slices.SortedFunc(maps.Values(f.entries), func(a, b *entry) int { return b.At.Compare(a.At) })
	return out[:min(f.room, len(out))]
}

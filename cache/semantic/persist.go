package semantic

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
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

// save puts an entry that is still there into the store, and returns why it didn't.
func (m *Model) save(ctx context.Context, e *entry) string {
	if m.o.Store == nil {
		return ""
	}
	m.saving.RLock()
	defer m.saving.RUnlock()
	m.mu.Lock()
	_, ok := m.entries[e.id]
	r := record{Question: []byte(e.Question), Scope: e.scope[:], Embedder: m.o.Embedder, Observations: slices.Clone(e.learned.observations)}
	m.mu.Unlock()
	if !ok {
		return "deleted meanwhile"
	}
	for _, x := range e.vector {
		r.Vector = binary.LittleEndian.AppendUint32(r.Vector, math.Float32bits(x))
	}
	extra, err := json.Marshal(r)
	if err == nil {
		err = m.o.Store.Put(context.WithoutCancel(ctx), m.storeKey(e.scope, e.Question), &cache.Entry{Response: e.response,
			Model: e.Model, Tenant: e.Tenant, Namespace: e.Namespace, Attributes: e.Attributes,
			Stored: e.At, Expires: e.expires, Took: e.took, Extra: extra})
	}
	if err != nil {
		m.stats[storeErrors].Add(1)
		return "store failed"
	}
	return ""
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
// question; entries that other processes stored later need another Load. If more than
// MaxEntries are there, the newest are used. Entries that can't be read are left out,
// and those past their time are dropped from the store. If the error isn't nil, some
// entries may be missing, and the Model works without them.
func (m *Model) Load(ctx context.Context) (int, error) {
	if m.o.Store == nil {
		return 0, nil
	}
	m.saving.Lock()
	defer m.saving.Unlock()
	now := m.o.Now()
	found := map[cache.Key]*entry{}
	err := m.o.Store.Walk(ctx, func(key cache.Key, from *cache.Entry) bool {
		e := m.entryOf(key, from)
		if e != nil && from.Expired(now) {
			return true
		}
		if e != nil {
			found[key] = e
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("semantic: load: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, e := range byAge(found) {
		if _, ok := m.byText[textKey{e.scope, e.Question}]; ok {
			continue
		}
		m.insert(e)
		if m.learner != nil {
			seen := e.learned.observations
			e.learned = learned{}
			for _, o := range seen {
				m.learner.observe(&e.learned, o)
			}
		}
		n++
	}
	return min(n, m.used.Len()), err
}

// byAge returns the entries, the oldest first: the one that is inserted last leaves last.
func byAge(found map[cache.Key]*entry) []*entry {
	out := make([]*entry, 0, len(found))
	for _, e := range found {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int { return a.At.Compare(b.At) })
	return out
}

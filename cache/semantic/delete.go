package semantic

import (
	"context"
	"fmt"
	"maps"

	"github.com/prodailabs/prodai/cache"
)

// Delete drops the entries for which the function returns true, in memory and in
// Options.Store, and returns their number. The function can pick all entries of one
// tenant or of one user. It is called for calls in progress too; the answers of those
// that it picks are not stored. What the store has and can't be read is dropped too,
// since it may be one of them. If the error isn't nil, some entries may be left: delete
// again.
func (m *Model) Delete(ctx context.Context, drop func(Stored) bool) (int, error) {
	if drop == nil {
		return 0, nil
	}
	m.saving.Lock()
	defer m.saving.Unlock()
	dropped := map[cache.Key]bool{}
	m.mu.Lock()
	for c := range m.asking {
		if drop(c.Stored) {
			m.asking[c] = true
		}
	}
	for _, el := range m.entries {
		if e := el.Value.(*entry); drop(e.Stored) {
			m.remove(el)
			dropped[m.storeKey(e.scope, e.Question)] = true
		}
	}
	m.mu.Unlock()
	if m.o.Store == nil {
		return len(dropped), nil
	}
	err := m.o.Store.Walk(ctx, func(key cache.Key, from *cache.Entry) bool {
		if from != nil && from.Extra == nil {
			return false // of a cache.Model
		}
		if r, ok := recordOf(from); ok && !drop(r.stored(from)) {
			return false
		}
		dropped[key] = true
		return true
	})
	if err != nil {
		return len(dropped), fmt.Errorf("semantic: delete: %w", err)
	}
	return len(dropped), nil
}

// ask lists the call as one in progress, which a Delete must reach, until the returned
// function is called.
func (m *Model) ask(c *call) func() {
	if m.o.Attributes != nil {
		c.Attributes = maps.Clone(m.o.Attributes(c.ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asking[c] = false
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.asking, c)
	}
}

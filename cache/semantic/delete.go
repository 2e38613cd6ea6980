package semantic

import "maps"

// Delete drops the entries for which the function returns true, and returns their
// number. The function can pick all entries of one tenant or of one user. It is called
// for calls in progress too; the answers of those that it picks are not stored.
func (m *Model) Delete(drop func(Stored) bool) int {
	if drop == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for c := range m.asking {
		if drop(c.Stored) {
			m.asking[c] = true
		}
	}
	for _, el := range m.entries {
		if drop(el.Value.(*entry).Stored) {
			m.remove(el)
			n++
		}
	}
	return n
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

package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// ErrNoErase is wrapped by the error of [Model.Erase] if the store can't erase.
var ErrNoErase = errors.New("cache: the store can't erase")

// A Selection chooses stored answers: those that agree with every field that is set.
// The zero Selection chooses all.
type Selection struct {
	Tenant, Namespace, Model string
	Attributes               map[string]string // all of them, as Options.Attributes gave them
	Before                   time.Time         // stored before then
}

// Includes reports whether the selection chooses the entry.
func (s Selection) Includes(e *Entry) bool {
	if e == nil ||
		s.Tenant != "" && s.Tenant != e.Tenant ||
		s.Namespace != "" && s.Namespace != e.Namespace ||
		s.Model != "" && s.Model != e.Model ||
		!s.Before.IsZero() && !e.Stored.Before(s.Before) {
		return false
	}
	for name, value := range s.Attributes {
		if got, ok := e.Attributes[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// An Eraser is a [Store] that drops the answers of a [Selection].
type Eraser interface {
	// Erase drops the chosen entries and returns their number. If its error isn't nil,
	// some of them may be left.
	Erase(ctx context.Context, s Selection) (int, error)
}

// Erase drops the stored answers of a selection, a user's for example, and returns their
// number. Answers of calls in progress that it chooses are not stored either, nor does
// any kept error stay. Its error wraps [ErrNoErase] if the store is no [Eraser]. If the
// error isn't nil, some answers may be left: erase again.
func (m *Model) Erase(ctx context.Context, s Selection) (int, error) {
	store, ok := m.o.Store.(Eraser)
	if !ok {
		return 0, fmt.Errorf("%w: %T", ErrNoErase, m.o.Store)
	}
	m.mu.Lock()
	for f := range m.running {
		f.erase = append(f.erase, s)
	}
	clear(m.failed)
	m.mu.Unlock()
	n, err := store.Erase(ctx, s)
	if err != nil {
		return n, fmt.Errorf("cache: %w", err)
	}
	return n, nil
}

// erased drops the entry that a flight has just stored, if it was erased while the model
// was asked. It looks after the storing: an Erase that came before has seen no entry.
func (m *Model) erased(ctx context.Context, f *flight, e *Entry) bool {
	m.mu.Lock()
	erase := f.erase
	m.mu.Unlock()
	found := false
	for _, s := range erase {
		if s.Includes(e) {
			found = true
			if _, err := m.o.Store.(Eraser).Erase(ctx, s); err != nil {
				m.count(storeErrors)
			}
		}
	}
	return found
}

// Erase drops the entries of a selection. It never fails.
func (m *Memory) Erase(_ context.Context, s Selection) (int, error) {
	return m.Delete(func(_ Key, e *Entry) bool { return s.Includes(e) }), nil
}

// A failure is an error that is given to equal calls until its time.
type failure struct {
	err   error
	until time.Time
}

// maxFailures bounds the errors that are kept.
const maxFailures = 1000

// failure returns the kept error of an equal call, or nil.
func (m *Model) failure(key Key) error {
	if m.o.NegativeTTL <= 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.failed[key]
	if !ok {
		return nil
	}
	if !m.o.Now().Before(f.until) {
		delete(m.failed, key)
		return nil
	}
	return f.err
}

// remember keeps an error that equal calls would get again.
func (m *Model) remember(key Key, f *flight, err error) {
	if m.o.NegativeTTL <= 0 || !m.o.Lasting(err) {
		return
	}
	now := m.o.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(f.erase) > 0 {
		return
	}
	if len(m.failed) >= maxFailures {
		maps.DeleteFunc(m.failed, func(_ Key, old failure) bool { return !now.Before(old.until) })
	}
	for other := range m.failed {
		if len(m.failed) < maxFailures {
			break
		}
		delete(m.failed, other) // any: which one matters little
	}
	m.failed[key] = failure{err, now.Add(m.o.NegativeTTL)}
}

package store_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/storetest"
)

// memory is a database in memory. upsert, if it is set, is asked before each write.
type memory struct {
	mu     sync.Mutex
	rows   map[string]retrieve.Record
	batch  int
	sizes  []int
	upsert func(records []retrieve.Record) error
	search func() error
}

func newMemory() *memory { return &memory{rows: map[string]retrieve.Record{}, batch: 50} }

func (m *memory) Dim() int      { return storetest.Dim }
func (m *memory) MaxBatch() int { return m.batch }

func (m *memory) Upsert(ctx context.Context, records []retrieve.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sizes = append(m.sizes, len(records))
	err := ctx.Err()
	if m.upsert != nil && err == nil {
		err = m.upsert(records)
	}
	some, ok := errors.AsType[*store.UpsertError](err)
	if err != nil && !ok {
		return err
	}
	for _, r := range records {
		if !ok || !slices.Contains(some.IDs(), r.ID()) {
			m.rows[r.ID()] = copied(r)
		}
	}
	return err
}

func copied(r retrieve.Record) retrieve.Record {
	c, err := retrieve.NewRecord(r.Document)
	if err != nil {
		panic(err)
	}
	c.Vector = slices.Clone(r.Vector)
	return c
}

func (m *memory) Delete(_ context.Context, ids []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.rows)
	for _, id := range ids {
		delete(m.rows, id)
	}
	return before - len(m.rows), nil
}

func (m *memory) Get(_ context.Context, ids []string) ([]retrieve.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []retrieve.Record
	for _, id := range ids {
		if r, ok := m.rows[id]; ok {
			out = append(out, copied(r))
		}
	}
	return out, nil
}

func (m *memory) Search(_ context.Context, vector []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.search != nil {
		if err := m.search(); err != nil {
			return nil, err
		}
	}
	f, err := retrieve.ParseFilter(where.String())
	if err != nil {
		return nil, err
	}
	var out []retrieve.Record
	for _, r := range m.rows {
		if f.Match(r.Metadata) {
			r = copied(r)
			for i, x := range m.rows[r.ID()].Vector {
				r.Score += x * vector[i]
			}
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b retrieve.Record) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(k, len(out))], nil
}

func (m *memory) Scan(_ context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for id := range m.rows {
		if id > cursor {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	next := ""
	if len(ids) > n {
		ids, next = ids[:n], ids[n-1]
	}
	var out []retrieve.Record
	for _, id := range ids {
		out = append(out, m.rows[id])
	}
	return out, next, nil
}

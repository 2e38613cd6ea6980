package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/retrieve"
)

// Upsert writes passages, each in place of the one that has its id: batch by batch, so
// that a failure loses only what wasn't written yet. A text that the database has under
// the same id isn't embedded again. If some passages are not stored, the error is an
// [*UpsertError] that names them; all others are stored. A passage that the database
// refuses is set aside, and the others of its batch are written. The documents are not
// changed.
//
// Two documents with one id and different content are an error that wraps
// [retrieve.ErrID], and nothing is written.
func (s *Store) Upsert(ctx context.Context, docs []schema.Document) (retrieve.Changes, error) {
	_, did, err := s.upsert(ctx, docs)
	return did, err
}

// upsert returns the ids of the documents, too.
func (s *Store) upsert(ctx context.Context, docs []schema.Document) ([]string, retrieve.Changes, error) {
	u := &upsert{s: s, report: UpsertError{Total: len(docs)}}
	ids := make([]string, len(docs))
	for i, d := range docs {
		r, err := newRecord(d)
		if err != nil {
			u.fail(item{index: i, Record: r}, err)
			continue
		}
		ids[i] = r.ID()
		if err := u.add(item{index: i, Record: r}); err != nil {
			return nil, retrieve.Changes{}, err
		}
	}
	err := u.run(ctx, true)
	return ids, u.did, err
}

// UpsertRecords is [Store.Upsert] for passages that have a vector already, which must be
// of the store's embedder. It doesn't compare them with what is there.
func (s *Store) UpsertRecords(ctx context.Context, records []retrieve.Record) (retrieve.Changes, error) {
	u := &upsert{s: s, report: UpsertError{Total: len(records)}}
	for i, given := range records {
		r, err := newRecord(given.Document)
		if err == nil {
			err = s.checkVector(given.Vector)
		}
		if err != nil {
			u.fail(item{index: i, Record: r}, err)
			continue
		}
		r.Vector, _ = unit(given.Vector)
		if err := u.add(item{index: i, Record: r}); err != nil {
			return retrieve.Changes{}, err
		}
	}
	err := u.run(ctx, false)
	return u.did, err
}

// newRecord copies a document, and refuses one whose tenant or groups are not understood:
// they were meant to limit who finds it.
func newRecord(d schema.Document) (retrieve.Record, error) {
	r, err := retrieve.NewRecord(d)
	if err != nil {
		return retrieve.Record{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if v := r.Metadata[docmeta.Tenant]; v != nil {
		if _, ok := v.(string); !ok {
			return r, fmt.Errorf("%w: its tenant is a %T, want a string", ErrDocument, v)
		}
	}
	if v := r.Metadata[docmeta.Groups]; v != nil {
		groups, ok := v.([]any)
		ok = ok && len(groups) > 0
		for _, g := range groups {
			name, isName := g.(string)
			ok = ok && isName && name != ""
		}
		if !ok {
			return r, fmt.Errorf("%w: its groups are %v, want one or more strings", ErrDocument, v)
		}
	}
	return r, nil
}

// An item is a record and its place among those given.
type item struct {
	retrieve.Record
	index int
}

// An upsert is one call in progress.
type upsert struct {
	s      *Store
	items  []item
	at     map[string]int // id -> place in items
	did    retrieve.Changes
	report UpsertError
}

func (u *upsert) fail(it item, err error) {
	u.report.Failed = append(u.report.Failed, Failure{Index: it.index, ID: it.ID(), Err: err})
}

// add puts an item in line, once for each id.
func (u *upsert) add(it item) error {
	if u.at == nil {
		u.at = map[string]int{}
	}
	if i, twice := u.at[it.ID()]; twice {
		if !same(u.items[i].Record, it.Record) {
			return fmt.Errorf("%w: %q is the id of two different passages", retrieve.ErrID, it.ID())
		}
		return nil
	}
	u.at[it.ID()] = len(u.items)
	u.items = append(u.items, it)
	return nil
}

func same(a, b retrieve.Record) bool {
	if a.PageContent != b.PageContent || len(a.Metadata) != len(b.Metadata) {
		return false
	}
	x, errX := json.Marshal(a.Metadata)
	y, errY := json.Marshal(b.Metadata)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (u *upsert) run(ctx context.Context, embed bool) error {
	for rest := u.items; len(rest) > 0; {
		n := min(u.s.o.Batch, len(rest))
		batch := rest[:n]
		var err error
		if embed {
			batch, err = u.embed(ctx, batch)
		}
		if err != nil {
			for _, it := range rest[:n] {
				u.fail(it, err)
			}
		} else {
			err = u.write(ctx, batch)
		}
		rest = rest[n:]
		if err != nil {
			u.report.Cause = err
			for _, it := range rest {
				u.fail(it, err)
			}
			break
		}
	}
	if len(u.report.Failed) == 0 {
		return nil
	}
	sortFailures(u.report.Failed)
	return &u.report
}

// embed gives the items of a batch their vectors, and leaves out those that are stored as
// they are.
func (u *upsert) embed(ctx context.Context, batch []item) ([]item, error) {
	ids := make([]string, len(batch))
	for i, it := range batch {
		ids[i] = it.ID()
	}
	var there []retrieve.Record
	err := u.s.try(ctx, func() (err error) {
		there, err = u.s.db.Get(ctx, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	before := make(map[string]retrieve.Record, len(there))
	for _, r := range there {
		before[r.ID()] = r
	}
	var changed []item
	var texts []string
	var missing []int
	for _, it := range batch {
		old, has := before[it.ID()]
		has = has && len(old.Vector) == u.s.db.Dim()
		if has && same(old, it.Record) {
			u.did.Kept++
			continue
		}
		if has && old.PageContent == it.PageContent {
			it.Vector = old.Vector
		} else {
			texts = append(texts, it.PageContent)
			missing = append(missing, len(changed))
		}
		changed = append(changed, it)
	}
	if len(texts) == 0 {
		return changed, nil
	}
	vectors, err := u.s.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("store: embed %d texts: %w", len(texts), err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("%w: %d vectors for %d texts", retrieve.ErrEmbedder, len(vectors), len(texts))
	}
	for i, v := range vectors {
		if err := u.s.checkVector(v); err != nil {
			return nil, err
		}
		changed[missing[i]].Vector, _ = unit(v)
	}
	u.did.Embedded += len(texts)
	return changed, nil
}

// write writes a batch. Where the database refuses records, it finds them by halves and
// goes on with the others. It returns an error if the database can't be used any more; all
// that isn't stored is among the failures then.
func (u *upsert) write(ctx context.Context, batch []item) error {
	if len(batch) == 0 {
		return nil
	}
	records := make([]retrieve.Record, len(batch))
	for i, it := range batch {
		records[i] = it.Record
	}
	var some *UpsertError
	err := u.s.try(ctx, func() error {
		some = nil
		err := u.s.db.Upsert(ctx, records)
		if errors.As(err, &some) {
			return nil
		}
		return err
	})
	switch {
	case err == nil && some == nil:
		u.did.Added += len(batch)
		return nil
	case some != nil:
		return u.again(ctx, batch, some)
	case faultOf(err) == FaultRecords && len(batch) > 1:
		half := len(batch) / 2
		if err := u.write(ctx, batch[:half]); err != nil {
			for _, it := range batch[half:] {
				u.fail(it, err)
			}
			return err
		}
		return u.write(ctx, batch[half:])
	case faultOf(err) == FaultRecords:
		u.fail(batch[0], err)
		return nil
	}
	for _, it := range batch {
		u.fail(it, err)
	}
	return err
}

// again handles an answer that names some records of a batch as failed.
func (u *upsert) again(_ context.Context, batch []item, some *UpsertError) error {
	failed := map[string]error{}
	for _, f := range some.Failed {
		failed[f.ID] = f.Err
	}
	for _, it := range batch {
		if err := failed[it.ID()]; err != nil {
			u.fail(it, err)
			delete(failed, it.ID())
		} else {
			u.did.Added++
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("store: the database names records as failed that were not sent: %w", some)
	}
	return nil
}

// Delete removes the passages with these ids and returns how many there were. Without ids
// it does nothing.
func (s *Store) Delete(ctx context.Context, ids ...string) (int, error) {
	seen := map[string]bool{}
	var once []string
	for _, id := range ids {
		if id != "" && !seen[id] {
			seen[id] = true
			once = append(once, id)
		}
	}
	total := 0
	for len(once) > 0 {
		n := min(len(once), s.db.MaxBatch())
		err := s.try(ctx, func() error {
			gone, err := s.db.Delete(ctx, once[:n])
			total += gone
			return err
		})
		if err != nil {
			return total, err
		}
		once = once[n:]
	}
	return total, nil
}

// Get returns the passages with these ids that the caller may find, without vectors.
func (s *Store) Get(ctx context.Context, id string) (schema.Document, bool, error) {
	var found []retrieve.Record
	err := s.try(ctx, func() (err error) {
		found, err = s.db.Get(ctx, []string{id})
		return err
	})
	if err != nil || len(found) == 0 {
		return schema.Document{}, false, err
	}
	allowed, _ := s.allowed(ctx)
	if !allowed.Match(found[0].Metadata) {
		return schema.Document{}, false, nil
	}
	return found[0].Document, true, nil
}

// Scan returns the passages of all tenants and groups with their vectors: up to n that
// come after the cursor, and the cursor for the next call, which is "" after the last one.
// It is for programs that copy a store, not for its callers.
func (s *Store) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	if n < 1 {
		return nil, "", fmt.Errorf("%w: n is %d, want at least 1", ErrOption, n)
	}
	var records []retrieve.Record
	next := ""
	err := s.try(ctx, func() (err error) {
		records, next, err = s.db.Scan(ctx, cursor, min(n, s.db.MaxBatch()))
		return err
	})
	return records, next, err
}

package retrieve

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// A Record is a passage with its vector: what one store gives to another, so that no text
// has to be embedded again. The metadata's "id" is the passage's id.
type Record struct {
	schema.Document
	Vector []float32
}

// ID returns the id of the passage.
func (r *Record) ID() string {
	id, _ := docmeta.String(r.Metadata, docmeta.ID)
	return id
}

// NewRecord copies a document as a collection does: its metadata goes through JSON, invalid
// UTF-8 is replaced, and its id is the metadata's "id", or a hash of its source, text and
// place. The record has no vector yet. It fails if JSON can't represent the metadata.
func NewRecord(d schema.Document) (Record, error) {
	source, _ := docmeta.String(d.Metadata, docmeta.Source)
	p, err := newPassage(source, d)
	if err != nil {
		return Record{}, err
	}
	return Record{Document: p.document(0)}, nil
}

// Scan returns the passages of all tenants and groups with their vectors, in the order of
// their ids: up to n that come after the cursor, and the cursor for the next call, which
// is "" after the last one. The first cursor is "". It is for programs that copy a
// collection, not for its callers.
func (c *Collection) Scan(_ context.Context, cursor string, n int) ([]Record, string, error) {
	if n < 1 {
		return nil, "", fmt.Errorf("%w: n is %d, want at least 1", ErrOption, n)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return nil, "", ErrClosed
	}
	var ids []string
	for id := range maps.Keys(c.passages) {
		if id > cursor {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	next := ""
	if len(ids) > n {
		ids = ids[:n]
		next = ids[n-1]
	}
	records := make([]Record, len(ids))
	for i, id := range ids {
		p := c.passages[id]
		records[i] = Record{Document: p.document(0), Vector: p.vector()}
	}
	return records, next, nil
}

// UpsertRecords is [Collection.Upsert] for passages that have a vector already, which must
// be of the collection's embedder.
func (c *Collection) UpsertRecords(_ context.Context, records []Record) (Changes, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return Changes{}, ErrClosed
	}
	var did Changes
	var ch change
	given := map[string]*passage{}
	dim := c.dim
	for _, r := range records {
		source, _ := docmeta.String(r.Metadata, docmeta.Source)
		p, err := newPassage(source, r.Document)
		if err != nil {
			return Changes{}, err
		}
		if dim == 0 {
			dim = len(r.Vector)
		}
		if err := checkVector(r.Vector, dim); err != nil {
			return Changes{}, fmt.Errorf("passage %q: %w", p.ID, err)
		}
		if twice := given[p.ID]; twice != nil {
			if !twice.same(p) {
				return Changes{}, fmt.Errorf("%w: %q is the id of two different passages", ErrID, p.ID)
			}
			continue
		}
		given[p.ID] = p
		p.Vector = encodeVector(unit(r.Vector))
		if before := c.passages[p.ID]; before != nil && before.same(p) && string(before.Vector) == string(p.Vector) {
			did.Kept++
			continue
		}
		ch.Put = append(ch.Put, p)
	}
	did.Added = len(ch.Put)
	if err := c.commit(&ch); err != nil {
		return Changes{}, err
	}
	return did, nil
}

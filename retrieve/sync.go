package retrieve

import (
	"context"
	"fmt"
	"slices"

	"github.com/tmc/langchaingo/schema"
)

// Changes counts what a [Collection.Sync] did.
type Changes struct {
	Added, Removed, Kept int // passages
	Embedded             int // of those added, texts that had to be embedded
}

func (c *Changes) add(more Changes) {
	c.Added += more.Added
	c.Removed += more.Removed
	c.Kept += more.Kept
	c.Embedded += more.Embedded
}

// Sync makes the passages of one source be exactly docs: new ones are embedded and
// added, missing ones are removed, the others stay as they are. A text that is
// already there for this source isn't embedded again, even if its offsets or
// metadata have changed. After an error or a crash nothing has changed; otherwise
// everything has.
//
// A passage's id is its metadata's "id", or a hash of its source, text and place.
// The metadata must be values that JSON can represent; it is copied.
func (c *Collection) Sync(ctx context.Context, source string, docs []schema.Document) (Changes, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return Changes{}, ErrClosed
	}
	old := c.ofSource(source)
	embedded := map[string]*passage{} // by text
	for _, p := range old {
		embedded[p.Text] = p
	}
	var did Changes
	var ch change
	wanted := map[string]bool{}
	var missing []string
	for _, d := range docs {
		p, err := newPassage(source, d)
		if err != nil {
			return Changes{}, err
		}
		if wanted[p.ID] {
			continue // the same passage twice
		}
		wanted[p.ID] = true
		if other := c.owner(p.ID); other != "" && other != source {
			return Changes{}, fmt.Errorf("%w: %q is the id of a passage of %s", ErrID, p.ID, other)
		}
		if before := old[p.ID]; before != nil && before.same(p) {
			did.Kept++
			continue
		}
		if same := embedded[p.Text]; same != nil {
			p.Vector, p.Weights = same.Vector, same.Weights
		} else {
			missing = append(missing, p.Text)
		}
		ch.Put = append(ch.Put, p)
	}
	for id := range old {
		if !wanted[id] {
			ch.Delete = append(ch.Delete, id)
		}
	}
	slices.Sort(ch.Delete)
	did.Added, did.Removed, did.Embedded = len(ch.Put), len(ch.Delete), len(missing)
	if err := c.embed(ctx, ch.Put, missing); err != nil {
		return Changes{}, err
	}
	if err := c.commit(&ch); err != nil {
		return Changes{}, err
	}
	return did, nil
}

// Remove removes all passages of a source and returns their number.
func (c *Collection) Remove(ctx context.Context, source string) (int, error) {
	did, err := c.Sync(ctx, source, nil)
	return did.Removed, err
}

// SyncAll makes the collection contain exactly these sources, each with its passages:
// it is [Collection.Sync] for each, and removes the sources that aren't among them. For
// the files of a folder see [Collection.SyncFolder]. An error leaves the sources that were done before it as
// they should be, and the others as they were.
func (c *Collection) SyncAll(ctx context.Context, sources map[string][]schema.Document) (Changes, error) {
	var total Changes
	add := func(did Changes, err error) error {
		total.add(did)
		return err
	}
	for source := range c.Sources() {
		if _, stays := sources[source]; !stays {
			if err := add(c.Sync(ctx, source, nil)); err != nil {
				return total, err
			}
		}
	}
	for source, docs := range sources {
		if err := add(c.Sync(ctx, source, docs)); err != nil {
			return total, err
		}
	}
	return total, nil
}

// owner returns the source of the passage with an id, or "".
func (c *Collection) owner(id string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if p := c.passages[id]; p != nil {
		return p.Source
	}
	return ""
}

func (c *Collection) ofSource(source string) map[string]*passage {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := map[string]*passage{}
	for id, p := range c.passages {
		if p.Source == source {
			out[id] = p
		}
	}
	return out
}

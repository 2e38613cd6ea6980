package retrieve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// Upsert adds passages, each in place of the one that has its id. The source is the
// metadata's "source", or "". A text that the replaced passage has too isn't embedded
// again. After an error or a crash nothing has changed; otherwise everything has. Two
// passages with one id and different content are an error that wraps [ErrID].
//
// Upsert is for records with ids of their own. For a document that is cut into passages
// use [Collection.Sync], which also removes the passages that are gone.
func (c *Collection) Upsert(ctx context.Context, docs []schema.Document) (Changes, error) {
	_, did, err := c.upsert(ctx, docs)
	return did, err
}

func (c *Collection) upsert(ctx context.Context, docs []schema.Document) ([]string, Changes, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return nil, Changes{}, ErrClosed
	}
	var did Changes
	var ch change
	var missing, ids []string
	given := map[string]*passage{}
	for _, d := range docs {
		source, _ := docmeta.String(d.Metadata, docmeta.Source)
		p, err := newPassage(source, d)
		if err != nil {
			return nil, Changes{}, err
		}
		ids = append(ids, p.ID)
		if twice := given[p.ID]; twice != nil {
			if !twice.same(p) {
				return nil, Changes{}, fmt.Errorf("%w: %q is the id of two different passages", ErrID, p.ID)
			}
			continue
		}
		given[p.ID] = p
		before := c.passages[p.ID]
		if before != nil && before.Source == p.Source && before.same(p) {
			did.Kept++
			continue
		}
		if before != nil && before.Text == p.Text {
			p.Vector, p.Weights = before.Vector, before.Weights
		} else {
			missing = append(missing, p.Text)
		}
		ch.Put = append(ch.Put, p)
	}
	did.Added, did.Embedded = len(ch.Put), len(missing)
	if err := c.embed(ctx, ch.Put, missing); err != nil {
		return nil, Changes{}, err
	}
	if err := c.commit(&ch); err != nil {
		return nil, Changes{}, err
	}
	return ids, did, nil
}

// Delete removes the passages with these ids and returns how many there were.
func (c *Collection) Delete(_ context.Context, ids ...string) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return 0, ErrClosed
	}
	var ch change
	seen := map[string]bool{}
	for _, id := range ids {
		if c.passages[id] != nil && !seen[id] {
			seen[id] = true
			ch.Delete = append(ch.Delete, id)
		}
	}
	if err := c.commit(&ch); err != nil {
		return 0, err
	}
	return len(ch.Delete), nil
}

// Backup writes a copy of the collection to a new file at path, which [Open] opens.
// Searches go on meanwhile; changes wait. A crash leaves no file, or a whole one. It
// fails with os.ErrExist if there is a file at path.
func (c *Collection) Backup(path string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return ErrClosed
	}
	records := append([]*change{{Embedder: c.o.EmbedderName, Sparse: c.sparseName()}}, c.everything()...)
	beside := path + ".part"
	file, err := writeFile(beside, records)
	if err == nil {
		err = os.Link(beside, path) // unlike a rename, it replaces no file
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = os.Rename(beside, path)
	}
	err = errors.Join(err, closeFile(file))
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("retrieve: backup: %w", err)
	}
	if err != nil {
		return fmt.Errorf("retrieve: backup to %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

func closeFile(file *os.File) error {
	if file == nil {
		return nil
	}
	return file.Close()
}

// Refresh reads what another process has written since the collection was opened with
// Options.ReadOnly, or refreshed. Searches see each change whole. After an error the
// collection is as it was, or empty if the file had to be read anew.
func (c *Collection) Refresh() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	switch {
	case c.isClosed():
		return ErrClosed
	case c.journal == nil || !c.journal.readOnly:
		return nil // the only writer
	}
	first := c.journal.last == 0
	err := c.journal.follow(func(payload []byte) error {
		err := c.follow(payload, first)
		first = false
		return err
	})
	if !errors.Is(err, errReplaced) {
		return err
	}
	old := c.journal
	_ = old.close() // of the file that was replaced
	c.forget()
	if err := c.load(old.path); err != nil {
		c.journal = old // so that the next call tries again
		return err
	}
	return nil
}

// follow makes the change of a record that another process has written.
func (c *Collection) follow(payload []byte, first bool) error {
	ch, err := c.decode(payload, first)
	if err != nil {
		return err
	}
	s, err := c.plan(ch)
	if err != nil {
		return err
	}
	if err := c.addVectors(s); err != nil {
		c.takeBack(s)
		return err
	}
	if c.index != nil {
		c.install(s)
	}
	return c.grow()
}

// ChangeEmbedder embeds all texts with another embedder, and uses it from then on. The
// name is as in Options.EmbedderName. Searches go on with the old vectors until the new
// ones are complete; changes wait. The collection's file is replaced as a whole, so an
// error or a crash leaves the old vectors.
func (c *Collection) ChangeEmbedder(ctx context.Context, e embeddings.Embedder, name string) error {
	if e == nil {
		return fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	if named, ok := e.(Named); ok && name == "" {
		name = named.Name()
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return ErrClosed
	}
	if c.journal != nil && c.journal.readOnly {
		return fmt.Errorf("%w: %s", ErrReadOnly, c.journal.path)
	}
	next := &Collection{embedder: e, o: c.o, flatUntil: c.flatUntil, passages: map[string]*passage{}}
	next.o.EmbedderName, next.o.Words, next.o.Sparse = name, nil, nil
	var changes []*change
	for _, ch := range c.everything() {
		anew := &change{}
		var texts []string
		for _, p := range ch.Put {
			anew.Put = append(anew.Put, &passage{ID: p.ID, Source: p.Source, Text: p.Text, Meta: p.Meta, Weights: p.Weights})
			texts = append(texts, p.Text)
		}
		if err := next.embed(ctx, anew.Put, texts); err != nil {
			return err
		}
		changes = append(changes, anew)
	}
	records := c.compacted(name, changes)
	for _, ch := range records {
		if err := next.apply(ch); err != nil {
			return err
		}
	}
	if _, err := next.build(); err != nil {
		return err
	}
	if c.journal != nil {
		if err := c.journal.compact(records); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.embedder, c.o.EmbedderName = e, name
	c.generation++
	c.passages, c.slots, c.free, c.index = next.passages, next.slots, next.free, next.index
	c.dim, c.limited, c.dead, c.unsaved = next.dim, next.limited, 0, 1
	return nil
}

package retrieve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/internal/event"
)

// Open opens the collection in the file at path, or creates it; with "" the
// collection is in memory only. It fails with [ErrOption], [ErrCorrupt],
// [ErrLocked], or [ErrEmbedder] if the file's vectors are another embedder's. On Windows
// the lock is a file beside it, with the ending .lock.
func Open(path string, e embeddings.Embedder, o *Options) (*Collection, error) {
	return openWith(path, e, o, flatUntil)
}

func openWith(path string, e embeddings.Embedder, o *Options, flatUntil int) (*Collection, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	c := &Collection{embedder: e, passages: map[string]*passage{}, flatUntil: flatUntil}
	if o != nil {
		c.o = *o
	}
	if named, ok := e.(Named); ok && c.o.EmbedderName == "" {
		c.o.EmbedderName = named.Name()
	}
	if c.o.DenseWeight == 0 && c.o.SparseWeight == 0 {
		c.o.DenseWeight, c.o.SparseWeight = 1, 1
		if c.o.Normalize != nil {
			c.o.DenseWeight, c.o.SparseWeight = scoresDense, 1-scoresDense
		}
	}
	if !(c.o.DenseWeight >= 0 && c.o.SparseWeight >= 0) || math.IsInf(c.o.DenseWeight+c.o.SparseWeight, 0) {
		return nil, fmt.Errorf("%w: Options.DenseWeight and SparseWeight are %v and %v: want 0 or more, and finite", ErrOption, c.o.DenseWeight, c.o.SparseWeight)
	}
	if err := c.checkFields(); err != nil {
		return nil, err
	}
	if err := c.checkSparse(); err != nil {
		return nil, err
	}
	if c.o.K < 0 {
		return nil, fmt.Errorf("%w: Options.K is %d: want 0 (the default, 5) or more", ErrOption, c.o.K)
	}
	if c.o.K == 0 {
		c.o.K = 5
	}
	c.o.Logger = event.Logger(c.o.Logger)
	if path == "" {
		if c.o.ReadOnly {
			return nil, fmt.Errorf("%w: Options.ReadOnly needs a path", ErrOption)
		}
		return c, nil
	}
	if err := c.load(path); err != nil {
		return nil, err
	}
	return c, nil
}

// load reads the file.
func (c *Collection) load(path string) error {
	stored := &shelf{findStored(path, graphFile), findStored(path, wordsFile)}
	first := true
	c.wordless = true
	var err error
	c.journal, err = openJournal(path, c.o.ReadOnly, func(j *journal, payload []byte) error {
		if err := c.replay(payload, first); err != nil {
			return err
		}
		first = false
		c.take(stored, j)
		return nil
	})
	if err != nil {
		return err
	}
	j := c.journal
	if j.lost > 0 && !c.o.ReadOnly { // a reader may see a record that is being written
		c.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, event.RetrieveTruncated, slog.Int64(event.Bytes, j.lost), slog.String(event.Reason, "torn record"))
	}
	if !j.readOnly {
		if !first {
			_ = c.compactIfWorthIt() // a full disk doesn't keep a collection from being opened
		} else if err := j.append(change{Embedder: c.o.EmbedderName, Sparse: c.sparseName()}); err != nil {
			return errors.Join(err, j.close())
		}
	}
	built, err := c.build()
	if err != nil {
		return errors.Join(err, j.close())
	}
	if c.buildWords() || built {
		c.saveIndex()
	}
	return nil
}

// replay makes the change of a record of the file.
func (c *Collection) replay(payload []byte, first bool) error {
	ch, err := c.decode(payload, first)
	if err != nil {
		return err
	}
	return c.apply(ch)
}

func (c *Collection) decode(payload []byte, first bool) (*change, error) {
	ch := &change{}
	if err := json.Unmarshal(payload, ch); err != nil {
		return nil, err
	}
	if first && ch.Embedder != c.o.EmbedderName {
		return nil, fmt.Errorf("%w: made with %q, opened with %q", ErrEmbedder, ch.Embedder, c.o.EmbedderName)
	}
	if first && ch.Sparse != c.sparseName() {
		return nil, fmt.Errorf("%w: its sparse vectors are made with %q, opened with %q", ErrEmbedder, ch.Sparse, c.sparseName())
	}
	return ch, nil
}

// Close closes the file. Searches fail afterwards with [ErrClosed].
func (c *Collection) Close() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.isClosed() {
		return nil
	}
	if c.unsaved > 0 {
		c.saveIndex()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.journal == nil {
		return nil
	}
	return c.journal.close()
}

func (c *Collection) isClosed() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.closed
}

package retrieve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// Errors of a [Collection].
var (
	// ErrOption is wrapped by errors of [Open] for arguments that cannot work.
	ErrOption = errors.New("retrieve: invalid option")
	// ErrEmbedder is wrapped by errors about vectors of another embedder, or of
	// another length, than those of the collection.
	ErrEmbedder = errors.New("retrieve: the vectors don't fit the collection")
	// ErrID is wrapped by the error of a passage that has the id of another
	// source's passage and would replace it.
	ErrID = errors.New("retrieve: the id belongs to another source")
	// ErrClosed is returned by the methods of a closed collection.
	ErrClosed = errors.New("retrieve: the collection is closed")
)

// A Collection is a set of passages that can be searched by meaning and by
// words. It lives in memory and, if it was opened with a path, in one file. It
// is safe for concurrent use.
type Collection struct {
	embedder embeddings.Embedder
	o        Options

	writing   sync.Mutex // one change at a time; embedding happens under it
	journal   *journal   // nil: in memory only
	dead      int        // removed passages that are still in the file
	flatUntil int        // the constant, or less in tests
	unsaved   int        // changes of the index since it was saved

	mu       sync.RWMutex
	closed   bool
	passages map[string]*passage // by id
	slots    []*passage          // by number; nil: free
	free     []int
	index    Index // nil: nothing was ever added, or the file is being read
	moving   bool  // the index has vectors of no passage
	wordless bool  // the words don't have the passages yet: the file is being read
	limited  int   // passages that not every caller may find
	dim      int   // 0: none seen yet

	generation int // counts the embedders
}

// change is a record of the journal.
type change struct {
	Embedder string     `json:"embedder,omitempty"` // in the first record
	Sparse   string     `json:"sparse,omitempty"`   // in the first record
	Put      []*passage `json:"put,omitempty"`
	Delete   []string   `json:"delete,omitempty"` // ids
	Free     []int      `json:"free,omitempty"`   // numbers to give from now on, last first: after a compaction
}

// Sources returns the sources and the number of passages of each, those of all tenants
// and groups: it is for the program, not for its callers.
func (c *Collection) Sources() map[string]int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := map[string]int{}
	for _, p := range c.passages {
		out[p.Source]++
	}
	return out
}

// Len returns the number of passages.
func (c *Collection) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.passages)
}

// Get returns the passage with an id, and whether there is one that the caller may
// find.
func (c *Collection) Get(ctx context.Context, id string) (schema.Document, bool) {
	who := c.caller(ctx)
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.passages[id]
	if !ok || !p.access.allows(who) {
		return schema.Document{}, false
	}
	return p.document(0), true
}

// Passages returns the passages of a source in the order of the source: by their
// start, and those without one last. A passage that the caller may not find is left
// out, as in a search.
func (c *Collection) Passages(ctx context.Context, source string) []schema.Document {
	who := c.caller(ctx)
	var out []schema.Document
	for _, p := range c.ofSource(source) {
		if p.access.allows(who) {
			out = append(out, p.document(0))
		}
	}
	slices.SortFunc(out, func(a, b schema.Document) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(fmt.Sprint(a.Metadata[docmeta.ID]), fmt.Sprint(b.Metadata[docmeta.ID])))
	})
	return out
}

// place is where a passage starts in its source, or after all others.
func place(d schema.Document) int {
	if start, _, ok := docmeta.Span(d.Metadata); ok {
		return start
	}
	return math.MaxInt
}

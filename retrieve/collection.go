package retrieve

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
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

// Options configure a [Collection]. The zero value works.
type Options struct {
	// EmbedderName identifies the embedder's model. It is stored with the
	// vectors, and a collection that was made with another model is refused.
	// Default: the embedder's [Named] name, if it has one.
	EmbedderName string

	// Words ranks documents by the words they share with a query. It must be empty,
	// and belongs to the collection from then on. A *bm25.Index of retrieve/bm25
	// fits. Default: only vectors are searched.
	Words Words

	// DenseWeight and SparseWeight are the weights of the search by vectors and of
	// the search by words in the fusion. If the embedder finds less than the words
	// do, lower DenseWeight: with equal weights the fusion can be worse than BM25
	// alone. Default: both 1, if both are 0.
	DenseWeight, SparseWeight float64

	// K is how many documents GetRelevantDocuments returns. Default: 5.
	K int

	// Index makes the index that finds near vectors, which have length 1 and dim
	// elements. It is filled again after each start. Default: an exact one up to 20,000
	// passages, then a graph of retrieve/hnsw, which is stored beside the collection's
	// file.
	Index func(dim int) (Index, error)

	// Tenant returns the tenant that a search belongs to. A document with a tenant
	// in its metadata is found only by that tenant, a document without a tenant by
	// all. Default: only documents without a tenant are found.
	Tenant func(context.Context) string

	// Groups returns the groups that the caller of a search is in. A document with
	// "groups" in its metadata, a list of strings, is found only by a caller who is in
	// one of them, and by none if the list is empty or isn't one of strings. Default:
	// only documents without groups are found.
	Groups func(context.Context) []string

	// ReadOnly opens the file for reading, also while another process writes to it.
	// [Collection.Refresh] reads what was written since. Default: false, the collection
	// is the file's only writer.
	ReadOnly bool

	// Logger receives retrieve.query and retrieve.truncated. Default: they are
	// discarded.
	Logger *slog.Logger
}

// Named is an embedder that knows the name of its model.
type Named interface {
	// Name identifies the model: vectors of models with different names cannot
	// be compared.
	Name() string
}

// A Hit is a document's number and its score in one ranking. It is an alias of a
// plain struct, so that an index can implement [Words] without importing this
// package.
type Hit = struct {
	ID    int
	Score float64
}

// Words is an index of texts by their words, safe for concurrent use.
type Words interface {
	Add(id int, text string)
	Remove(id int) bool
	Search(query string, k int) []Hit // best first
}

// FilteredWords is a [Words] that looks for the best allowed documents itself, instead of
// ranking all documents for the collection to choose from. A *bm25.Index is one.
type FilteredWords interface {
	Words
	SearchAllowed(query string, k int, allowed func(id int) bool) []Hit // best first; nil allows all
}

// depth is how many documents each of the two searches gives to the fusion, at
// least; rrfK is the k of [RRF].
const (
	depth = 100
	rrfK  = 60
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
	limited  int   // passages that not every caller may find
	dim      int   // 0: none seen yet

	generation int // counts the embedders
}

type passage struct {
	ID     string         `json:"id"`
	Source string         `json:"source"`
	Text   string         `json:"text"`
	Meta   map[string]any `json:"meta,omitempty"`
	Vector []byte         `json:"vector"` // float32, little-endian
	number int
	zero   bool // the vector has no direction; it isn't in the index
	access access
}

// vector returns the vector as numbers.
func (p *passage) vector() []float32 {
	v := make([]float32, len(p.Vector)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(p.Vector[4*i:]))
	}
	return v
}

// change is a record of the journal.
type change struct {
	Embedder string     `json:"embedder,omitempty"` // in the first record
	Put      []*passage `json:"put,omitempty"`
	Delete   []string   `json:"delete,omitempty"` // ids
	Free     []int      `json:"free,omitempty"`   // numbers to give from now on, last first: after a compaction
}

// Open opens the collection in the file at path, or creates it; with "" the
// collection is in memory only. It fails with [ErrOption], [ErrCorrupt],
// [ErrLocked], or [ErrEmbedder] if the file's vectors are another embedder's.
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
	}
	if !(c.o.DenseWeight >= 0 && c.o.SparseWeight >= 0) {
		return nil, fmt.Errorf("%w: Options.DenseWeight and SparseWeight are %v and %v: want 0 or more", ErrOption, c.o.DenseWeight, c.o.SparseWeight)
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
	stored := findIndex(path)
	first := true
	var err error
	c.journal, err = openJournal(path, c.o.ReadOnly, func(j *journal, payload []byte) error {
		if err := c.replay(payload, first); err != nil {
			return err
		}
		first = false
		return c.takeStored(stored, j)
	})
	if err != nil {
		return err
	}
	j := c.journal
	if j.lost > 0 && !c.o.ReadOnly { // a reader may see a record that is being written
		c.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, event.RetrieveTruncated, slog.Int64(event.Bytes, j.lost), slog.String(event.Reason, "torn record"))
	}
	if !j.readOnly {
		if first {
			err = j.append(change{Embedder: c.o.EmbedderName})
		} else {
			err = c.compactIfWorthIt()
		}
		if err != nil {
			return errors.Join(err, j.close())
		}
	}
	if err := c.build(); err != nil {
		return errors.Join(err, j.close())
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

// owner returns the source of the passage with an id, or "".
func (c *Collection) owner(id string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if p := c.passages[id]; p != nil {
		return p.Source
	}
	return ""
}

// Changes counts what a [Collection.Sync] did.
type Changes struct {
	Added, Removed, Kept int // passages
	Embedded             int // of those added, texts that had to be embedded
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
	vectors := map[string][]byte{} // by text
	for _, p := range old {
		vectors[p.Text] = p.Vector
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
		if p.Vector = vectors[p.Text]; p.Vector == nil {
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

func (c *Collection) isClosed() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.closed
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

// newPassage copies a document through JSON, so that the passage in memory equals
// the one that is read from the file later.
func newPassage(source string, d schema.Document) (*passage, error) {
	meta, err := json.Marshal(d.Metadata)
	if err != nil {
		return nil, fmt.Errorf("retrieve: the metadata of a passage of %s can't be stored: %w", source, err)
	}
	p := &passage{Source: source, Text: strings.ToValidUTF8(d.PageContent, "\ufffd")} // the file is JSON
	if err := json.Unmarshal(meta, &p.Meta); err != nil {
		return nil, fmt.Errorf("retrieve: %w", err)
	}
	id, ok := docmeta.String(p.Meta, docmeta.ID)
	if !ok || id == "" {
		start, _, _ := docmeta.Span(p.Meta)
		h := sha256.New()
		for _, field := range []string{source, d.PageContent, fmt.Sprint(start)} {
			fmt.Fprintf(h, "%d:%s", len(field), field) // a hash never fails
		}
		id = hex.EncodeToString(h.Sum(nil)[:12])
	}
	p.ID = id
	return p, nil
}

func (p *passage) same(q *passage) bool {
	if p.Text != q.Text || len(p.Meta) != len(q.Meta) {
		return false
	}
	a, errA := json.Marshal(p.Meta)
	b, errB := json.Marshal(q.Meta)
	return errA == nil && errB == nil && string(a) == string(b)
}

func (p *passage) document(score float32) schema.Document {
	meta := maps.Clone(p.Meta)
	if meta == nil {
		meta = map[string]any{}
	}
	meta[docmeta.ID] = p.ID
	if p.Source != "" {
		meta[docmeta.Source] = p.Source
	}
	return schema.Document{PageContent: p.Text, Metadata: meta, Score: score}
}

// get returns a value of the metadata that a search returns.
func (p *passage) get(key string) any {
	switch {
	case key == docmeta.ID:
		return p.ID
	case key == docmeta.Source && p.Source != "":
		return p.Source
	}
	return p.Meta[key]
}

// embed sets the vectors of the passages that have none.
func (c *Collection) embed(ctx context.Context, put []*passage, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	vectors, err := c.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return fmt.Errorf("retrieve: embed %d texts: %w", len(texts), err)
	}
	if len(vectors) != len(texts) {
		return fmt.Errorf("%w: %d vectors for %d texts", ErrEmbedder, len(vectors), len(texts))
	}
	dim := c.dim
	next := 0
	for _, p := range put {
		if p.Vector != nil {
			continue
		}
		v := vectors[next]
		next++
		if dim == 0 {
			dim = len(v)
		}
		if err := checkVector(v, dim); err != nil {
			return err
		}
		p.Vector = encodeVector(unit(v))
	}
	return nil
}

func checkVector(v []float32, dim int) error {
	if len(v) == 0 || len(v) != dim {
		return fmt.Errorf("%w: a vector has %d dimensions, want %d", ErrEmbedder, len(v), dim)
	}
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("%w: dimension %d of a vector is %v", ErrEmbedder, i, x)
		}
	}
	return nil
}

func encodeVector(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

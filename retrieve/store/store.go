package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve"
)

// A Retriever finds and keeps passages. [retrieve.Collection] and [Store] are ones, so
// that a program which takes a Retriever moves from one process to a database, or from one
// database to another, by another constructor.
type Retriever interface {
	schema.Retriever
	vectorstores.VectorStore
	Search(ctx context.Context, query string, k int, q *retrieve.Query) ([]retrieve.Result, error)
	Upsert(ctx context.Context, docs []schema.Document) (retrieve.Changes, error)
	Delete(ctx context.Context, ids ...string) (int, error)
}

var (
	_ Retriever = (*retrieve.Collection)(nil)
	_ Retriever = (*Store)(nil)
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// K is how many documents GetRelevantDocuments returns. Default: 5.
	K int

	// Batch is how many documents are embedded and written at once. A failure loses
	// at most the embeddings of one batch. Default: 100, or what the database takes if
	// that is less.
	Batch int

	// Attempts is how often a call is sent that fails for a while, such as by an
	// overload or a lost connection. Upserts and deletes can be repeated without harm.
	// Default: 4.
	Attempts int

	// Backoff is the wait before the second attempt. It doubles for each attempt after
	// it, a random half is taken off, and a wait that the database asks for counts
	// if it is longer, up to a minute. Default: 250 ms.
	Backoff time.Duration

	// Tenant returns the tenant that a search belongs to. A document with a tenant in
	// its metadata is found only by that tenant, a document without a tenant by all.
	// Default: only documents without a tenant are found.
	Tenant func(context.Context) string

	// Groups returns the groups that the caller of a search is in. A document with
	// "groups" in its metadata, a list of strings, is found only by a caller who is in
	// one of them. Default: only documents without groups are found.
	Groups func(context.Context) []string

	// Logger receives retrieve.query. Default: it is discarded.
	Logger *slog.Logger
}

// A Store keeps passages in a database, and finds them by meaning. It is safe for
// concurrent use.
type Store struct {
	db       Database
	embedder embeddings.Embedder
	o        Options
}

// New makes a store of a database, such as pgvector.Open returns. The embedder must be the
// one that made the vectors of the database.
func New(db Database, e embeddings.Embedder, o *Options) (*Store, error) {
	if db == nil || e == nil {
		return nil, fmt.Errorf("%w: the database or the embedder is nil", ErrOption)
	}
	s := &Store{db: db, embedder: e}
	if o != nil {
		s.o = *o
	}
	if s.o.K < 0 || s.o.Batch < 0 || s.o.Attempts < 0 || s.o.Backoff < 0 {
		return nil, fmt.Errorf("%w: K, Batch, Attempts or Backoff is below 0", ErrOption)
	}
	s.o.K = cmp.Or(s.o.K, 5)
	s.o.Batch = min(cmp.Or(s.o.Batch, 100), db.MaxBatch())
	s.o.Attempts = cmp.Or(s.o.Attempts, 4)
	s.o.Backoff = cmp.Or(s.o.Backoff, 250*time.Millisecond)
	if s.o.Logger == nil {
		s.o.Logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// GetRelevantDocuments returns the Options.K best passages. It is langchaingo's
// schema.Retriever.
func (s *Store) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	results, err := s.Search(ctx, query, s.o.K, nil)
	if err != nil {
		return nil, err
	}
	docs := make([]schema.Document, len(results))
	for i, r := range results {
		docs[i] = r.Document
	}
	return docs, nil
}

// Search returns the k passages that are nearest to a query in meaning, best first, with
// the cosine as Score. Those without a likeness above 0 are left out. The database takes
// the k best of those that the caller may find and that meet q.Where. It fails with
// [ErrOption] if k is below 1 or q.Filter is set, which is Go code that no database can
// run; with [retrieve.ErrFilter]; and with [ErrUnsupported].
func (s *Store) Search(ctx context.Context, query string, k int, q *retrieve.Query) ([]retrieve.Result, error) {
	began := time.Now()
	if k < 1 {
		return nil, fmt.Errorf("%w: k is %d, want at least 1", ErrOption, k)
	}
	if q == nil {
		q = &retrieve.Query{}
	}
	if q.Filter != nil {
		return nil, fmt.Errorf("%w: a database can't run Query.Filter: use Query.Where", ErrOption)
	}
	if err := q.Where.Check(); err != nil {
		return nil, err
	}
	allowed, tenant := s.allowed(ctx)
	where, ok := Lower(retrieve.And(allowed, q.Where))
	if !ok {
		return nil, ctx.Err()
	}
	vector, err := s.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: embed the query: %w", err)
	}
	if err := s.checkVector(vector); err != nil {
		return nil, err
	}
	vector, ok = unit(vector)
	if !ok {
		return nil, nil // it has no direction
	}
	var found []retrieve.Record
	err = s.try(ctx, func() (err error) {
		found, err = s.db.Search(ctx, vector, k, where)
		return err
	})
	if err != nil {
		return nil, err
	}
	results := make([]retrieve.Result, 0, len(found))
	for _, r := range found {
		if r.Score > 0 { // and no NaN
			results = append(results, retrieve.Result{Document: r.Document, Cosine: float64(r.Score)})
		}
	}
	slices.SortStableFunc(results, func(a, b retrieve.Result) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(idOf(a.Document), idOf(b.Document)))
	})
	results = results[:min(k, len(results))]
	s.log(ctx, results, time.Since(began), tenant)
	return results, nil
}

func idOf(d schema.Document) string {
	id, _ := docmeta.String(d.Metadata, docmeta.ID)
	return id
}

func (s *Store) log(ctx context.Context, results []retrieve.Result, elapsed time.Duration, tenant string) {
	ids, scores := make([]string, len(results)), make([]float64, len(results))
	for i, r := range results {
		ids[i], scores[i] = idOf(r.Document), r.Cosine
	}
	s.o.Logger.InfoContext(ctx, event.RetrieveQuery, event.Count, len(results), event.ID, ids, event.Scores, scores,
		event.Elapsed, elapsed, event.Tenant, tenant)
}

// allowed returns the filter of the passages that the caller may find, and the tenant.
func (s *Store) allowed(ctx context.Context) (retrieve.Filter, string) {
	tenant := ""
	if s.o.Tenant != nil {
		tenant = s.o.Tenant(ctx)
	}
	groups := []any{}
	if s.o.Groups != nil {
		for _, g := range s.o.Groups(ctx) {
			if g != "" {
				groups = append(groups, g)
			}
		}
	}
	return retrieve.And(
		retrieve.Or(retrieve.Not(retrieve.Exists(docmeta.Tenant)), retrieve.In(docmeta.Tenant, "", tenant)),
		retrieve.Or(retrieve.Not(retrieve.Exists(docmeta.Groups)), retrieve.In(docmeta.Groups, groups...)),
	), tenant
}

func (s *Store) checkVector(v []float32) error {
	if len(v) != s.db.Dim() {
		return fmt.Errorf("%w: a vector has %d dimensions, the database's have %d", retrieve.ErrEmbedder, len(v), s.db.Dim())
	}
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("%w: dimension %d of a vector is %v", retrieve.ErrEmbedder, i, x)
		}
	}
	return nil
}

// unit returns v scaled to length 1, and whether it has a direction.
func unit(v []float32) ([]float32, bool) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v, false
	}
	if math.Abs(sum-1) < 1e-6 {
		return v, true // so that a vector which was read from a store stays the same
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out, true
}

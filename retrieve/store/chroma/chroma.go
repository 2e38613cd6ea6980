package chroma

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/rest"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// Options configure a [DB]. The zero value works.
type Options struct {
	// Tenant and Database are the server's own, not the tenants of documents. Default:
	// default_tenant and default_database.
	Tenant, Database string

	// Token is sent as x-chroma-token. Default: none is sent.
	Token string

	// HTTPClient sends the requests. Default: one with a timeout of a minute.
	HTTPClient *http.Client
}

// A DB is a collection of a Chroma server. It implements [store.Database].
type DB struct {
	c        *rest.Client
	path     []string // of the collection
	dim      int
	maxBatch int
}

var _ store.Database = (*DB)(nil)

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$`)

// Open returns the collection with this name of the server at a URL, and makes it if there
// is none. It fails with [store.ErrSchema] if the collection measures another distance
// than the cosine, or has vectors of another length than dim.
func Open(ctx context.Context, url, name string, dim int, o *Options) (*DB, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("%w: the collection's name is %q, want 3 to 512 of a-z, A-Z, 0-9, '.', '_' and '-'", store.ErrOption, name)
	}
	if dim < 1 {
		return nil, fmt.Errorf("%w: the vectors have %d dimensions, want at least 1", store.ErrOption, dim)
	}
	if o == nil {
		o = &Options{}
	}
	c, err := rest.New("chroma", url, map[string]string{"X-Chroma-Token": o.Token}, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	d := &DB{c: c, dim: dim}
	var limits struct {
		MaxBatchSize int `json:"max_batch_size"`
	}
	if err := c.Do(ctx, "ask for the limits", http.MethodGet, []string{"api", "v2", "pre-flight-checks"}, nil, nil, &limits); err != nil {
		return nil, err
	}
	d.maxBatch = max(1, min(limits.MaxBatchSize, 1000))
	tenant, database := o.Tenant, o.Database
	if tenant == "" {
		tenant = "default_tenant"
	}
	if database == "" {
		database = "default_database"
	}
	collections := []string{"api", "v2", "tenants", tenant, "databases", database, "collections"}
	var made struct {
		ID            string `json:"id"`
		Dimension     *int   `json:"dimension"`
		Configuration struct {
			HNSW struct {
				Space string `json:"space"`
			} `json:"hnsw"`
			SPANN *struct {
				Space string `json:"space"`
			} `json:"spann"`
		} `json:"configuration_json"`
	}
	in := map[string]any{"name": name, "get_or_create": true, "configuration": map[string]any{"hnsw": map[string]any{"space": "cosine"}}}
	if err := c.Do(ctx, "open the collection", http.MethodPost, collections, nil, in, &made); err != nil {
		return nil, err
	}
	space := made.Configuration.HNSW.Space
	if made.Configuration.SPANN != nil {
		space = made.Configuration.SPANN.Space
	}
	if made.ID == "" || space != "cosine" {
		return nil, fmt.Errorf("%w: collection %s measures %q, want cosine", store.ErrSchema, name, space)
	}
	if made.Dimension != nil && *made.Dimension != dim {
		return nil, fmt.Errorf("%w: collection %s has vectors of %d dimensions, want %d", store.ErrSchema, name, *made.Dimension, dim)
	}
	d.path = append(collections, made.ID)
	return d, nil
}

// Dim returns the number of elements of a vector.
func (d *DB) Dim() int { return d.dim }

// MaxBatch returns how many records one call takes: what the server says, at most 1,000.
func (d *DB) MaxBatch() int { return d.maxBatch }

func (d *DB) do(ctx context.Context, op string, in, out any) error {
	return d.c.Do(ctx, op, http.MethodPost, append(d.path[:len(d.path):len(d.path)], op), nil, in, out)
}

// The metadata of a record in Chroma, beside the lo_… and hi_… fields.
const (
	fieldJSON  = "json"  // the whole metadata
	fieldTerms = "terms" // see package terms
)

// Upsert writes all records.
func (d *DB) Upsert(ctx context.Context, records []retrieve.Record) error {
	var in struct {
		IDs        []string         `json:"ids"`
		Embeddings [][]float32      `json:"embeddings"`
		Documents  []string         `json:"documents"`
		Metadatas  []map[string]any `json:"metadatas"`
	}
	for _, r := range records {
		meta, err := json.Marshal(r.Metadata)
		if err != nil {
			return fmt.Errorf("%w: %w", store.ErrDocument, err)
		}
		t := terms.Of(r.Metadata)
		fields := map[string]any{fieldJSON: string(meta), fieldTerms: t.Tokens}
		for name, v := range t.Numbers {
			fields[name] = number(v)
		}
		in.IDs, in.Embeddings = append(in.IDs, r.ID()), append(in.Embeddings, r.Vector)
		in.Documents, in.Metadatas = append(in.Documents, r.PageContent), append(in.Metadatas, fields)
	}
	return d.do(ctx, "upsert", in, nil)
}

// number returns a whole number with the order of v. Chroma rounds the last digits of other
// numbers, so that a number isn't always equal to itself.
func number(v float64) int64 {
	n := int64(math.Float64bits(v + 0)) // + 0: -0 becomes 0
	if n < 0 {
		n ^= math.MaxInt64
	}
	return n
}

// Delete removes records by their ids.
func (d *DB) Delete(ctx context.Context, ids []string) (int, error) {
	found, err := d.get(ctx, map[string]any{"ids": ids, "include": []string{}})
	if err != nil || len(found) == 0 { // Chroma's own count is that of the ids sent
		return 0, err
	}
	return len(found), d.do(ctx, "delete", map[string]any{"ids": ids}, nil)
}

// Get returns the records with these ids.
func (d *DB) Get(ctx context.Context, ids []string) ([]retrieve.Record, error) {
	return d.get(ctx, map[string]any{"ids": ids, "include": []string{"documents", "metadatas", "embeddings"}})
}

type rows struct {
	IDs        []string         `json:"ids"`
	Embeddings [][]float32      `json:"embeddings"`
	Documents  []*string        `json:"documents"`
	Metadatas  []map[string]any `json:"metadatas"`
	distances  []float64
}

func (d *DB) get(ctx context.Context, in map[string]any) ([]retrieve.Record, error) {
	var out rows
	if err := d.do(ctx, "get", in, &out); err != nil {
		return nil, err
	}
	return records(&out)
}

func records(r *rows) ([]retrieve.Record, error) {
	out := make([]retrieve.Record, len(r.IDs))
	for i, id := range r.IDs {
		doc := schema.Document{Metadata: map[string]any{}}
		if i < len(r.Documents) && r.Documents[i] != nil {
			doc.PageContent = *r.Documents[i]
		}
		if i < len(r.Metadatas) {
			text, ok := r.Metadatas[i][fieldJSON].(string)
			if err := json.Unmarshal([]byte(text), &doc.Metadata); !ok || err != nil || doc.Metadata == nil {
				return nil, fmt.Errorf("%w: record %q was not written by this package", store.ErrSchema, id)
			}
		}
		doc.Metadata["id"] = id
		if i < len(r.distances) {
			doc.Score = float32(1 - r.distances[i])
		}
		out[i].Document = doc
		if i < len(r.Embeddings) {
			out[i].Vector = r.Embeddings[i]
		}
	}
	return out, nil
}

// Scan returns records in the server's order. The cursor is the number of those before, so
// what is written or deleted meanwhile can be left out or come twice.
func (d *DB) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	offset := 0
	if cursor != "" {
		var err error
		if offset, err = strconv.Atoi(cursor); err != nil || offset < 0 {
			return nil, "", fmt.Errorf("%w: the cursor is %q", store.ErrOption, cursor)
		}
	}
	records, err := d.get(ctx, map[string]any{"limit": n, "offset": offset, "include": []string{"documents", "metadatas", "embeddings"}})
	if err != nil || len(records) < n {
		return records, "", err
	}
	return records, strconv.Itoa(offset + n), nil
}

// Search returns the k nearest records that meet the condition.
func (d *DB) Search(ctx context.Context, vector []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	in := map[string]any{"query_embeddings": [][]float32{vector}, "n_results": k, "include": []string{"documents", "metadatas", "distances"}}
	if where != nil {
		w, err := terms.Compile(where, filter)
		if err != nil {
			return nil, err
		}
		in["where"] = w
	}
	var out struct {
		IDs       [][]string         `json:"ids"`
		Documents [][]*string        `json:"documents"`
		Metadatas [][]map[string]any `json:"metadatas"`
		Distances [][]float64        `json:"distances"`
	}
	if err := d.do(ctx, "query", in, &out); err != nil {
		return nil, err
	}
	if len(out.IDs) != 1 || len(out.Documents) != 1 || len(out.Metadatas) != 1 || len(out.Distances) != 1 || len(out.Distances[0]) != len(out.IDs[0]) {
		return nil, d.c.Fault("query", store.FaultOther, "%w", errors.New("the answer has no results for one query"))
	}
	return records(&rows{IDs: out.IDs[0], Documents: out.Documents[0], Metadatas: out.Metadatas[0], distances: out.Distances[0]})
}

// filter writes Chroma's "where": docs.trychroma.com/reference/where-filter.
var filter = terms.Builder[map[string]any]{
	Has: func(tokens []string, not bool) map[string]any {
		op, join := "$contains", "$or"
		if not {
			op, join = "$not_contains", "$and"
		}
		parts := make([]any, len(tokens))
		for i, t := range tokens {
			parts[i] = map[string]any{fieldTerms: map[string]any{op: t}}
		}
		if len(parts) == 1 { // Chroma refuses a group of one
			return map[string]any{fieldTerms: map[string]any{op: tokens[0]}}
		}
		return map[string]any{join: parts}
	},
	Number: func(field string, op retrieve.FilterOp, v float64) map[string]any {
		return map[string]any{field: map[string]any{signs[op]: number(v)}}
	},
	Stale: true, // an upsert leaves fields that the new record doesn't have
	Group: func(op retrieve.FilterOp, parts []map[string]any) map[string]any {
		if op == retrieve.OpOr {
			return map[string]any{"$or": parts}
		}
		return map[string]any{"$and": parts}
	},
}

var signs = map[retrieve.FilterOp]string{retrieve.OpLess: "$lt", retrieve.OpAtMost: "$lte", retrieve.OpMore: "$gt", retrieve.OpAtLeast: "$gte"}

package qdrant

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/rest"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// Options configure a [DB]. The zero value works.
type Options struct {
	// APIKey is sent as api-key. Default: none is sent.
	APIKey string

	// EF is how many candidates a search keeps while it walks the HNSW graph: the larger,
	// the better its recall and the slower. Default: the collection's own setting.
	EF int

	// HTTPClient sends the requests. Default: one with a timeout of a minute.
	HTTPClient *http.Client
}

// A DB is a collection of a Qdrant server. It implements [store.Database].
type DB struct {
	c    *rest.Client
	name string
	dim  int
	ef   int
}

var _ store.Database = (*DB)(nil)

// Open returns the collection with this name of the server at a URL, and makes it if there
// is none, with an index of the field that filters ask. It fails with [store.ErrSchema] if
// the collection measures another distance than the cosine, or has vectors of another
// length than dim.
func Open(ctx context.Context, url, name string, dim int, o *Options) (*DB, error) {
	if name == "" || len(name) > 255 {
		return nil, fmt.Errorf("%w: the collection's name is %q, want 1 to 255 bytes", store.ErrOption, name)
	}
	if dim < 1 || dim > 65536 {
		return nil, fmt.Errorf("%w: the vectors have %d dimensions, want 1 to 65536", store.ErrOption, dim)
	}
	if o == nil {
		o = &Options{}
	}
	if o.EF < 0 {
		return nil, fmt.Errorf("%w: EF is %d, want 0 or more", store.ErrOption, o.EF)
	}
	c, err := rest.New("qdrant", url, map[string]string{"Api-Key": o.APIKey}, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	d := &DB{c: c, name: name, dim: dim, ef: o.EF}
	err = d.check(ctx)
	if !rest.Missing(err) {
		return d, err
	}
	in := map[string]any{"vectors": map[string]any{"size": dim, "distance": "Cosine"}}
	if err := c.Do(ctx, "make the collection", http.MethodPut, []string{"collections", name}, nil, in, nil); err != nil {
		if there := d.check(ctx); there == nil {
			return d, nil // another program made it meanwhile
		}
		return nil, err
	}
	err = d.do(ctx, "index the terms", http.MethodPut, "index", map[string]any{"field_name": fieldTerms, "field_schema": "keyword"}, nil)
	return d, err
}

func (d *DB) check(ctx context.Context) error {
	var out struct {
		Result struct {
			Config struct {
				Params struct {
					Vectors struct {
						Size     int    `json:"size"`
						Distance string `json:"distance"`
					} `json:"vectors"`
				} `json:"params"`
			} `json:"config"`
		} `json:"result"`
	}
	if err := d.c.Do(ctx, "look at the collection", http.MethodGet, []string{"collections", d.name}, nil, nil, &out); err != nil {
		return err
	}
	if v := out.Result.Config.Params.Vectors; v.Size != d.dim || v.Distance != "Cosine" {
		return fmt.Errorf("%w: collection %s has vectors of %d dimensions by %q, want %d by Cosine", store.ErrSchema, d.name, v.Size, v.Distance, d.dim)
	}
	return nil
}

// do sends a request below the collection's path. What it changes is done when it returns.
func (d *DB) do(ctx context.Context, op, method, below string, in, out any) error {
	path := []string{"collections", d.name}
	switch below {
	case "query", "scroll", "delete":
		path = append(path, "points", below)
	default:
		path = append(path, below)
	}
	query := url.Values{}
	if method == http.MethodPut || below == "delete" {
		query.Set("wait", "true")
	}
	return d.c.Do(ctx, op, method, path, query, in, out)
}

// Dim returns the number of elements of a vector.
func (d *DB) Dim() int { return d.dim }

// MaxBatch returns how many records one call takes.
func (d *DB) MaxBatch() int { return 1000 }

// The payload of a point, beside the lo_… and hi_… fields.
const (
	fieldID    = "id"
	fieldText  = "text"
	fieldMeta  = "metadata" // as the caller gave it
	fieldTerms = "terms"    // see package terms
)

// A point is a record as Qdrant has it.
type point struct {
	ID      any            `json:"id"` // a UUID; of other programs also a number
	Vector  []float32      `json:"vector,omitempty"`
	Payload map[string]any `json:"payload"`
	Score   float32        `json:"score,omitempty"`
}

// pointID returns the UUID of a record: Qdrant takes no other ids but numbers.
func pointID(id string) string {
	h := sha256.Sum256([]byte(id))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8 of RFC 9562: an own hash
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func pointIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = pointID(id)
	}
	return out
}

// Upsert writes all records.
func (d *DB) Upsert(ctx context.Context, records []retrieve.Record) error {
	points := make([]point, len(records))
	for i, r := range records {
		t := terms.Of(r.Metadata)
		payload := map[string]any{fieldID: r.ID(), fieldText: r.PageContent, fieldMeta: r.Metadata, fieldTerms: t.Tokens}
		for name, v := range t.Numbers {
			payload[name] = v
		}
		points[i] = point{ID: pointID(r.ID()), Vector: r.Vector, Payload: payload}
	}
	var out struct {
		Result struct {
			Status string `json:"status"`
		} `json:"result"`
	}
	if err := d.do(ctx, "upsert", http.MethodPut, "points", map[string]any{"points": points}, &out); err != nil {
		return err
	}
	if out.Result.Status != "completed" {
		return d.c.Fault("upsert", store.FaultOther, "the status is %q, want completed", out.Result.Status)
	}
	return nil
}

// Delete removes records by their ids.
func (d *DB) Delete(ctx context.Context, ids []string) (int, error) {
	in := map[string]any{"ids": pointIDs(ids), "with_payload": false, "with_vector": false}
	var there struct {
		Result []json.RawMessage `json:"result"`
	}
	if err := d.do(ctx, "delete", http.MethodPost, "points", in, &there); err != nil || len(there.Result) == 0 {
		return 0, err
	}
	return len(there.Result), d.do(ctx, "delete", http.MethodPost, "delete", map[string]any{"points": pointIDs(ids)}, nil)
}

// Get returns the records with these ids.
func (d *DB) Get(ctx context.Context, ids []string) ([]retrieve.Record, error) {
	in := map[string]any{"ids": pointIDs(ids), "with_payload": true, "with_vector": true}
	var out struct {
		Result []point `json:"result"`
	}
	if err := d.do(ctx, "get", http.MethodPost, "points", in, &out); err != nil {
		return nil, err
	}
	return records(out.Result)
}

// Scan returns records in the order of the points' ids.
func (d *DB) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	in := map[string]any{"limit": n, "with_payload": true, "with_vector": true}
	if cursor != "" {
		in["offset"] = cursor
	}
	var out struct {
		Result struct {
			Points []point `json:"points"`
			Next   *string `json:"next_page_offset"`
		} `json:"result"`
	}
	if err := d.do(ctx, "scan", http.MethodPost, "scroll", in, &out); err != nil {
		return nil, "", err
	}
	next := ""
	if out.Result.Next != nil {
		next = *out.Result.Next
	}
	found, err := records(out.Result.Points)
	return found, next, err
}

// Search returns the k nearest records that meet the condition, which Qdrant applies while
// it walks the graph.
func (d *DB) Search(ctx context.Context, vector []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	in := map[string]any{"query": vector, "limit": k, "with_payload": true, "with_vector": false}
	if d.ef > 0 {
		in["params"] = map[string]any{"hnsw_ef": d.ef}
	}
	if where != nil {
		f, err := terms.Compile(where, filter)
		if err != nil {
			return nil, err
		}
		in["filter"] = map[string]any{"must": []any{f}}
	}
	var out struct {
		Result struct {
			Points []point `json:"points"`
		} `json:"result"`
	}
	if err := d.do(ctx, "search", http.MethodPost, "query", in, &out); err != nil {
		return nil, err
	}
	return records(out.Result.Points)
}

func records(points []point) ([]retrieve.Record, error) {
	out := make([]retrieve.Record, len(points))
	for i, p := range points {
		id, okID := p.Payload[fieldID].(string)
		text, okText := p.Payload[fieldText].(string)
		meta, okMeta := p.Payload[fieldMeta].(map[string]any)
		if _, okTerms := p.Payload[fieldTerms].([]any); !okID || !okText || !okMeta || !okTerms {
			return nil, fmt.Errorf("%w: point %v was not written by this package", store.ErrSchema, p.ID)
		}
		meta["id"] = id
		out[i] = retrieve.Record{Document: schema.Document{PageContent: text, Metadata: meta, Score: p.Score}, Vector: p.Vector}
	}
	return out, nil
}

// filter writes Qdrant's filter: qdrant.tech/documentation/concepts/filtering.
var filter = terms.Builder[map[string]any]{
	Has: func(tokens []string, not bool) map[string]any {
		has := map[string]any{"key": fieldTerms, "match": map[string]any{"any": tokens}}
		if not {
			return map[string]any{"must_not": []any{has}}
		}
		return has
	},
	Number: func(field string, op retrieve.FilterOp, v float64) map[string]any {
		return map[string]any{"key": field, "range": map[string]any{signs[op]: v}}
	},
	Group: func(op retrieve.FilterOp, parts []map[string]any) map[string]any {
		if op == retrieve.OpOr {
			return map[string]any{"should": parts}
		}
		return map[string]any{"must": parts}
	},
}

var signs = map[retrieve.FilterOp]string{retrieve.OpLess: "lt", retrieve.OpAtMost: "lte", retrieve.OpMore: "gt", retrieve.OpAtLeast: "gte"}

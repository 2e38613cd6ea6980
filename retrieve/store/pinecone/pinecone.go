package pinecone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/rest"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// Options configure a [DB]. The zero value works.
type Options struct {
	// Namespace is the part of the index that is used. Default: __default__.
	Namespace string

	// ControlURL is the address that knows the hosts of indexes. With http, as the
	// vendor's local emulator has it, the index is asked by http too. Default:
	// https://api.pinecone.io.
	ControlURL string

	// HTTPClient sends the requests. Default: one with a timeout of a minute.
	HTTPClient *http.Client
}

// A DB is a namespace of a Pinecone index. It implements [store.Database].
type DB struct {
	c         *rest.Client
	namespace string
	dim       int
}

var _ store.Database = (*DB)(nil)

// apiVersion is the version of the API that this package asks for.
const apiVersion = "2025-04"

// What Pinecone takes: docs.pinecone.io/reference/api/database-limits/operation-limits
// and docs.pinecone.io/guides/search/filter-by-metadata.
const (
	maxBatch     = 100     // the ids of a fetch are a part of the URL, so no 1,000
	maxRequest   = 2 << 20 // bytes of an upsert
	maxMetadata  = 40 << 10
	maxTopK      = 10_000
	maxListed    = 100
	maxNamespace = 512
)

var validIndex = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$`)

// Open returns a namespace of the index with this name, which must exist: where an index
// runs and what it costs is not for a program to choose. It fails with [store.ErrSchema]
// if the index measures another distance than the cosine, or has vectors of another length
// than dim.
func Open(ctx context.Context, apiKey, index string, dim int, o *Options) (*DB, error) {
	if !validIndex.MatchString(index) {
		return nil, fmt.Errorf("%w: the index is %q, want 1 to 45 of a-z, 0-9 and '-'", store.ErrOption, index)
	}
	if apiKey == "" || dim < 1 || dim > 20000 {
		return nil, fmt.Errorf("%w: the API key is empty, or the vectors have %d dimensions, want 1 to 20000", store.ErrOption, dim)
	}
	var options Options
	if o != nil {
		options = *o
	}
	if options.Namespace == "" {
		options.Namespace = "__default__"
	}
	if options.ControlURL == "" {
		options.ControlURL = "https://api.pinecone.io"
	}
	if len(options.Namespace) > maxNamespace || strings.ContainsFunc(options.Namespace, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: the namespace is %q, want at most %d characters of ASCII", store.ErrOption, options.Namespace, maxNamespace)
	}
	header := map[string]string{"Api-Key": apiKey, "X-Pinecone-API-Version": apiVersion}
	control, err := rest.New("pinecone", options.ControlURL, header, options.HTTPClient)
	if err != nil {
		return nil, err
	}
	var out struct {
		Dimension int    `json:"dimension"`
		Metric    string `json:"metric"`
		Host      string `json:"host"`
	}
	if err := control.Do(ctx, "look at the index", http.MethodGet, []string{"indexes", index}, nil, nil, &out); err != nil {
		return nil, err
	}
	if out.Metric != "cosine" || out.Dimension != dim || out.Host == "" {
		return nil, fmt.Errorf("%w: index %s has vectors of %d dimensions by %q, want %d by cosine", store.ErrSchema, index, out.Dimension, out.Metric, dim)
	}
	host := out.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
		if strings.HasPrefix(options.ControlURL, "http://") {
			host = "http://" + out.Host
		}
	}
	c, err := rest.New("pinecone", host, header, options.HTTPClient)
	if err != nil {
		return nil, err
	}
	return &DB{c: c, namespace: options.Namespace, dim: dim}, nil
}

// Dim returns the number of elements of a vector.
func (d *DB) Dim() int { return d.dim }

// MaxBatch returns how many records one call takes.
func (d *DB) MaxBatch() int { return maxBatch }

// The metadata of a vector, beside the lo_… and hi_… fields. The namespace has them flat,
// since Pinecone takes no objects, no null and no list but of strings.
const (
	fieldText  = "text"
	fieldJSON  = "json"  // the metadata of the passage
	fieldTerms = "terms" // see package terms
)

// A vector is a record as Pinecone has it.
type vector struct {
	ID       string         `json:"id"`
	Values   []float32      `json:"values,omitempty"`
	Metadata map[string]any `json:"metadata"`
	Score    float32        `json:"score,omitempty"`
}

// vectorID returns the id of a record in Pinecone, which takes up to 512 characters of
// ASCII.
func vectorID(id string) string {
	h := sha256.Sum256([]byte(id))
	return hex.EncodeToString(h[:16])
}

func vectorIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = vectorID(id)
	}
	return out
}

// Upsert writes all records, or refuses them without a request if one has more metadata or
// they all have more bytes than Pinecone takes. The text is a part of the metadata.
func (d *DB) Upsert(ctx context.Context, records []retrieve.Record) error {
	vectors := make([]vector, len(records))
	total := 0
	for i, r := range records {
		text, err := json.Marshal(r.Metadata)
		if err != nil {
			return fmt.Errorf("%w: %w", store.ErrDocument, err)
		}
		t := terms.Of(r.Metadata)
		meta := map[string]any{fieldText: r.PageContent, fieldJSON: string(text), fieldTerms: t.Tokens}
		for name, v := range t.Numbers {
			meta[name] = v
		}
		data, err := json.Marshal(meta)
		if err != nil {
			return fmt.Errorf("%w: %w", store.ErrDocument, err)
		}
		if len(data) > maxMetadata {
			return fmt.Errorf("%w: %q has %d bytes of text and metadata, Pinecone takes %d", store.ErrDocument, r.ID(), len(data), maxMetadata)
		}
		total += len(data) + 16*len(r.Vector) + 100
		vectors[i] = vector{ID: vectorID(r.ID()), Values: r.Vector, Metadata: meta}
	}
	if total > maxRequest && len(records) > 1 {
		return fmt.Errorf("%w: %d records have about %d bytes, Pinecone takes %d at once", store.ErrDocument, len(records), total, maxRequest)
	}
	var out struct {
		UpsertedCount int `json:"upsertedCount"`
	}
	in := map[string]any{"namespace": d.namespace, "vectors": vectors}
	if err := d.c.Do(ctx, "upsert", http.MethodPost, []string{"vectors", "upsert"}, nil, in, &out); err != nil {
		return err
	}
	if out.UpsertedCount != len(records) {
		return d.c.Fault("upsert", store.FaultTemporary, "%d of %d records were written", out.UpsertedCount, len(records))
	}
	return nil
}

// Delete removes records by their ids.
func (d *DB) Delete(ctx context.Context, ids []string) (int, error) {
	there, err := d.fetch(ctx, "delete", vectorIDs(ids))
	if err != nil || len(there) == 0 {
		return 0, err
	}
	in := map[string]any{"namespace": d.namespace, "ids": vectorIDs(ids)}
	return len(there), d.c.Do(ctx, "delete", http.MethodPost, []string{"vectors", "delete"}, nil, in, nil)
}

// Get returns the records with these ids. Pinecone shows a record some time after it was
// written, so a new one may be missing.
func (d *DB) Get(ctx context.Context, ids []string) ([]retrieve.Record, error) {
	return d.fetch(ctx, "get", vectorIDs(ids))
}

func (d *DB) fetch(ctx context.Context, op string, ids []string) ([]retrieve.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var out struct {
		Vectors map[string]vector `json:"vectors"`
	}
	if err := d.c.Do(ctx, op, http.MethodGet, []string{"vectors", "fetch"}, url.Values{"namespace": {d.namespace}, "ids": ids}, nil, &out); err != nil {
		return nil, err
	}
	var list []vector
	for _, id := range ids { // a map has no order
		if v, ok := out.Vectors[id]; ok {
			list = append(list, v)
		}
	}
	return records(list)
}

// Scan returns records in the order in which Pinecone lists them. Only serverless indexes
// can list.
func (d *DB) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	query := url.Values{"namespace": {d.namespace}, "limit": {strconv.Itoa(min(n, maxListed))}}
	if cursor != "" {
		query.Set("paginationToken", cursor)
	}
	var out struct {
		Vectors []struct {
			ID string `json:"id"`
		} `json:"vectors"`
		Pagination *struct {
			Next string `json:"next"`
		} `json:"pagination"`
	}
	if err := d.c.Do(ctx, "scan", http.MethodGet, []string{"vectors", "list"}, query, nil, &out); err != nil {
		return nil, "", err
	}
	ids := make([]string, len(out.Vectors))
	for i, v := range out.Vectors {
		ids[i] = v.ID
	}
	next := ""
	if out.Pagination != nil {
		next = out.Pagination.Next
	}
	found, err := d.fetch(ctx, "scan", ids)
	return found, next, err
}

// Search returns the k nearest records that meet the condition. k is at most 10,000.
func (d *DB) Search(ctx context.Context, values []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	if k > maxTopK {
		return nil, fmt.Errorf("%w: k is %d, Pinecone takes at most %d", store.ErrOption, k, maxTopK)
	}
	in := map[string]any{"namespace": d.namespace, "vector": values, "topK": k, "includeMetadata": true, "includeValues": false}
	if where != nil {
		f, err := terms.Compile(where, filter)
		if err != nil {
			return nil, err
		}
		in["filter"] = f
	}
	var out struct {
		Matches []vector `json:"matches"`
	}
	if err := d.c.Do(ctx, "search", http.MethodPost, []string{"query"}, nil, in, &out); err != nil {
		return nil, err
	}
	return records(out.Matches)
}

func records(vectors []vector) ([]retrieve.Record, error) {
	out := make([]retrieve.Record, len(vectors))
	for i, v := range vectors {
		text, okText := v.Metadata[fieldText].(string)
		meta, okJSON := v.Metadata[fieldJSON].(string)
		doc := schema.Document{PageContent: text, Score: v.Score}
		if !okText || !okJSON || json.Unmarshal([]byte(meta), &doc.Metadata) != nil || doc.Metadata["id"] == nil {
			return nil, fmt.Errorf("%w: vector %q was not written by this package", store.ErrSchema, v.ID)
		}
		out[i] = retrieve.Record{Document: doc, Vector: v.Values}
	}
	return out, nil
}

// filter writes Pinecone's metadata filter. On a list of strings, $in is true if one of the
// list is among the values, and $nin if none is.
var filter = terms.Builder[map[string]any]{
	Has: func(tokens []string, not bool) map[string]any {
		op := "$in"
		if not {
			op = "$nin"
		}
		return map[string]any{fieldTerms: map[string]any{op: tokens}}
	},
	Number: func(field string, op retrieve.FilterOp, v float64) map[string]any {
		return map[string]any{field: map[string]any{signs[op]: v}}
	},
	Group: func(op retrieve.FilterOp, parts []map[string]any) map[string]any {
		if op == retrieve.OpOr {
			return map[string]any{"$or": parts}
		}
		return map[string]any{"$and": parts}
	},
}

var signs = map[retrieve.FilterOp]string{retrieve.OpLess: "$lt", retrieve.OpAtMost: "$lte", retrieve.OpMore: "$gt", retrieve.OpAtLeast: "$gte"}

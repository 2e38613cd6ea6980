package weaviate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/rest"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// Options configure a [DB]. The zero value works.
type Options struct {
	// APIKey is sent as a bearer token. Default: none is sent.
	APIKey string

	// HTTPClient sends the requests. Default: one with a timeout of a minute.
	HTTPClient *http.Client
}

// A DB is a class (a collection) of a Weaviate server. It implements [store.Database].
type DB struct {
	c     *rest.Client
	class string
	dim   int

	mu     sync.Mutex
	fields map[string]bool // properties of the class that are known to be there
}

var _ store.Database = (*DB)(nil)

var validClass = regexp.MustCompile(`^[A-Z][_0-9A-Za-z]{0,254}$`)

// The properties of an object, beside the lo_… and hi_… ones.
const (
	fieldID    = "record"
	fieldText  = "content"
	fieldMeta  = "meta"  // JSON
	fieldTerms = "terms" // see package terms
)

// Open returns the class with this name of the server at a URL, and makes it if there is
// none. The name begins with a capital letter. It fails with [store.ErrSchema] if the class
// measures another distance than the cosine, or was made by another program, or for
// vectors of another length. The server must be Weaviate 1.33 or newer, which knows
// ContainsNone.
func Open(ctx context.Context, url, class string, dim int, o *Options) (*DB, error) {
	if !validClass.MatchString(class) {
		return nil, fmt.Errorf("%w: the class is %q, want a capital letter and then letters, digits and '_'", store.ErrOption, class)
	}
	if dim < 1 || dim > 65535 {
		return nil, fmt.Errorf("%w: the vectors have %d dimensions, want 1 to 65535", store.ErrOption, dim)
	}
	if o == nil {
		o = &Options{}
	}
	key := ""
	if o.APIKey != "" {
		key = "Bearer " + o.APIKey
	}
	c, err := rest.New("weaviate", url, map[string]string{"Authorization": key}, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	d := &DB{c: c, class: class, dim: dim, fields: map[string]bool{}}
	err = d.look(ctx)
	if !rest.Missing(err) {
		return d, err
	}
	property := func(name, kind string, filterable bool) map[string]any {
		return map[string]any{"name": name, "dataType": []string{kind}, "tokenization": "field", "indexFilterable": filterable, "indexSearchable": false}
	}
	in := map[string]any{
		"class": class, "vectorizer": "none", "description": d.description(), "vectorIndexConfig": map[string]any{"distance": "cosine"},
		"properties": []any{property(fieldID, "text", false), property(fieldText, "text", false), property(fieldMeta, "text", false), property(fieldTerms, "text[]", true)},
	}
	made := c.Do(ctx, "make the class", http.MethodPost, []string{"v1", "schema"}, nil, in, nil)
	if err := d.look(ctx); err != nil { // another program may have made it meanwhile
		return nil, errors.Join(made, err)
	}
	return d, nil
}

// description is where the class keeps what Weaviate doesn't: the length of its vectors.
func (d *DB) description() string {
	return fmt.Sprintf("Passages with vectors of %d dimensions. Their tenants and filters are in %q.", d.dim, fieldTerms)
}

// look reads the class and its properties.
func (d *DB) look(ctx context.Context) error {
	var out struct {
		Description string `json:"description"`
		Properties  []struct {
			Name string `json:"name"`
		} `json:"properties"`
		VectorIndexConfig struct {
			Distance string `json:"distance"`
		} `json:"vectorIndexConfig"`
	}
	if err := d.c.Do(ctx, "look at the class", http.MethodGet, []string{"v1", "schema", d.class}, nil, nil, &out); err != nil {
		return err
	}
	if out.Description != d.description() || out.VectorIndexConfig.Distance != "cosine" {
		return fmt.Errorf("%w: class %s is by %q and described as %q, want cosine and %q", store.ErrSchema, d.class, out.VectorIndexConfig.Distance, out.Description, d.description())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range out.Properties {
		d.fields[p.Name] = true
	}
	return nil
}

func (d *DB) has(field string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fields[field]
}

// ensure makes the properties of a field if they aren't there yet. Weaviate would guess
// their type otherwise, or refuse the object, by its settings.
func (d *DB) ensure(ctx context.Context, field, kind string) error {
	if d.has(field) {
		return nil
	}
	in := map[string]any{"name": field, "dataType": []string{kind}, "indexFilterable": true}
	if kind == "text" {
		in["tokenization"], in["indexSearchable"] = "field", false
	}
	made := d.c.Do(ctx, "make a property", http.MethodPost, []string{"v1", "schema", d.class, "properties"}, nil, in, nil)
	if err := d.look(ctx); err != nil {
		return err
	}
	if !d.has(field) {
		if made == nil {
			made = d.c.Fault("make a property", store.FaultTemporary, "it isn't there yet")
		}
		return made
	}
	return nil
}

// Dim returns the number of elements of a vector.
func (d *DB) Dim() int { return d.dim }

// MaxBatch returns how many records one call takes.
func (d *DB) MaxBatch() int { return 500 }

// objectID returns the UUID of a record: Weaviate takes no other ids.
func objectID(id string) string {
	h := sha256.Sum256([]byte(id))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8 of RFC 9562: an own hash
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// An object is a record as Weaviate has it.
type object struct {
	Class      string         `json:"class"`
	ID         string         `json:"id"`
	Properties map[string]any `json:"properties"`
	Vector     []float32      `json:"vector"`
}

func (d *DB) object(ctx context.Context, r retrieve.Record) (object, error) {
	meta, err := json.Marshal(r.Metadata)
	if err != nil {
		return object{}, fmt.Errorf("%w: %w", store.ErrDocument, err)
	}
	t := terms.Of(r.Metadata)
	p := map[string]any{fieldID: r.ID(), fieldText: r.PageContent, fieldMeta: string(meta), fieldTerms: t.Tokens}
	for name, v := range t.Numbers {
		p[name] = v
		if err := d.ensure(ctx, name, "number"); err != nil {
			return object{}, err
		}
	}
	for name, v := range t.Texts {
		p[name] = "t" + v // Weaviate has no empty text
		if err := d.ensure(ctx, name, "text"); err != nil {
			return object{}, err
		}
	}
	return object{Class: d.class, ID: objectID(r.ID()), Properties: p, Vector: r.Vector}, nil
}

// Upsert writes the records. Weaviate answers with a result for each object, and with
// status 200 even if it refused some.
func (d *DB) Upsert(ctx context.Context, records []retrieve.Record) error {
	objects := make([]object, len(records))
	for i, r := range records {
		var err error
		if objects[i], err = d.object(ctx, r); err != nil {
			return err
		}
	}
	var out []struct {
		ID     string `json:"id"`
		Result struct {
			Status string `json:"status"`
			Errors struct {
				Error []struct {
					Message string `json:"message"`
				} `json:"error"`
			} `json:"errors"`
		} `json:"result"`
	}
	if err := d.c.Do(ctx, "upsert", http.MethodPost, []string{"v1", "batch", "objects"}, nil, map[string]any{"objects": objects}, &out); err != nil {
		return err
	}
	if len(out) != len(records) {
		return d.c.Fault("upsert", store.FaultOther, "%d results for %d objects", len(out), len(records))
	}
	var failed []store.Failure
	for i, r := range out {
		if r.ID == objects[i].ID && r.Result.Status == "SUCCESS" && len(r.Result.Errors.Error) == 0 {
			continue
		}
		text := "status " + r.Result.Status
		for _, e := range r.Result.Errors.Error {
			text += ": " + e.Message
		}
		failed = append(failed, store.Failure{Index: i, ID: records[i].ID(), Err: d.c.Fault("upsert", store.FaultRecords, "%s", text)})
	}
	if failed != nil {
		return &store.UpsertError{Failed: failed, Total: len(records)}
	}
	return nil
}

// Delete removes records by their ids.
func (d *DB) Delete(ctx context.Context, ids []string) (int, error) {
	in := map[string]any{"output": "minimal", "match": map[string]any{"class": d.class,
		"where": map[string]any{"path": []string{"id"}, "operator": "ContainsAny", "valueTextArray": objectIDs(ids)}}}
	var out struct {
		Results struct {
			Successful int `json:"successful"`
			Failed     int `json:"failed"`
		} `json:"results"`
	}
	if err := d.c.Do(ctx, "delete", http.MethodDelete, []string{"v1", "batch", "objects"}, nil, in, &out); err != nil {
		return 0, err
	}
	if n := out.Results.Failed; n > 0 {
		return out.Results.Successful, d.c.Fault("delete", store.FaultTemporary, "%d of %d objects were not deleted", n, len(ids))
	}
	return out.Results.Successful, nil
}

func objectIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = objectID(id)
	}
	return out
}

// Get returns the records with these ids.
func (d *DB) Get(ctx context.Context, ids []string) ([]retrieve.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(objectIDs(ids))
	if err != nil {
		return nil, err
	}
	return d.get(ctx, "get", fmt.Sprintf(`limit: %d, where: {path: ["id"], operator: ContainsAny, valueText: %s}`, len(ids), list), "id vector")
}

// Search returns the k nearest records that meet the condition.
func (d *DB) Search(ctx context.Context, vector []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	v, err := json.Marshal(vector)
	if err != nil {
		return nil, err
	}
	args := fmt.Sprintf("limit: %d, nearVector: {vector: %s}", k, v)
	if where != nil {
		b := d.builder(ctx)
		w, err := terms.Compile(where, b.Builder)
		if err == nil {
			err = b.err
		}
		if err != nil {
			return nil, err
		}
		args += ", where: " + w
	}
	return d.get(ctx, "search", args, "id distance")
}

// get asks by GraphQL. What is put into its text are numbers, hashes and the checked name
// of the class, so that no text of a caller can change the query.
func (d *DB) get(ctx context.Context, op, args, additional string) ([]retrieve.Record, error) {
	query := fmt.Sprintf("{ Get { %s(%s) { %s %s %s _additional { %s } } } }", d.class, args, fieldID, fieldText, fieldMeta, additional)
	var out struct {
		Data struct {
			Get map[string][]struct {
				Record     *string `json:"record"`
				Content    *string `json:"content"`
				Meta       *string `json:"meta"`
				Additional struct {
					ID       string    `json:"id"`
					Distance float64   `json:"distance"`
					Vector   []float32 `json:"vector"`
				} `json:"_additional"`
			} `json:"Get"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := d.c.Do(ctx, op, http.MethodPost, []string{"v1", "graphql"}, nil, map[string]any{"query": query}, &out); err != nil {
		return nil, err
	}
	if len(out.Errors) > 0 {
		return nil, d.c.Fault(op, store.FaultOther, "%s", out.Errors[0].Message)
	}
	rows, ok := out.Data.Get[d.class]
	if !ok {
		return nil, d.c.Fault(op, store.FaultOther, "the answer has no class %s", d.class)
	}
	var records []retrieve.Record
	for _, row := range rows {
		r, err := record(row.Additional.ID, row.Record, row.Content, row.Meta)
		if err != nil {
			return nil, err
		}
		r.Score, r.Vector = float32(1-row.Additional.Distance), row.Additional.Vector
		records = append(records, r)
	}
	return records, nil
}

func record(object string, id, text, meta *string) (retrieve.Record, error) {
	doc := schema.Document{}
	if id == nil || meta == nil || json.Unmarshal([]byte(*meta), &doc.Metadata) != nil || doc.Metadata == nil {
		return retrieve.Record{}, fmt.Errorf("%w: object %s was not written by this package", store.ErrSchema, object)
	}
	doc.Metadata["id"] = *id
	if text != nil {
		doc.PageContent = *text
	}
	return retrieve.Record{Document: doc}, nil
}

// Scan returns records in the order of the objects' ids.
func (d *DB) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	query := url.Values{"class": {d.class}, "limit": {strconv.Itoa(n)}, "include": {"vector"}, "after": {cursor}}
	var out struct {
		Objects []struct {
			ID         string    `json:"id"`
			Vector     []float32 `json:"vector"`
			Properties struct {
				Record  *string `json:"record"`
				Content *string `json:"content"`
				Meta    *string `json:"meta"`
			} `json:"properties"`
		} `json:"objects"`
	}
	if err := d.c.Do(ctx, "scan", http.MethodGet, []string{"v1", "objects"}, query, nil, &out); err != nil {
		return nil, "", err
	}
	var records []retrieve.Record
	for _, o := range out.Objects {
		r, err := record(o.ID, o.Properties.Record, o.Properties.Content, o.Properties.Meta)
		if err != nil {
			return nil, "", err
		}
		r.Vector = o.Vector
		records = append(records, r)
	}
	if len(records) < n {
		return records, "", nil
	}
	return records, out.Objects[len(records)-1].ID, nil
}

// A builder writes the "where" of GraphQL. A property that the class doesn't have is an
// error for Weaviate; no object has it, so the comparison is false.
type builder struct {
	terms.Builder[string]
	err error
}

var signs = map[retrieve.FilterOp]string{retrieve.OpLess: "LessThan", retrieve.OpAtMost: "LessThanEqual", retrieve.OpMore: "GreaterThan", retrieve.OpAtLeast: "GreaterThanEqual"}

func (d *DB) builder(ctx context.Context) *builder {
	b := &builder{}
	b.Has = func(tokens []string, not bool) string {
		op := "ContainsAny"
		if not {
			op = "ContainsNone"
		}
		list, err := json.Marshal(tokens)
		if err != nil {
			b.err = err
		}
		return fmt.Sprintf(`{path: [%q], operator: %s, valueText: %s}`, fieldTerms, op, list)
	}
	compare := func(field string, op retrieve.FilterOp, value string) string {
		if !d.has(field) && b.err == nil {
			b.err = d.look(ctx)
		}
		if !d.has(field) {
			return b.Has([]string{"-"}, false)
		}
		return fmt.Sprintf(`{path: [%q], operator: %s, %s}`, field, signs[op], value)
	}
	b.Number = func(field string, op retrieve.FilterOp, v float64) string {
		return compare(field, op, "valueNumber: "+strconv.FormatFloat(v, 'g', -1, 64))
	}
	b.Text = func(field string, op retrieve.FilterOp, v string) string {
		return compare(field, op, fmt.Sprintf("valueText: %q", "t"+v))
	}
	b.Group = func(op retrieve.FilterOp, parts []string) string {
		word := "And"
		if op == retrieve.OpOr {
			word = "Or"
		}
		list := ""
		for _, p := range parts {
			list += p + " "
		}
		return fmt.Sprintf("{operator: %s, operands: [%s]}", word, list)
	}
	return b
}

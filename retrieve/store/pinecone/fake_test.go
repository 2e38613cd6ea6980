package pinecone_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fake is Pinecone's published API in memory, as strict as its pages say. Each rule names
// its page below docs.pinecone.io:
//
//	limits     reference/api/database-limits/operation-limits
//	metadata   guides/search/filter-by-metadata
//	upsert     reference/api/latest/data-plane/upsert
//	query      reference/api/latest/data-plane/query
//	fetch      reference/api/latest/data-plane/fetch
//	list       reference/api/latest/data-plane/list
//	delete     reference/api/latest/data-plane/delete
//	describe   reference/api/latest/control-plane/describe_index
//	model      guides/get-started/data-modeling
type fake struct {
	mu     sync.Mutex
	dim    int
	metric string
	host   string
	rows   map[string]map[string]row // namespace -> id
	before func(r *http.Request) int // a status to answer with; 0: go on
}

type row struct {
	ID       string         `json:"id"`
	Values   []float64      `json:"values,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
	Score    *float64       `json:"score,omitempty"`
}

func newFake(t *testing.T, dim int) (*fake, string) {
	t.Helper()
	f := &fake{dim: dim, metric: "cosine", rows: map[string]map[string]row{}}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	f.host = strings.TrimPrefix(srv.URL, "http://")
	return f, srv.URL
}

func refuse(format string, args ...any) error { return fmt.Errorf(format, args...) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		if status := f.before(r); status != 0 {
			http.Error(w, `{"code": 8, "message": "not now"}`, status)
			return
		}
	}
	if r.Header.Get("Api-Key") != "key" { // upsert: "Api-Key is required"
		http.Error(w, "Invalid API Key", http.StatusUnauthorized)
		return
	}
	if r.Header.Get("X-Pinecone-API-Version") == "" { // upsert: the header is required
		http.Error(w, "X-Pinecone-API-Version is missing", http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var out any
	switch r.Method + " " + r.URL.Path {
	case "GET /indexes/test":
		out = map[string]any{"name": "test", "dimension": f.dim, "metric": f.metric, "host": f.host, "status": map[string]any{"ready": true, "state": "Ready"}} // describe
	case "POST /vectors/upsert":
		out, err = f.upsert(body)
	case "POST /query":
		out, err = f.query(body)
	case "GET /vectors/fetch":
		out, err = f.fetch(r.URL.Query()["ids"], r.URL.Query().Get("namespace"), len(r.URL.RawQuery))
	case "GET /vectors/list":
		out, err = f.list(r.URL.Query().Get("namespace"), r.URL.Query().Get("limit"), r.URL.Query().Get("paginationToken"))
	case "POST /vectors/delete":
		out, err = f.remove(body)
	default:
		http.Error(w, `{"code": 5, "message": "not found"}`, http.StatusNotFound)
		return
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"code": 3, "message": err.Error(), "details": []any{}}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// strict reads a request without unknown fields.
func strict(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (f *fake) upsert(body []byte) (any, error) {
	if len(body) > 2<<20 {
		return nil, refuse("limits: up to 2 MB total")
	}
	var in struct {
		Namespace string `json:"namespace"`
		Vectors   []row  `json:"vectors"`
	}
	if err := strict(body, &in); err != nil {
		return nil, err
	}
	if len(in.Vectors) == 0 || len(in.Vectors) > 1000 {
		return nil, refuse("limits: %d records, want 1 to 1,000", len(in.Vectors))
	}
	for _, v := range in.Vectors {
		if err := f.check(v); err != nil {
			return nil, err
		}
	}
	if f.rows[in.Namespace] == nil {
		f.rows[in.Namespace] = map[string]row{}
	}
	for _, v := range in.Vectors {
		f.rows[in.Namespace][v.ID] = v // upsert: it overwrites the whole record
	}
	return map[string]any{"upsertedCount": len(in.Vectors)}, nil
}

func (f *fake) check(v row) error {
	if v.ID == "" || len(v.ID) > 512 || strings.ContainsFunc(v.ID, func(r rune) bool { return r > 127 }) {
		return refuse("model: the id %q, want 1 to 512 characters of ASCII", v.ID)
	}
	if len(v.Values) != f.dim {
		return refuse("upsert: Vector dimension %d does not match the dimension of the index %d", len(v.Values), f.dim)
	}
	if !slices.ContainsFunc(v.Values, func(x float64) bool { return x != 0 }) {
		return refuse("upsert: Dense vectors must contain at least one non-zero value")
	}
	data, err := json.Marshal(v.Metadata)
	if err != nil || len(data) > 40<<10 {
		return refuse("metadata: %d bytes, want up to 40 KB", len(data))
	}
	for key, value := range v.Metadata {
		if strings.HasPrefix(key, "$") {
			return refuse("metadata: the key %q begins with $", key)
		}
		switch x := value.(type) {
		case string, float64, bool:
		case []any:
			for _, e := range x {
				if _, ok := e.(string); !ok {
					return refuse("metadata: a list must be of strings: %s", key)
				}
			}
		default: // null and objects
			return refuse("metadata: %s is a %T: want a string, number, boolean or list of strings", key, value)
		}
	}
	return nil
}

func (f *fake) query(body []byte) (any, error) {
	var in struct {
		Namespace       string         `json:"namespace"`
		Vector          []float64      `json:"vector"`
		TopK            int            `json:"topK"`
		Filter          map[string]any `json:"filter"`
		IncludeMetadata bool           `json:"includeMetadata"`
		IncludeValues   bool           `json:"includeValues"`
	}
	if err := strict(body, &in); err != nil {
		return nil, err
	}
	if in.TopK < 1 || in.TopK > 10000 {
		return nil, refuse("limits: top_k is %d, want 1 to 10,000", in.TopK)
	}
	if len(in.Vector) != f.dim {
		return nil, refuse("query: Vector dimension %d does not match the dimension of the index %d", len(in.Vector), f.dim)
	}
	matches := []row{}
	for _, v := range f.rows[in.Namespace] {
		ok, err := matchAll(in.Filter, v.Metadata)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		var dot, a, b float64
		for i, x := range v.Values {
			dot, a, b = dot+x*in.Vector[i], a+x*x, b+in.Vector[i]*in.Vector[i]
		}
		score := dot / math.Sqrt(a*b)
		m := row{ID: v.ID, Score: &score}
		if in.IncludeMetadata {
			m.Metadata = v.Metadata
		}
		matches = append(matches, m)
	}
	if _, err := matchAll(in.Filter, nil); err != nil { // also without rows
		return nil, err
	}
	slices.SortFunc(matches, func(a, b row) int { return cmp.Or(cmp.Compare(*b.Score, *a.Score), cmp.Compare(a.ID, b.ID)) })
	return map[string]any{"matches": matches[:min(len(matches), in.TopK)], "namespace": in.Namespace}, nil
}

// matchAll is the metadata page: fields and $and, $or at the top, all of which must hold.
func matchAll(filter, meta map[string]any) (bool, error) {
	result := true
	for key, value := range filter {
		ok := false
		var err error
		switch {
		case key == "$and" || key == "$or":
			ok, err = matchGroup(key, value, meta)
		case strings.HasPrefix(key, "$"):
			err = refuse("metadata: %s can't be at the top level", key)
		default:
			ops, isOps := value.(map[string]any)
			if !isOps || len(ops) == 0 {
				return false, refuse("metadata: %s is compared with %v", key, value)
			}
			ok = true
			for op, want := range ops {
				one, opErr := matchOp(op, want, meta, key)
				ok, err = ok && one, errors.Join(err, opErr)
			}
		}
		if err != nil {
			return false, err
		}
		result = result && ok
	}
	return result, nil
}

func matchGroup(op string, value any, meta map[string]any) (bool, error) {
	parts, ok := value.([]any)
	if !ok || len(parts) == 0 {
		return false, refuse("metadata: %s wants a list of filters", op)
	}
	all, some := true, false
	for _, p := range parts {
		f, ok := p.(map[string]any)
		if !ok || len(f) == 0 {
			return false, refuse("metadata: %s wants filters, not %v", op, p)
		}
		ok, err := matchAll(f, meta)
		if err != nil {
			return false, err
		}
		all, some = all && ok, some || ok
	}
	return op == "$and" && all || op == "$or" && some, nil
}

func matchOp(op string, want any, meta map[string]any, key string) (bool, error) {
	got, has := meta[key]
	switch op {
	case "$gt", "$gte", "$lt", "$lte":
		w, ok := want.(float64)
		if !ok {
			return false, refuse("metadata: %s supports numbers, not %v", op, want)
		}
		g, ok := got.(float64)
		return ok && map[string]bool{"$gt": g > w, "$gte": g >= w, "$lt": g < w, "$lte": g <= w}[op], nil
	case "$in", "$nin":
		list, ok := want.([]any)
		if !ok || len(list) == 0 || len(list) > 10000 {
			return false, refuse("limits: %s wants 1 to 10,000 values", op)
		}
		found := slices.ContainsFunc(list, func(w any) bool { return hasValue(got, w) })
		return found == (op == "$in"), nil
	case "$eq", "$ne":
		return hasValue(got, want) == (op == "$eq"), nil
	case "$exists":
		b, ok := want.(bool)
		if !ok {
			return false, refuse("metadata: $exists wants a boolean")
		}
		return has == b, nil
	}
	return false, refuse("metadata: unknown operator %s", op)
}

// hasValue: a list has the value if one of its strings is it.
func hasValue(got, want any) bool {
	if list, ok := got.([]any); ok {
		return slices.Contains(list, want)
	}
	return got != nil && got == want
}

func (f *fake) fetch(ids []string, namespace string, length int) (any, error) {
	if len(ids) == 0 || len(ids) > 1000 {
		return nil, refuse("limits: %d ids, want 1 to 1,000", len(ids))
	}
	if length > 8000 {
		return nil, refuse("fetch: the URL is too long") // what HTTP servers take
	}
	found := map[string]row{}
	for _, id := range ids {
		if v, ok := f.rows[namespace][id]; ok {
			found[id] = v
		}
	}
	return map[string]any{"vectors": found, "namespace": namespace}, nil
}

func (f *fake) list(namespace, limit, token string) (any, error) {
	n, err := strconv.Atoi(limit)
	if err != nil || n < 1 || n > 100 {
		return nil, refuse("list: the limit is %q, want 1 to 100", limit)
	}
	var ids []string
	for id := range f.rows[namespace] {
		if id > token {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	out := map[string]any{"namespace": namespace}
	if len(ids) > n {
		ids = ids[:n]
		out["pagination"] = map[string]any{"next": ids[n-1]}
	}
	list := []any{}
	for _, id := range ids {
		list = append(list, map[string]any{"id": id})
	}
	out["vectors"] = list
	return out, nil
}

func (f *fake) remove(body []byte) (any, error) {
	var in struct {
		Namespace string   `json:"namespace"`
		IDs       []string `json:"ids"`
	}
	if err := strict(body, &in); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > 1000 {
		return nil, refuse("limits: %d ids, want 1 to 1,000", len(in.IDs))
	}
	for _, id := range in.IDs {
		delete(f.rows[in.Namespace], id)
	}
	return map[string]any{}, nil
}

package retrieve

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

type passage struct {
	ID     string         `json:"id"`
	Source string         `json:"source"`
	Text   string         `json:"text"`
	Meta   map[string]any `json:"meta,omitempty"`
	Vector []byte         `json:"vector"` // float32, little-endian

	Weights map[string]float64 `json:"weights,omitzero"` // of the terms, with Options.Sparse

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
	if err := c.embedSparse(ctx, put); err != nil {
		return err
	}
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

package embed

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"

	"github.com/prodailabs/prodai/internal/wordpiece"
)

//go:embed model.safetensors
var defaultWeights string

//go:embed vocab.txt
var defaultVocabulary string

// An Embedder is a vocabulary and a row of numbers for each of its tokens. It
// implements langchaingo's embeddings.Embedder and is safe for concurrent use.
type Embedder struct {
	vocab  *wordpiece.Vocab
	rows   string    // int8, vocabulary x dimensions
	scales []float32 // of each row
	dim    int
	name   string
	ids    sync.Pool // *[]int32
}

// New returns the embedded English model: 256 dimensions.
func New() (*Embedder, error) {
	return Load(strings.NewReader(defaultVocabulary), defaultWeights)
}

// Load returns a model of your own: a BERT vocabulary, one token in each line, and
// a safetensors file with "embeddings" (I8, vocabulary x dimensions) and "scales"
// (F32, vocabulary). It fails with an error that wraps [ErrModel] if the two don't
// fit.
func Load(vocabulary io.Reader, weights string) (*Embedder, error) {
	if vocabulary == nil {
		return nil, fmt.Errorf("%w: the vocabulary's reader is nil", ErrOption)
	}
	vocab, err := wordpiece.Read(vocabulary)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	tensors, err := parseSafetensors(weights)
	if err != nil {
		return nil, err
	}
	rows, scales := tensors["embeddings"], tensors["scales"]
	switch n := vocab.Len(); {
	case rows.dtype != "I8" || len(rows.shape) != 2 || rows.shape[1] == 0:
		return nil, fmt.Errorf("%w: want a tensor embeddings of type I8 and two dimensions", ErrModel)
	case scales.dtype != "F32" || len(scales.shape) != 1:
		return nil, fmt.Errorf("%w: want a tensor scales of type F32 and one dimension", ErrModel)
	case rows.shape[0] != n || scales.shape[0] != n:
		return nil, fmt.Errorf("%w: %d rows and %d scales for a vocabulary of %d", ErrModel, rows.shape[0], scales.shape[0], n)
	}
	sum := sha256.Sum256([]byte(weights))
	e := &Embedder{vocab: vocab, rows: rows.data, scales: scales.float32s(), dim: rows.shape[1]}
	e.name = fmt.Sprintf("static-%d-%s", e.dim, hex.EncodeToString(sum[:6]))
	e.ids.New = func() any { return new([]int32) }
	return e, nil
}

// Name identifies the model: vectors of models with different names can't be
// compared.
func (e *Embedder) Name() string { return e.name }

// Dimensions is the length of a vector.
func (e *Embedder) Dimensions() int { return e.dim }

// EmbedDocuments returns a vector for each text. It fails only if ctx is done.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	all := make([]float32, 0, len(texts)*e.dim)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		all = e.Append(all, text)
		out[i] = all[i*e.dim : (i+1)*e.dim : (i+1)*e.dim]
	}
	return out, nil
}

// EmbedQuery returns the vector of a text; the model treats queries and
// documents alike. It fails only if ctx is done.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return e.Append(make([]float32, 0, e.dim), text), nil
}

// Append appends the vector of a text to dst and returns the extended slice.
// It allocates nothing if dst has room.
func (e *Embedder) Append(dst []float32, text string) []float32 {
	start := len(dst)
	for range e.dim {
		dst = append(dst, 0)
	}
	v := dst[start:]
	ids := e.ids.Get().(*[]int32)
	*ids = e.vocab.AppendIDs((*ids)[:0], text)
	for _, id := range *ids {
		if id != e.vocab.UnknownID() {
			e.addRow(v, int(id))
		}
	}
	e.ids.Put(ids)
	normalize(v)
	return dst
}

// Knows reports whether a word is one token of the vocabulary, as common words are. A
// rare word or one with a typing error is several.
func (e *Embedder) Knows(word string) bool {
	ids := e.vocab.AppendIDs(nil, word)
	return len(ids) == 1 && ids[0] != e.vocab.UnknownID()
}

// addRow adds a token's row to v.
func (e *Embedder) addRow(v []float32, id int) {
	row := e.rows[id*e.dim:][:len(v)]
	scale := e.scales[id]
	for ; len(v) >= 4; v, row = v[4:], row[4:] {
		_ = row[3]
		v[0] += scale * float32(int8(row[0]))
		v[1] += scale * float32(int8(row[1]))
		v[2] += scale * float32(int8(row[2]))
		v[3] += scale * float32(int8(row[3]))
	}
	for i := range v {
		v[i] += scale * float32(int8(row[i]))
	}
}

// normalize scales v to length 1, unless it is zero. So the sum needs no division
// for the mean.
func normalize(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= scale
	}
}

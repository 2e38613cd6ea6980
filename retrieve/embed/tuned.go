package embed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxScale leaves room for the sum of a long text's rows in float32.
const maxScale = 1e30

// Tuned returns a copy of the embedder in which some rows are replaced: those of a
// safetensors file with "ids" (I32, n), "embeddings" (I8, n x dimensions) and "scales"
// (F32, n), as package tune writes it. It fails with an error that wraps [ErrModel] if
// the file doesn't fit the embedder. The copy's name is the embedder's, "-tuned-" and
// the start of the file's SHA-256.
func (e *Embedder) Tuned(weights string) (*Embedder, error) {
	tensors, err := parseSafetensors(weights)
	if err != nil {
		return nil, err
	}
	ids, rows, scales := tensors["ids"], tensors["embeddings"], tensors["scales"]
	switch {
	case ids.dtype != "I32" || len(ids.shape) != 1:
		return nil, fmt.Errorf("%w: want a tensor ids of type I32 and one dimension", ErrModel)
	case rows.dtype != "I8" || len(rows.shape) != 2:
		return nil, fmt.Errorf("%w: want a tensor embeddings of type I8 and two dimensions", ErrModel)
	case scales.dtype != "F32" || len(scales.shape) != 1:
		return nil, fmt.Errorf("%w: want a tensor scales of type F32 and one dimension", ErrModel)
	case rows.shape[0] != ids.shape[0] || scales.shape[0] != ids.shape[0]:
		return nil, fmt.Errorf("%w: %d rows and %d scales for %d ids", ErrModel, rows.shape[0], scales.shape[0], ids.shape[0])
	case rows.shape[1] != e.dim:
		return nil, fmt.Errorf("%w: rows of %d dimensions for a model of %d", ErrModel, rows.shape[1], e.dim)
	}
	out := &Embedder{vocab: e.vocab, dim: e.dim, scales: append([]float32(nil), e.scales...)}
	changed, newScales := []byte(e.rows), scales.float32s()
	seen := map[int32]bool{}
	for i, id := range ids.int32s() {
		s := newScales[i]
		switch {
		case id < 0 || int(id) >= len(e.scales):
			return nil, fmt.Errorf("%w: the id %d in a vocabulary of %d", ErrModel, id, len(e.scales))
		case seen[id]:
			return nil, fmt.Errorf("%w: two rows for the id %d", ErrModel, id)
		case !(s >= 0 && s <= maxScale):
			return nil, fmt.Errorf("%w: the id %d has the scale %v, want 0 to %v", ErrModel, id, s, maxScale)
		}
		seen[id] = true
		copy(changed[int(id)*e.dim:][:e.dim], rows.data[i*e.dim:])
		out.scales[id] = newScales[i]
	}
	out.rows = string(changed)
	sum := sha256.Sum256([]byte(weights))
	out.name = strings.Join([]string{e.name, "tuned", hex.EncodeToString(sum[:6])}, "-")
	out.ids.New = func() any { return new([]int32) }
	return out, nil
}

// Tokens returns the ids of a text's tokens, in order, without unknown ones. The vector
// of the text is the sum of their rows, scaled to length 1.
func (e *Embedder) Tokens(text string) []int32 {
	all := e.vocab.AppendIDs(nil, text)
	known := all[:0]
	for _, id := range all {
		if id != e.vocab.UnknownID() {
			known = append(known, id)
		}
	}
	return known
}

// Row appends the row of a token to dst and returns the extended slice. An id outside
// of the vocabulary has a row of zeros.
func (e *Embedder) Row(dst []float32, id int32) []float32 {
	start := len(dst)
	for range e.dim {
		dst = append(dst, 0)
	}
	if id >= 0 && int(id) < len(e.scales) {
		e.addRow(dst[start:], int(id))
	}
	return dst
}

package embed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// Tuned returns a copy of the embedder with other rows for some tokens.
func (e *Embedder) Tuned(weights string) (*Embedder, error) {
	tensors, err := parseSafetensors(weights)
	if err != nil {
		return nil, err
	}
	ids, rows, scales := tensors["ids"], tensors["embeddings"], tensors["scales"]
	all := []byte(e.rows)
	out := &Embedder{vocab: e.vocab, scales: append([]float32{}, e.scales...), dim: e.dim, ids: sync.Pool{New: func() any { return new([]int32) }}}
	s := scales.float32s()
	for i := range ids.shape[0] {
		b := ids.data[4*i:]
		id := int(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
		copy(all[id*e.dim:], rows.data[i*e.dim:(i+1)*e.dim])
		out.scales[id] = s[i]
	}
	out.rows = string(all)
	sum := sha256.Sum256([]byte(weights))
	out.name = fmt.Sprintf("%s-tuned-%s", e.name, hex.EncodeToString(sum[:6]))
	return out, nil
}

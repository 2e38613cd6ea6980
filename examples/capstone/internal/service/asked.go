package service

import (
	"context"
	"sync"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/flat"
)

// An askedIndex finds passages by the questions that they are known to answer
// (document expansion): a newcomer's words are nearer to another newcomer's question
// than to the passage.
type askedIndex struct {
	embedder *embed.Embedder

	mu      sync.RWMutex
	vectors *flat.Index
	words   *bm25.Index
	passage []string        // the id of each question's passage
	has     map[string]bool // passages whose questions are in the index
}

func newAskedIndex(e *embed.Embedder) (*askedIndex, error) {
	vectors, err := flat.New(e.Dimensions(), nil)
	if err != nil {
		return nil, err
	}
	words, err := bm25.New(nil)
	if err != nil {
		return nil, err
	}
	return &askedIndex{embedder: e, vectors: vectors, words: words, has: map[string]bool{}}, nil
}

// add adds the questions of documents.
func (x *askedIndex) add(docs []schema.Document, chunks []chunk.Chunk) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, d := range docs {
		id, _ := chunk.MetaString(d.Metadata, chunk.KeyID)
		if x.has[id] {
			continue
		}
		for _, question := range corpus.Asked(chunks[i].Text) {
			n := len(x.passage)
			x.passage = append(x.passage, id)
			x.has[id] = true
			x.words.Add(n, question)
			if vector := x.embedder.Append(nil, question); !zero(vector) {
				if err := x.vectors.Add(n, vector); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func zero(v []float32) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// near returns the ids of the passages whose questions are nearest to a question, by
// meaning and by words: up to k questions each.
func (x *askedIndex) near(ctx context.Context, question string, k int) (map[string]bool, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := map[string]bool{}
	if vector := x.embedder.Append(nil, question); !zero(vector) {
		hits, err := x.vectors.Search(vector, k, nil)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			out[x.passage[h.ID]] = true
		}
	}
	for _, h := range x.words.Search(question, k) {
		out[x.passage[h.ID]] = true
	}
	return out, ctx.Err()
}

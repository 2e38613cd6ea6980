package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/prodailabs/prodai"
	"github.com/prodailabs/prodai/retrieve/embed"
)

// held is the number of queries.
const held = 200

// vectors returns the vectors and the queries, which are not among them. They are the
// embeddings of sentences. Shuffled, each element of a vector is that of another sentence:
// every element has the same distribution as before, and none depends on the others.
func (l *lab) vectors(ctx context.Context) (all, queries [][]float32, err error) {
	if l.kind != "course" && l.kind != "shuffled" {
		return nil, nil, fmt.Errorf("-data is %q: want course or shuffled", l.kind)
	}
	e, err := embed.New()
	if err != nil {
		return nil, nil, err
	}
	texts := prodai.Sentences()
	rng := rand.New(rand.NewPCG(13, 10))
	for _, i := range rng.Perm(len(texts)) {
		v, err := e.EmbedQuery(ctx, texts[i])
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(v, func(e float32) bool { return e != 0 }) { // some sentences have no word that the embedder knows
			all = append(all, v)
		}
		if len(all) == l.n+held {
			break
		}
	}
	if l.kind == "shuffled" {
		for j := range all[0] {
			rng.Shuffle(len(all), func(a, b int) { all[a][j], all[b][j] = all[b][j], all[a][j] })
		}
	}
	n := len(all) - held
	return all[:n], all[n:], nil
}

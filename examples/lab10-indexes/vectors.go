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

// vectors returns the vectors and the queries, which are not among them.
func (l *lab) vectors(ctx context.Context) (all, queries [][]float32, err error) {
	rng := rand.New(rand.NewPCG(10, 10))
	switch l.kind {
	case "course":
		sentences := prodai.Sentences()
		rng.Shuffle(len(sentences), func(i, j int) { sentences[i], sentences[j] = sentences[j], sentences[i] })
		e, err := embed.New()
		if err != nil {
			return nil, nil, err
		}
		if all, err = e.EmbedDocuments(ctx, sentences[:min(l.n+held, len(sentences))]); err != nil {
			return nil, nil, err
		}
		all = slices.DeleteFunc(all, func(v []float32) bool { return !slices.ContainsFunc(v, func(e float32) bool { return e != 0 }) })
	case "clusters", "random":
		centers := normal(rng, 200, l.dim, 3)
		all = normal(rng, l.n+held, l.dim, 1)
		for i, v := range all {
			for j := range v {
				if l.kind == "clusters" {
					v[j] += centers[i%len(centers)][j]
				}
			}
		}
	default:
		return nil, nil, fmt.Errorf("-data is %q: want course, clusters or random", l.kind)
	}
	n := len(all) - held
	return all[:n], all[n:], nil
}

func normal(rng *rand.Rand, n, dim int, spread float64) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64() * spread)
		}
	}
	return out
}

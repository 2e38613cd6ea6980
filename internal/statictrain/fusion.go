package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/retrieve"
)

// A ranking is the numbers of the best passages with their scores, best first.
type ranking = []retrieve.Ranked[int]

// A scorer ranks the passages for each question.
type scorer func(ctx context.Context, questions, passages []string) ([]ranking, error)

// keep is a ranker by a scorer, and keeps what it returned.
func keep(s scorer, kept *[]ranking) ranker {
	return func(ctx context.Context, questions, passages []string) ([][]int, error) {
		var err error
		*kept, err = s(ctx, questions, passages)
		return numbers(*kept), err
	}
}

func numbers(all []ranking) [][]int {
	out := make([][]int, len(all))
	for i, r := range all {
		for _, p := range r {
			out[i] = append(out[i], p.ID)
		}
	}
	return out
}

// A fusion makes one ranking of that by vectors and that by words.
type fusion struct {
	name string
	fuse func(near, words ranking) ranking
}

// fusions are those to compare: each with some weights of the vectors.
func fusions() (out []fusion) {
	add := func(name string, weight float64, f func(w float64, near, words ranking) ranking) {
		out = append(out, fusion{fmt.Sprintf("%s %.2g", name, weight), func(near, words ranking) ranking { return f(weight, near, words) }})
	}
	for _, w := range []float64{.1, .2, .3, .5, .7, 1} {
		add("RRF", w, func(w float64, near, words ranking) ranking {
			return retrieve.RRF(60, []float64{w, 1}, near, words)
		})
	}
	for _, w := range []float64{.1, .2, .3, .4, .5} {
		add("min-max", w, retrieve.Convex[int])
	}
	for _, w := range []float64{.1, .2, .3, .4, .5, .6} {
		add("from least possible", w, func(w float64, near, words ranking) ranking {
			return retrieve.WeightedSum(nil, []float64{w, 1 - w}, fromLeast(near, -1), fromLeast(words, 0))
		})
	}
	for _, w := range []float64{.1, .2, .3, .4, .5} {
		add("DBSF", w, func(w float64, near, words ranking) ranking {
			return retrieve.WeightedSum(retrieve.DBSF, []float64{w, 1 - w}, near, words)
		})
	}
	return out
}

// fromLeast maps scores from the least possible one and the greatest one to 0 and 1.
func fromLeast(r ranking, least float64) ranking {
	out := make(ranking, len(r))
	greatest := math.Inf(-1)
	for _, p := range r {
		greatest = max(greatest, p.Score)
	}
	for i, p := range r {
		out[i] = retrieve.Ranked[int]{ID: p.ID, Score: (p.Score - least) / max(greatest-least, 1e-9)}
	}
	return out
}

// compareFusions prints the means of each fusion of a system with BM25 on each set, and the
// interval of the difference to BM25 alone.
func compareFusions(ctx context.Context, out io.Writer, sets []set, list []system) error {
	for _, s := range list {
		fmt.Fprintf(out, "%-24s", s.name)
		for _, x := range sets {
			fmt.Fprintf(out, " %22s", x.name)
		}
		fmt.Fprintln(out)
		near, words, alone := make([][]ranking, len(sets)), make([][]ranking, len(sets)), make([][]float64, len(sets))
		for i, x := range sets {
			if _, err := x.score(ctx, keep(byVectors(s.vectors), &near[i])); err != nil {
				return err
			}
			var err error
			if alone[i], err = x.score(ctx, keep(byWords, &words[i])); err != nil {
				return err
			}
		}
		for _, f := range fusions() {
			fmt.Fprintf(out, "%-24s", f.name)
			for i, x := range sets {
				y, err := x.score(ctx, fusedBy(f, near[i], words[i]))
				if err != nil {
					return err
				}
				d := make([]float64, len(y))
				for j := range d {
					d[j] = y[j] - alone[i][j]
				}
				fmt.Fprintf(out, " %.3f %s", stats.Mean(y), difference(d))
			}
			fmt.Fprintln(out)
		}
	}
	return nil
}

func fusedBy(f fusion, near, words []ranking) ranker {
	return func(context.Context, []string, []string) ([][]int, error) {
		out := make([]ranking, len(near))
		for i := range near {
			out[i] = f.fuse(near[i], words[i])
		}
		return numbers(out), nil
	}
}

package tune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/prodailabs/prodai/retrieve/embed"
)

// A table is the rows of the tokens that occur in the texts. A token's vector is
// exp(weight) x row.
type table struct {
	dim     int
	ids     []int32 // of the vocabulary, ascending
	base    []float32
	delta   []float32
	rows    []float32 // base + delta
	weights []float32 // logarithms
	trained []bool
}

// A bag is a text: its distinct tokens as places in a table, and the share of the
// text that each has.
type bag struct {
	tokens []int32
	shares []float32
}

// A group is a Group as bags.
type group struct {
	passage   bag
	questions []bag
}

// read returns the table of the groups' tokens, and the groups that have a passage and
// a question.
func read(ctx context.Context, base *embed.Embedder, groups []Group) (t *table, out []group, skipped int, err error) {
	t = &table{dim: base.Dimensions()}
	place := map[int32]int32{}
	for _, g := range groups {
		if err := ctx.Err(); err != nil {
			return nil, nil, 0, fmt.Errorf("tune: %w", err)
		}
		var bags []bag
		for i, text := range g.Texts {
			b := bagOf(base.Tokens(text))
			if len(b.tokens) == 0 {
				if i == 0 {
					break // no passage
				}
				continue
			}
			bags = append(bags, b)
		}
		if len(bags) < 2 {
			skipped++
			continue
		}
		for _, b := range bags {
			for _, id := range b.tokens {
				place[id] = 0
			}
		}
		out = append(out, group{bags[0], bags[1:]})
	}
	for id := range place {
		t.ids = append(t.ids, id)
	}
	slices.Sort(t.ids)
	for at, id := range t.ids {
		place[id] = int32(at)
		t.base = base.Row(t.base, id)
	}
	for _, x := range t.base {
		if !finite(x) {
			return nil, nil, 0, fmt.Errorf("%w: a row of the base is not finite", embed.ErrModel)
		}
	}
	for _, g := range out {
		for _, b := range append(g.questions[:len(g.questions):len(g.questions)], g.passage) {
			for i, id := range b.tokens {
				b.tokens[i] = place[id]
			}
		}
	}
	t.rows = slices.Clone(t.base)
	t.delta = make([]float32, len(t.base))
	t.weights = make([]float32, len(t.ids))
	t.trained = make([]bool, len(t.ids))
	return t, out, skipped, nil
}

// bagOf counts the tokens of a text. It changes ids.
func bagOf(ids []int32) bag {
	slices.Sort(ids)
	var b bag
	for i, id := range ids {
		if i == 0 || id != ids[i-1] {
			b.tokens = append(b.tokens, id)
			b.shares = append(b.shares, 0)
		}
		b.shares[len(b.shares)-1] += 1 / float32(len(ids))
	}
	return b
}

// vector sets v to the vector of a text, of length 1 or 0.
func (t *table) vector(v []float32, b bag) {
	clear(v)
	for i, token := range b.tokens {
		axpy(v, b.shares[i]*exp(t.weights[token]), t.row(token))
	}
	normalize(v)
}

func (t *table) row(token int32) []float32 {
	return t.rows[int(token)*t.dim : (int(token)+1)*t.dim]
}

// markTrained marks the tokens of the texts that are trained on.
func (t *table) markTrained(texts []group) {
	for _, g := range texts {
		if len(g.questions) == 0 {
			continue
		}
		for _, b := range append(g.questions[:len(g.questions):len(g.questions)], g.passage) {
			for _, token := range b.tokens {
				t.trained[token] = true
			}
		}
	}
}

// A heldOut is a question that isn't trained on.
type heldOut struct {
	group    int
	question bag
}

// figures ranks the passages of all groups for each held-out question.
func (t *table) figures(texts []group, held []heldOut) Figures {
	f := Figures{Questions: len(held)}
	if len(held) == 0 {
		return f
	}
	passages := make([]float32, len(texts)*t.dim)
	parallel(len(texts), func(from, to int) {
		for i := from; i < to; i++ {
			t.vector(passages[i*t.dim:(i+1)*t.dim], texts[i].passage)
		}
	})
	ranks := make([]int, len(held))
	parallel(len(held), func(from, to int) {
		question, cosines := make([]float32, t.dim), make([]float32, len(texts))
		for i := from; i < to; i++ {
			t.vector(question, held[i].question)
			dotRows(cosines, question, passages)
			for _, c := range cosines {
				if c > cosines[held[i].group] {
					ranks[i]++
				}
			}
		}
	})
	for _, rank := range ranks {
		if rank == 0 {
			f.RecallAt1++
		}
		if rank < 5 {
			f.RecallAt5++
		}
		f.MRR += 1 / float64(1+rank)
	}
	n := float64(len(held))
	f.RecallAt1, f.RecallAt5, f.MRR = f.RecallAt1/n, f.RecallAt5/n, f.MRR/n
	return f
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

func finite(x float32) bool { return x-x == 0 }

package retrieve

import (
	"context"
	"fmt"
	"math"
)

// sparseName returns the name of the model that makes sparse vectors, "" without one.
func (c *Collection) sparseName() string {
	if c.o.Sparse == nil {
		return ""
	}
	if named, ok := c.o.Sparse.(Named); ok {
		return named.Name()
	}
	return "unnamed"
}

// checkSparse checks that the options for learned sparse vectors fit one another.
func (c *Collection) checkSparse() error {
	if c.o.Sparse == nil {
		return nil
	}
	index, ok := c.o.Words.(SparseIndex)
	if !ok {
		return fmt.Errorf("%w: Options.Sparse needs a SparseIndex as Options.Words, which is a %T", ErrOption, c.o.Words)
	}
	if _, err := index.SearchWeights(nil, 1, nil); err != nil {
		return fmt.Errorf("%w: Options.Words takes no weights: %w", ErrOption, err)
	}
	return nil
}

// embedSparse sets the weights of the passages that have none.
func (c *Collection) embedSparse(ctx context.Context, put []*passage) error {
	if c.o.Sparse == nil {
		return nil
	}
	var texts []string
	for _, p := range put {
		if p.Weights == nil {
			texts = append(texts, p.Text)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	weights, err := c.o.Sparse.EmbedSparse(ctx, texts)
	if err != nil {
		return fmt.Errorf("retrieve: embed %d texts as sparse vectors: %w", len(texts), err)
	}
	if len(weights) != len(texts) {
		return fmt.Errorf("%w: %d sparse vectors for %d texts", ErrEmbedder, len(weights), len(texts))
	}
	next := 0
	for _, p := range put {
		if p.Weights != nil {
			continue
		}
		p.Weights = make(map[string]float64, len(weights[next])) // not nil, so that the file says that there is one
		for term, w := range weights[next] {
			p.Weights[term] = w
		}
		next++
		if err := checkWeights(p.Weights); err != nil {
			return err
		}
	}
	return nil
}

// maxWeight is far above the weights of any model.
const maxWeight = 1e6

func checkWeights(weights map[string]float64) error {
	for term, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) || w > maxWeight {
			return fmt.Errorf("%w: the weight of %q is %v, want 0 to %v", ErrEmbedder, term, w, maxWeight)
		}
	}
	return nil
}

// addWords adds a passage to the words.
func (c *Collection) addWords(p *passage) {
	if c.o.Sparse == nil {
		if words, names := c.fieldWords(); len(names) > 0 {
			words.AddFields(p.number, p.fields(names)...)
		} else {
			c.o.Words.Add(p.number, p.Text)
		}
		return
	}
	_ = c.o.Words.(SparseIndex).AddWeights(p.number, p.Weights) // the weights were checked
}

// wordsQuery returns the search by words for a query: by its text, or by the weights that
// the model gives it.
func (c *Collection) wordsQuery(ctx context.Context, query string) (func(n int, allowed func(int) bool) ([]Hit, error), error) {
	if c.o.Sparse == nil {
		filtered, ok := c.o.Words.(FilteredWords)
		return func(n int, allowed func(int) bool) ([]Hit, error) {
			if ok {
				return filtered.SearchAllowed(query, n, allowed), nil
			}
			return c.o.Words.Search(query, len(c.slots)), nil
		}, nil
	}
	weights, err := c.o.Sparse.EmbedSparseQuery(ctx, query)
	if err == nil {
		err = checkWeights(weights)
	}
	if err != nil {
		return nil, fmt.Errorf("retrieve: embed the query as a sparse vector: %w", err)
	}
	return func(n int, allowed func(int) bool) ([]Hit, error) {
		return c.o.Words.(SparseIndex).SearchWeights(weights, n, allowed)
	}, nil
}

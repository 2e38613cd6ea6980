package bm25

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// A Variant is one of the formulas called BM25. N is the number of documents, n of
// those with the term, f the term's count in the document, K = k1·(1 - b +
// b·length/average length).
type Variant uint8

// The variants, as bm25s computes them.
const (
	Lucene    Variant = iota // ln(1 + (N-n+.5)/(n+.5)) · f/(f+K)
	Robertson                // max(0, ln((N-n+.5)/(n+.5))) · f/(f+K)
	ATIRE                    // ln(N/n) · f·(k1+1)/(f+K)
	BM25L                    // ln((N+1)/(n+.5)) · (k1+1)(c+δ)/(k1+c+δ), c = f·k1/K
	BM25Plus                 // ln((N+1)/n) · (δ + f·(k1+1)/(f+K))
)

// ErrOption is wrapped by the error of [New] for an option that cannot work.
var ErrOption = errors.New("bm25: invalid option")

// Options configure an [Index].
type Options struct {
	// Variant is the formula. Default: Lucene.
	Variant Variant

	// K1, 0 or more, sets how slowly a repeated term stops counting: with
	// [Fixed](0) a term counts once, however often it appears. Default: 1.2.
	K1 Setting

	// B, 0 to 1, sets how much the length of a document counts: with [Fixed](0)
	// not at all. Default: 0.75.
	B Setting

	// Delta, 0 or more, is δ of BM25L and BM25Plus. Default: 1, and 0.5 for BM25L.
	Delta Setting

	// Analyze makes the terms of a text. Default: [English].
	Analyze func(text string) []string
}

// A Setting is a number that an option may leave open: the zero Setting means the
// option's default, Fixed(0) means 0.
type Setting struct {
	value float64
	fixed bool
}

// Fixed returns a Setting of v.
func Fixed(v float64) Setting { return Setting{v, true} }

// An Index is a set of documents that can be searched. It is safe for
// concurrent use. Make one with [New]: the zero Index is not usable.
type Index struct {
	variant      Variant
	k1, b, delta float64
	analyze      func(string) []string

	mu       sync.RWMutex
	postings map[string]map[int]int // term -> document -> count
	lengths  map[int]int            // document -> number of terms
	terms    map[int][]string       // document -> its distinct terms
	total    int                    // terms in all documents
}

// New returns an empty index, or an error that wraps [ErrOption].
func New(o *Options) (*Index, error) {
	if o == nil {
		o = &Options{}
	}
	x := &Index{variant: o.Variant, k1: 1.2, b: 0.75, delta: 1, analyze: o.Analyze,
		postings: map[string]map[int]int{}, lengths: map[int]int{}, terms: map[int][]string{}}
	if o.Variant > BM25Plus {
		return nil, fmt.Errorf("%w: Options.Variant is %d: want Lucene (0) to BM25Plus (%d)", ErrOption, o.Variant, BM25Plus)
	}
	if o.Variant == BM25L {
		x.delta = 0.5
	}
	for _, p := range []struct {
		name     string
		from     Setting
		to       *float64
		low, top float64
	}{{"K1", o.K1, &x.k1, 0, math.MaxFloat64}, {"B", o.B, &x.b, 0, 1}, {"Delta", o.Delta, &x.delta, 0, math.MaxFloat64}} {
		if !p.from.fixed {
			continue
		}
		if v := p.from.value; !(v >= p.low && v <= p.top) {
			return nil, fmt.Errorf("%w: Options.%s is %v: want %v to %v", ErrOption, p.name, v, p.low, p.top)
		}
		*p.to = p.from.value
	}
	if x.analyze == nil {
		x.analyze = English
	}
	return x, nil
}

// Add puts a document into the index under id, in place of the one that was
// there.
func (x *Index) Add(id int, text string) { x.AddTerms(id, x.analyze(text)) }

// AddTerms is Add for a text whose terms are already known.
func (x *Index) AddTerms(id int, terms []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(id)
	for _, t := range terms {
		docs := x.postings[t]
		if docs == nil {
			docs = map[int]int{}
			x.postings[t] = docs
		}
		if docs[id]++; docs[id] == 1 {
			x.terms[id] = append(x.terms[id], t)
		}
	}
	x.lengths[id] = len(terms)
	x.total += len(terms)
}

// Remove removes a document and reports whether it was there.
func (x *Index) Remove(id int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.remove(id)
}

func (x *Index) remove(id int) bool {
	n, ok := x.lengths[id]
	if !ok {
		return false
	}
	for _, t := range x.terms[id] {
		if docs := x.postings[t]; len(docs) == 1 {
			delete(x.postings, t)
		} else {
			delete(docs, id)
		}
	}
	delete(x.lengths, id)
	delete(x.terms, id)
	x.total -= n
	return true
}

// Len returns the number of documents.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.lengths)
}

// Rarity returns the weight of a term: ln(1 + (N-n+.5)/(n+.5)), where n of the N
// documents have it. It is largest for a term that no document has.
func (x *Index) Rarity(term string) float64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	docs, with := float64(len(x.lengths)), float64(len(x.postings[term]))
	return math.Log(1 + (docs-with+.5)/(with+.5))
}

// Contains reports whether a document has the term.
func (x *Index) Contains(term string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.postings[term]) > 0
}

// A Hit is a document that was found. It is an alias of a plain struct, so that
// an Index fits interfaces of packages that don't import this one.
type Hit = struct {
	ID    int
	Score float64
}

// Search returns the k best documents for a query, best first, ties by the
// lower id. Documents that share no term with the query are left out.
func (x *Index) Search(query string, k int) []Hit { return x.SearchTerms(x.analyze(query), k) }

// SearchTerms is Search for a query whose terms are already known. A repeated term
// counts each time.
func (x *Index) SearchTerms(terms []string, k int) []Hit {
	if k <= 0 {
		return nil
	}
	x.mu.RLock()
	scores := map[int]float64{}
	for _, t := range terms {
		docs := x.postings[t]
		for id, f := range docs {
			scores[id] += x.score(len(docs), f, x.lengths[id])
		}
	}
	x.mu.RUnlock()
	hits := make([]Hit, 0, len(scores))
	for id, s := range scores {
		hits = append(hits, Hit{ID: id, Score: s})
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(k, len(hits))]
}

// Scores returns the score of every document for a query's terms, also of those
// that share none of them: BM25L and BM25Plus give these a score too.
func (x *Index) Scores(terms []string) map[int]float64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scores := make(map[int]float64, len(x.lengths))
	for id := range x.lengths {
		scores[id] = 0
	}
	for _, t := range terms {
		docs := x.postings[t]
		if len(docs) == 0 {
			continue
		}
		for id, length := range x.lengths {
			scores[id] += x.score(len(docs), docs[id], length)
		}
	}
	return scores
}

// score is one term's part of a document's score: n documents have the term,
// this one f times, and it is length terms long.
func (x *Index) score(n, f, length int) float64 {
	docs, with, count := float64(len(x.lengths)), float64(n), float64(f)
	relative := 0.0
	if x.total > 0 {
		relative = float64(length) * docs / float64(x.total)
	}
	norm := 1 - x.b + x.b*relative
	saturated := func() float64 {
		if count == 0 {
			return 0
		}
		return count / (count + x.k1*norm)
	}
	switch x.variant {
	case Robertson:
		return max(0, math.Log((docs-with+.5)/(with+.5))) * saturated()
	case ATIRE:
		return math.Log(docs/with) * (x.k1 + 1) * saturated()
	case BM25L:
		c := 0.0
		if count > 0 {
			c = count / norm
		}
		if c+x.delta == 0 {
			return 0
		}
		return math.Log((docs+1)/(with+.5)) * (x.k1 + 1) * (c + x.delta) / (x.k1 + c + x.delta)
	case BM25Plus:
		return math.Log((docs+1)/with) * (x.delta + (x.k1+1)*saturated())
	}
	return math.Log(1+(docs-with+.5)/(with+.5)) * saturated()
}

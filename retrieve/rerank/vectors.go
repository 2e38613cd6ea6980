package rerank

import (
	"errors"
	"fmt"
	"math"
)

// ErrVector is wrapped by errors about vectors that can't be compared: a query without a
// direction, vectors of different lengths, elements that are not numbers.
var ErrVector = errors.New("rerank: the vectors can't be compared")

// A Float is an element of a vector.
type Float interface{ ~float32 | ~float64 }

// MMR picks k of the vectors by maximal marginal relevance and returns their indexes in
// the order of choice. The first is the one with the largest cosine to the query. Each
// next one has the largest
//
//	lambda · cosine(query, v) − (1 − lambda) · largest cosine of v to those already picked
//
// lambda, 0 to 1, is the weight of the question: 1 ranks by the question alone, and 0 is
// as diverse as possible. Ties go to the lower index. There are fewer than k results only
// if there are fewer vectors. A zero vector has the cosine 0 to everything. A zero query
// is [ErrVector], as vectors of different lengths are; lambda outside of 0 to 1 is
// [ErrOption]. The work grows with k times the number of vectors.
//
// Carbonell, Goldstein: "The use of MMR, diversity-based reranking for reordering
// documents and producing summaries", SIGIR 1998. The order of choice is that of
// langchain-core.
func MMR[F Float](query []F, vectors [][]F, k int, lambda float64) ([]int, error) {
	if !(lambda >= 0 && lambda <= 1) {
		return nil, fmt.Errorf("%w: lambda is %v: want 0 to 1", ErrOption, lambda)
	}
	if k < 0 {
		return nil, fmt.Errorf("%w: k is %d: want 0 or more", ErrOption, k)
	}
	k = min(k, len(vectors))
	if k == 0 {
		return []int{}, nil
	}
	q, err := unit(query, len(query))
	if err != nil {
		return nil, err
	}
	if q == nil {
		return nil, fmt.Errorf("%w: the query is a zero vector", ErrVector)
	}
	units := make([][]float64, len(vectors))
	relevance := make([]float64, len(vectors))
	for i, v := range vectors {
		if units[i], err = unit(v, len(query)); err != nil {
			return nil, fmt.Errorf("vector %d: %w", i, err)
		}
		relevance[i] = dot(q, units[i])
	}
	picked := make([]int, 0, k)
	taken := make([]bool, len(vectors))
	nearest := make([]float64, len(vectors)) // the largest cosine to those already picked
	for i := range nearest {
		nearest[i] = math.Inf(-1)
	}
	for len(picked) < k {
		best, bestScore := -1, math.Inf(-1)
		for i := range units {
			if taken[i] {
				continue
			}
			score := relevance[i]
			if len(picked) > 0 {
				score = lambda*relevance[i] - (1-lambda)*nearest[i]
			}
			if score > bestScore {
				best, bestScore = i, score
			}
		}
		taken[best] = true
		picked = append(picked, best)
		for i := range units {
			if !taken[i] {
				nearest[i] = max(nearest[i], dot(units[best], units[i]))
			}
		}
	}
	return picked, nil
}

// unit returns a vector scaled to length 1, nil if it is zero.
func unit[F Float](v []F, dim int) ([]float64, error) {
	if len(v) != dim || dim == 0 {
		return nil, fmt.Errorf("%w: it has %d elements, want %d, which is not 0", ErrVector, len(v), dim)
	}
	largest := 0.0
	for i, x := range v {
		f := math.Abs(float64(x))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%w: element %d is %v", ErrVector, i, x)
		}
		largest = max(largest, f)
	}
	if largest == 0 {
		return nil, nil
	}
	sum := 0.0
	for _, x := range v { // scaled, so that no square is too large or too small
		f := float64(x) / largest
		sum += f * f
	}
	norm := math.Sqrt(sum)
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x) / largest / norm
	}
	return out, nil
}

// dot returns the inner product; nil is a zero vector.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range min(len(a), len(b)) {
		sum += a[i] * b[i]
	}
	return sum
}

// A Similarity compares two token vectors in [MaxSim].
type Similarity uint8

// The similarities.
const (
	SimilarityCosine Similarity = iota // the cosine; a zero vector has 0 to everything
	SimilarityDot                      // the inner product
)

// MaxSim returns the late-interaction score: for each token of the query the largest
// similarity to a token of the document, summed over the query's tokens. The score of
// a document without tokens is 0. Vectors of different lengths, and elements that are not
// numbers, are [ErrVector]. The work grows with the product of the two numbers of tokens.
//
// Khattab, Zaharia: "ColBERT: efficient and effective passage search via contextualized
// late interaction over BERT", SIGIR 2020, equation 3.
func MaxSim[F Float](query, document [][]F, s Similarity) (float64, error) {
	if s > SimilarityDot {
		return 0, fmt.Errorf("%w: the similarity is %d: want SimilarityCosine or SimilarityDot", ErrOption, s)
	}
	if len(query) == 0 || len(document) == 0 {
		return 0, nil
	}
	dim := len(query[0])
	q, err := rows(query, dim, s)
	if err != nil {
		return 0, fmt.Errorf("query %w", err)
	}
	d, err := rows(document, dim, s)
	if err != nil {
		return 0, fmt.Errorf("document %w", err)
	}
	sum := 0.0
	for _, a := range q {
		best := math.Inf(-1)
		for _, b := range d {
			best = max(best, dot(a, b))
		}
		sum += best
	}
	return sum, nil
}

// rows returns token vectors in float64, of length 1 for the cosine.
func rows[F Float](tokens [][]F, dim int, s Similarity) ([][]float64, error) {
	out := make([][]float64, len(tokens))
	for i, t := range tokens {
		u, err := unit(t, dim)
		if err != nil {
			return nil, fmt.Errorf("token %d: %w", i, err)
		}
		if s == SimilarityDot {
			u = make([]float64, dim)
			for j, x := range t {
				u[j] = float64(x)
			}
		}
		out[i] = u
	}
	return out, nil
}

// SparseDot returns the inner product of two sparse vectors, maps from a term or a
// dimension to its weight. Learned sparse models such as SPLADE score so.
//
// Formal, Piwowarski, Clinchant: "SPLADE: sparse lexical and expansion model for first
// stage ranking", SIGIR 2021.
func SparseDot[K comparable, F Float](a, b map[K]F) float64 {
	if len(b) < len(a) {
		a, b = b, a
	}
	// The order of a map changes, and with it the last bits of a sum: so the sum is
	// compensated (Neumaier).
	sum, lost := 0.0, 0.0
	for key, x := range a {
		term := float64(x) * float64(b[key])
		next := sum + term
		if math.Abs(sum) >= math.Abs(term) {
			lost += (sum - next) + term
		} else {
			lost += (term - next) + sum
		}
		sum = next
	}
	return sum + lost
}

// Ends returns passages, sorted best first, with the best at both ends and the worst in the
// middle, since models use what is at the beginning and the end of a long prompt best
// ("lost in the middle"). The best is the first of an odd number of passages, and the last
// of an even number.
//
// Liu et al.: "Lost in the middle: how language models use long contexts", TACL 2024. The
// order is that of LongContextReorder of langchain-community.
func Ends[T any](ranked []T) []T {
	out := make([]T, len(ranked))
	front, back := 0, len(ranked)-1
	// The reference reverses the list and puts items to the front and to the end in
	// turn: from the best on, that is last, first, last but one, ...
	atEnd := len(ranked)%2 == 0
	for i := range ranked {
		if toBack := (i%2 == 0) == atEnd; toBack {
			out[back] = ranked[i]
			back--
		} else {
			out[front] = ranked[i]
			front++
		}
	}
	return out
}

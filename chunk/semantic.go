package chunk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/internal/sentence"
)

// ErrVectors is the error for vectors of an embedder that can't be used.
var ErrVectors = errors.New("chunk: the embedder's vectors can't be used")

// A Breakpoint is the rule by which [Semantic] cuts. It is given the distances,
// 1 - cosine, between each sentence, embedded with its neighbors, and the next.
type Breakpoint uint8

// The rules. All but BreakpointOptimal cut where a distance is above a limit that
// is computed from the distances of the same text.
const (
	// BreakpointPercentile cuts above the Threshold-th percentile of distances.
	// Its default Threshold is 95.
	BreakpointPercentile Breakpoint = iota

	// BreakpointStdDev cuts above the mean by Threshold standard deviations. Its
	// default Threshold is 3.
	BreakpointStdDev

	// BreakpointInterquartile cuts above the mean by Threshold interquartile
	// ranges. Its default Threshold is 1.5.
	BreakpointInterquartile

	// BreakpointGradient cuts where the slope of the distance is above the
	// Threshold-th percentile of slopes, for texts whose distances are all similar.
	// Its default Threshold is 95.
	BreakpointGradient

	// BreakpointOptimal finds the best of all possible cuts within the size, by
	// dynamic programming. A cut is worth the similarities between the sentences
	// of each passage, each less the mean of the text. Threshold isn't used.
	BreakpointOptimal
)

// SemanticOptions configure a [Semantic].
type SemanticOptions struct {
	Options

	// Breakpoint is the rule for where to cut. Default: BreakpointPercentile.
	Breakpoint Breakpoint

	// Threshold is the number in the rule, 0 or more; a percentile is at most 100.
	// Default: the rule's.
	Threshold float64

	// Neighbors is how many sentences before and after are embedded with each,
	// since a sentence alone has little meaning; a negative number means none.
	// Default: 1.
	Neighbors int
}

// Semantic cuts where the vectors of an embedder show that the subject changes. A
// passage between two cuts that is too large is cut between sentences.
//
// It costs an embedding of three times the text, and at an equal budget of
// retrieved tokens the gain over [Recursive] has been small where we measured.
type Semantic struct {
	m        measure
	o        SemanticOptions
	embedder embeddings.Embedder
}

// NewSemantic returns a Semantic. It fails with [ErrOption].
func NewSemantic(embedder embeddings.Embedder, o *SemanticOptions) (*Semantic, error) {
	if embedder == nil {
		return nil, fmt.Errorf("%w: the embedder of NewSemantic is nil", ErrOption)
	}
	s := &Semantic{embedder: embedder}
	if o != nil {
		s.o = *o
	}
	var err error
	if s.m, err = s.o.Options.measure(); err != nil {
		return nil, err
	}
	if s.o.Threshold == 0 {
		s.o.Threshold = map[Breakpoint]float64{BreakpointPercentile: 95, BreakpointStdDev: 3, BreakpointInterquartile: 1.5, BreakpointGradient: 95}[s.o.Breakpoint]
	}
	if s.o.Breakpoint > BreakpointOptimal {
		return nil, fmt.Errorf("%w: SemanticOptions.Breakpoint is %d: want BreakpointPercentile to BreakpointOptimal", ErrOption, s.o.Breakpoint)
	}
	most := math.Inf(1)
	if s.o.Breakpoint == BreakpointPercentile || s.o.Breakpoint == BreakpointGradient {
		most = 100
	}
	if !(s.o.Threshold >= 0 && s.o.Threshold <= most) {
		return nil, fmt.Errorf("%w: SemanticOptions.Threshold is %v: want 0 to %v", ErrOption, s.o.Threshold, most)
	}
	switch {
	case s.o.Neighbors == 0:
		s.o.Neighbors = 1
	case s.o.Neighbors < 0:
		s.o.Neighbors = 0
	}
	return s, nil
}

// Chunk cuts the text. It returns the embedder's errors, and [ErrVectors] if it
// doesn't return a finite vector of one length for each text.
func (s *Semantic) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := sentence.Split(text)
	if len(found) == 0 {
		return nil, nil
	}
	joints := make([]joint, len(found))
	for i, s := range found {
		joints[i] = joint{at: s.Start}
	}
	if len(found) > 1 {
		vectors, err := s.embed(ctx, text, found)
		if err != nil {
			return nil, err
		}
		for _, i := range s.breaks(text, found, vectors) {
			joints[i].hard = true
		}
	}
	return assemble(text, s.m, joints), nil
}

// embed returns a unit vector for each sentence with its neighbors.
func (s *Semantic) embed(ctx context.Context, text string, found []sentence.Span) ([][]float64, error) {
	parts := make([]string, len(found))
	for i := range found {
		parts[i] = text[found[max(0, i-s.o.Neighbors)].Start:found[min(len(found)-1, i+s.o.Neighbors)].End]
	}
	raw, err := s.embedder.EmbedDocuments(ctx, parts)
	if err != nil {
		return nil, fmt.Errorf("chunk: embedding %d sentences: %w", len(parts), err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(raw) != len(parts) {
		return nil, fmt.Errorf("%w: %d for %d texts", ErrVectors, len(raw), len(parts))
	}
	out := make([][]float64, len(raw))
	for i, v := range raw {
		if len(v) != len(raw[0]) {
			return nil, fmt.Errorf("%w: %d and %d dimensions", ErrVectors, len(raw[0]), len(v))
		}
		norm := 0.0
		for _, x := range v {
			norm += float64(x) * float64(x)
		}
		if math.IsNaN(norm) || math.IsInf(norm, 0) {
			return nil, fmt.Errorf("%w: vector %d isn't finite", ErrVectors, i)
		}
		out[i] = make([]float64, len(v))
		if norm > 0 { // a vector of zeros is similar to no other
			for d, x := range v {
				out[i][d] = float64(x) / math.Sqrt(norm)
			}
		}
	}
	return out, nil
}

// breaks returns the sentences before which to cut.
func (s *Semantic) breaks(text string, found []sentence.Span, vectors [][]float64) []int {
	if s.o.Breakpoint == BreakpointOptimal {
		sizes, count := make([]int, len(found)), newPacker(text, s.m, nil).count
		for i, f := range found {
			sizes[i] = count(f.Start, f.End)
		}
		return optimal(vectors, sizes, s.m.size)
	}
	values := make([]float64, len(vectors)-1)
	for i := range values {
		values[i] = 1 - dot(vectors[i], vectors[i+1])
	}
	limit := 0.0
	switch s.o.Breakpoint {
	case BreakpointPercentile:
		limit = percentile(values, s.o.Threshold)
	case BreakpointStdDev:
		mean, dev := meanDev(values)
		limit = mean + s.o.Threshold*dev
	case BreakpointInterquartile:
		mean, _ := meanDev(values)
		limit = mean + s.o.Threshold*(percentile(values, 75)-percentile(values, 25))
	case BreakpointGradient:
		values = gradient(values)
		limit = percentile(values, s.o.Threshold)
	}
	var out []int
	for i, v := range values {
		if v > limit {
			out = append(out, i+1)
		}
	}
	return out
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func meanDev(values []float64) (mean, dev float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		dev += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(dev)
}

// percentile interpolates linearly between the two nearest values.
func percentile(values []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := p / 100 * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// gradient is the slope at each value: central differences, one-sided at the
// ends.
func gradient(values []float64) []float64 {
	out := make([]float64, len(values))
	last := len(values) - 1
	for i := range values {
		if a, b := max(0, i-1), min(last, i+1); b > a {
			out[i] = (values[b] - values[a]) / float64(b-a)
		}
	}
	return out
}

// optimal returns the best cuts. With S the similarity of two sentences and m
// its mean over all pairs, a passage [i,j) is worth the sum of S-m over its
// pairs. best[j] is the most that the first j sentences are worth:
//
//	best[j] = max over i of best[i] + worth(i, j), the passage within the size
//
// Sums of vectors give the sum of S over a range in one product, so the time is
// linear in sentences, in sentences per passage and in dimensions.
func optimal(vectors [][]float64, sizes []int, size int) []int {
	n, dims := len(vectors), len(vectors[0])
	all := make([]float64, dims)
	self := 0.0
	for _, v := range vectors {
		add(all, v)
		self += dot(v, v)
	}
	mean := (dot(all, all) - self) / float64(n*(n-1))
	best, from := make([]float64, n+1), make([]int, n+1)
	for j := 1; j <= n; j++ {
		best[j], from[j] = best[j-1], j-1
		sum := slices.Clone(vectors[j-1])
		worth, total := 0.0, sizes[j-1]
		for i := j - 2; i >= 0; i-- {
			if total += sizes[i]; total > size {
				break
			}
			worth += dot(vectors[i], sum) - mean*float64(j-1-i)
			add(sum, vectors[i])
			if best[i]+worth > best[j] {
				best[j], from[j] = best[i]+worth, i
			}
		}
	}
	var out []int
	for j := from[n]; j > 0; j = from[j] {
		out = append(out, j)
	}
	slices.Reverse(out)
	return out
}

func add(to, v []float64) {
	for i, x := range v {
		to[i] += x
	}
}

package chunk

import (
	"errors"
	"fmt"
	"sort"
)

// ErrTokens is the error for tokens or vectors that don't belong to the text.
var ErrTokens = errors.New("chunk: the tokens don't fit the text")

// A TokenSpan is the tokens [First, Last) of a document.
type TokenSpan struct{ First, Last int }

// LateSpans returns which tokens each chunk is made of. ends are the ends of
// the document's tokens in bytes, ascending, as for [NewWindows]; a token that
// two chunks share belongs to both. A chunk after the last token is ErrTokens:
// the embedder's window was shorter than the document.
//
// Late chunking (Günther et al. 2024, arXiv 2409.04701) embeds the whole
// document first, so that each token's vector knows its surroundings, and only
// then cuts: a passage's vector is the mean of its tokens', see [LateVectors].
func LateSpans(chunks []Chunk, ends []int) ([]TokenSpan, error) {
	out := make([]TokenSpan, len(chunks))
	for i, c := range chunks {
		first := sort.Search(len(ends), func(k int) bool { return ends[k] > c.Start })
		last := sort.Search(len(ends), func(k int) bool { return ends[k] >= c.End })
		if c.Start < 0 || last == len(ends) {
			return nil, fmt.Errorf("%w: chunk %d is bytes %d to %d, and the tokens reach to %d", ErrTokens, i, c.Start, c.End, lastOf(ends))
		}
		out[i] = TokenSpan{first, last + 1}
	}
	return out, nil
}

func lastOf(ends []int) int {
	if len(ends) == 0 {
		return 0
	}
	return ends[len(ends)-1]
}

// LateVectors returns the mean of the token vectors in each span.
func LateVectors(spans []TokenSpan, tokens [][]float32) ([][]float32, error) {
	out := make([][]float32, len(spans))
	for i, s := range spans {
		if s.First < 0 || s.First >= s.Last || s.Last > len(tokens) {
			return nil, fmt.Errorf("%w: span %d is tokens %d to %d of %d", ErrTokens, i, s.First, s.Last, len(tokens))
		}
		sum := make([]float64, len(tokens[s.First]))
		for _, v := range tokens[s.First:s.Last] {
			if len(v) != len(sum) {
				return nil, fmt.Errorf("%w: vectors of %d and %d dimensions", ErrTokens, len(sum), len(v))
			}
			for d, x := range v {
				sum[d] += float64(x)
			}
		}
		out[i] = make([]float32, len(sum))
		for d, x := range sum {
			out[i][d] = float32(x / float64(s.Last-s.First))
		}
	}
	return out, nil
}

package dataset

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/eval"
)

// words returns a text's words in lower case, without punctuation: what has to
// be equal for two questions to be the same one.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N, unicode.M) })
}

// shingles returns the hashes of the runs of n words, or of the whole text if
// it is shorter.
func shingles(ws []string, n int) map[uint64]bool {
	set := map[uint64]bool{}
	for i := 0; i == 0 || i+n <= len(ws); i++ {
		h := fnv.New64a()
		for _, w := range ws[i:min(i+n, len(ws))] {
			_, _ = io.WriteString(h, w) // a hash takes everything
			h.Write([]byte{0})
		}
		set[h.Sum64()] = true
	}
	return set
}

// A Pair is two cases whose inputs are nearly the same.
type Pair struct {
	A, B *eval.Case
	// Similarity is the Jaccard index of the inputs' word trigrams: shared
	// over all, 1 for the same words in the same order.
	Similarity float64
}

// NearDuplicates returns the pairs of cases whose inputs have a similarity of
// at least threshold (above 0 to 1), most similar first. Duplicates count a
// mistake twice and make error bars too small; between a training and a test
// set they are a leak.
//
// It compares exactly, but only pairs that share one of their rarest trigrams,
// found through an index. Which of them a similar pair must share depends on the
// threshold (Bayardo, Ma and Srikant, "Scaling Up All Pairs Similarity Search",
// 2007), so a sentence that every prompt begins with makes no pairs.
func (d *Dataset) NearDuplicates(threshold float64) ([]Pair, error) {
	return similar(d.Cases, d.Cases, threshold, true)
}

// Leaks returns the pairs of a case of d and one of other whose inputs have a
// similarity of at least threshold.
func (d *Dataset) Leaks(other *Dataset, threshold float64) ([]Pair, error) {
	if other == nil {
		return nil, fmt.Errorf("%w: the other dataset is nil", ErrOption)
	}
	return similar(d.Cases, other.Cases, threshold, false)
}

func similar(as, bs []eval.Case, threshold float64, sameSet bool) ([]Pair, error) {
	if !(threshold > 0 && threshold <= 1) {
		return nil, fmt.Errorf("%w: the threshold is %v: want a number above 0, at most 1", ErrOption, threshold)
	}
	sets, others := trigrams(as), trigrams(bs)
	common := map[uint64]int{} // by trigram: how many inputs have it
	for _, set := range slices.Concat(sets, others) {
		for _, s := range set {
			common[s]++
		}
	}
	rarest := func(set []uint64) []uint64 {
		slices.SortFunc(set, func(a, b uint64) int { return cmp.Or(cmp.Compare(common[a], common[b]), cmp.Compare(a, b)) })
		// A similar input has at least this share of the set, so it has one of these.
		least := int(math.Ceil(threshold*float64(len(set)) - 1e-9))
		return set[:len(set)-max(least, 1)+1]
	}
	index := map[uint64][]int{}
	for j, set := range others {
		for _, s := range rarest(set) {
			index[s] = append(index[s], j)
		}
		slices.Sort(set)
	}
	var pairs []Pair
	seen := make([]int, len(bs)) // by input of bs: 1 + the input of as that it was last compared with
	for i, set := range sets {
		var candidates []int
		for _, s := range rarest(set) {
			for _, j := range index[s] {
				if seen[j] != i+1 && (!sameSet || j > i) {
					seen[j] = i + 1
					candidates = append(candidates, j)
				}
			}
		}
		slices.Sort(set)
		for _, j := range candidates {
			n := shared(set, others[j])
			if s := float64(n) / float64(len(set)+len(others[j])-n); s >= threshold {
				pairs = append(pairs, Pair{&as[i], &bs[j], s})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.A.ID, b.A.ID), cmp.Compare(a.B.ID, b.B.ID))
	})
	return pairs, nil
}

func trigrams(cases []eval.Case) [][]uint64 {
	out := make([][]uint64, len(cases))
	for i := range cases {
		for s := range shingles(words(cases[i].Input), 3) {
			out[i] = append(out[i], s)
		}
	}
	return out
}

// shared counts what two sorted sets have in common.
func shared(a, b []uint64) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			n++
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return n
}

// A Contamination is a case that a model may have seen in training.
type Contamination struct {
	Case *eval.Case
	// Share is the part of the input's n-grams found in the corpus.
	Share float64
}

// ContaminationOptions sets what [Dataset.Contaminated] reports; nil means the
// defaults.
type ContaminationOptions struct {
	// Words is the length of the n-grams that are looked for. A text of fewer
	// words counts as one n-gram. Default: 13, as in Brown et al. 2020; later work
	// uses 8.
	Words int
	// Share is the part of a case's n-grams, 0 to 1, that has to be in the corpus.
	// Default: 0, where one n-gram is enough.
	Share float64
}

// Contaminated looks for the cases' inputs, and references, in a corpus such as a
// model's training data. It returns the cases for which the corpus contains at
// least the options' share of their word n-grams, the most contaminated ones first.
//
// A question that is in the corpus measures memory. A question that isn't found may
// still have been seen, reworded or translated, so the result is a lower bound.
func (d *Dataset) Contaminated(corpus iter.Seq[string], o *ContaminationOptions) ([]Contamination, error) {
	if o == nil {
		o = &ContaminationOptions{}
	}
	n, share := cmp.Or(o.Words, 13), o.Share
	switch {
	case corpus == nil:
		return nil, fmt.Errorf("%w: the corpus is nil", ErrOption)
	case n < 1:
		return nil, fmt.Errorf("%w: ContaminationOptions.Words is %d: want 1 or more", ErrOption, n)
	case !(share >= 0 && share <= 1):
		return nil, fmt.Errorf("%w: ContaminationOptions.Share is %v: want a number from 0 to 1", ErrOption, share)
	}
	sets, wanted, short := d.grams(n)
	found := foundIn(corpus, n, wanted, short)
	var out []Contamination
	for i, set := range sets {
		hits := 0
		for s := range set {
			if found[s] {
				hits++
			}
		}
		if hits > 0 && float64(hits) >= share*float64(len(set)) {
			out = append(out, Contamination{&d.Cases[i], float64(hits) / float64(len(set))})
		}
	}
	slices.SortStableFunc(out, func(a, b Contamination) int { return cmp.Compare(b.Share, a.Share) })
	return out, nil
}

// grams returns the n-grams of each case and of all cases, and the lengths of texts
// with fewer than n words, which are looked for as a whole.
func (d *Dataset) grams(n int) (sets []map[uint64]bool, wanted map[uint64]bool, short map[int]bool) {
	sets = make([]map[uint64]bool, len(d.Cases))
	wanted, short = map[uint64]bool{}, map[int]bool{}
	for i := range d.Cases {
		sets[i] = map[uint64]bool{}
		for _, text := range append([]string{d.Cases[i].Input}, longReferences(&d.Cases[i], n)...) {
			ws := words(text)
			if len(ws) == 0 {
				continue
			}
			if len(ws) < n {
				short[len(ws)] = true
			}
			for s := range shingles(ws, n) {
				sets[i][s] = true
				wanted[s] = true
			}
		}
	}
	return sets, wanted, short
}

func foundIn(corpus iter.Seq[string], n int, wanted map[uint64]bool, short map[int]bool) map[uint64]bool {
	found := map[uint64]bool{}
	for text := range corpus {
		ws := words(text)
		for length := range short {
			if len(ws) >= length {
				markFound(found, wanted, shingles(ws, length))
			}
		}
		if len(ws) >= n {
			markFound(found, wanted, shingles(ws, n))
		}
	}
	return found
}

// longReferences leaves out answers like "Paris", which every corpus has.
func longReferences(c *eval.Case, n int) []string {
	var out []string
	for _, r := range c.References {
		if len(words(r)) >= n {
			out = append(out, r)
		}
	}
	return out
}

func markFound(found, wanted, grams map[uint64]bool) {
	for s := range grams {
		if wanted[s] {
			found[s] = true
		}
	}
}

package eval

import (
	"cmp"
	"fmt"
	"math"
	"unicode/utf8"
)

// Levenshtein is the least number of runes to insert, delete or replace to turn a
// into b (Levenshtein 1965). Each byte of invalid UTF-8 counts as a rune.
func Levenshtein(a, b string) int {
	a, b = trimCommon(a, b)
	if a == "" || b == "" {
		return utf8.RuneCountInString(a) + utf8.RuneCountInString(b)
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if isASCII(a) && isASCII(b) {
		if len(a) > len(b) {
			a, b = b, a // fewer words to a row
		}
		return s.bytes.distance(a, b)
	}
	s.hyp, s.ref = s.runeIDs(a, b)
	s.myers.set(s.hyp)
	defer s.myers.reset()
	return s.myers.distance(s.ref)
}

// trimCommon cuts off the common beginning and the common end of two texts, in
// whole runes.
func trimCommon(a, b string) (string, string) {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && (i < len(a) && !utf8.RuneStart(a[i]) || i < len(b) && !utf8.RuneStart(b[i])) {
		i--
	}
	a, b = a[i:], b[i:]
	j := 0
	for j < len(a) && j < len(b) && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	for j > 0 && !utf8.RuneStart(a[len(a)-j]) {
		j--
	}
	return a[:len(a)-j], b[:len(b)-j]
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// runeIDs returns two texts as sequences of small numbers, one to a distinct
// rune.
func (s *scratch) runeIDs(a, b string) (x, y []uint32) {
	s.grams.reset()
	x, y = s.hyp[:0], s.ref[:0]
	for _, r := range a {
		x = append(x, s.grams.insert(0, uint32(r)))
	}
	for _, r := range b {
		y = append(y, s.grams.insert(0, uint32(r)))
	}
	return x, y
}

// EditCosts are the costs of editing one rune; nil means that each is 1.
type EditCosts struct {
	// Insert is the cost of a rune that b has and a lacks. Default: 1.
	Insert int
	// Delete is the cost of a rune that a has and b lacks. Default: 1.
	Delete int
	// Replace is the cost of replacing a rune by another one. Default: 1.
	Replace int
}

// WeightedLevenshtein is the least cost of turning a into b. It fails with
// [ErrOption] for negative costs.
func WeightedLevenshtein(a, b string, costs *EditCosts) (int, error) {
	if costs == nil {
		costs = &EditCosts{}
	}
	insert, remove, replace := cmp.Or(costs.Insert, 1), cmp.Or(costs.Delete, 1), cmp.Or(costs.Replace, 1)
	if min(insert, remove, replace) < 0 {
		return 0, fmt.Errorf("%w: EditCosts are %+v: want 0 or more", ErrOption, *costs)
	}
	x, y := []rune(a), []rune(b)
	if most := math.MaxInt / (2*(len(x)+len(y)) + 2); max(insert, remove, replace) > most {
		return 0, fmt.Errorf("%w: EditCosts are %+v: want %d or less for texts of this length", ErrOption, *costs, most)
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j * insert
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = (i + 1) * remove
		for j, q := range y {
			above := row[j+1]
			c := diagonal
			if r != q {
				c = min(diagonal+replace, above+remove, row[j]+insert)
			}
			row[j+1] = c
			diagonal = above
		}
	}
	return row[len(y)], nil
}

// LCSLength is the length in runes of the longest common subsequence.
func LCSLength(a, b string) int {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.hyp, s.ref = s.runeIDs(a, b)
	return s.lcs.length(s.hyp, s.ref)
}

// IndelDistance is the edit distance with insertions and deletions only: what is not
// in the longest common subsequence.
func IndelDistance(a, b string) int {
	return utf8.RuneCountInString(a) + utf8.RuneCountInString(b) - 2*LCSLength(a, b)
}

// OptimalStringAlignment is the optimal string alignment distance: Levenshtein with swaps of
// neighbors at the cost of 1, where no part is edited twice. It is not a metric:
// the triangle inequality fails (ca, ac, abc).
func OptimalStringAlignment(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, above, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}

// DamerauLevenshtein is the distance with swaps of neighbors, unrestricted
// (Damerau 1964; the recurrence of Lowrance and Wagner 1975). Its memory grows
// with the length of the texts, not with their product (Zhao and Sahni 2020).
func DamerauLevenshtein(a, b string) int {
	x, y := []rune(a), []rune(b)
	far := max(len(x), len(y)) + 1
	// The cell before column 0 is part of every row, so column j is at j+1.
	row, above, swapped := make([]int, len(y)+2), make([]int, len(y)+2), make([]int, len(y)+2)
	for j := range row {
		row[j], above[j], swapped[j] = j-1, far, far
	}
	row[0] = far
	const never = -2 // before the first row and column, and adjacent to neither
	lastRow := map[rune]int{}
	for i, r := range x {
		row, above = above, row
		lastCol := never
		corner, column := row[1], far // of the row two above: the last cell, and that at the last match
		row[1] = i + 1
		for j, q := range y {
			cost := 1
			if r == q {
				cost = 0
			}
			c := min(above[j+1]+cost, row[j+1]+1, above[j+2]+1)
			if r == q {
				lastCol = j
				swapped[j+1] = above[j]
				column = corner
			} else {
				k, ok := lastRow[q]
				if !ok {
					k = never
				}
				if j-lastCol == 1 {
					c = min(c, swapped[j+1]+i-k)
				} else if i-k == 1 {
					c = min(c, column+j-lastCol)
				}
			}
			corner = row[j+2]
			row[j+2] = c
		}
		lastRow[r] = i
	}
	return row[len(y)+1]
}

// LevenshteinSimilarity is 1 - distance/length of the longer text: 1 for equal
// texts, 0 for those with nothing in common.
func LevenshteinSimilarity(a, b string) float64 {
	longest := max(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	return 1 - ratio(float64(Levenshtein(a, b)), float64(longest))
}

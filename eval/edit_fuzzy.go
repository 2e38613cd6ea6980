package eval

import (
	"slices"
	"strings"
)

// FuzzRatio is the normalized indel similarity, 0 to 100:
// 200 · LCS / (len a + len b). Two empty texts score 100.
//
// This and the other Fuzz functions are those of rapidfuzz 3.14.6 without
// preprocessing, the usual way to match names and titles against a list.
func FuzzRatio(a, b string) float64 {
	return fuzzRatio([]rune(a), []rune(b))
}

func fuzzRatio(a, b []rune) float64 {
	n := len(a) + len(b)
	if n == 0 {
		return 100
	}
	return 100 - 100*float64(n-2*runeLCS(a, b))/float64(n)
}

func runeLCS(a, b []rune) int {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.grams.reset()
	s.hyp, s.ref = s.hyp[:0], s.ref[:0]
	for _, r := range a {
		s.hyp = append(s.hyp, s.grams.insert(0, uint32(r)))
	}
	for _, r := range b {
		s.ref = append(s.ref, s.grams.insert(0, uint32(r)))
	}
	return s.lcs.length(s.hyp, s.ref)
}

// FuzzPartialRatio is the best [FuzzRatio] of the shorter text with a part of
// the longer one that is at most as long.
func FuzzPartialRatio(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	switch {
	case len(x) == 0 && len(y) == 0:
		return 100
	case len(x) == 0 || len(y) == 0:
		return 0
	case len(x) == len(y):
		return max(partialRatio(x, y), partialRatio(y, x))
	case len(x) > len(y):
		x, y = y, x
	}
	return partialRatio(x, y)
}

// partialRatio tries every window of the longer text, and the shorter ones at
// its ends. A window whose last rune (at the end: first) isn't in the shorter
// text can't be the best, or is as good without it.
func partialRatio(short, long []rune) float64 {
	has := map[rune]bool{}
	for _, r := range short {
		has[r] = true
	}
	best := 0.0
	try := func(window []rune, edge rune) {
		if has[edge] {
			best = max(best, fuzzRatio(short, window))
		}
	}
	n := len(short)
	for i := 1; i < n; i++ {
		try(long[:i], long[i-1])
	}
	for i := 0; i+n <= len(long); i++ {
		try(long[i:i+n], long[i+n-1])
	}
	for i := len(long) - n; i < len(long); i++ {
		try(long[i:], long[i])
	}
	return best
}

// FuzzTokenSortRatio is [FuzzRatio] of the words in sorted order.
func FuzzTokenSortRatio(a, b string) float64 {
	x, y := fuzzWords(a), fuzzWords(b)
	slices.Sort(x)
	slices.Sort(y)
	return FuzzRatio(strings.Join(x, " "), strings.Join(y, " "))
}

// FuzzTokenSetRatio compares the sets of words: 100 where one text's words are
// all in the other, else the best of three comparisons between the common words
// and the common words with each side's own.
func FuzzTokenSetRatio(a, b string) float64 {
	set := func(s string) []string {
		words := fuzzWords(s)
		slices.Sort(words)
		return slices.Compact(words)
	}
	x, y := set(a), set(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	var both, onlyX, onlyY []string
	for _, w := range x {
		if _, ok := slices.BinarySearch(y, w); ok {
			both = append(both, w)
		} else {
			onlyX = append(onlyX, w)
		}
	}
	for _, w := range y {
		if _, ok := slices.BinarySearch(x, w); !ok {
			onlyY = append(onlyY, w)
		}
	}
	if len(both) > 0 && (len(onlyX) == 0 || len(onlyY) == 0) {
		return 100
	}
	length := func(words []string) int { return len([]rune(strings.Join(words, " "))) }
	share := func(distance, total int) float64 { return 100 - 100*ratio(float64(distance), float64(total)) }
	common, lx, ly := length(both), length(onlyX), length(onlyY)
	gap := min(1, common)
	best := share(IndelDistance(strings.Join(onlyX, " "), strings.Join(onlyY, " ")), 2*(common+gap)+lx+ly)
	if common == 0 {
		return best
	}
	return max(best, share(gap+lx, 2*common+gap+lx), share(gap+ly, 2*common+gap+ly))
}

// fuzzWords cuts a text at white space as rapidfuzz does, which treats U+0085 and
// U+00A0 as spaces only in texts that also contain a rune above U+00FF.
func fuzzWords(s string) []string {
	wide := strings.ContainsFunc(s, func(r rune) bool { return r > 0xff })
	return strings.FieldsFunc(s, func(r rune) bool { return isSpace(r) && (wide || r != 0x85 && r != 0xa0) })
}

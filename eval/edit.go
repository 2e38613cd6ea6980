package eval

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Levenshtein is the least number of runes to insert, delete or replace to turn
// a into b (Levenshtein 1965). Invalid UTF-8 counts a rune a byte.
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

// trimCommon cuts off what two texts begin and end with alike, in whole runes.
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

// A byteMyers is [myers] for ASCII: the masks of all 128 bytes lie in one
// table, word by word.
type byteMyers struct {
	masks  []uint64 // word i of byte c at i*128+c
	pv, nv []uint64
}

func (m *byteMyers) distance(a, b string) int {
	words := (len(a) + 63) / 64
	if len(m.masks) < words*utf8.RuneSelf {
		m.masks = make([]uint64, words*utf8.RuneSelf)
		m.pv, m.nv = make([]uint64, words), make([]uint64, words)
	}
	for i := 0; i < len(a); i++ {
		m.masks[i/64*utf8.RuneSelf+int(a[i])] |= 1 << (i % 64)
	}
	score := 0
	switch words {
	case 1:
		score = one((*[128]uint64)(m.masks), len(a), b)
	case 2:
		score = two((*[128]uint64)(m.masks), (*[128]uint64)(m.masks[128:]), len(a), b)
	default:
		score = m.long(words, len(a), b)
	}
	clear(m.masks[:words*utf8.RuneSelf])
	return score
}

func one(masks *[128]uint64, n int, b string) int {
	pv, nv := ^uint64(0), uint64(0)
	score, shift := n, n-1
	for i := 0; i < len(b); i++ {
		eq := masks[b[i]&127]
		d0 := ((eq & pv) + pv) ^ pv | eq | nv
		hp := nv | ^(d0 | pv)
		hn := pv & d0
		score += int(hp>>shift&1) - int(hn>>shift&1)
		hp = hp<<1 | 1
		pv = hn<<1 | ^(d0 | hp)
		nv = hp & d0
	}
	return score
}

// two is the loop over two words written out: sentences are about that long.
// The carry between the words is the sum's own, so that both words are one
// number of 128 bits.
func two(low, high *[128]uint64, n int, b string) int {
	p0, p1 := ^uint64(0), ^uint64(0)
	var n0, n1 uint64
	score, shift := n, n-65
	for i := 0; i < len(b); i++ {
		c := b[i] & 127
		e0, e1 := low[c], high[c]
		s0, carry := bits.Add64(e0&p0, p0, 0)
		s1, _ := bits.Add64(e1&p1, p1, carry)
		d0, d1 := s0^p0|e0|n0, s1^p1|e1|n1
		hp0, hp1 := n0|^(d0|p0), n1|^(d1|p1)
		hn0, hn1 := p0&d0, p1&d1
		score += int(hp1>>shift&1) - int(hn1>>shift&1)
		hp1 = hp1<<1 | hp0>>63
		hp0 = hp0<<1 | 1
		p1 = (hn1<<1 | hn0>>63) | ^(d1 | hp1)
		p0 = hn0<<1 | ^(d0 | hp0)
		n0, n1 = hp0&d0, hp1&d1
	}
	return score
}

func (m *byteMyers) long(words, n int, b string) int {
	pv, nv := m.pv[:words], m.nv[:words]
	for i := range pv {
		pv[i], nv[i] = ^uint64(0), 0
	}
	score, shift := n, (n-1)%64
	for i := 0; i < len(b); i++ {
		masks := m.masks[b[i]&127:]
		var carry, hpIn, hnIn uint64
		hpIn = 1
		var hp, hn uint64
		for w := range pv {
			eq, p, v := masks[w*utf8.RuneSelf], pv[w], nv[w]
			var sum uint64
			sum, carry = bits.Add64(eq&p, p, carry)
			d0 := sum ^ p | eq | v
			hp, hn = v|^(d0|p), p&d0
			hpNext, hnNext := hp>>63, hn>>63
			up := hp<<1 | hpIn
			pv[w] = (hn<<1 | hnIn) | ^(d0 | up)
			nv[w] = up & d0
			hpIn, hnIn = hpNext, hnNext
		}
		score += int(hp>>shift&1) - int(hn>>shift&1)
	}
	return score
}

// WeightedLevenshtein is the least cost of turning a into b where inserting,
// deleting and replacing a rune cost this much.
func WeightedLevenshtein(a, b string, insert, remove, replace int) int {
	x, y := []rune(a), []rune(b)
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
	return row[len(y)]
}

// LCSLength is the length in runes of the longest common subsequence.
func LCSLength(a, b string) int {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.hyp, s.ref = s.runeIDs(a, b)
	return s.lcs.length(s.hyp, s.ref)
}

// Indel is the edit distance with insertions and deletions only: what is not
// in the longest common subsequence.
func Indel(a, b string) int {
	return utf8.RuneCountInString(a) + utf8.RuneCountInString(b) - 2*LCSLength(a, b)
}

// OSA is the optimal string alignment distance: Levenshtein with swaps of
// neighbours at the cost of 1, where no part is edited twice. It is no metric:
// the triangle inequality fails (ca, ac, abc).
func OSA(a, b string) int {
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

// DamerauLevenshtein is the distance with swaps of neighbours, unrestricted
// (Damerau 1964; the algorithm of Lowrance and Wagner 1975).
func DamerauLevenshtein(a, b string) int {
	x, y := []rune(a), []rune(b)
	cols := len(y) + 2
	far := len(x) + len(y)
	t := make([]int, (len(x)+2)*cols)
	at := func(i, j int) *int { return &t[(i+1)*cols+j+1] }
	*at(-1, -1) = far
	for i := range len(x) + 1 {
		*at(i, -1), *at(i, 0) = far, i
	}
	for j := range len(y) + 1 {
		*at(-1, j), *at(0, j) = far, j
	}
	lastRow := map[rune]int{}
	for i := 1; i <= len(x); i++ {
		lastCol := 0
		for j := 1; j <= len(y); j++ {
			k, l := lastRow[y[j-1]], lastCol
			cost := 1
			if x[i-1] == y[j-1] {
				cost, lastCol = 0, j
			}
			*at(i, j) = min(*at(i-1, j-1)+cost, *at(i, j-1)+1, *at(i-1, j)+1, *at(k-1, l-1)+i-k-1+1+j-l-1)
		}
		lastRow[x[i-1]] = i
	}
	return *at(len(x), len(y))
}

// LevenshteinSimilarity is 1 - distance/length of the longer text: 1 for equal
// texts, 0 for those with nothing in common.
func LevenshteinSimilarity(a, b string) float64 {
	longest := max(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	return 1 - ratio(float64(Levenshtein(a, b)), float64(longest))
}

// Jaro compares short strings such as names: the mean of the shares of
// matching runes on both sides, and of those in the same order (Jaro 1989).
// Runes match within half the longer length.
func Jaro(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	window := max(len(x), len(y))/2 - 1
	if len(x) == 1 && len(y) == 1 {
		window = 0
	}
	inX, inY := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i, r := range x {
		for j := max(0, i-window); j <= min(len(y)-1, i+window); j++ {
			if !inY[j] && y[j] == r {
				inX[i], inY[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	outOfOrder, j := 0, 0
	for i, r := range x {
		if !inX[i] {
			continue
		}
		for !inY[j] {
			j++
		}
		if y[j] != r {
			outOfOrder++
		}
		j++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(outOfOrder/2))/m) / 3
}

// JaroWinkler raises [Jaro] for strings that begin alike, by 0.1 for each of up
// to four common first runes, where Jaro is above 0.7 (Winkler 1990).
func JaroWinkler(a, b string) float64 {
	s := Jaro(a, b)
	if s <= 0.7 {
		return s
	}
	x, y := []rune(a), []rune(b)
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return s + float64(prefix)*0.1*(1-s)
}

// Alignment counts the steps of a cheapest alignment of two sequences.
type Alignment struct{ Hits, Substitutions, Insertions, Deletions int }

// Distance is the number of steps that change something.
func (a Alignment) Distance() int { return a.Substitutions + a.Insertions + a.Deletions }

// align aligns two sequences of ids; of several cheapest alignments the one
// that rapidfuzz finds.
func (s *scratch) align(ref, hyp []uint32) Alignment {
	var a Alignment
	for len(ref) > 0 && len(hyp) > 0 && ref[0] == hyp[0] {
		ref, hyp = ref[1:], hyp[1:]
		a.Hits++
	}
	for len(ref) > 0 && len(hyp) > 0 && ref[len(ref)-1] == hyp[len(hyp)-1] {
		ref, hyp = ref[:len(ref)-1], hyp[:len(hyp)-1]
		a.Hits++
	}
	s.alignRest(ref, hyp, &a)
	return a
}

// alignCells bounds the bits of the traced table; a larger one is split in two
// first (Hirschberg 1975), so that memory grows with the length, not its
// square.
const alignCells = 1 << 26

func (s *scratch) alignRest(ref, hyp []uint32, a *Alignment) {
	switch {
	case len(ref) == 0:
		a.Insertions += len(hyp)
		return
	case len(hyp) == 0:
		a.Deletions += len(ref)
		return
	case len(ref)*len(hyp) > alignCells && len(hyp) > 1:
		mid := len(hyp) / 2
		at := splitAt(ref, hyp, mid)
		s.alignRest(ref[:at], hyp[:mid], a)
		s.alignRest(ref[at:], hyp[mid:], a)
		return
	}
	s.myers.set(ref)
	s.myers.keep = true
	s.myers.distance(hyp)
	s.myers.trace(hyp, func(kind byte, _, _ int) {
		switch kind {
		case opMatch:
			a.Hits++
		case opSubst:
			a.Substitutions++
		case opInsert:
			a.Insertions++
		case opDelete:
			a.Deletions++
		}
	})
	s.myers.keep = false
	s.myers.reset()
}

// splitAt returns where a cheapest alignment cuts ref, when hyp is cut at mid.
func splitAt(ref, hyp []uint32, mid int) int {
	left := lastRow(ref, hyp[:mid])
	backRef, backHyp := slices.Clone(ref), slices.Clone(hyp[mid:])
	slices.Reverse(backRef)
	slices.Reverse(backHyp)
	right := lastRow(backRef, backHyp)
	best := 0
	for i := range left {
		if left[i]+right[len(ref)-i] < left[best]+right[len(ref)-best] {
			best = i
		}
	}
	return best
}

// lastRow is the edit distance of every prefix of ref to hyp.
func lastRow(ref, hyp []uint32) []int32 {
	row := make([]int32, len(ref)+1)
	for i := range row {
		row[i] = int32(i)
	}
	for _, h := range hyp {
		diagonal := row[0]
		row[0]++
		for i, r := range ref {
			above := row[i+1]
			c := diagonal
			if h != r {
				c = min(diagonal, above, row[i]) + 1
			}
			row[i+1] = c
			diagonal = above
		}
	}
	return row
}

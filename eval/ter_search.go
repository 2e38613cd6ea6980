package eval

import (
	"cmp"
	"math"
	"slices"
)

// Limits of tercom's search.
const (
	terShiftSize  = 10
	terShiftDist  = 50
	terBeam       = 25
	terCandidates = 1000
)

// A terSearch counts TER's edits: it tries every shift of a matching run of
// words, makes the one that lowers the edit distance most, and starts over
// until none does.
type terSearch struct {
	cost    []int32 // the dynamic program's table, a row an output word
	op      []byte
	rows    []terRow
	words   []uint32 // the output, shifted
	try     []uint32
	best    []uint32
	align   []int32 // by reference word: the output word it is aligned with
	refErr  []int32 // prefix sums: errors before reference word i
	hypErr  []int32
	trace   []byte
	pattern myers
	before  int // the distance before a shift
	checked int // shifts that were tried, in all rounds
	found   bool
	rank    shiftRank // of best, if one is found
}

// A terRow says where the cells of a row are: those of the columns from..to-1, at
// start.
type terRow struct{ start, from, to int }

const (
	opMatch  = byte(' ')
	opSubst  = byte('s')
	opInsert = byte('i') // a reference word that the output lacks
	opDelete = byte('d') // an output word that the reference lacks
)

func (t *terSearch) edits(hyp, ref []uint32) int {
	if len(ref) == 0 {
		return len(hyp)
	}
	t.words = append(t.words[:0], hyp...)
	t.pattern.set(ref)
	defer t.pattern.reset()
	shifts := 0
	t.checked = 0
	for {
		gain := t.shift(ref)
		if t.checked >= terCandidates || gain <= 0 {
			return shifts + t.before
		}
		shifts++
		t.words, t.best = t.best, t.words
	}
}

// shift looks for the best shift of t.words and leaves the shifted words in
// t.best. It returns by how much the edit distance falls.
func (t *terSearch) shift(ref []uint32) int {
	t.before = t.beam(t.words, ref)
	t.alignment(len(t.words), len(ref))
	t.found, t.rank = false, shiftRank{}
	for startH := range t.words {
		for startR := max(0, startH-terShiftDist); startR < len(ref) && startR <= startH+terShiftDist; startR++ {
			longest := min(terShiftSize, len(t.words)-startH, len(ref)-startR)
			for n := 1; n <= longest && t.words[startH+n-1] == ref[startR+n-1]; n++ {
				if !t.mayMove(startH, startR, n) {
					continue
				}
				t.tryTargets(ref, startH, startR, n)
				if t.checked >= terCandidates {
					return t.rank.gain
				}
			}
		}
	}
	return t.rank.gain
}

// mayMove reports whether the output is wrong in a run of n words, the reference's
// run is not matched already, and the two are not aligned with each other.
func (t *terSearch) mayMove(startH, startR, n int) bool {
	if t.hypErr[startH+n] == t.hypErr[startH] || t.refErr[startR+n] == t.refErr[startR] {
		return false
	}
	at := int(t.align[startR])
	return at < startH || at >= startH+n
}

// tryTargets moves a run of n words to each place where the reference's run, or a
// part of it, is aligned.
func (t *terSearch) tryTargets(ref []uint32, startH, startR, n int) {
	last := -1
	for offset := -1; offset < n && startR+offset < len(ref); offset++ {
		target := 0
		if r := startR + offset; r >= 0 {
			target = int(t.align[r]) + 1
		}
		if target == last {
			continue
		}
		last = target
		t.try = performShift(t.try[:0], t.words, startH, n, target)
		t.checked++
		rank := shiftRank{t.before - t.distance(t.try, ref), n, -startH, -target}
		if !t.found || rank.compare(t.rank) > 0 {
			t.found, t.rank = true, rank
			t.best = append(t.best[:0], t.try...)
		}
	}
}

// A shiftRank orders shifts as tercom does: the largest gain, then the longest
// run, the earliest one, the earliest target.
type shiftRank struct{ gain, length, start, target int }

func (a shiftRank) compare(b shiftRank) int {
	return cmp.Or(cmp.Compare(a.gain, b.gain), cmp.Compare(a.length, b.length), cmp.Compare(a.start, b.start), cmp.Compare(a.target, b.target))
}

func performShift(dst, words []uint32, start, n, target int) []uint32 {
	run := words[start : start+n]
	switch {
	case target < start:
		dst = append(dst, words[:target]...)
		dst = append(dst, run...)
		dst = append(dst, words[target:start]...)
		return append(dst, words[start+n:]...)
	case target > start+n:
		dst = append(dst, words[:start]...)
		dst = append(dst, words[start+n:target]...)
		dst = append(dst, run...)
		return append(dst, words[target:]...)
	default: // into itself: the words after it move before it
		end := min(n+target, len(words))
		dst = append(dst, words[:start]...)
		dst = append(dst, words[start+n:end]...)
		dst = append(dst, run...)
		return append(dst, words[end:]...)
	}
}

// distance is the edit distance as the beam search gives it. Where the true
// distance is so small that no best path can leave the beam, the two are the
// same, and the bit-parallel algorithm finds it much faster.
func (t *terSearch) distance(hyp, ref []uint32) int {
	if len(ref) <= 512 {
		if d := t.pattern.distance(hyp); d+dist(len(hyp), len(ref))+1 < terBeam {
			return d
		}
	}
	return t.beam(hyp, ref)
}

// beam fills the table of the edit distance inside tercom's beam, and returns
// the distance. Among equally cheap operations a match or substitution comes
// before a deletion and that before an insertion, which decides the alignment.
// Only the cells in the beam are kept, so that memory grows with the length of
// the texts and not with its square.
func (t *terSearch) beam(hyp, ref []uint32) int {
	const infinity = math.MaxInt32 / 2
	n, m := len(hyp), len(ref)
	ratio, width := beamShape(n, m)
	t.rows = append(t.rows[:0], terRow{0, 0, m + 1})
	t.cost, t.op = t.cost[:0], t.op[:0]
	for j := range m + 1 {
		t.cost, t.op = append(t.cost, int32(j)), append(t.op, opInsert)
	}
	for i := 1; i <= n; i++ {
		diagonal := int(math.Floor(float64(i) * ratio))
		from, to := max(0, diagonal-width), min(m+1, diagonal+width)
		if i == n {
			to = m + 1
		}
		above := t.rows[i-1]
		start := len(t.cost)
		t.rows = append(t.rows, terRow{start, from, to})
		t.cost = slices.Grow(t.cost, to-from)[:start+to-from]
		t.op = slices.Grow(t.op, to-from)[:start+to-from]
		up, row, op := t.cost[above.start:start], t.cost[start:], t.op[start:]
		word, left := hyp[i-1], int32(infinity)
		diag := int32(infinity) // the cell above and to the left
		if k := from - 1 - above.from; k >= 0 && k < len(up) {
			diag = up[k]
		}
		for j := from; j < to; j++ {
			over := int32(infinity)
			if k := j - above.from; k >= 0 && k < len(up) {
				over = up[k]
			}
			c, o := over+1, opDelete
			if j > 0 {
				if word == ref[j-1] {
					c, o = diag, opMatch
				} else {
					c, o = diag+1, opSubst
				}
				if over+1 < c {
					c, o = over+1, opDelete
				}
				if left+1 < c {
					c, o = left+1, opInsert
				}
			}
			row[j-from], op[j-from] = min(c, infinity), o
			left, diag = row[j-from], over
		}
	}
	last := t.rows[n]
	return int(t.cost[last.start+m-last.from])
}

// beamShape returns the slope of the beam's middle and half of its width.
func beamShape(n, m int) (ratio float64, width int) {
	ratio, width = 1, terBeam
	if n > 0 {
		ratio = float64(m) / float64(n)
	}
	if terBeam < ratio/2 {
		width = int(math.Ceil(ratio/2 + terBeam))
	}
	return ratio, width
}

// alignment reads the cheapest path from the table: which output word each
// reference word is aligned with, and where the errors are.
func (t *terSearch) alignment(n, m int) {
	t.trace = t.trace[:0]
	for i, j := n, m; i > 0 || j > 0; {
		o := t.op[t.rows[i].start+j-t.rows[i].from]
		t.trace = append(t.trace, o)
		if o != opInsert {
			i--
		}
		if o != opDelete {
			j--
		}
	}
	t.align = t.align[:0]
	t.refErr, t.hypErr = append(t.refErr[:0], 0), append(t.hypErr[:0], 0)
	at := int32(-1)
	push := func(sums []int32, wrong bool) []int32 {
		last := sums[len(sums)-1]
		if wrong {
			last++
		}
		return append(sums, last)
	}
	for _, o := range slices.Backward(t.trace) {
		if o != opInsert {
			at++
			t.hypErr = push(t.hypErr, o != opMatch)
		}
		if o != opDelete {
			t.align = append(t.align, at)
			t.refErr = push(t.refErr, o != opMatch)
		}
	}
}

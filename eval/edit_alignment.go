package eval

import (
	"slices"
)

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

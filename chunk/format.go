package chunk

import "slices"

// A joint is a place where a structured text may be cut: the lower the rank, the
// less harm a cut does. Joints are in order of at.
type joint struct {
	at       int
	rank     int
	hard     bool     // no passage crosses it
	headings []string // of what follows
	context  string   // of what follows, if a passage begins there
}

// assemble packs the text between joints: as much as fits, ending at the joint of
// the lowest rank that leaves a passage at least a quarter full. Text between two
// joints that is too large is cut as prose is, beginning with lines.
//
// The quarter limits the work: a part of the text is looked at four times at most.
func assemble(text string, m measure, joints []joint) []Chunk {
	p := newPacker(text, m, prose)
	switch {
	case len(joints) > 0 && onlyMark(text[:joints[0].at]):
		joints[0].at = 0
	case len(joints) == 0 || joints[0].at > 0:
		joints = slices.Insert(joints, 0, joint{})
	}
	atoms := make([]piece, len(joints))
	for i := range joints {
		end := len(text)
		if i+1 < len(joints) {
			end = joints[i+1].at
		}
		atoms[i] = p.weigh(joints[i].at, end)
	}
	p.dropContexts(joints)
	for i := 0; i < len(atoms); {
		before := len(p.out)
		section := i + 1
		for section < len(atoms) && !joints[section].hard && atoms[section].size <= p.size && section-i <= 2*p.size {
			section++
		}
		from, n := i, 1
		large := atoms[i].size > p.size
		if !large {
			n = p.fitToJoint(atoms[i:section], joints[i+1:])
			large = n == 1 && p.grows(atoms[i])
		}
		if large {
			p.fill(atoms[i].start, atoms[i].end, 1)
			i++
		} else {
			p.emit(atoms[i : i+n])
			to := i + n
			i = to
			if to < len(atoms) && !joints[to].hard {
				i = from + p.next(atoms[from:], n)
			}
		}
		for k := range p.out[before:] {
			p.out[before+k].Headings, p.out[before+k].Context = joints[from].headings, joints[from].context
		}
	}
	return finish(text, p.out, p.code)
}

// dropContexts removes the contexts that are too large.
func (p *packer) dropContexts(joints []joint) {
	last, fits := "", true
	for i := range joints {
		if c := joints[i].context; c != last {
			last, fits = c, p.contextFits(c)
		}
		if !fits {
			joints[i].context = ""
		}
	}
}

// fitToJoint is fit for atoms, but ends at a joint of low rank if what it leaves
// out is worth it. after[i] is the joint after atom i.
func (p *packer) fitToJoint(atoms []piece, after []joint) int {
	n := p.fit(atoms)
	if n > len(after) { // to the end of the text
		return n
	}
	best := bestJoint(atoms[:n], after, p.size)
	if p.runes || best == n || p.countTrimmed(atoms[0].start, atoms[best-1].end) <= p.size {
		return best
	}
	return n // the count of the shorter is larger
}

// bestJoint returns how many of the atoms, all of which fit, to take; after[i] is
// the joint after atom i.
func bestJoint(atoms []piece, after []joint, size int) int {
	best, sum := len(atoms), 0
	rank := after[len(atoms)-1].rank
	for i := range atoms {
		sum += atoms[i].size
		if i < len(atoms)-1 && 4*sum >= size && after[i].rank < rank {
			best, rank = i+1, after[i].rank
		} else if best < len(atoms) && after[i].rank == rank {
			best = i + 1 // as good, and fuller
		}
	}
	if after[len(atoms)-1].hard {
		return len(atoms)
	}
	return best
}

package queue

import "slices"

// A picker orders the lanes for each claim.
type picker struct {
	lanes   []Lane
	strict  bool
	current []int
}

func newPicker(lanes []Lane, strict bool) picker {
	return picker{lanes: lanes, strict: strict, current: make([]int, len(lanes))}
}

// order returns the lanes, the one whose turn it is first. The turns are nginx's
// smooth weighted round robin: the largest current value is next.
func (p *picker) order() []string {
	index := make([]int, len(p.lanes))
	for i := range index {
		index[i] = i
	}
	if !p.strict {
		slices.SortStableFunc(index, func(a, b int) int {
			return (p.current[b] + p.lanes[b].Weight) - (p.current[a] + p.lanes[a].Weight)
		})
	}
	names := make([]string, len(index))
	for i, n := range index {
		names[i] = p.lanes[n].Queue
	}
	return names
}

// took notes which lane a job came from. Each lane gains its weight, and the one that
// was picked pays the sum. What a lane without jobs may save up is bounded, so that
// it doesn't rule for long when jobs come.
func (p *picker) took(queue string) {
	if p.strict {
		return
	}
	sum := 0
	for _, l := range p.lanes {
		sum += l.Weight
	}
	for i, l := range p.lanes {
		p.current[i] += l.Weight
		if l.Queue == queue {
			p.current[i] -= sum
		}
		p.current[i] = max(-2*sum, min(p.current[i], 2*sum))
	}
}

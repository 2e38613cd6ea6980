package route

// A WeightedRoundRobin takes turns by weight, and spreads the turns of a heavy one
// evenly: of weights 5, 1, 1 it picks 0 0 1 0 2 0 0, and not 0 0 0 0 0 1 2. The
// rule is nginx's smooth weighted round robin: each pick adds every weight to a
// current value, takes the largest (the lowest index of equal ones), and subtracts
// the sum of the weights from it. It is not safe for concurrent use.
type WeightedRoundRobin struct {
	weights, current []int
}

// NewWeightedRoundRobin returns a round robin over len(weights) places. A weight
// of 0 is never picked. It fails with [ErrOption] for a negative weight, one above
// 2^20, or if no weight is above 0.
func NewWeightedRoundRobin(weights []int) (*WeightedRoundRobin, error) {
	sum := 0
	for i, w := range weights {
		if w < 0 || w > 1<<20 {
			return nil, optionError("weight %d is %d: want 0 to 1048576", i, w)
		}
		sum += w
	}
	if sum == 0 {
		return nil, optionError("the weights are all 0: want one above 0")
	}
	return &WeightedRoundRobin{append([]int(nil), weights...), make([]int, len(weights))}, nil
}

// Next returns the index of the next pick.
func (r *WeightedRoundRobin) Next() int { return r.next(nil) }

// next is Next among the places of some; nil means all. It is -1 if none of them
// has a weight.
func (r *WeightedRoundRobin) next(some []uint8) int {
	best, sum := -1, 0
	consider := func(i int) {
		if r.weights[i] == 0 {
			return
		}
		r.current[i] += r.weights[i]
		sum += r.weights[i]
		if best < 0 || r.current[i] > r.current[best] {
			best = i
		}
	}
	if some == nil {
		for i := range r.weights {
			consider(i)
		}
	} else {
		for _, i := range some {
			consider(int(i))
		}
	}
	if best >= 0 {
		r.current[best] -= sum
	}
	return best
}

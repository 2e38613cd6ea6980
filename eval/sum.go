package eval

// sums adds rows of numbers exactly: the result is the correctly rounded sum,
// so it doesn't depend on the order in which concurrent workers finish.
//
// Each column keeps its running sum as a list of partial sums that don't
// overlap (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic"; the
// algorithm of Python's math.fsum). Counts stay in one partial, so the usual
// cost is one addition and a comparison.
type sums struct{ columns [][]float64 }

func newSums(width int) *sums { return &sums{make([][]float64, width)} }

func (s *sums) add(row []float64) {
	for i, x := range row {
		s.columns[i] = addExact(s.columns[i], x)
	}
}

func (s *sums) totals() []float64 {
	out := make([]float64, len(s.columns))
	for i, partials := range s.columns {
		out[i] = round(partials)
	}
	return out
}

func addExact(partials []float64, x float64) []float64 {
	kept := partials[:0]
	for _, y := range partials {
		if abs(x) < abs(y) {
			x, y = y, x
		}
		hi := x + y
		if lo := y - (hi - x); lo != 0 {
			kept = append(kept, lo)
		}
		x = hi
	}
	return append(kept, x)
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// round adds the partials from the largest down and corrects the one case
// where that rounds a tie the wrong way.
func round(partials []float64) float64 {
	n := len(partials)
	if n == 0 {
		return 0
	}
	n--
	hi, lo := partials[n], 0.0
	for n > 0 {
		x := hi
		n--
		y := partials[n]
		hi = x + y
		lo = y - (hi - x)
		if lo != 0 {
			break
		}
	}
	if n > 0 && (lo < 0 && partials[n-1] < 0 || lo > 0 && partials[n-1] > 0) {
		y := lo * 2
		x := hi + y
		if y == x-hi {
			hi = x
		}
	}
	return hi
}

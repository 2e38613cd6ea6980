package nearest

import "math"

// A Top collects the K rows with the highest scores, in no order, ties by the lower row.
// It is [Best] for many candidates: a row that is taken costs no walk through a heap.
// Twice as many rows are kept, and the worse half is dropped when there is no more room.
type Top struct {
	K    int
	bar  float32 // rows that are not above it are not taken
	full bool
	keys []uint64 // the higher, the better
}

// Bar returns the score that a row must be above to be taken, and whether there is one.
// Rows must be added in order for it to be right.
func (t *Top) Bar() (float32, bool) { return t.bar, t.full }

// Add adds a row. The score must not be NaN.
func (t *Top) Add(row uint32, score float32) {
	if t.keys == nil {
		t.keys = make([]uint64, 0, 2*min(t.K, 1<<12))
	}
	t.keys = append(t.keys, uint64(order(score))<<32|uint64(^row))
	if len(t.keys) == 2*t.K {
		t.cut()
	}
}

// Rows returns the rows.
func (t *Top) Rows() []uint32 {
	if len(t.keys) > t.K {
		t.cut()
	}
	rows := make([]uint32, len(t.keys))
	for i, key := range t.keys {
		rows[i] = ^uint32(key)
	}
	return rows
}

// cut drops all but the K best.
func (t *Top) cut() {
	selectHighest(t.keys, t.K)
	t.keys = t.keys[:t.K]
	worst := t.keys[0]
	for _, key := range t.keys {
		worst = min(worst, key)
	}
	t.bar, t.full = score(uint32(worst>>32)), true
}

// order maps scores to numbers of the same order.
func order(score float32) uint32 {
	bits := math.Float32bits(score)
	if bits>>31 != 0 {
		return ^bits
	}
	return bits | 1<<31
}

func score(order uint32) float32 {
	if order>>31 != 0 {
		return math.Float32frombits(order &^ (1 << 31))
	}
	return math.Float32frombits(^order)
}

// selectHighest moves the n highest of different keys to the front (quickselect).
func selectHighest(keys []uint64, n int) {
	for len(keys) > 1 && n > 0 && n < len(keys) {
		// The middle one of three is rarely a bad choice.
		a, b, c := keys[0], keys[len(keys)/2], keys[len(keys)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := 0, len(keys)-1
		for i <= j {
			for keys[i] > pivot {
				i++
			}
			for keys[j] < pivot {
				j--
			}
			if i <= j {
				keys[i], keys[j] = keys[j], keys[i]
				i++
				j--
			}
		}
		switch {
		case n <= j+1:
			keys = keys[:j+1]
		case n >= i:
			keys, n = keys[i:], n-i
		default:
			return
		}
	}
}

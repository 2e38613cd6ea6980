package quant

import (
	"fmt"
	"math"
	"slices"
)

// PruneMagnitude returns which weights stay (true) if the share sparsity with the smallest
// magnitude of the whole matrix is removed. Of equal ones the earlier goes first. The
// error wraps [ErrOption].
func PruneMagnitude(x []float32, sparsity float64) ([]bool, error) {
	if err := checkSparsity(sparsity); err != nil {
		return nil, err
	}
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	keep := make([]bool, len(x))
	dropSmallest(keep, magnitudes(x), int(sparsity*float64(len(x))))
	return keep, nil
}

// PruneNM returns which weights stay if of each m neighbors in a row the n largest do. 2 of
// 4 is what the sparse units of NVIDIA's GPUs compute at twice the speed. columns must be
// a multiple of m. Of equal ones the later stays. The error wraps [ErrOption].
func PruneNM(x []float32, columns, n, m int) ([]bool, error) {
	if columns < 1 || len(x)%columns != 0 || m < 1 || columns%m != 0 || n < 0 || n > m {
		return nil, fmt.Errorf("%w: %d of %d in rows of %d, %d numbers: want whole rows, and parts that divide a row", ErrOption, n, m, columns, len(x))
	}
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	keep := make([]bool, len(x))
	size := magnitudes(x)
	for at := 0; at < len(x); at += m {
		dropSmallest(keep[at:at+m], size[at:at+m], m-n)
	}
	return keep, nil
}

// PruneWanda returns which weights stay if in each row the share sparsity with the
// smallest product of the weight's magnitude and the norm of its input is removed: a small
// weight of a large input matters (Sun et al., 2023). norms has the L2 norm of each column's
// input over some text. The error wraps [ErrOption].
func PruneWanda(x []float32, columns int, norms []float32, sparsity float64) ([]bool, error) {
	if err := checkSparsity(sparsity); err != nil {
		return nil, err
	}
	if columns < 1 || len(x)%columns != 0 || len(norms) != columns {
		return nil, fmt.Errorf("%w: %d numbers in rows of %d, and %d norms: want whole rows and a norm for each column", ErrOption, len(x), columns, len(norms))
	}
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	if err := checkFinite(norms); err != nil {
		return nil, err
	}
	keep := make([]bool, len(x))
	size := magnitudes(x)
	for i := range size {
		size[i] *= math.Abs(float64(norms[i%columns]))
	}
	for at := 0; at < len(x); at += columns {
		dropSmallest(keep[at:at+columns], size[at:at+columns], int(sparsity*float64(columns)))
	}
	return keep, nil
}

// Apply sets the weights to 0 that don't stay, and returns a new matrix.
func Apply(x []float32, keep []bool) []float32 {
	out := make([]float32, len(x))
	for i := range min(len(x), len(keep)) {
		if keep[i] {
			out[i] = x[i]
		}
	}
	return out
}

func checkSparsity(s float64) error {
	if !(s >= 0 && s <= 1) {
		return fmt.Errorf("%w: a sparsity of %v: want a share from 0 to 1", ErrOption, s)
	}
	return nil
}

func checkFinite(x []float32) error {
	for i, v := range x {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Errorf("%w: number %d is %v: want finite numbers", ErrOption, i, v)
		}
	}
	return nil
}

func magnitudes(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Abs(float64(v))
	}
	return out
}

// dropSmallest marks all but the n smallest.
func dropSmallest(keep []bool, size []float64, n int) {
	order := make([]int, len(size))
	for i := range order {
		order[i], keep[i] = i, true
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case size[a] < size[b]:
			return -1
		case size[a] > size[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:min(n, len(order))] {
		keep[i] = false
	}
}

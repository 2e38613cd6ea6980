package kv

import (
	"fmt"
	"math/bits"
)

// A Layout is a way to reserve memory for sequences whose final length is not known.
type Layout uint8

// The layouts.
const (
	LayoutPaged      Layout = iota // whole blocks, as many as needed
	LayoutPowerOfTwo               // one piece, doubled when it is full
	LayoutMax                      // one piece for the longest sequence allowed
)

// WasteOptions are the settings of [Waste].
type WasteOptions struct {
	// Layout is how memory is reserved. Default: LayoutPaged.
	Layout Layout

	// BlockSize is the size of a block of LayoutPaged, in tokens. Default: 16.
	BlockSize int

	// MaxLen is the piece of LayoutMax, in tokens. Default: 2048.
	MaxLen int
}

// Waste returns how many slots a layout reserves for sequences of the lengths given, in
// tokens, and which share of them stays empty. Its errors wrap [ErrOption].
func Waste(lengths []int, o *WasteOptions) (reserved int, share float64, err error) {
	w := WasteOptions{}
	if o != nil {
		w = *o
	}
	if w.BlockSize == 0 {
		w.BlockSize = 16
	}
	if w.MaxLen == 0 {
		w.MaxLen = 2048
	}
	if w.BlockSize < 1 || w.MaxLen < 1 || w.Layout > LayoutMax {
		return 0, 0, fmt.Errorf("%w: WasteOptions are %+v: want a layout of this package and sizes of 1 or more", ErrOption, w)
	}
	used := 0
	for i, n := range lengths {
		if n < 0 || w.Layout == LayoutMax && n > w.MaxLen {
			return 0, 0, fmt.Errorf("%w: length %d is %d: want 0 or more, and no more than MaxLen", ErrOption, i, n)
		}
		used += n
		switch {
		case w.Layout == LayoutMax:
			reserved += w.MaxLen
		case n == 0:
		case w.Layout == LayoutPowerOfTwo:
			reserved += 1 << bits.Len(uint(n-1))
		default:
			reserved += ceil(n, w.BlockSize) * w.BlockSize
		}
	}
	if reserved == 0 {
		return 0, 0, nil
	}
	return reserved, float64(reserved-used) / float64(reserved), nil
}

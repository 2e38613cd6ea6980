//go:build !purego

package token

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var hasAVX2 = cpu.X86.HasAVX2

// bitRows sets rows[k] to the plane of bit k of asciiBits of the 64 bytes that
// text begins with.
func bitRows(text string, rows *[8]uint64) {
	if !hasAVX2 {
		bitRowsGo(text, rows)
		return
	}
	bitRowsAVX2(unsafe.StringData(text[:windowBytes]), rows)
}

//go:noescape
func bitRowsAVX2(text *byte, rows *[8]uint64)

//go:build purego || !amd64

package token

func bitRows(text string, rows *[8]uint64) { bitRowsGo(text, rows) }

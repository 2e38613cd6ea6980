//go:build !race

package chunk

const race = false

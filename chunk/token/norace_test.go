//go:build !race

package token_test

const race = false

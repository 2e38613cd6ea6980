package main

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// figure returns the number after a row's name.
func figure(t *testing.T, text, row string, column int) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^ +` + row + `((?: +[0-9.e+]+(?: %)?)+)$`).FindStringSubmatch(text)
	require.NotNil(t, m, row)
	all := regexp.MustCompile(`[0-9.e+]+`).FindAllString(m[1], -1)
	v, err := strconv.ParseFloat(all[column], 64)
	require.NoError(t, err)
	return v
}

// The numbers depend on the order of float32 sums, so they are compared, not equal.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out, io.Discard))
	text := out.String()
	stored := figure(t, text, `as it is stored \(Q8_0\)`, 1)
	require.InDelta(t, 72.4, stored, .5)
	require.InEpsilon(t, stored, figure(t, text, "a row, 8 bits", 1), .02, "8 bits cost nothing")
	require.Less(t, figure(t, text, "a row, 4 bits", 1), figure(t, text, "the whole matrix, 4 bits", 1))
	require.Less(t, figure(t, text, "32 neighbors, 2 bits, zero point", 1), figure(t, text, "a row, 2 bits", 1)/5)
	require.Greater(t, figure(t, text, "the smallest of each matrix +0.50", 0), 1.2*stored)
	after, clip, aware := figure(t, text, "2", 0), figure(t, text, "2", 1), figure(t, text, "2", 2)
	require.Less(t, after+10, clip)
	require.Less(t, clip, aware)
	require.ErrorContains(t, run(t.Context(), []string{"x"}, &out, io.Discard), "unexpected")
}

package main

import (
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	var out bytes.Buffer
	require.NoError(t, run([]string{"-csv", path}, &out, io.Discard))
	text := out.String()
	require.Contains(t, text, "1. The bill: $356.13747395, and 120 calls without a price")
	require.Equal(t, 4, strings.Count(text, "adds up to the bill: true"))
	require.Contains(t, text, "23 Nov:  80 % of the budget of $250 are spent, and is used up on 29 November")
	require.Contains(t, text, "20 Nov: anomaly")
	require.NotContains(t, text, "19 Nov: anomaly")
	require.Regexp(t, `gpt-4o-mini +\$ +22\.56 `, text)
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)
	require.Equal(t, []string{"acme", "151.56314645"}, []string{rows[1][0], rows[1][9]})
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
	require.Error(t, run([]string{"-csv", filepath.Join(path, "no")}, io.Discard, io.Discard))
}

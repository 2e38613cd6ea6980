package content

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

type groundRow struct {
	ID, Split, Source, Passage, Claim string
	Supported                         int
}

func groundRows(t *testing.T) []groundRow {
	t.Helper()
	f, err := os.Open("testdata/grounded.jsonl")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	var rows []groundRow
	for s := bufio.NewScanner(f); s.Scan(); {
		var r groundRow
		require.NoError(t, json.Unmarshal(s.Bytes(), &r))
		require.NotEmpty(t, r.Source)
		rows = append(rows, r)
	}
	return rows
}

// Each passage of the set names its source. The thresholds were chosen on the rows "dev";
// the rows "test" were written after it.
func TestGroundPrecisionAndRecall(t *testing.T) {
	g, err := NewGround(nil)
	require.NoError(t, err)
	type count struct{ tp, fp, fn, tn int }
	got := map[string]*count{"dev": {}, "test": {}}
	for _, r := range groundRows(t) {
		claims, err := g.Check(context.Background(), r.Claim, []string{"Nothing about it is in this one.", r.Passage})
		require.NoError(t, err)
		require.Len(t, claims, 1, r.ID)
		ok := claims[0].State == ClaimSupported
		c := got[r.Split]
		switch {
		case ok && r.Supported == 1:
			c.tp++
		case ok:
			c.fp++
			t.Logf("%s %s: supported: %s", r.Split, r.ID, r.Claim)
		case r.Supported == 1:
			c.fn++
			t.Logf("%s %s: %v, %s (%.2f): %s", r.Split, r.ID, claims[0].State, claims[0].Reason, claims[0].Score, r.Claim)
		default:
			c.tn++
		}
	}
	for split, c := range got {
		t.Logf("%s: precision %d/%d, recall %d/%d", split, c.tp, c.tp+c.fp, c.tp, c.tp+c.fn)
	}
	c := got["test"]
	require.Greater(t, float64(c.tp)/float64(c.tp+c.fp), .8)
	require.Greater(t, float64(c.tp)/float64(c.tp+c.fn), .8)
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock returns a lab's time, which goes on by a millisecond with each look.
func clock() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	l := lab{k: 5, ask: "How low are credit card late fees now?", now: clock()}
	require.NoError(t, l.run(t.Context(), &out))
	text := out.String()
	figure := func(row string, column int) float64 {
		m := regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(row) + `((?: +[0-9.]+)+) *$`).FindStringSubmatch(text)
		require.NotNil(t, m, "%s in\n%s", row, text)
		v, err := strconv.ParseFloat(regexp.MustCompile(`[0-9.]+`).FindAllString(m[1], -1)[column], 64)
		require.NoError(t, err)
		return v
	}
	require.Greater(t, figure("+ words (hybrid)", 0), figure("meaning", 0))
	require.Greater(t, figure("+ words (hybrid)", 1), figure("hybrid + fitted ranker", 0), "no reranker is beyond the candidates")
	require.Greater(t, figure("hybrid + fitted ranker", 0), figure("+ words (hybrid)", 0))
	require.Greater(t, figure("+ sentence window", 0), figure("hybrid + fitted ranker", 0))
	require.Less(t, figure("+ compression", 2), figure("hybrid + fitted ranker", 2)/2, "tokens")
	require.Regexp(t, `always +100 % +100 %`, text)
	require.Contains(t, text, "from $32 to $8")
	require.Contains(t, text, "quoted, state_of_the_union bytes")
	require.Contains(t, text, "What to notice")
}

func TestAFolderOfFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prices.csv"), []byte("item,price\nToaster,20 dollars\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manual.md"), []byte("# Refunds\n\nRefunds are paid within 30 days.\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.pdf"), []byte("not a PDF"), 0o644))
	var out bytes.Buffer
	l := lab{k: 5, docs: dir, ask: "When are refunds paid?", now: clock()}
	require.NoError(t, l.run(t.Context(), &out))
	require.Contains(t, out.String(), "left out: load: broken.pdf")
	require.Contains(t, out.String(), "2 files, 2 passages")
	require.Contains(t, out.String(), "within 30 days")
	require.Contains(t, out.String(), "manual.md, line 1")
}

func TestRefusals(t *testing.T) {
	l := lab{k: 0, now: clock()}
	require.Error(t, l.run(t.Context(), &bytes.Buffer{}))
}
